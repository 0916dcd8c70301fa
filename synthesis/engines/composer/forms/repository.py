"""Programs: the notes of a repository, entry by entry; a snippet keeps its lines, in a block."""

from __future__ import annotations

import re

from synthesis.engines.composer.forms.base import (
    OrdinaryCase,
    Told,
    ToldPiece,
    endless,
    in_pieces,
    parts_of,
    piece,
    threads,
)
from synthesis.engines.composer.forms.snippets import snippet
from synthesis.engines.composer.forms.wording import Pen
from synthesis.text.code import is_code

_SHOWN = re.compile(r"`{3}\w*\n(?P<block>.*?)\n?`{3}|`(?P<line>[^`\n]+)`", re.DOTALL)
_SIGNS = re.compile(r"\S*(?:\\[dwsb]|[(){}\[\]^$=;]{1}|=>)\S*")
_LANGUAGES = (
    ("python", r"\bpython\b|\bdef \w|\bimport \w"),
    ("javascript", r"javascript|typescript|\bnode\b|\bconst \w|=>|\bfunction\b"),
    ("sql", r"\bsql\b|\bSELECT\b|\bquery\b|\bdatabase\b"),
    ("html", r"\bhtml\b|\bcss\b|</\w"),
    ("shell", r"\bbash\b|\bshell\b|\bcommand\b|\blinux\b|\bterminal\b"),
)


def tell(case: OrdinaryCase) -> Told | None:
    """The snippet under what it is for, or the note under the line it is about."""
    pen, other = Pen("repository", case.rng, one_hand=True), Pen("repository", case.others)
    text = f"{case.instruction}\n{case.answer}"
    language = next((name for name, cue in _LANGUAGES if re.search(cue, text, re.IGNORECASE)), "python")

    def entry() -> str:
        thing, code = snippet(language, case.others)
        return f"{other.write('other', {'thing': thing})}\n```\n{code}\n```"

    shown, ask = _shown(case.instruction)
    if shown and ask:
        pieces = [_replied(pen, shown, ask, case.answer)]
        return Told("repository", pieces, endless(entry), [pen.write("intro")])
    if not case.subject:
        return None
    given = {"subject": case.subject}
    pieces = _blocks(pen, given, case.answer)
    return Told("repository", pieces, endless(entry), threads(pen, given))


def _blocks(pen: Pen, given: dict[str, str], answer: str) -> list[ToldPiece]:
    if "```" in answer or not is_code(answer):
        parts = [answer.strip("\n")] if "```" in answer else parts_of(answer)
        pieces = [piece(pen.write("lead", given), parts[0])]
        return pieces + (in_pieces(pen, given, parts)[1:] if len(parts) > 1 else [])
    lead = pen.write("lead", given) + "\n```\n"
    block = answer.strip("\n")
    return [ToldPiece(f"{lead}{block}\n```", len(lead))]


def _shown(instruction: str) -> tuple[str, str]:
    """The code that an instruction brings along, and the instruction without it."""
    found = _SHOWN.search(instruction)
    if found:
        code = found["block"] or found["line"]
        ask = instruction[: found.start()] + instruction[found.end() :]
    else:
        lines = instruction.strip().splitlines()
        tokens = lines[0].split() if lines else []
        signed = [token for token in tokens if _SIGNS.fullmatch(token)]
        if len(lines) > 1 and is_code("\n".join(lines[1:])):
            code, ask = "\n".join(lines[1:]), lines[0]
        elif len(lines) == 1 and signed:
            code, ask = " ".join(signed), " ".join(token for token in tokens if token not in signed)
        else:
            return "", ""
    return code.strip("\n"), " ".join(ask.split()).strip(" :")


def _replied(pen: Pen, shown: str, ask: str, answer: str) -> ToldPiece:
    told = ask.replace("“", "‘").replace("”", "’")
    lead = f"{pen.write('asked')}\n```\n{shown}\n```\n{pen.write('reply', {'ask': told})}"
    if is_code(answer) and "```" not in answer:
        block = answer.strip("\n")
        return ToldPiece(f"{lead}\n```\n{block}\n```", len(lead) + 5)
    return piece(lead, answer.strip("\n"))
