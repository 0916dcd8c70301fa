"""What the rows of each kind of config look like: columns, meanings, row makers.

It turns records into plain rows. It does not know files, versions or the card; pyarrow is imported
only when a schema is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from synthesis.data import Coherence, Context, Pair, Rejected, Sample

Kind: TypeAlias = Literal["raw", "chat", "rl", "rejected"]
Row: TypeAlias = dict[str, Any]

# To be raised when the same contexts and settings would give other rows: a change of the
# score, of the assembly or of a column.
ROWS_VERSION = 8


class Column(NamedTuple):
    """One column: its Arrow type (a key of ``_arrow_types``), and what it holds, for the card."""

    name: str
    type: str
    meaning: str


# "long" is a string with 64-bit offsets: a table of many long texts passes 2 GiB.
COLUMNS: dict[Kind, tuple[Column, ...]] = {
    "raw": (
        Column("id", "text", "name of the pair, a hash of instruction and answer"),
        Column("task", "text", "kind of task, as the source of the pairs calls it"),
        Column("instruction", "long", "the instruction, unchanged"),
        Column("answer", "long", "the answer, unchanged"),
        Column("context", "long", "the synthesised background text"),
        Column("evidence", "evidence", "character spans of the context that support the answer"),
        Column("evidence_source", "text", "`exact` (from the engine), `located` (found later) or `none`"),
        Column("form", "text", "kind of text that carries the evidence, empty where the engine does not say"),
        Column("hops", "integer", "steps that the evidence takes, 0 where the engine does not say"),
        Column(
            "reasons",
            "reasons",
            "steps from the context to the answer that a model wrote: what each quotes, its character span "
            "in the context, and what it says of that; empty where none were asked for or none hold",
        ),
        Column("reasons_model", "text", "model that wrote them"),
        Column("words", "integer", "whitespace-separated words of the context"),
        Column("tokens", "integer", "tokens of the context"),
        Column("coherence", "number", "overall score from 0 to 1, empty where nothing was scored"),
        Column("support", "number", "does the context carry the answer, 0 to 1"),
        Column("relevance", "number", "does it speak of what the instruction asks, 0 to 1"),
        Column("uniqueness", "number", "does it fit this pair rather than another, 0 to 1"),
        Column("leaks", "number", "what giveaways leave of the score, 1 where there are none"),
        Column("answer_kind", "text", "kind of answer the score was calibrated for"),
        Column("verified", "flag", "false where the score cannot know, such as yes or no"),
        Column(
            "contamination",
            "overlaps",
            "n-grams shared with each benchmark that shares any; empty where none does or none was checked",
        ),
        Column("engine", "text", "engine that wrote the context"),
        Column("model", "text", "model behind the engine"),
        Column("template", "text", "prompt template"),
        Column("attempts", "integer", "replies it took, those asked for again and all sections included"),
        Column("seed", "integer", "seed of this context"),
        Column(
            "group",
            "text",
            "name of what all contexts for one pair share where several were kept: the pair's",
        ),
        Column("rank", "integer", "place among those, 1 for the best"),
        Column(
            "chosen", "flag", "whether it is the best, of which samples are made unless all are asked for"
        ),
        Column("metadata", "long", "JSON object with the source's other fields"),
    ),
    "chat": (
        Column("messages", "messages", "the conversation: documents and instruction, then the answer"),
        Column("id", "text", "name of the sample"),
        Column("pair_id", "text", "name of the pair, as in the raw config"),
        Column("task", "text", "kind of task"),
        Column("tokens", "integer", "tokens of the whole conversation with the chat template"),
        Column("budget", "integer", "most tokens the sample was allowed"),
        Column("depth", "number", "place of the supporting context, 0 = start, 1 = end"),
        Column("evidence_start", "integer", "first character of that context in the first user message"),
        Column("evidence_end", "integer", "first character after it"),
        Column("evidence_token_start", "integer", "first token of that context in the whole conversation"),
        Column("evidence_token_end", "integer", "first token after it"),
        Column(
            "evidence",
            "placed",
            "its pieces of evidence, and the links that lead to a hidden question: character spans in that "
            "message, tokens in the whole conversation, number of the document from 1",
        ),
        Column("evidence_source", "text", "whether its pieces were recorded or found, as in the raw config"),
        Column(
            "evidence_distance",
            "integer",
            "tokens between its first and last piece, empty if fewer",
        ),
        Column("form", "text", "kind of text that carries the evidence, as in the raw config"),
        Column("hops", "integer", "steps that the evidence takes, as in the raw config"),
        Column("rings", "integer", "rings of keys that hide the question, 0 where it is asked plainly"),
        Column("answer", "long", "the answer alone, as the pair has it"),
        Column(
            "answer_form", "text", "how the last turn gives it: `plain`, `cited` (with quotes) or `reasoned`"
        ),
        Column("model", "text", "model behind the engine that wrote the supporting context"),
        Column(
            "reasons",
            "steps",
            "steps that a model wrote, where the last turn has them: character span in that message of what "
            "each quotes, what it says of that, number of the document from 1",
        ),
        Column("reasons_model", "text", "model that wrote them"),
        Column(
            "rank", "integer", "rank of the supporting context among those kept for its pair, 1 for the best"
        ),
        Column("documents", "texts", "pair ids of all contexts, in order"),
        Column("distractors", "text", "how the other contexts were chosen"),
        Column("coherence", "number", "overall score of the supporting context"),
        Column(
            "twin",
            "text",
            "`removed` (a sample without its evidence), `changed` (with another answer) or `decoy` (with a "
            "decoy made the answer); empty for a sample that is no twin",
        ),
        Column("twin_of", "text", "name of the sample that a twin is made from"),
        Column(
            "changes",
            "changes",
            "all that differs between a twin and its sample: what, its characters in the first user message, "
            "and those of what it replaces in the sample's",
        ),
        Column(
            "wrong",
            "wrong",
            "replies that would be wrong, where twins were asked for: a `decoy`, what is right for a `twin`, "
            "a `refusal`",
        ),
    ),
    "rl": (
        Column("id", "text", "name of the sample, as in the chat config"),
        Column("group", "text", "name of the pair, which rows with other contexts for it share"),
        Column("model", "text", "model that wrote the supporting context, as in the chat config"),
        Column("rank", "integer", "rank of the supporting context among those, 1 for the best"),
        Column("twin", "text", "kind of a twin, as in the chat config; empty for a sample that is none"),
        Column("twin_of", "text", "name of the sample that a twin is made from"),
        Column("data_source", "text", "where it is from, by which verl chooses a reward"),
        Column("ability", "text", "`long-context`"),
        Column("task", "text", "kind of task"),
        Column("prompt", "messages", "the conversation up to the answer"),
        Column("answer", "long", "the right answer"),
        Column("aliases", "texts", "other right answers"),
        Column("answer_type", "text", "`yes/no`, `number`, `list`, `name`, `text` or `refusal`"),
        Column(
            "checker", "text", "the reward that suits: `choice`, `numeric`, `set`, `exact`, `f1`, `refusal`"
        ),
        Column("tolerance", "number", "how far a number may be off, as a share of it"),
        Column("gold_documents", "texts", "pair ids of the documents that hold the evidence"),
        Column("gold_numbers", "numbers", "their numbers in the prompt, from 1"),
        Column("evidence", "placed", "pieces of evidence, as in the chat config"),
        Column("form", "text", "kind of text that carries the evidence, as in the raw config"),
        Column("hops", "integer", "steps that the evidence takes, as in the raw config"),
        Column("rings", "integer", "rings of keys that hide the question, 0 where it is asked plainly"),
        Column("depth", "number", "place of the supporting context, 0 = start, 1 = end"),
        Column("tokens", "integer", "tokens of the whole conversation, its answer included"),
        Column("budget", "integer", "most tokens the sample was allowed"),
        Column("reward_model", "reward", "the right answer as verl reads it"),
        Column("extra_info", "extra", "what verl hands to a reward"),
        Column("info", "text", "the same as JSON, for verifiers"),
    ),
    "rejected": (
        Column("pair_id", "text", "name of the pair, or of its place in the source"),
        Column("stage", "text", "step that dropped it"),
        Column("reason", "text", "why"),
        Column("attempts", "integer", "replies that were asked for, 0 where no engine was"),
        Column("text", "long", "the text at hand when it was dropped"),
    ),
}


def arrow_types() -> dict[str, Any]:
    """The Arrow type behind each name that a ``Column`` may give."""
    import pyarrow as pa

    span = [("start", pa.int64()), ("end", pa.int64()), ("what", pa.large_string())]
    return {
        "text": pa.string(),
        "long": pa.large_string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "flag": pa.bool_(),
        "texts": pa.list_(pa.string()),
        "numbers": pa.list_(pa.int32()),
        "messages": pa.list_(pa.struct([("role", pa.string()), ("content", pa.large_string())])),
        "evidence": pa.list_(pa.struct(span)),
        "placed": pa.list_(
            pa.struct([*span, *((name, pa.int64()) for name in ("token_start", "token_end", "document"))])
        ),
        "reasons": pa.list_(
            pa.struct(
                [
                    ("start", pa.int64()),
                    ("end", pa.int64()),
                    ("quote", pa.large_string()),
                    ("says", pa.large_string()),
                ]
            )
        ),
        "steps": pa.list_(
            pa.struct(
                [
                    ("start", pa.int64()),
                    ("end", pa.int64()),
                    ("says", pa.large_string()),
                    ("document", pa.int64()),
                ]
            )
        ),
        "changes": pa.list_(
            pa.struct(
                [("what", pa.string())]
                + [(name, pa.int64()) for name in ("start", "end", "was_start", "was_end")]
            )
        ),
        "wrong": pa.list_(pa.struct([("text", pa.large_string()), ("source", pa.string())])),
        "overlaps": pa.list_(
            pa.struct(
                [
                    ("benchmark", pa.string()),
                    ("instruction", pa.int64()),
                    ("answer", pa.int64()),
                    ("context", pa.int64()),
                ]
            )
        ),
        "reward": pa.struct([("style", pa.string()), ("ground_truth", pa.large_string())]),
        "extra": pa.struct(
            [
                ("id", pa.string()),
                ("checker", pa.string()),
                ("answer_type", pa.string()),
                ("aliases", pa.list_(pa.string())),
                ("tolerance", pa.float64()),
                ("gold_numbers", pa.list_(pa.int32())),
            ]
        ),
    }


ASKED_MEANINGS = {
    "id": "name of the question: a hash of the text, the stretch that was asked about and the kind",
    "task": "kind of task, as the source of the texts calls it",
    "instruction": "the question, written for the text",
    "answer": "its answer, written with it",
    "context": "the text that was asked about, whole and unchanged",
    "evidence": "character spans of the text that were quoted as evidence",
    "evidence_source": "`exact`: quoted, and found in the text",
    "form": "kind of question",
    "engine": "engine that wrote question and answer",
}
"""What columns of a raw config hold where questions were written for texts."""


def arrow_schema(kind: Kind) -> Any:
    """The ``pyarrow.Schema`` of a kind, without metadata."""
    import pyarrow as pa

    types = arrow_types()
    return pa.schema([(column.name, types[column.type]) for column in COLUMNS[kind]])


def schema_names(kind: Kind) -> dict[str, str]:
    """Column name -> Arrow type as text, in order; what a manifest records."""
    return {entry.name: str(entry.type) for entry in arrow_schema(kind)}


def id_column(kind: Kind) -> str:
    """The column that names a row; it tells whether a version kept the rows of another."""
    return "pair_id" if kind == "rejected" else "id"


def raw_row(
    pair: Pair,
    context: Context,
    coherence: Coherence | None,
    overlaps: Iterable[Mapping[str, Any]] = (),
    rank: int = 1,
) -> Row:
    """A row of a raw config. Scores are None where nothing was scored; ``rank`` is that among its pair's."""
    return {
        "id": pair.id,
        "task": pair.task,
        "instruction": pair.instruction,
        "answer": pair.answer,
        "context": context.text,
        "evidence": [span._asdict() for span in context.evidence],
        "evidence_source": context.evidence_source,
        "form": context.form,
        "hops": context.hops,
        "reasons": [{**one._asdict(), "quote": context.text[one.start : one.end]} for one in context.reasons],
        "reasons_model": context.reasons_model,
        "words": context.words,
        "tokens": context.tokens,
        "coherence": coherence.overall if coherence else None,
        "support": coherence.support if coherence else None,
        "relevance": coherence.relevance if coherence else None,
        "uniqueness": coherence.uniqueness if coherence else None,
        "leaks": coherence.leaks if coherence else None,
        "answer_kind": coherence.kind if coherence else None,
        "verified": coherence.verified if coherence else None,
        "contamination": list(overlaps),
        "engine": context.engine,
        "model": context.model,
        "template": context.template,
        "attempts": context.attempts,
        "seed": context.seed,
        "group": pair.id,
        "rank": rank,
        "chosen": rank == 1,
        # A Parquet or CSV source may bring dates and the like; as text they stay readable.
        "metadata": json.dumps(dict(pair.metadata), ensure_ascii=False, sort_keys=True, default=str),
    }


def chat_row(sample: Sample, rank: int = 1) -> Row:
    """A row of a chat config. No column is called ``prompt``: trainers misread it beside ``messages``."""
    (start, end), (first, last) = sample.evidence_span, sample.token_span
    numbers = sample.evidence_documents or [None] * len(sample.evidence)
    pieces = zip(sample.evidence, sample.evidence_tokens, numbers, strict=True)
    apart = sorted(filter(any, sample.evidence_tokens))  # where they could be found
    return {
        "messages": [message._asdict() for message in sample.messages],
        "id": sample.id,
        "pair_id": sample.pair_id,
        "task": sample.task,
        "tokens": sample.tokens,
        "budget": sample.budget,
        "depth": sample.depth,
        "evidence_start": start,
        "evidence_end": end,
        "evidence_token_start": first,
        "evidence_token_end": last,
        "evidence": [
            {**span._asdict(), "token_start": tokens[0], "token_end": tokens[1], "document": number}
            for span, tokens, number in pieces
        ],
        "evidence_source": sample.evidence_source,
        "evidence_distance": max(0, apart[-1][0] - apart[0][1]) if len(apart) > 1 else None,
        "form": sample.form,
        "hops": sample.hops,
        "rings": sample.rings,
        "answer": sample.answer,
        "answer_form": sample.answer_form,
        "model": sample.model,
        "reasons": [
            {**one._asdict(), "document": sample.documents.index(sample.pair_id) + 1}
            for one in sample.reasons
        ],
        "reasons_model": sample.reasons_model,
        "rank": rank,
        "documents": list(sample.documents),
        "distractors": sample.distractors,
        "coherence": sample.coherence,
        "twin": sample.twin,
        "twin_of": sample.twin_of,
        "changes": [change._asdict() for change in sample.changes],
        "wrong": [wrong._asdict() for wrong in sample.wrong],
    }


def rejected_row(rejected: Rejected) -> Row:
    """A row of a rejected config."""
    return {
        "pair_id": rejected.pair_id,
        "stage": rejected.stage,
        "reason": rejected.reason,
        "attempts": rejected.attempts,
        "text": rejected.text,
    }
