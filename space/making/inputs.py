"""What a visitor may ask for: one frozen record, checked and bounded on the server.

Whatever the browser or a client sends passes ``read_inputs`` first, so nothing behind it has
to doubt a type, a size or a choice. ``to_link`` and ``from_link`` carry the same record in the
fragment of a link, which browsers do not send to servers: a visitor's text stays out of logs.
Knows nothing of Gradio and of how a sample is made.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from space.making.engines import EMBEDDED, PROVIDERS
from space.making.task import found_task
from synthesis.data import Pair
from synthesis.errors import UsageError

HALF: Final = re.compile("[\ud800-\udfff]")
"""A lone surrogate: JSON can carry it to the server, and nothing can carry it on."""

_KEY: Final = re.compile(r"(?<![A-Za-z0-9])(?:hf|sk|gsk|xai|api|key|ghp)[-_][\w-]{16,}|://[^/\s]*@")

MOST_INSTRUCTION: Final = 2_000
MOST_ANSWER: Final = 6_000
MOST_CONTEXT: Final = 200_000
MOST_TEMPLATE: Final = 8_000
MOST_MODEL: Final = 100
MOST_SEED: Final = 2**31 - 1

TASKS: Final = {
    "generic": "General",
    "story_qa": "Story",
    "paper_qa": "Research paper",
    "multihop_bridge": "Two facts to join",
    "multihop_compare": "Comparison",
    "multihop_compose": "Chain of facts",
    "meeting_query": "Meeting",
    "report_summary": "Report to summarise",
    "news_summary": "News to summarise",
}
FOUND: Final = "auto"
TASK_CHOICES: Final = {FOUND: "Found from the pair", **TASKS}
"""What can be asked for; ``read_inputs`` puts the task it finds in the place of ``FOUND``."""

WORDS: Final = {"500w": 500, "1000w": 1_000, "2000w": 2_000}
TOKENS: Final = {"4k": 4_096, "8k": 8_192, "16k": 16_384, "32k": 32_768}
LENGTHS: Final = {
    "500w": "500 words",
    "1000w": "1,000 words",
    "2000w": "2,000 words",
    "4k": "4k tokens",
    "8k": "8k tokens",
    "16k": "16k tokens",
    "32k": "32k tokens",
}
ENGINES: Final = (EMBEDDED, PROVIDERS, "transformers", "vllm")
DISTRACTORS: Final = {
    "same-task": "Of the same task",
    "random": "Of any task",
    "lexical": "Nearest in words",
    "none": "None, one long context",
}
MODES: Final = {
    "woven": "Woven narrative",
    "related": "Mostly related facts",
    "needle": "Needle in narrative",
}


class InputError(UsageError):
    """Something asked for on the page cannot be used; the message is shown to the visitor."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """One request. ``template`` is the visitor's own prompt text; empty means the built-in one.

    ``depth`` is where the evidence stands, 0 (start) to 1 (end). ``mode`` concerns the composer
    alone, ``model`` and ``template`` the engines that run a model.
    """

    instruction: str
    answer: str
    task: str = "generic"
    length: str = "8k"
    engine: str = EMBEDDED
    model: str = ""
    seed: int = 0
    depth: float = 0.5
    distractors: str = "same-task"
    mode: str = "woven"
    template: str = ""

    @property
    def pair(self) -> Pair:
        """What a context is written for."""
        return Pair(instruction=self.instruction, answer=self.answer, task=self.task)

    @property
    def asks_model(self) -> bool:
        """Whether the engine is a language model, whose reply takes time and varies."""
        return self.engine != EMBEDDED

    @property
    def budget(self) -> int | None:
        """Tokens of the whole sample; None where only a context of some words was asked for."""
        return TOKENS.get(self.length)

    @property
    def words(self) -> int:
        """Words of the pair's own context.

        An eighth of a sample in tokens, as in samples of eight documents; nearly all of it where
        the context stands alone. The composer writes about 1.2 tokens a word.
        """
        if self.budget is None:
            return WORDS[self.length]
        return self.budget // 8 if self.distractors != "none" else min(20_000, self.budget * 3 // 4)


def read_inputs(**given: Any) -> Inputs:
    """The request in what a form, a link or a client gave; absent fields take their defaults.

    Raises:
        InputError: a text is missing or too long, a number is none, or a choice does not exist.
    """
    known = {field.name for field in fields(Inputs)}
    if unknown := sorted(given.keys() - known):
        raise InputError(f"There is no field {unknown[0]!r}. Known fields: {', '.join(sorted(known))}.")
    return _settled(
        Inputs(
            instruction=bounded(given.get("instruction"), "instruction", MOST_INSTRUCTION),
            answer=bounded(given.get("answer"), "answer", MOST_ANSWER),
            task=_choice(given, "task", TASK_CHOICES),
            length=_choice(given, "length", LENGTHS),
            engine=_choice(given, "engine", ENGINES),
            model=keyless(bounded(given.get("model"), "model", MOST_MODEL, needed=False), "model"),
            seed=_seed(given.get("seed")),
            depth=_depth(given.get("depth")),
            distractors=_choice(given, "distractors", DISTRACTORS),
            mode=_choice(given, "mode", MODES),
            template=bounded(given.get("template"), "template", MOST_TEMPLATE, needed=False),
        )
    )


def _settled(inputs: Inputs) -> Inputs:
    """Equal requests become equal records: what does not matter to this one is set to its default."""
    changes: dict[str, Any] = {}
    if inputs.task == FOUND:
        inputs = replace(inputs, task=found_task(inputs.instruction))
    if not inputs.asks_model:
        changes |= {"model": "", "template": ""}
    else:
        changes["mode"] = "woven"
    if inputs.budget is None:
        changes |= {"depth": 0.5, "distractors": "same-task"}
    elif inputs.task == "generic" and inputs.distractors == "same-task":
        changes["distractors"] = "random"  # no bundled pair is of the general task
    return Inputs(**(asdict(inputs) | changes))


def bounded(value: Any, what: str, most: int, *, needed: bool = True) -> str:
    """A text without blanks around it, at most ``most`` characters long.

    Raises:
        InputError: it is no text, blank though ``needed``, too long, or no text that can be stored.
    """
    if value is not None and not isinstance(value, str):
        raise InputError(f"The {what} must be text, not {type(value).__name__}.")
    text = (value or "").strip()
    if needed and not any(one.isprintable() and not one.isspace() for one in text):
        raise InputError(f"The {what} is empty. Write one, or choose an example.")
    if half := HALF.search(text):
        raise InputError(
            f"The {what} holds half of a character at place {half.start() + 1:,}, as a text does that was "
            "cut within an emoji. Delete it, or paste the text again."
        )
    if len(text) > most:
        raise InputError(
            f"The {what} has {len(text):,} characters; this page takes {most:,}. "
            "Shorten it, or run context-synthesis on your own machine, which has no such limit."
        )
    return text


def keyless(name: str, what: str) -> str:
    """A name that is no access key, written into the wrong field.

    Raises:
        InputError: it holds what looks like one; the message does not repeat it.
    """
    if _KEY.search(name):
        raise InputError(
            f"The {what} holds what looks like an access key or a password. Delete it there: this page asks "
            "for none."
        )
    return name


def to_link(inputs: Inputs) -> str:
    """The fragment of a link that restores these inputs; fields at their defaults are left out."""
    plain = Inputs(instruction="", answer="")
    changed = {name: value for name, value in asdict(inputs).items() if value != getattr(plain, name)}
    return urlencode(changed, errors="replace")


def from_link(fragment: str) -> Mapping[str, str] | None:
    """The fields in a link's fragment, unchecked; None where it holds none of ours."""
    known = {field.name for field in fields(Inputs)}
    most = 9 * (MOST_INSTRUCTION + MOST_ANSWER + MOST_TEMPLATE)  # percent-encoded
    try:
        found = dict(parse_qsl(fragment[:most].lstrip("#?"), keep_blank_values=True, max_num_fields=50))
    except ValueError:  # more fields than any link of ours has
        return None
    ours = {name: value for name, value in found.items() if name in known}
    return ours if "instruction" in ours or "answer" in ours else None


def _choice(given: Mapping[str, Any], name: str, choices: Mapping[str, str] | tuple[str, ...]) -> str:
    value = given.get(name)
    if value is None or value == "":
        return str(next(field.default for field in fields(Inputs) if field.name == name))
    if not isinstance(value, str) or value not in choices:
        raise InputError(f"There is no {name} {str(value)[:60]!r}. Choose one of: {', '.join(choices)}.")
    return value


def _number(value: Any, what: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"The {what} {str(value)[:40]!r} is not a number.") from None
    if isinstance(value, bool) or not math.isfinite(number):
        raise InputError(f"The {what} {str(value)[:40]!r} is not a number.")
    return number


def _seed(value: Any) -> int:
    number = 0.0 if value is None or value == "" else _number(value, "seed")
    if number != int(number) or not 0 <= number <= MOST_SEED:
        raise InputError(f"The seed must be a whole number from 0 to {MOST_SEED:,}.")
    return int(number)


def _depth(value: Any) -> float:
    number = 0.5 if value is None or value == "" else _number(value, "evidence depth")
    if not 0 <= number <= 1:
        raise InputError("The evidence depth must be a number from 0 (start) to 1 (end).")
    return round(number, 3)
