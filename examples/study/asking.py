"""What else can be asked of contexts: instruction synthesis over them, without a model."""

from __future__ import annotations

from collections.abc import Sequence

from synthesis.data import Context, Pair
from synthesis.options import from_dict
from synthesis.run.job import make_job
from synthesis.run.windows import asked_of, requests
from synthesis.sources.texts import LongText

# A summary is no short answer, and yes or no can be guessed.
_KINDS = ("span", "number", "multi-hop")


def asked_about(
    items: Sequence[tuple[Pair, Context]], each: int, seed: int
) -> list[tuple[str, Pair, Context]]:
    """Up to ``each`` questions with answers for each context, as ``run --method instruction`` asks them.

    Returns:
        Id of the pair whose context is asked about, the new pair, and the context with the new one's
        evidence; nothing is asked twice of a context.
    """
    asked = {"contexts": "-", "per_document": each, "kinds": _KINDS}
    config = from_dict({"method": "instruction", "seed": seed, "questions": asked})
    texts = [LongText(pair.id, context.text, pair.task) for pair, context in items]
    wanted = [row for row in requests(texts, config.questions, seed) if isinstance(row, Pair)]
    job = make_job(config)
    found: dict[tuple[str, str], tuple[str, Pair, Context]] = {}
    for done in job.outcomes((row, job.prompt(row)) for row in wanted):
        if isinstance(done.outcome, Context):
            of = str(asked_of(done.pair)["document"])
            found.setdefault((of, done.pair.instruction.casefold()), (of, done.pair, done.outcome))
    job.close()
    return list(found.values())
