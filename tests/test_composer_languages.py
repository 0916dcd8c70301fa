"""Contexts in German, French, Spanish and Chinese are of one language throughout."""

from __future__ import annotations

import re

import pytest

from synthesis.engines.composer import compose
from synthesis.engines.composer.languages.sheet import language_sheet
from synthesis.engines.composer.reading.languages import WRITTEN, language_of
from synthesis.text.repetition import repetition
from synthesis.text.words import count_words

PAIRS = {
    "de": [
        ("Wie koche ich Reis?", "1. Spüle den Reis mit kaltem Wasser.\n2. Bringe ihn zum Kochen.\n"
         "3. Lass ihn zwölf Minuten quellen, ohne zu rühren."),
        ("Wer schrieb die Buddenbrooks?", "Thomas Mann"),
        ("Ist Bern die Hauptstadt der Schweiz?", "Ja"),
        ("Schreibe eine Funktion, die zwei Zahlen addiert.", "def addiere(a, b):\n    return a + b"),
    ],
    "fr": [
        ("Quelle est la capitale de l'Australie ?", "Canberra"),
        ("Pourquoi le ciel est-il bleu ?",
         "L'air diffuse la lumière du soleil. Le bleu est diffusé bien plus que le rouge. "
         "C'est pourquoi il nous vient de partout."),
        ("Écris un slogan pour une librairie.", "Ici, chaque page ouvre une porte."),
    ],
    "es": [
        ("¿Quién escribió Don Quijote?", "Miguel de Cervantes"),
        ("Explica qué es la inflación.", "La inflación es el aumento general de los precios."),
        ("¿Cuánto es 12 por 12?", "144"),
    ],
    "zh": [
        ("水的沸点是多少？", "在标准大气压下，水的沸点是100摄氏度。"),
        ("请写一句关于春天的话。", "春风一到，河边的柳树就绿了。"),
        ("怎样保持健康？", "1. 每天走路半小时。\n2. 少吃油炸的东西，多吃蔬菜。\n"
         "3. 晚上十一点以前睡觉，早上按时起床。"),
    ],
}  # fmt: skip
ALL = [(language, *pair) for language, pairs in PAIRS.items() for pair in pairs]
#: Small words of English that none of the other languages has.
ENGLISH = re.compile(r"\b(?:the|and|were|with|which|had|that|from)\b")


@pytest.mark.parametrize(("language", "question", "answer"), ALL, ids=[one[1][:30] for one in ALL])
def test_a_context_is_of_the_language_of_its_pair(language: str, question: str, answer: str) -> None:
    assert language_of(question) == language
    for words in (50, 400, 3000):
        draft = compose(question, answer, words=words, seed=5)
        assert draft.form == "box"
        assert draft == compose(question, answer, words=words, seed=5)
        assert not ENGLISH.search(draft.text)
        assert "\x01" not in draft.text
        told = "\n".join(draft.text[one.start : one.end] for one in draft.evidence)
        at = 0
        for part in answer.split():
            at = told.index(part, at) + len(part)
        count = count_words(draft.text)
        assert count >= 0.97 * words - 1
        assert count <= max(1.03 * words + 1, count_words(told) + 30)
        assert not repetition(draft.text).excessive
    paragraphs = draft.text.split("\n\n")
    assert all(language_of(paragraph) == language for paragraph in paragraphs if len(paragraph) > 200)


@pytest.mark.parametrize("language", WRITTEN)
def test_the_longest_texts_keep_their_length_and_do_not_repeat_themselves(language: str) -> None:
    draft = compose(*PAIRS[language][1], words=20_000)
    assert abs(count_words(draft.text) - 20_000) <= 600
    assert not repetition(draft.text).excessive


@pytest.mark.parametrize("language", WRITTEN)
def test_a_language_has_enough_sentences_of_its_own(language: str) -> None:
    kinds = language_sheet(language).kinds
    story = ("open", "who", "aim", "work", "block", "turn", "end", "place", "small", "close", "log")
    assert sum(len(kinds[kind]) for kind in story) >= 80
    assert {"thread", "lead", "first", "next", "last", "other"} <= kinds.keys()


@pytest.mark.parametrize(("text", "language"), [
    ("Qual è la capitale d'Italia?", ""),
    ("Qual é a capital do Brasil?", ""),
    ("Wat is de hoofdstad van Nederland?", ""),
    ("日本の首都はどこですか？", ""),
    ("Какой город столица России?", ""),
    ("Give three tips for staying healthy.", "en"),
    ("hi", "en"),
    ("17 * 23", "en"),
    ("Nenne drei Nebenflüsse des Rheins.", "de"),
    ("Donne-moi trois conseils pour mieux dormir.", "fr"),
    ("Dame tres consejos para dormir mejor.", "es"),
])  # fmt: skip
def test_languages_are_told_apart_by_their_small_words(text: str, language: str) -> None:
    assert language_of(text) == language


def test_slips_of_others_leave_room_for_what_must_be_told() -> None:
    for words in range(100, 300, 7):
        draft = compose("Où est né le peintre de ce tableau et pourquoi ?", "à Vinci", words=words)
        assert abs(len(draft.text.split()) - words) <= 0.03 * words
    assert abs(len(compose("ºûNê", "k_", words=146).text.split()) - 146) <= 4
