"""What stands around a pair in a form: other entries and, now and then, a sentence on the subject.

Nothing among it states the answer, names what the pair names or says again what the pair is about, so
that no second answer becomes right. Knows no form in particular.
"""

from __future__ import annotations

from collections.abc import Iterator

from synthesis.engines.composer.decoys.distract import Holder
from synthesis.engines.composer.forms.base import Told
from synthesis.engines.composer.grammar.words import core
from synthesis.engines.composer.reading.topics import STOPWORDS
from synthesis.text.finder import AnswerFinder

_EVERY = 4  # entries to one sentence on the subject
_MISSES = 12  # in a row, before a place stays empty
_LONG = 80  # characters; longer answers do not turn up by accident
_SAME = 0.5  # share of the subject's words that make an entry one on the same subject


def around(told: Told, instruction: str, answer: str) -> Iterator[str]:
    """Entries and sentences without end; an empty one where none that fits was found."""
    holds = Holder(instruction, answer)
    states = AnswerFinder(answer, bare=True) if len(answer.strip()) <= _LONG else None
    about = frozenset() if told.figures else _content(instruction)
    threads = iter([text for text in told.threads if states is None or not states(text)])
    if text := next(threads, ""):
        yield text
    while True:
        for _ in range(_EVERY):
            yield _entry(told, holds, about)
        if text := next(threads, ""):
            yield text


def _entry(told: Told, holds: Holder, about: frozenset[str]) -> str:
    for _ in range(_MISSES):
        text = next(told.others)
        if not holds(text) and (not about or len(about & _content(text)) < max(2.0, _SAME * len(about))):
            return text
    return ""


def _content(text: str) -> frozenset[str]:
    return frozenset(word[:6] for word in map(core, text.split()) if word and word not in STOPWORDS)
