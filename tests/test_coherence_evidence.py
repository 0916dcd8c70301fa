"""Evidence that the caller knows: pieces that stand apart are judged together, as far as they say it."""

import json
from pathlib import Path
from typing import Any

import pytest

from builder.job.scoring import score_source
from synthesis import Evidence, score
from synthesis.coherence import explain
from synthesis.errors import UsageError
from tests.pretend import prose

_MADE = "The Fennick lathe was made by Orlo Braith in a shed behind the tannery."
_BOUGHT = "It was Darrow & Pell that bought the works of Orlo Braith after the flood."
_CLOSED = "Darrow & Pell ceased trading in March 1957."
_OTHER = "Kessel Mills ceased trading in June 1961."
QUESTION = "When did the company that bought the maker of the Fennick lathe stop trading?"
ANSWER = "March 1957"


def _apart(*pieces: str) -> str:
    filler = [" ".join(prose(170, piece).split()) + "." for piece in pieces]
    return "\n\n".join(f"{said} {piece}" for said, piece in zip(filler, pieces, strict=True))


TEXT = _apart(_MADE, _OTHER, _BOUGHT, _CLOSED)
PIECES = [_MADE, _BOUGHT, _CLOSED]
_SPANS = [(TEXT.index(piece), TEXT.index(piece) + len(piece)) for piece in PIECES]


@pytest.mark.parametrize(
    "evidence",
    [
        PIECES,
        _SPANS,
        [Evidence(*span, "a step") for span in _SPANS],
        [{"start": start, "end": end, "what": ""} for start, end in _SPANS],
        [*PIECES, "A sentence that nobody wrote."],
        ["  ".join(piece.split()) for piece in PIECES],
    ],
)
def test_pieces_apart_are_judged_together_however_they_are_given(evidence: Any) -> None:
    alone, known = score(TEXT, QUESTION, ANSWER), score(TEXT, QUESTION, ANSWER, evidence)
    assert 1 - known.overall < (1 - alone.overall) / 2
    assert known.relevance >= alone.relevance
    assert known.verified


def test_the_answer_must_really_stand_in_the_pieces() -> None:
    for evidence in ([_MADE, _BOUGHT], [_MADE, _BOUGHT, _OTHER], ["March 1958."], [], [""]):
        assert score(TEXT, QUESTION, ANSWER, evidence) == score(TEXT, QUESTION, ANSWER)
    lost = TEXT.replace(_CLOSED, "")
    assert score(lost, QUESTION, ANSWER, PIECES) == score(lost, QUESTION, ANSWER)
    assert score(lost, QUESTION, ANSWER, PIECES).overall < 0.1


def test_a_piece_that_leads_nowhere_near_the_answer_counts_for_nothing() -> None:
    stray = TEXT.replace(_BOUGHT, "")
    alone = score(stray, QUESTION, "June 1961")
    joined = score(stray, QUESTION, "June 1961", [_MADE, _OTHER])
    assert joined.relevance <= score(TEXT, QUESTION, ANSWER, PIECES).relevance
    assert joined.overall <= max(alone.overall, score(_OTHER, QUESTION, "June 1961").overall) + 0.01


def test_evidence_never_lowers_and_whole_contexts_gain_nothing() -> None:
    alone = score(TEXT, QUESTION, ANSWER)
    for evidence in (PIECES, PIECES[2:], [_OTHER], [(0, len(TEXT))]):
        known = score(TEXT, QUESTION, ANSWER, evidence)
        assert known.overall >= alone.overall
    assert score(TEXT, QUESTION, ANSWER, [(0, len(TEXT))]).relevance == pytest.approx(
        alone.relevance, abs=0.02
    )


_TITLED = (
    "Orlo Braith\nHe was a turner in Ferrowmere. In 1902 he sold his first lathe.\n\n"
    "Ida Munt\nShe was a turner, too. In 1911 she moved to Harrow."
)


@pytest.mark.parametrize(
    "evidence",
    [
        {"title": ["Orlo Braith"], "sent_id": [1]},
        [["Orlo Braith", 1]],
        ["Orlo Braith"],
        [("Orlo Braith", 1), ("Nobody", 0), ("Orlo Braith", 99)],
    ],
)
def test_titles_name_what_their_passages_call_he(evidence: Any) -> None:
    question = "In which year did Orlo Braith sell his first lathe?"
    known = score(_TITLED, question, "1902", evidence)
    assert known.verified
    assert known.overall >= score(_TITLED, question, "1902").overall
    assert explain(_TITLED, question, "1902", evidence)


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        ([(0, 10**6)], "lies outside the context"),
        ([(5, 5)], "lies outside"),
        ([(-4, 5)], "lies outside"),
        ([7], "evidence is a list of spans"),
        (7, "evidence is a list of spans"),
        ({"from": 1}, "evidence is a list of spans"),
        ([{"start": "a", "end": 4}], "one of these is"),
        ([(True, 4)], "one of these is"),
    ],
)
def test_what_is_no_evidence_is_told(evidence: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        score(TEXT, QUESTION, ANSWER, evidence)


def test_score_reads_the_column_of_a_table(tmp_path: Path, command: Any) -> None:
    row = {"instruction": QUESTION, "answer": ANSWER, "context": TEXT}
    spans = [{"start": a, "end": b, "what": "x"} for a, b in _SPANS]
    rows = [
        row,
        row | {"evidence": spans},
        row | {"evidence": spans, "evidence_source": "located"},
        row | {"evidence": json.dumps(PIECES)},
        row | {"evidence": None},
        row | {"evidence": [[0, 10**7]]},
        row | {"gold": PIECES},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    plain, known, located, text, none, bad, other = score_source(path)
    assert known["overall"] == text["overall"] > plain["overall"]
    assert plain["overall"] == located["overall"] == none["overall"] == other["overall"]
    assert "lies outside the context" in bad["error"] and bad["row"].endswith("6")
    done = command("score", path, "--column", "evidence=gold")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["overall"] == known["overall"]
    done = command("score", path, "--column", "evidence=golden")
    assert done.returncode == 2 and "no row has the column 'golden'" in done.stderr
    assert len(done.stdout.splitlines()) == 7
