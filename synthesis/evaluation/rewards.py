"""Rewards for reinforcement learning: a reply against what its row says is right, 0..1.

Each row names its checker; the functions below have the shapes that trainers call: ``answer_reward`` and
``citation_reward`` TRL's, ``compute_score`` verl's. Knows nothing of files or models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from synthesis.errors import ConfigError
from synthesis.evaluation.metrics.overlap import exact_match, f1
from synthesis.gate.replies import without_thinking
from synthesis.text.answers import kind_of, listed
from synthesis.text.numbers import Quantity, quantities
from synthesis.text.quoted import quotes, without_listed, without_quotes

Completion: TypeAlias = str | Sequence[Mapping[str, Any]]
"""A reply as trainers hand it over: its text, or its turns."""

_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_LED = re.compile(
    r"(?:^|\n)[*_ ]*(?:(?:final )?answer|antwort|r\u00e9ponse|respuesta|\u7b54\u6848)[*_ ]*[:：][*_ ]*", re.I
)
_CITED = re.compile(
    r"\[(\d{1,4}(?:\s*[,;]\s*\d{1,4})*)\]|(?:\bdo[ck]ument[eos]?s?|\u6587\u6863)\s+\[?(\d{1,4})", re.I
)
_YES = frozenset(["yes", "true", "yeah", "yep"])
_NO = frozenset(["no", "false", "nope"])
_LONG = 6  # words; whoever says as much may say it in other words
_DECLINES = re.compile(
    r"\b(?:do|does|did|is|are|was|were|can|could|will|has|have)(?:n['\u2019]t|\s+not|not)\s+(?:\w+\s+){0,3}?(?:"
    r"say|tell|told|state|mention|contain|give|provide|specif|includ|indicat|answer|determin|know|find|found|"
    r"clear|reveal|stand|in the)|\bno (?:\w+\s+){0,2}?(?:information|answer|mention|evidence|way to)\b"
    r"|\b(?:none|nothing|nowhere|neither) (?:of|in)\b|\bnone of them\b|\bleaves? (?:that|it|this) open\b"
    r"|\b(?:unanswerable|unknown|not (?:enough|sufficient|given|stated|mentioned|provided|specified)|"
    r"not possible|insufficient|unable to)\b",
    re.IGNORECASE,
)
_ALL_THE_SAME = re.compile(r"\b(?:but|however|though|although|probably|likely|my guess|i would say)\b", re.I)
_REFUSAL_WORDS = 40  # a longer reply says more than that the documents do not say


def reply_text(completion: Completion) -> str:
    """The text of a reply, its last turn if it has several."""
    if isinstance(completion, str):
        return completion
    return str(completion[-1].get("content") or "") if completion else ""


def final_answer(reply: str) -> str:
    r"""What a reply gives as its answer, without thoughts, quotes below it and document numbers in brackets.

    It stands in its last ``\boxed{}``, else behind its last ``Answer:``, else it is all of it.
    """
    text = without_listed(without_thinking(reply)).strip()
    if boxed := _BOXED.findall(text):
        return str(boxed[-1]).strip()
    if led := list(_LED.finditer(text)):
        rest = text[led[-1].end() :]
        # Behind a line of its own the answer may have several.
        text = rest.strip() if rest.startswith("\n") else rest.strip().split("\n")[0]
    return re.sub(r"\s*\[\d{1,4}(?:\s*[,;]\s*\d{1,4})*\]", "", text).strip()


def _choice(reply: str, answers: Sequence[str], tolerance: float) -> float:
    """Yes or no, by the first such word of the reply."""
    said = [word for word in re.findall(r"[a-z]+", reply.casefold()) if word in _YES | _NO]
    right = {_polarity(answer) for answer in answers}
    return float(bool(said) and _polarity(said[0]) in right)


def _polarity(text: str) -> bool | str:
    word = text.casefold().strip(" .!")
    return True if word in _YES else False if word in _NO else word


def _numeric(reply: str, answers: Sequence[str], tolerance: float) -> float:
    """The answer's numbers and dates and no others, however written; numbers within ``tolerance``."""
    said = list(quantities(reply))
    return float(any(_same_amounts(said, list(quantities(answer)), tolerance) for answer in answers))


def _same_amounts(said: Sequence[Quantity], right: Sequence[Quantity], tolerance: float) -> bool:
    if not right or len(said) != len(right):
        return False
    return all(any(_same(one, other, tolerance) for one in said) for other in right)


def _same(said: Quantity, right: Quantity, tolerance: float) -> bool:
    if said.unit and right.unit and said.unit != right.unit:
        return False
    if said.value == right.value or (right.other and said.value == right.other):
        return True
    if right.kind == "date" and said.kind == "date":
        # A day is right where the answer is its year; a year is not where the answer is a day.
        return all(
            b in ("00", "0000", a) for a, b in zip(said.value.split("-"), right.value.split("-"), strict=True)
        )
    if said.kind == "date" or right.kind == "date":
        return said.kind == "date" and said.value.partition("-")[0] == right.value
    sizes = [_size(one.value) for one in (said, right)]
    if tolerance <= 0 or None in sizes:
        return False
    return abs((sizes[0] or 0.0) - (sizes[1] or 0.0)) <= tolerance * abs(sizes[1] or 0.0)


def _size(value: str) -> float | None:
    top, _, bottom = value.partition("/")
    try:
        return float(top) / float(bottom or 1)
    except (ValueError, ZeroDivisionError):
        return None


def _set(reply: str, answers: Sequence[str], tolerance: float) -> float:
    """F1 over the parts of a list, in any order."""
    said = [_bare(part) for part in listed(reply) or (reply,)]
    best = 0.0
    for answer in answers:
        parts = [_bare(part) for part in listed(answer) or (answer,)]
        shared = len(set(said) & set(parts))
        best = max(best, 2 * shared / (len(set(said)) + len(set(parts))))
    return best


def _bare(part: str) -> str:
    return " ".join(re.sub(r"^(?:and|or|the|an?)\b|[^\w\s]", " ", part.casefold().strip()).split())


def _exact(reply: str, answers: Sequence[str], tolerance: float) -> float:
    return max(exact_match(reply, answer) for answer in answers)


def _f1(reply: str, answers: Sequence[str], tolerance: float) -> float:
    return max(f1(reply, answer) for answer in answers)


def _refusal(reply: str, answers: Sequence[str], tolerance: float) -> float:
    """Whether a reply says, in any words, that the documents do not tell, with no answer all the same."""
    if any(exact_match(reply, answer) for answer in answers):
        return 1.0
    if len(reply.split()) > _REFUSAL_WORDS or _ALL_THE_SAME.search(reply):
        return 0.0
    return float(_DECLINES.search(reply) is not None)


Checker: TypeAlias = Callable[[str, Sequence[str], float], float]
CHECKERS: Mapping[str, Checker] = MappingProxyType(
    {"choice": _choice, "numeric": _numeric, "set": _set, "exact": _exact, "f1": _f1, "refusal": _refusal}
)


def checker_for(answer: str) -> tuple[str, str]:
    """The type of an answer and the checker that suits it.

    ``yes/no`` is checked as a ``choice``, ``number`` as ``numeric``, ``list`` as a ``set``, a short ``name``
    must be ``exact``, and of longer ``text`` the words count (``f1``). That an answer is a ``refusal`` is
    not seen in its words: the row has to know.
    """
    kind = kind_of(answer)
    if kind == "yes/no":
        return "yes/no", "choice" if _polarity(answer) in (True, False) else "exact"
    if kind == "numeric":
        return "number", "numeric"
    if kind == "summary" or len(answer.split()) > _LONG and not listed(answer):
        return "text", "f1"
    return ("list", "set") if listed(answer) else ("name", "exact")


def check(checker: str, reply: str, answers: Sequence[str], tolerance: float = 0.0) -> float:
    """How right a reply is, 0..1.

    Args:
        checker: one of ``CHECKERS``.
        reply: whatever the model wrote; see ``final_answer``.
        answers: the right one and its aliases; the best counts.
        tolerance: how far a number may be off, as a share of it.

    Raises:
        ConfigError: there is no such checker.
    """
    if checker not in CHECKERS:
        raise ConfigError(f"there is no checker {checker!r}; choose one of: {', '.join(CHECKERS)}")
    given = final_answer(reply)
    return CHECKERS[checker](given, answers, tolerance) if given and answers else 0.0


def answer_reward(
    completions: Sequence[Completion],
    answer: Sequence[str],
    checker: Sequence[str],
    aliases: Sequence[Sequence[str]] | None = None,
    tolerance: Sequence[float] | None = None,
    **_columns: Any,
) -> list[float]:
    """For each completion, how right its answer is: a reward function of TRL's ``GRPOTrainer``.

    The other arguments are the columns of that name of ``export --format rl``, a value a completion.
    """
    names = aliases or [()] * len(completions)
    margins = tolerance or [0.0] * len(completions)
    rows = zip(completions, answer, checker, names, margins, strict=True)
    return [check(by, reply_text(one), [right, *others], margin) for one, right, by, others, margin in rows]


def cited(reply: str) -> set[int]:
    """The numbers of the documents a reply points to, as in ``[3]``, ``[2, 5]`` or ``document 4``.

    What it quotes does not count: a document may have numbers of its own.
    """
    found = _CITED.findall(without_quotes(without_thinking(reply)))
    return {int(number) for group in found for one in group if one for number in re.findall(r"\d+", one)}


def citation_reward(
    completions: Sequence[Completion],
    gold_numbers: Sequence[Sequence[int]],
    checker: Sequence[str] | None = None,
    **_columns: Any,
) -> list[float]:
    """For each completion, F1 of the documents it cites against those that hold the evidence.

    Where a refusal is right there is nothing to cite, and 1 for a reply that cites nothing.
    """
    rewards = []
    for one, gold, by in zip(completions, gold_numbers, checker or [""] * len(completions), strict=True):
        found, right = cited(reply_text(one)), set(gold)
        nothing = float(by == "refusal")
        rewards.append(2 * len(found & right) / (len(found) + len(right)) if found or right else nothing)
    return rewards


def quotation_reward(
    completions: Sequence[Completion], prompts: Sequence[Completion], **_columns: Any
) -> list[float]:
    """For each completion, the share of its quotes that stand in its prompt word for word; 0 without any.

    ``prompts`` are texts or turns, as TRL hands them over.
    """
    rewards = []
    for one, prompt in zip(completions, prompts, strict=True):
        shown = prompt if isinstance(prompt, str) else "\n".join(str(turn.get("content")) for turn in prompt)
        said = quotes(without_thinking(reply_text(one)))
        rewards.append(sum(quote.strip() in shown for quote in said) / len(said) if said else 0.0)
    return rewards


def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: Mapping[str, Any] | None = None
) -> float:
    """How right one solution is: a custom reward function of verl, which hands over ``extra_info``."""
    told = extra_info or {}
    checker = str(told.get("checker") or checker_for(ground_truth)[1])
    aliases = told.get("aliases")
    answers = [ground_truth, *(map(str, aliases) if aliases is not None else ())]
    return check(checker, solution_str, answers, float(told.get("tolerance") or 0.0))
