"""No text takes more than linear time: twice as much of anything takes about twice as long."""

from collections.abc import Callable

import pytest

from synthesis.assembly.cutting import Cutter, Document
from synthesis.assembly.tables import measure
from synthesis.assembly.word_counts import WordCounts
from synthesis.coherence import explain, locate, score, score_batch, window_spans
from synthesis.coherence.restating import restated, words_of
from synthesis.data import Completion, Context, Pair, Prompt
from synthesis.gate.contamination import field_hashes, piece_hashes
from synthesis.gate.faults import inspect
from synthesis.gate.parsing import parse
from synthesis.gate.replies import find_body, without_thinking
from synthesis.text.answers import kind_of, listed, read_answer, variants
from synthesis.text.finder import AnswerFinder
from synthesis.text.near_duplicates import Sketches, sketch
from synthesis.text.ngrams import ngram_hashes, plain_words
from synthesis.text.numbers import canonical_terms, canonical_terms_with_spans, quantities
from synthesis.text.repetition import repetition
from synthesis.text.sentences import sentence_spans, sentences
from synthesis.text.states import answer_key, is_ordinary, places, states
from synthesis.text.words import count_words, terms, terms_with_spans
from tests.assembly_texts import TOKENIZERS
from tests.growth import ratio

SIZE = 100_000
SMALL = 10_000  # for the other units
MOST = 3.0

UNITS = {
    "dots": ".",
    "blanks": " ",
    "newlines": "\n",
    "double quotes": '"',
    "curly quotes": "“",
    "digits": "1",
    "thousands": "1,1",
    "brackets": "(",
    "combining marks": "\u0301",
    "zero width": "\u200b",
    "hyphens": "-",
    "titles": "Mr. ",
    "spelled": "a hundred and ",
    "letters": "a",
}
OTHERS = {
    "stops and blanks": ". ",
    "tabs and newlines": "\t\n",
    "apostrophes in words": "a'",
    "blanks and brackets": " (",
    "tags": "<think>",
    "markers": "<|",
    "millions": "111,",
    "versions": "1.",
    "dates": "1-",
    "slashes": "01/",
    "letters with marks": "e\u0301",
    "vowel signs": "\u0e31",
    "underscores": "_",
    "stars": "*",
    "headings": "# ",
    "initials": "J. ",
    "acronyms": "U.S.",
    "numbers": "No. ",
    "hundreds": "hundred ",
    "hundred thousands": "one hundred thousand ",
    "months": "May ",
    "ordinals": "third of ",
    "percent": "5 per ",
    "money": "$ ",
    "commas and ands": ", and ",
    "answers": "the answer is ",
    "labels": "Context: ",
    "lines": "context\n",
    "sorry": "i'm sorry ",
    "here": "here is the ",
    "characters": "京",
    "stops of a script": "。",
    "hangul": "서",
    "names": "harrow bridge ",
    "lower stops": ".a ",
}
QUESTION = "In which town does the Harrow Bridge stand, and since 3 May 1990?"


def everything(text: str) -> dict[str, Callable[[], object]]:
    """Each public function on a text, as the text, the answer or the instruction."""
    pair = Pair(instruction=QUESTION, answer="Aldwyn")
    prompt = Prompt("p", pair.id, "narrative", {"words": 100}, (), "f")
    tokenizer = TOKENIZERS["embedded"]
    return {
        "sentences": lambda: sentences(text),
        "sentence_spans": lambda: list(sentence_spans(text)),
        "terms": lambda: terms(text),
        "terms_with_spans": lambda: list(terms_with_spans(text)),
        "count_words": lambda: count_words(text),
        "plain_words": lambda: plain_words(text),
        "ngram_hashes": lambda: ngram_hashes(plain_words(text), 13),
        "sketch": lambda: sketch(terms(text)),
        "Sketches": lambda: sketched(text),
        "quantities": lambda: list(quantities(text)),
        "canonical_terms": lambda: canonical_terms(text),
        "canonical_terms_with_spans": lambda: list(canonical_terms_with_spans(text)),
        "kind_of": lambda: kind_of(text),
        "variants and listed": lambda: (variants(text), listed(text)),
        "read_answer": lambda: read_answer(text),
        "states, text": lambda: [states(text, a) for a in ("105 masons", "a, b and c", "京")],
        "states, answer": lambda: states("The Harrow Bridge of 1990 stands in Aldwyn.", text),
        "a finder's text": lambda: [AnswerFinder(a)(text) for a in ("105 masons", "a, b and c", "京")],
        "a finder's answer": lambda: AnswerFinder(text, bare=True)("The bridge of 1990 stands in Aldwyn."),
        "states, both": lambda: states(text, text[:1000]),
        "places, text": lambda: [places(text, a) for a in ("a, b and c", "one")],
        "places, answer": lambda: places("It stands in Aldwyn.", text),
        "answer_key": lambda: (answer_key(text), is_ordinary(text)),
        "score, context": lambda: [
            score(text, QUESTION, a) for a in ("Aldwyn", "105", "yes", f"{QUESTION} " * 4)
        ],
        "score, answer": lambda: score(f"Bridge. {QUESTION}", QUESTION, text),
        "score, instruction": lambda: score(f"Bridge. {QUESTION}", text, "Aldwyn"),
        "score_batch": lambda: list(score_batch([(text, text[:500], text[:300])])),
        "score, all": lambda: score(text, text[:2000], text[:200]),
        "explain": lambda: explain(text, QUESTION, text[:50]),
        "explain, all": lambda: explain(text, text[:5000], text[:5000]),
        "locate": lambda: locate(text, QUESTION, text[:30]),
        "locate, summary": lambda: locate(text, QUESTION, f"{QUESTION} " * 4),
        "window_spans": lambda: window_spans(text),
        "parse": lambda: parse(Completion("p", text, "stop"), prompt, engine="e", model="m", seed=0),
        "parse, thinking": lambda: parse(
            Completion("p", f"<think>{text}", "stop"), prompt, engine="e", model="m", seed=0
        ),
        "without_thinking": lambda: without_thinking(text),
        "find_body": lambda: [
            find_body(f"{a}{text}{b}") for a in ("", "<think>", "```\n") for b in ("", "```")
        ],
        "repetition": lambda: (repetition(text), repetition(text, text)),
        "restated": lambda: restated(text, text.split(), (), words_of([text])),
        "inspect": lambda: inspect(Context(pair.id, text), pair, prompt),
        "inspect, answer": lambda: inspect(
            Context(pair.id, QUESTION), Pair(instruction=QUESTION, answer=text or "a"), prompt
        ),
        "contamination": lambda: (field_hashes(text, 13), piece_hashes(text, 13)),
        "cutting": lambda: Cutter(tokenizer).sentences(Document(0, "d", text, len(text) // 4), 500, 10),
        "measure": lambda: list(measure([text], WordCounts(tokenizer))),
    }


def sketched(text: str) -> object:
    found = Sketches(0.8)
    found.add(text)
    found.add(text)
    return found.duplicates([0, 1])


def not_linear(unit: str, size: int) -> dict[str, float]:
    small, large = (everything((unit * (length // len(unit) + 1))[:length]) for length in (size, 2 * size))
    ratios = {name: ratio(work, large[name], MOST) for name, work in small.items()}
    return {name: found for name, found in ratios.items() if found >= MOST}


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_twice_the_text_takes_twice_the_time(unit: str) -> None:
    assert not_linear(unit, SIZE) == {}


@pytest.mark.parametrize("unit", OTHERS.values(), ids=OTHERS)
def test_the_same_of_other_texts(unit: str) -> None:
    assert not_linear(unit, SMALL) == {}


def test_what_is_not_linear_is_told() -> None:
    def slow(size: int) -> Callable[[], object]:
        return lambda: [text.count("b") for text in ["a" * size] * size]

    assert ratio(slow(20_000), slow(40_000), MOST) >= MOST
