"""Metrics against values worked out by hand from their definitions."""

import sys
import time

import pytest

from synthesis.errors import ConfigError, MissingExtraError
from synthesis.evaluation.metrics import METRICS, overlap, score, words
from tests.programs import run_python

CASES = [
    # Precision and recall of words, without articles, punctuation and case: 2pr / (p + r).
    ("f1", "The Eiffel Tower!", ["eiffel tower"], 1.0),
    ("f1", "Paris, France", ["Paris"], 2 / 3),
    ("f1", "to be or not to be", ["to be"], 2 * (2 / 6) * 1 / (2 / 6 + 1)),
    ("f1", "", ["Paris"], 0.0),
    ("f1", "the", ["the"], 0.0),  # nothing is left to share
    ("f1", "Rome", ["Paris", "Rome Italy"], 2 / 3),
    ("f1", "U.S.", ["US"], 1.0),
    ("f1", "café", ["cafe"], 0.0),
    ("f1", "anything", [], 0.0),
    ("f1-first-line", "\n\nParis\nFrance", ["Paris"], 1.0),
    ("f1-first-line", "\n \nParis", ["Paris"], 0.0),  # a line of a space is one
    ("rouge-l-first-line", "a b\nc", ["a b"], 1.0),
    # 北京 | 是 | 首都 against 北京: one of three, all of one.
    ("f1-zh", "北京是首都。", ["北京"], 0.5),
    ("f1-zh", "《北京》！", ["北 京"], 0.0),  # 北京 is one word, 北 and 京 are two
    ("f1-zh", "ＡＢＣ，", ["ａｂｃ"], 1.0),
    ("f1-zh", "。！", ["。！"], 0.0),
    ("exact-match", "the  Paris.", ["paris"], 1.0),
    ("exact-match", "Paris France", ["Paris"], 0.0),
    ("exact-match", "a", ["the"], 0.0),  # both are nothing when normalized
    ("exact-match", "A", ["B", "a"], 1.0),
    ("contains", "It is in Paris, France.", ["paris"], 1.0),
    ("contains", "It is in Parisian hands.", ["Paris"], 1.0),  # published so
    ("contains", "Rome", ["A"], 0.0),  # "A" is an article: what is left of it stands in every text
    ("contains", "", ["Paris"], 0.0),
    ("all-substrings", "1234 and ABC", ["1234", "abc", "9"], 2 / 3),
    ("all-substrings", "none", [], 0.0),
    ("all-substrings", "\x01x\x02y\x03", ["x\ny"], 1.0),  # control characters are line breaks
    ("any-substring", "it was paris", ["Rome", "Paris"], 1.0),
    ("any-substring", "", ["Rome"], 0.0),
    # The longest common subsequence is "cat sat"; of sets of words: 2 of 3 and 2 of 4.
    ("rouge-l", "the cat sat", ["a cat sat down"], 2 * (2 / 3) * (2 / 4) / (2 / 3 + 2 / 4)),
    # Union over sentences: "a b" from the first, "e" from the second; 3 of 5 and 3 of 5.
    ("rouge-l", "a b x. y e.", ["a b c d e"], 0.6),
    ("rouge-l", "", ["a"], 0.0),
    ("rouge-l", "...", ["a"], 0.0),
    ("rouge-l-zh", "北京是首都", ["北京"], 0.5),
    ("rouge-l-stem", "He runs homes", ["he run home"], 1.0),
    ("rouge-l-stem", "b a", ["a b"], 0.5),
    ("rouge-lsum-stem", "b\na", ["a\nb"], 1.0),  # line by line both are found
    # ROUGE-1 is 1, ROUGE-2 0 (no pair of words in common): so is the geometric mean.
    ("rouge-mean", "b a", ["a b"], 0.0),
    # Of "a b c" and "a b d": 2/3, 1/2, 2/3.
    ("rouge-mean", "a b c", ["a b d"], (2 / 3 * 1 / 2 * 2 / 3) ** (1 / 3)),
    ("choice", "**The correct answer is (B)**", ["B"], 1.0),
    ("choice", "The correct answer is B.", ["B"], 1.0),
    ("choice", "The correct answer is C, no: The correct answer is (B)", ["B"], 1.0),  # with brackets first
    ("choice", "(B)", ["B"], 0.0),
    ("choice", "The correct answer is (E)", ["E"], 0.0),
    ("choice", "", [""], 0.0),
    ("letter", "(C) because", ["C"], 1.0),
    ("letter", "C", ["(C)"], 1.0),
    ("letter", "Certainly A", ["C"], 0.0),
    ("retrieval", "Paragraph 12", ["Paragraph 12"], 1.0),
    ("retrieval", "12 or 3", ["Paragraph 12"], 0.5),
    ("retrieval", "112", ["Paragraph 12"], 0.0),
    ("retrieval", "12", ["段落12"], 0.0),
    ("retrieval-zh", "段落12，段落3，段落4", ["段落12"], 1 / 3),
    ("count", "7", ["7"], 1.0),
    ("count", "7 of 07", ["7"], 0.5),
    ("count", "seven", ["7"], 0.0),
    # Blocks of 8 + 1 characters in common: 18 of 20, in hundredths.
    ("code", "\n# a comment\nreturn x+1\nmore", ["return x-1"], 0.9),
    ("code", "```python\nx\n```", ["x"], 1.0),
    ("code", "# only comments", ["x"], 0.0),
    ("code", "", [""], 1.0),
    ("percentage", "About 40% of them", ["45%"], 2**-0.5),
    ("percentage", "3 of 4, so 75 %", ["75%"], 1.0),
    ("percentage", "40", ["40%"], 1.0),
    ("percentage", "most", ["40%"], 0.0),
    ("order", "2, 1, 3", ["1, 2, 3"], 2 / 3),
    ("order", "3 2 1", ["1, 2, 3"], 0.0),
    ("order", "1, 2", ["1, 2, 3"], 0.0),
    ("order", "1, 1, 2, 3", ["1, 2, 3"], 0.0),
    ("order", "4", ["4"], 1.0),
]


@pytest.mark.parametrize(("metric", "prediction", "answers", "expected"), CASES)
def test_values_by_hand(metric, prediction, answers, expected) -> None:
    assert score(metric, prediction, answers) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(
    ("prediction", "answer", "classes", "expected"),
    [
        ("It is about Food", "Food", ["Food", "Date"], 1.0),
        ("Food or Date", "Food", ["Food", "Date"], 0.5),
        ("food", "Food", ["Food", "Date"], 0.0),
        # "Number" stands in every text that names the longer class, and is not held against it.
        ("Number of something", "Number of something", ["Number", "Number of something"], 1.0),
        # Of two such in a row the second is passed over, as published.
        ("Number of it", "Number of it", ["Number", "Number of", "Number of it"], 0.5),
        ("Number of it", "Number", ["Number", "Number of it"], 0.5),
    ],
)
def test_classes(prediction, answer, classes, expected) -> None:
    assert score("classification", prediction, [answer], classes) == expected
    assert score("classification-first-line", f"\n{prediction}\nDate", [answer], classes) == expected


def test_every_metric_stays_between_0_and_1_on_odd_texts() -> None:
    odd = [
        "",
        " ",
        "\n\n",
        "。",
        "\0\x1f",
        "\ud800",
        "\u200b",
        "İ",
        "1" * 5000,
        "a " * 40,
        "{}%s",
        "10%",
        "😀",
    ]
    odd += ["1 % of .5 and 2."]
    for name, metric in METRICS.items():
        assert metric("text", [], []) == 0.0, name
        for prediction in odd:
            for answer in [*odd, "Paragraph 1", "段落1"]:
                assert 0.0 <= metric(prediction, [answer], ["1", "a"]) <= 1.0, (name, prediction, answer)


def test_a_text_that_rouge_cannot_walk_scores_0_at_once() -> None:
    begun = time.process_time()
    assert score("rouge-l", "a b " * 20_000, ["b a " * 20_000]) == 0.0
    assert time.process_time() - begun < 20  # the table of it would take minutes and gigabytes


def test_an_unknown_metric_is_named_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"'f2'.*contains, count.*rouge-l"):
        score("f2", "a", ["a"])


@pytest.mark.parametrize(
    ("package", "loader", "metric"),
    [
        ("jieba", words._segmenter, "f1-zh"),
        ("rouge", overlap._rouge, "rouge-l"),
        ("rouge_score", overlap._stemmed, "rouge-mean"),
    ],
)
def test_an_absent_library_names_the_extra(monkeypatch, package, loader, metric) -> None:
    loader.cache_clear()
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"'{package}'.*context-synthesis\[eval\]"):
        score(metric, "a", ["a"])
    loader.cache_clear()


def test_jieba_says_nothing_and_leaves_nothing_in_the_folder_for_temporary_files(tmp_path) -> None:
    code = "from synthesis.evaluation.metrics import score; print(score('f1-zh', '北京', ['北京']))"
    done = run_python("-c", code, alone={"TMPDIR": str(tmp_path), "PYTHONUTF8": "1"})
    assert (done.stdout, done.stderr, list(tmp_path.iterdir())) == ("1.0\n", "", [])
