"""Slips of English in the composer's banks: each family is found, and what is right is left alone."""

import pytest

from scripts.bank_slips import slips
from scripts.check_bank import lint
from synthesis.engines.composer.prose.bank import Bank, load_bank
from synthesis.engines.composer.prose.templates import compile_line

WRONG = {
    "a verb without its frame": (
        "She had been asked of making it right again.",
        "He could learn no voucher for it.",
        "They asked what would become to the hall.",
        "She suggested him a date.",
        "He refused signing it.",
        "She enjoyed to read it.",
        "They knocked on each of them.",
        "She looked the text, and read on.",
        "He spent the morning to the thesis.",
    ),
    "a comparison without its word": (
        "He liked a diagram to an argument.",
        "She preferred tables than charts.",
        "There was a gap as wide as of a hand.",
        "It had never looked so far off than it did.",
        "It was different in most respect, and was noted.",
    ),
    "an article or a determiner": (
        "The farm had no a lift.",
        "It lay under the the lamp.",
        "There was hardly nothing in it.",
        "Several the items were books.",
    ),
    "agreement": (
        "It was done when crews was time.",
        "There was seven of them.",
        "Two clocks was slow.",
        "It was noon. Sandwiches was brought in.",
        "He had gone before the plates was cold.",
    ),
    "an auxiliary": (
        "Should it came to nothing, there would be work.",
        "She had not able to let it lie.",
        "The old eyes had failing.",
        "He was an answer at once.",
        "They could went home.",
    ),
    "an article before a plural": ("She wrote a letters to them.", "He kept a papers, and went."),
}

RIGHT = (
    "She had been asked to make it right again, and could find no voucher for it.",
    "He liked a table better than an argument, and preferred a chart to a speech.",
    "They asked what would become of the hall and what should happen to the lamp.",
    "He refused nothing. The recorder failed during the answer.",
    "There was a lens, a news item and a works outing in an old gasworks.",
    "There were seven of them; two of the clocks were slow, and one of the clerks was late.",
    "She was a reader, had been ready since noon, and would have gone.",
    "The colour of the plates was blue, and whoever was near looked the answer up.",
    "It was as wide as a hand, and as long as anyone could have wished.",
    "Ines was late. News was slow.",
    "A customs officer came with an expenses claim.",
)


@pytest.mark.parametrize("family", WRONG)
def test_each_family_is_found(family: str) -> None:
    for text in WRONG[family]:
        assert any(found.startswith(family) for found in slips(text)), text


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right_is_left_alone(text: str) -> None:
    assert list(slips(text)) == []


def test_the_check_of_a_bank_tries_the_alternatives() -> None:
    bank = load_bank("archive")
    line = compile_line("{They} had (the job|been asked) of (making|saying) it (again|right).")
    worse = Bank(bank.genre, bank.meta, bank.rules, bank.kinds | {"work": (line,)}, bank.settings, bank.plots)
    assert any("asked of" in problem for problem in lint(worse))


def test_alternatives_that_go_together_are_written_together() -> None:
    bank = load_bank("archive")
    line = compile_line("{They} read it, (word|line) by (word|line).")
    worse = Bank(bank.genre, bank.meta, bank.rules, bank.kinds | {"work": (line,)}, bank.settings, bank.plots)
    assert any("drawn apart" in problem for problem in lint(worse))
