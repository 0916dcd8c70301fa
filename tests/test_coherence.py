import json
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.metrics import (
    Judged,
    auroc,
    balanced_accuracy,
    calibration_error,
    interval,
    judged_auroc,
)
from benchmarks.probes import NEGATIVES, Row, probes
from synthesis.coherence import explain, locate, score, score_batch, window_spans
from synthesis.data import Coherence
from synthesis.text.answers import kind_of
from synthesis.text.numbers import quantities
from synthesis.text.sentences import sentences
from synthesis.text.words import terms, terms_with_spans
from tests.pretend import prose
from tests.programs import run_python, under_hash_seeds
from tests.real_texts import needs_large, rows

ROOT = Path(__file__).resolve().parents[1]

BRIDGE = (
    "The valley had long waited for a crossing. The Harrow Bridge stands in Aldwyn, a market town of brick "
    "houses. It was opened on 4 December 1973 by the mayor, Edda Quill. Twenty-one masons built the Harrow "
    "Bridge over two winters, and the council paid 2.5 million pounds for it. The eighth pillar leans a "
    "little. From the Harrow Bridge to the sea is a distance of 261 kilometres. Tobias Renn drew the first "
    "plans."
)


def filler(sentences: int) -> str:
    """About so many sentences that have nothing to do with the bridge."""
    return f"{prose(13 * sentences)} "


def overall(context: str, instruction: str, answer: str) -> float:
    return score(context, instruction, answer).overall


# Kinds of answer


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("Aldwyn", "span"),
        ("Henry II", "span"),
        ("10 Downing Street", "span"),
        ("2016 Harrow Rovers football team", "span"),
        ("", "span"),
        ("yes", "yes/no"),
        ("No.", "yes/no"),
        ("はい", "yes/no"),
        ("नहीं", "yes/no"),
        ("twenty-one", "numeric"),
        ("December 4, 1973", "numeric"),
        ("about 261 km", "numeric"),
        ("the 19th century", "numeric"),
        ("three brothers", "numeric"),
        (BRIDGE, "summary"),
    ],
)
def test_kind(answer: str, kind: str) -> None:
    assert kind_of(answer) == kind


def test_span_stated_where_it_is_asked() -> None:
    good = score(BRIDGE, "In which town does the Harrow Bridge stand?", "Aldwyn")
    assert good.kind == "span"
    assert good.verified
    assert good.overall > 0.9
    assert overall(BRIDGE, "In which town does the Harrow Bridge stand?", "Ostervale") < 0.1
    assert overall(filler(5), "In which town does the Harrow Bridge stand?", "Aldwyn") < 0.1


def test_answer_planted_far_from_what_is_asked_loses() -> None:
    question = "In which town does the Harrow Bridge stand?"
    assert overall(filler(8) + "Aldwyn. " + filler(8), question, "Aldwyn") < 0.2


@pytest.mark.parametrize(
    ("question", "answer", "wrong"),
    [
        ("When was the Harrow Bridge opened by the mayor?", "December 4, 1973", "December 14, 1973"),
        ("When was the Harrow Bridge opened by the mayor?", "1973-12-04", "1974-12-04"),
        ("When was the Harrow Bridge opened by the mayor?", "the 4th of December, 1973", "5 December 1973"),
        ("In what year was the Harrow Bridge opened by the mayor?", "1973", "1937"),
        ("How many masons built the Harrow Bridge?", "21", "23"),
        ("How many masons built the Harrow Bridge?", "twenty-one masons", "thirty masons"),
        ("How far is the Harrow Bridge from the sea?", "261 km", "216 km"),
        ("What did the council pay for the Harrow Bridge?", "£2,500,000", "£5,200,000"),
        ("Which pillar of the Harrow Bridge leans?", "8th", "9th"),
    ],
)
def test_numbers_dates_and_units_in_any_form(question: str, answer: str, wrong: str) -> None:
    right = score(BRIDGE, question, answer)
    assert right.kind == "numeric"
    assert right.overall > 0.8
    assert overall(BRIDGE, question, wrong) < 0.5


def test_another_unit_is_another_answer() -> None:
    question = "How far is the Harrow Bridge from the sea?"
    assert overall(BRIDGE, question, "261 miles") < overall(BRIDGE, question, "261 km") / 2


def test_quantities_agree_across_forms() -> None:
    def keys(text: str) -> list[tuple[str, str, str]]:
        return [(q.kind, q.value, q.unit) for q in quantities(text)]

    assert (
        keys("on 3 May 1990") == keys("May 3rd, 1990") == keys("1990-05-03") == [("date", "1990-05-03", "")]
    )
    assert keys("2.5 million km") == keys("2,500,000 kilometres") == [("number", "2500000", "km")]
    assert keys("two hundred and five") == keys("205") == [("number", "205", "")]
    assert keys("the nineteenth century") == keys("19th century") == [("ordinal", "19", "century")]
    assert keys("forty percent") == keys("40 %") == [("number", "40", "%")]


def test_articles_brackets_and_nicknames_do_not_matter() -> None:
    text = "The Orrin College of Trade, where Jeffrey Patrick Kint taught, closed in spring."
    assert score(text, "Which college closed in spring?", "Orrin College of Trade (OCT)").overall > 0.9
    assert score(text, "Who taught at the college that closed?", 'Jeffrey Patrick "Jeff" Kint').overall > 0.9
    assert score(
        "They called him Orrin Peach in town.", "What did they call him in town?", "The Orrin Peach"
    ).verified


def test_list_answer_told_in_several_places() -> None:
    text = (
        "Marla speaks Tulu with her aunt. "
        + filler(3)
        + "At work Marla speaks Hindi. With tourists, English."
    )
    question = "Which languages does Marla speak?"
    whole = overall(text, question, "Hindi, Tulu and English")
    assert whole > 0.6
    assert whole > overall(text, question, "Hindi, Danish and Thai")


def test_yes_no_of_one_thing_is_not_verified_and_says_why() -> None:
    question = "Is the Harrow Bridge long?"
    yes, no = score(BRIDGE, question, "yes"), score(BRIDGE, question, "no")
    assert yes.overall == no.overall > 0.6
    assert not yes.verified
    assert any("polarity" in line for line in explain(BRIDGE, question, "yes"))
    assert overall(filler(5), question, "yes") < 0.2


def test_another_name_of_the_same_context_is_not_verified() -> None:
    text = "Anna Weber founded the mill in 1872. Karl Brandt bought it in 1901."
    assert score(text, "Who founded the mill?", "Anna Weber").verified
    swapped = score(text, "Who founded the mill?", "Karl Brandt")
    assert not swapped.verified
    assert any("same context" in line for line in explain(text, "Who founded the mill?", "Karl Brandt"))


def test_rival_in_the_same_sentence() -> None:
    text = "In 1872 Anna Weber founded the mill together with Karl Brandt."
    assert score(text, "Who founded the mill?", "Anna Weber").verified
    assert not score(text, "Who founded the mill?", "Karl Brandt").verified


SUMMARY = (
    "The town of Aldwyn opened the Harrow Bridge in December 1973 after two winters of work. "
    "Masons from the valley built it, and the council paid 2.5 million pounds. "
    "Mayor Edda Quill cut the ribbon, and Tobias Renn had drawn the plans."
)


def test_summary_is_carried_by_its_context_only() -> None:
    good = score(BRIDGE + " " + filler(4), "Summarize the article.", SUMMARY)
    assert good.kind == "summary"
    assert good.overall > 0.7
    assert overall(filler(8), "Summarize the article.", SUMMARY) < 0.05


def test_summary_with_exchanged_names_loses_and_names_them() -> None:
    other = SUMMARY.replace("Edda Quill", "Ilse Varga").replace("Tobias Renn", "Piet Okoro")
    question = "Summarize the article."
    assert overall(BRIDGE, question, other) < overall(BRIDGE, question, SUMMARY)
    assert any("Varga" in line and "Okoro" in line for line in explain(BRIDGE, question, other))


# Leaks


def test_echo_of_question_and_answer_gets_no_full_marks() -> None:
    question = "In which town does the Harrow Bridge stand today?"
    merely = score(f"{question} Aldwyn.", question, "Aldwyn")
    assert merely.overall < 0.5
    assert not merely.verified
    assert any("over again" in line for line in explain(f"{question} Aldwyn.", question, "Aldwyn"))
    hidden = BRIDGE + f" {question} Aldwyn. " + filler(5)
    assert overall(hidden, question, "Aldwyn") < 0.5
    assert any("copied" in line for line in explain(hidden, question, "Aldwyn"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "Question: where is it?\n" + text,
        lambda text: text + "\nAnswer: Aldwyn",
        lambda text: "Sure! Here is the background context you asked for:\n\n" + text,
        lambda text: text + "<|im_end|>",
        lambda text: "[INST] " + text,
        lambda text: "As an AI language model, I made this up. " + text,
    ],
)
def test_prompt_residue_is_marked_down_and_named(spoil: object) -> None:
    question = "In which town does the Harrow Bridge stand?"
    text = spoil(BRIDGE)  # type: ignore[operator]
    assert overall(text, question, "Aldwyn") < 0.6 < overall(BRIDGE, question, "Aldwyn")
    assert any(line.startswith("Marked down: left over") for line in explain(text, question, "Aldwyn"))


def test_pasted_summary_is_marked_down() -> None:
    text = filler(4) + SUMMARY + " " + filler(4)
    assert overall(text, "Summarize the article.", SUMMARY) < 0.2
    assert any("pasted" in line for line in explain(text, "Summarize the article.", SUMMARY))


def test_leaks_are_a_part_of_their_own() -> None:
    question = "In which town does the Harrow Bridge stand?"
    whole, marked = score(BRIDGE, question, "Aldwyn"), score(BRIDGE + "<|im_end|>", question, "Aldwyn")
    assert whole.leaks == 1.0
    assert marked.leaks == 0.3
    assert marked.overall == pytest.approx(whole.overall * 0.3, abs=0.02)
    assert (marked.support, marked.relevance) == (whole.support, whole.relevance)
    assert "Leaks left 0.30 of it." in explain(BRIDGE + "<|im_end|>", question, "Aldwyn")[0]


def test_plain_context_has_no_leaks() -> None:
    lines = explain(BRIDGE, "In which town does the Harrow Bridge stand?", "Aldwyn")
    assert not any(line.startswith("Marked down") for line in lines)
    assert any("stated once" in line for line in lines)


def test_explain_names_what_is_missing() -> None:
    lines = explain(BRIDGE, "Which zeppelin crossed the Harrow Bridge?", "Graf Orlok")
    assert any("zeppelin" in line for line in lines)
    assert any("not stated" in line for line in lines)


# Other scripts


@pytest.mark.parametrize(
    ("context", "question", "answer", "wrong"),
    [
        ("中国的首都是北京。上海是最大的城市。", "中国的首都是哪里？", "北京", "广州"),
        ("日本で一番高い山は富士山です。", "日本で一番高い山は何ですか", "富士山", "浅間山"),
        ("옛 다리는 서울에 있다. 강은 길다.", "옛 다리는 어디에 있다?", "서울", "부산"),
        ("Мост построил инженер Белов в Туле.", "Какой инженер построил мост?", "Белов", "Седов"),
        ("L'écrivain Théo Müller est né à Évreux.", "Où est né l'écrivain Theo Muller ?", "Evreux", "Nantes"),
        ("สะพานเก่าอยู่ที่เชียงใหม่", "สะพานเก่าอยู่ที่ไหน", "เชียงใหม่", "กรุงเทพ"),
    ],
)
def test_scripts_and_accents(context: str, question: str, answer: str, wrong: str) -> None:
    assert overall(context, question, answer) > 0.7
    assert overall(context, question, wrong) < 0.5


def test_single_character_answer() -> None:
    assert overall("她家里有一只猫和两条狗。", "她家里有一只什么？", "猫") > 0.5
    assert overall("她家里有一只猫和两条狗。", "她家里有一只什么？", "鱼") < 0.2


def test_accents_composed_or_not_are_the_same() -> None:
    context = "Théodore Lévêque habite à Évreux."
    apart = unicodedata.normalize("NFD", context)
    assert terms(context) == terms(apart)
    assert score(context, "Qui habite à Évreux ?", "Théodore Lévêque").overall == pytest.approx(
        score(apart, "Qui habite à Évreux ?", "Theodore Leveque").overall
    )


# Any text at all

ODD = st.one_of(
    st.text(max_size=300),
    st.text(alphabet="北京大学ยาวé\u0301\u200b\ud800'’.,;0129 %$£\n!?abIX", max_size=200),
    st.lists(st.sampled_from(["the", "Harrow Bridge", "21", "3 May", "yes", "?", ".", "\n", "北", "{{"])).map(
        " ".join
    ),
)


@settings(max_examples=200, deadline=None)
@given(ODD, ODD, ODD)
def test_any_text_scores_between_zero_and_one(context: str, instruction: str, answer: str) -> None:
    result = score(context, instruction, answer)
    for value in (result.overall, result.support, result.relevance, result.uniqueness, *result.windows):
        assert 0.0 <= value <= 1.0
    assert result.kind in ("span", "numeric", "yes/no", "summary")
    assert len(result.windows) == len(window_spans(context))
    last = 0
    for place in locate(context, instruction, answer):
        assert last <= place.start < place.end <= len(context)
        last = place.end
    assert all(isinstance(line, str) and line for line in explain(context, instruction, answer))


@settings(max_examples=200, deadline=None)
@given(ODD)
def test_terms_and_spans_agree(text: str) -> None:
    with_spans = list(terms_with_spans(text))
    assert [term for term, _, _ in with_spans] == terms(text)
    assert all(0 <= a < b <= len(text) for _, a, b in with_spans)
    assert all(0 <= a < b <= len(text) for a, b in sentences(text))


@pytest.mark.parametrize("empty", ["", " \n", "the", "!!!"])
def test_nothing_supports_nothing(empty: str) -> None:
    assert overall(empty, "Who built it?", "Edda Quill") == 0.0
    assert overall(BRIDGE, "Who built it?", empty) == 0.0
    assert 0.0 <= overall(BRIDGE, empty, "Edda Quill") <= 1.0
    assert locate(empty, "Who built it?", "Edda Quill") == []


@pytest.mark.parametrize(
    ("context", "instruction", "answer"),
    [
        ("1" * 9000 + "th of May", "9" * 9000, "1" * 9000 + "th"),
        ("9" * 9000 + " million km", "How far?", "9" * 400 + " million km"),
        ("one hundred thousand " * 4000, "How many?", "one hundred thousand " * 5),
        ("x " * 20_000, "x " * 2000, "x " * 500),
        ("J. " * 20_000, "Who is J. J. J. J.?", "J."),
    ],
)
def test_hostile_text_is_scored_in_reasonable_time(context: str, instruction: str, answer: str) -> None:
    start = time.process_time()
    assert 0.0 <= overall(context, instruction, answer) <= 1.0
    locate(context, instruction, answer)
    explain(context, instruction, answer)
    assert time.process_time() - start < 5.0


# Windows, places, batches


def test_windows_show_where_the_evidence_is() -> None:
    text = filler(12) + BRIDGE + " " + filler(12)
    result = score(text, "In which town does the Harrow Bridge stand?", "Aldwyn")
    spans = window_spans(text)
    assert len(spans) == len(result.windows) > 3
    assert spans == sorted(spans)
    assert spans[-1][1] >= len(text.rstrip()) - 1
    strongest = max(range(len(spans)), key=lambda i: result.windows[i])
    start, end = spans[strongest]
    assert "Aldwyn" in text[start:end]
    assert result.windows[0] < 0.3 < result.windows[strongest]


def test_locate_finds_the_sentences() -> None:
    text = filler(12) + BRIDGE + " " + filler(12)
    found = locate(text, "When was the Harrow Bridge opened by the mayor?", "December 4, 1973")
    assert any("4 December 1973" in text[a:b] and what == "December 4, 1973" for a, b, what in found)
    begin, end = text.index(BRIDGE), text.index(BRIDGE) + len(BRIDGE)
    assert all(begin <= a < b <= end for a, b, _ in found)


@pytest.mark.parametrize("between", ["\n", "\n\n"])
@pytest.mark.parametrize(
    ("question", "answer", "told"),
    [
        ("Who built the mill at Orle?", "Ida Holm", ["Ida Holm (1801-1870) built the mill at Orle."]),
        (
            "Where was the builder of the mill at Orle born?",
            "Vik",
            ["Her family came from Vik", "Ida Holm (1801"],
        ),
        ("What did Ida Holm build at Orle?", "the mill", ["Ida Holm (1801-1870) built the mill at Orle."]),
    ],
)
def test_a_title_is_no_evidence_where_a_sentence_tells_it(
    question: str, answer: str, told: list[str], between: str
) -> None:
    text = (
        f"Ida Holm{between}Ida Holm (1801-1870) built the mill at Orle. Her family came from Vik, where it "
        f"had a ferry.\n\nThe mill at Orle{between}It was rebuilt twice, and is a museum now."
    )
    found = [text[start:end] for start, end, _ in locate(text, question, answer)]
    assert all(any(piece.startswith(one) for piece in found) for one in told)
    assert not any(piece.startswith(("Ida Holm\n", "The mill at Orle\n")) for piece in found)
    assert not {"Ida Holm", "The mill at Orle"} & set(found)


def test_a_title_that_alone_has_the_answer_is_shown_with_what_it_is_of() -> None:
    text = "Ida Holm\nShe built the mill at Orle in 1844.\n\nSven Dahl\nHe kept the ferry at Vik."
    ((start, end, what), *_) = locate(text, "Who built the mill at Orle?", "Ida Holm")
    assert (text[start:end], what) == ("Ida Holm\nShe built the mill at Orle in 1844.", "Ida Holm")


def test_a_list_of_lines_keeps_its_lines_as_evidence() -> None:
    text = "The towns on the Orle\n\n- Vik\n- Lund\n- Old Tarsk\n\nThe river is short."
    found = [
        text[start:end] for start, end, _ in locate(text, "Which towns lie on the Orle?", "Vik and Lund")
    ]
    assert any("Vik" in piece for piece in found) and any("Lund" in piece for piece in found)


def test_locate_finds_each_sentence_of_a_summary() -> None:
    text = filler(3) + BRIDGE
    found = locate(text, "Summarize the article.", SUMMARY)
    told = " ".join(text[a:b] for a, b, _ in found)
    assert "2.5 million" in told
    assert "1973" in told or "Aldwyn" in told
    assert {what for _, _, what in found} <= {SUMMARY[a:b] for a, b in sentences(SUMMARY)}


def test_locate_says_nothing_of_a_foreign_text() -> None:
    assert locate(filler(3), "In which town does the Harrow Bridge stand?", "Aldwyn") == []


def test_batch_equals_single_and_is_lazy() -> None:
    pulled: list[int] = []
    cases = [
        ("In which town does the Harrow Bridge stand?", "Aldwyn"),
        ("How many masons?", "21"),
        ("Is it?", "yes"),
    ]

    def triples() -> Iterator[tuple[str, str, str]]:
        for n, (question, answer) in enumerate(cases):
            pulled.append(n)
            yield BRIDGE, question, answer

    stream = score_batch(triples())
    assert pulled == []
    first = next(stream)
    assert pulled == [0]
    assert [first, *stream] == [score(BRIDGE, q, a) for q, a in cases]


def test_same_under_any_hash_seed() -> None:
    program = (
        "import json, sys; from dataclasses import astuple\n"
        "from synthesis.coherence import score, locate, explain\n"
        "t = json.loads(sys.stdin.read())\n"
        "print(json.dumps([[astuple(score(*x)), locate(*x), explain(*x)] for x in t]))"
    )
    triples = [
        (BRIDGE, "In which town does the Harrow Bridge stand?", "Aldwyn"),
        (BRIDGE + filler(4), "Summarize the article.", SUMMARY),
        (BRIDGE, "Which zeppelin and which balloon crossed the Harrow Bridge?", "Graf Orlok"),
    ]
    under_hash_seeds(program, said=json.dumps(triples))


# The instruments


def test_metrics() -> None:
    assert auroc([0.9, 0.8], [0.1, 0.2]) == 1.0
    assert auroc([0.5], [0.5]) == 0.5
    with pytest.raises(ValueError, match="both sides"):
        auroc([], [0.5])
    judged = [Judged(0, True, 1.0), Judged(0, False, 0.0), Judged(1, True, 0.4), Judged(1, False, 0.0)]
    assert balanced_accuracy(judged) == pytest.approx(0.75)
    assert calibration_error(judged) == pytest.approx(0.25 * 0.6)
    low, high = interval(judged, judged_auroc, rounds=50)
    assert 0.0 <= low <= high <= 1.0


def test_probes_are_spoilt_as_said() -> None:
    town = "The Corl Tower stands in Veldt. It is tall and made of slate. Crows nest there."
    rows = [
        Row(BRIDGE, "In which town does the Harrow Bridge stand?", "Aldwyn"),
        Row(town, "In which town does the Corl Tower stand?", "Veldt"),
    ]
    by_kind = {(p.row, p.what): p for p in probes(rows)}
    assert {what for row, what in by_kind if row == 0} == {"positive", *NEGATIVES}
    assert by_kind[0, "hard"].context == town
    assert "Aldwyn" in by_kind[0, "planted"].context
    assert "Aldwyn" not in by_kind[0, "removed"].context
    assert "Edda Quill" in by_kind[0, "removed"].context
    assert by_kind[0, "swapped"].answer == "Veldt"
    assert "Veldt" in by_kind[0, "replaced"].context
    assert "Aldwyn" not in by_kind[0, "replaced"].context
    assert list(probes(rows)) == list(probes(rows))


def test_calibration_file_is_complete() -> None:
    record = json.loads((ROOT / "synthesis" / "coherence" / "calibration.json").read_text("utf-8"))
    assert set(record["kinds"]) == {"span", "numeric", "yes/no", "summary"}
    assert len(record["data"]["sha256"]) == 64
    assert record["date"] and record["held_out"]["hotpotqa"]["hard"] >= 0.985
    references = json.loads((ROOT / "synthesis" / "coherence" / "references.json").read_text("utf-8"))
    assert references["count"] == 64
    assert all(0 < int(mask, 16) < 1 << 64 for mask in references["terms"].values())


OWN_FLOORS = {"hard": 0.97, "planted": 0.96, "removed": 0.96, "swapped": 0.96, "replaced": 0.90}
HOTPOT_FLOORS = {"hard": 0.98, "planted": 0.95, "removed": 0.95, "swapped": 0.90, "replaced": 0.95}
NEWS_FLOORS = {"hard": 0.96, "planted": 0.93, "removed": 0.90, "swapped": 0.97, "replaced": 0.92}


@pytest.mark.parametrize(
    ("name", "floors"),
    [
        ("own", OWN_FLOORS),
        pytest.param("hotpotqa", HOTPOT_FLOORS, marks=needs_large),
        pytest.param("multinews", NEWS_FLOORS, marks=needs_large),
    ],
)
def test_tells_true_from_spoilt_on_rows_not_fitted(name: str, floors: dict[str, float]) -> None:
    found = [Row(row["context"], row["instruction"], row["answer"]) for row in rows(name)]
    sample = found if name == "own" else Random(name).sample(found[len(found) // 2 :], 50)
    judged: dict[str, dict[int, Coherence]] = {}
    for probe in probes(sample):
        judged.setdefault(probe.what, {})[probe.row] = score(probe.context, probe.instruction, probe.answer)
    true = judged.pop("positive")
    for what, floor in floors.items():
        positives = [true[row].overall for row in judged[what]]
        assert auroc(positives, [v.overall for v in judged[what].values()]) >= floor, what
    pooled = [Judged(r, True, v.overall) for r, v in true.items()]
    pooled += [Judged(r, False, v.overall) for found in judged.values() for r, v in found.items()]
    assert balanced_accuracy(pooled) >= 0.85
    assert calibration_error(pooled) <= 0.10


@pytest.mark.parametrize(
    "module", ["benchmarks.coherence", "scripts.calibrate_coherence", "scripts.make_reliability"]
)
def test_the_instruments_run_as_they_say(module: str) -> None:
    done = run_python("-m", module, "--help")
    assert done.returncode == 0, done.stderr
    source = (ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8")
    assert f"python -m {module}" in source
