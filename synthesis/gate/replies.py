"""Where in a reply its text stands: behind thoughts, a word beforehand and the marker, before end tokens.

What is certainly no part of the text is cut off at both ends, and nothing is taken out of the middle,
so a body is one stretch of the reply. Knows nothing of how good a text is.
"""

from __future__ import annotations

import re
from typing import NamedTuple

PREAMBLE_LIMIT = 300  # characters
_ROUNDS = 8  # of cutting one wrapping after another
_EDGE = 400

_NAMES = r"(?:think|thinking|thoughts?|reasoning|reflection|analysis|seed:think)"
_THOUGHT = re.compile(
    rf"(?P<close></{_NAMES}>|\[/THINK\]|◁/think▷|<\|channel\|>final[^<>|]{{0,40}}<\|message\|>)"
    rf"|<{_NAMES}>|\[THINK\]|◁think▷|<\|channel\|>(?:analysis|commentary)[^<>|]{{0,60}}<\|message\|>",
    re.I,
)
_THOUGHT_MARKS = "<[◁"  # with one of which each begins
# Channels of a server that shows no special tokens: "analysisThe user wants …assistantfinalContext: …".
_BARE_CHANNEL, _BARE_FINAL = "analysis", "assistantfinal"

_BLANK = r"[\s\u00ad\u200b-\u200f\u2060\ufeff]"
_BLANKS = re.compile(f"{_BLANK}*")
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_TOKEN = r"(?:<\|[\w:-]{1,40}\|>|<｜[^<>｜\s]{1,40}｜>|</?s>|<[be]os>|<(?:start|end)_of_turn>|\[/?INST\])"
_LAST_TOKEN = re.compile(rf"{_TOKEN}\Z")
_FIRST_TOKEN = re.compile(rf"{_TOKEN}(?:(?:assistant|model)\b:?)?")
_RULE = re.compile(r"(?:-{3,}|\*{3,}|_{3,}|={3,})[ \t]*(?=\n|\Z)")
_FENCE = re.compile(r"```[\w+-]{0,20}[ \t]*(?=\n|\Z)")
_FENCES = re.compile(r"^[ \t]*```", re.M)
_TAG = re.compile(r"<(answer|context|text|output|response|story|document|passage|final|result)>", re.I)
_ABOUT = r"(?:about |approximately |approx\. ?|~ ?)?"
_COUNTED = re.compile(
    rf"[\W_]*(?:(?:total |approximate )?word[ -]?count\W{{0,6}}{_ABOUT}[\d,.]+(?: words)?"
    rf"|[\[(]{_ABOUT}[\d,.]+ words[\])])[\W_]*",
    re.I,
)

_WORD = r"(?:context|kontext|contexte|contexto|contesto|контекст|上下文|背景|コンテキスト|文脈|문맥|السياق)"
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "'": "'", "‘": "’", "「": "」", "『": "』"}
_OPEN_QUOTE = "".join(_QUOTES)
_CLOSING = "".join(set(_QUOTES.values()))
# The word with a colon, or made out as a heading.
_MARK = (
    rf"[ \t{_INVISIBLE}]*(?:[>#]{{1,6}}[ \t]*)?(?P<quote>[{_OPEN_QUOTE}])?[*_]{{0,3}}"
    rf"(?P<inner>[{_OPEN_QUOTE}])?{_WORD}[ \t]*[*_]{{0,3}}"
    rf"(?:(?P<ended>[{_CLOSING}])?[ \t]*[:：](?P<closed>[{_CLOSING}])?[*_]{{0,3}}[ \t]*"
    r"|[ \t]*(?=\n|\Z))"
)
_MARKER, _MARKED_LINE = re.compile(_MARK, re.I), re.compile(f"^{_MARK}", re.I | re.M)
# A line that offers what follows. Without its first word only a colon tells it from the text.
_ASSENT = r"\W{0,3}(?:sure|certainly|of course|absolutely|understood|okay|alright)"
_OFFER = r"(?:here(?:'s|’s| is| are|)|below(?: is|)|i(?:['’]ve| have|['’]ll| will) (?:now )?(?:writ|creat))"
_OFFERED = re.compile(
    rf"{_ASSENT}\b[,.!:;–— -]*(?:{_OFFER}\w*\b.*[.!:：])?\W*\Z|\W{{0,3}}{_OFFER}\w*\b.*[:：]\W*\Z",
    re.I | re.S,
)


class Body(NamedTuple):
    """``text[start:end]`` of a reply is its text; ``marked`` tells that the marker stood before it.

    ``unfinished``: the reply ends in thoughts. ``late``: where a marker stands that is too far inside
    to open the text, else -1.
    """

    start: int
    end: int
    marked: bool = False
    unfinished: bool = False
    late: int = -1


def without_thinking(text: str) -> str:
    """A reply without what a reasoning model thought before it; all of it where that cannot be told."""
    start, end, _ = _outside_thoughts(text)
    return text[start:end]


def find_body(text: str) -> Body:
    """Where the text of a reply stands; linear in the reply."""
    start, end, unfinished = _outside_thoughts(text)
    marked, quote = False, ""
    for _ in range(_ROUNDS):
        before = (start, end, marked)
        start, end = _unwrapped(text, start, end)
        if not marked and (marker := _marker(text, start, end)):
            start, marked = marker.end(), True
            quote = "" if marker["closed"] or marker["ended"] else marker["quote"] or marker["inner"] or ""
        if not marked:
            start = _offered(text, start, end)
        if (start, end, marked) == before:
            break
    if quote and _closes(text[start:end], quote):
        start, end = _unwrapped(text, start, end - 1)
    return Body(start, max(start, end), marked, unfinished, -1 if marked else _late(text, start, end))


def _closes(text: str, quote: str) -> bool:
    """Whether a text ends with the mark that closes a quotation begun before it."""
    last = _QUOTES[quote]
    count = text.count(last)
    return text.endswith(last) and (count % 2 == 1 if last == quote else count > text.count(quote))


def _late(text: str, start: int, end: int) -> int:
    lines = _MARKED_LINE.finditer(text, start, end)
    return next(
        (line.start() for line in lines if line[0].rstrip("*_ \t" + _CLOSING)[-1:] in (":", "：")), -1
    )


def _outside_thoughts(text: str) -> tuple[int, int, bool]:
    """The stretch of a reply that is no thought, and whether the reply ends in an open one."""
    if text.startswith(_BARE_CHANNEL) and (final := text.find(_BARE_FINAL)) > 0:
        return final + len(_BARE_FINAL), len(text), False
    thoughts: list[tuple[int, int]] = []
    opened = -1
    for match in _THOUGHT.finditer(text) if any(mark in text for mark in _THOUGHT_MARKS) else ():
        if match["close"] is None:
            opened = match.start() if opened < 0 else opened
        elif opened >= 0:
            thoughts.append((opened, match.end()))
            opened = -1
        else:  # all before it was thought: some chat templates open the block for the model
            thoughts = [(0, match.end())]
    if opened >= 0:
        thoughts.append((opened, len(text)))
    edges = [0, *(edge for thought in thoughts for edge in thought), len(text)]
    told = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if _says_something(text, a, b)]
    # What stands before a block is a word beforehand if the text itself is marked, or if it is short.
    if len(told) > 1 and (
        _marker(text, *told[-1])
        or all(b - a <= PREAMBLE_LIMIT and not _marker(text, a, b) for a, b in told[:-1])
    ):
        told = told[-1:]
    if len(told) > 1:
        return 0, len(text), opened >= 0
    start, end = told[0] if told else (len(text), len(text))
    return start, end, opened >= 0 or not (told or not thoughts)


def _says_something(text: str, start: int, end: int) -> bool:
    """Whether there is more than blanks, a marker and what wraps texts."""
    marker = _marker(text, start, end)
    start, end = _unwrapped(text, marker.end() if marker else start, end)
    return start < end and not _FENCE.fullmatch(text, start, end)


def _behind_blanks(text: str, start: int, end: int) -> int:
    blanks = _BLANKS.match(text, start, end)
    return blanks.end() if blanks else start


def _marker(text: str, start: int, end: int) -> re.Match[str] | None:
    """The marker, where it opens a stretch or stands not far inside."""
    begin = _behind_blanks(text, start, end)
    found = _MARKER.match(text, begin, end) or _MARKED_LINE.search(text, begin, min(end, begin + _EDGE))
    return found if found and found.start() - begin <= PREAMBLE_LIMIT else None


def _unwrapped(text: str, start: int, end: int) -> tuple[int, int]:
    """A stretch without blanks, end tokens, fences, rules and tags around it."""
    for _ in range(_ROUNDS):
        before = (start, end)
        start = _behind_blanks(text, start, end)
        end = start + len(text[start:end].rstrip(_INVISIBLE + " \t\r\n\f\v\u2028\u2029\u00a0\u3000"))
        if last := _LAST_TOKEN.search(text, max(start, end - 64), end):
            end = last.start()
        if first := (_FIRST_TOKEN.match(text, start, end) or _RULE.match(text, start, end)):
            start = first.end()
        start, end = _without_last_line(text, *_unfenced(text, *_untagged(text, start, end)))
        if (start, end) == before or start >= end:
            break
    return min(start, end), end


def _untagged(text: str, start: int, end: int) -> tuple[int, int]:
    tag = _TAG.match(text, start, end)
    closing = f"</{tag[1]}>" if tag else ""
    if tag and text[end - len(closing) : end].lower() == closing.lower():
        return tag.end(), max(tag.end(), end - len(closing))
    return start, end


def _unfenced(text: str, start: int, end: int) -> tuple[int, int]:
    """Without a code fence around all of it, or one whose other half is missing."""
    first = _FENCE.match(text, start, end)
    last = text[max(start, end - 4) : end].lstrip() == "```" and text[start : end - 3].rstrip(" \t").endswith(
        "\n"
    )
    if not first and not last:
        return start, end
    count = sum(1 for _ in _FENCES.finditer(text, start, end)) + (
        1 if first and text[start - 1 : start] not in ("", "\n") else 0
    )
    if first and last and count == 2:
        return first.end(), max(first.end(), end - 3)
    if count % 2 and first:
        return first.end(), end
    if count % 2 and last:
        return start, end - 3
    return start, end


def _without_last_line(text: str, start: int, end: int) -> tuple[int, int]:
    """Without a rule or a count of words on a line of its own at the end."""
    line = text.rfind("\n", start, end) + 1
    if (
        line
        and end - line <= 80
        and (_RULE.fullmatch(text, line, end) or _COUNTED.fullmatch(text, line, end))
    ):
        return start, line - 1
    return start, end


def _offered(text: str, start: int, end: int) -> int:
    """Where a text begins that is offered first, as in "Sure, here is the story:"."""
    line = text.find("\n", start, min(end, start + PREAMBLE_LIMIT))
    return line if line >= 0 and _OFFERED.match(text[start:line]) else start
