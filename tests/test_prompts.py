"""Templates: filled once, checked when loaded; fingerprints: changed by what matters."""

import pytest

from synthesis.data import Message, Pair
from synthesis.engines.base import Sampling
from synthesis.errors import TemplateError
from synthesis.prompts import MARKER, build_prompt, built_in_templates, load_template, parse_template

PAIR = Pair(
    instruction="Who kept the {words} ledger?", answer="{answer} {unknown} {instruction}", task="story_qa"
)


def prompt(pair=PAIR, template=None, **changes):
    settings = {"words": 700, "engine": "e", "model": "m", "sampling": Sampling()} | changes
    return build_prompt(pair, template or load_template("narrative"), **settings)


def test_the_built_in_template_asks_for_what_the_method_needs() -> None:
    assert built_in_templates() == ["few-shot", "narrative", "short"]
    made = prompt()
    assert [message.role for message in made.messages] == ["system", "user"]
    text = made.messages[1].content
    assert PAIR.instruction in text
    assert PAIR.answer in text
    assert "a story of about 700 words" in text
    assert MARKER in text


def test_values_are_inserted_once_and_never_expanded() -> None:
    template = parse_template("t", "{instruction}|{answer}|{words}|{ not } {1} {{-}")
    assert template.fill({"instruction": "{answer}", "answer": "{words}", "words": 5})[0].content == (
        "{answer}|{words}|5|{ not } {1} {{-}"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{instruction} {words}", r"lacks \{answer\}"),
        ("", r"lacks \{answer\}, \{instruction\}, \{words\}"),
        ("{instruction} {answer} {words} {style}", r"has \{style\}, which nothing fills"),
        ("hello\n[user]\n{instruction} {answer} {words}", "before its .user. part"),
    ],
)
def test_a_wrong_template_fails_when_loaded(text, message) -> None:
    with pytest.raises(TemplateError, match=message):
        parse_template("mine", text)


def test_a_users_file_is_a_template(tmp_path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("{instruction}\n{answer}\n{words}")
    assert load_template(str(path)).name == "mine"
    with pytest.raises(TemplateError, match="no template 'absent'.*narrative"):
        load_template("absent")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TemplateError, match="cannot be read as UTF-8"):
        load_template(str(path))


def test_the_fingerprint_changes_with_everything_that_matters() -> None:
    other_template = parse_template("narrative", "{instruction} {answer} {words}")
    variants = [
        prompt(),
        prompt(Pair(instruction="Who?", answer="She.", task="story_qa")),
        prompt(Pair(instruction=PAIR.instruction, answer=PAIR.answer, task="news")),
        prompt(template=other_template),
        prompt(words=701),
        prompt(engine="f"),
        prompt(model="n"),
        prompt(sampling=Sampling(seed=1)),
        prompt(sampling=Sampling(temperature=0.1)),
        prompt(settings={"mode": "needle"}),
    ]
    assert len({made.fingerprint for made in variants}) == len(variants)
    assert prompt().fingerprint == prompt().fingerprint
    with_metadata = Pair(instruction=PAIR.instruction, answer=PAIR.answer, task="story_qa", metadata={"a": 1})
    assert prompt(with_metadata).fingerprint == prompt().fingerprint


def test_examples_stand_before_what_is_asked() -> None:
    text = "[user]\nan example\n[assistant]\nits text\n[user]\n{instruction} {answer} {words}\n"
    parts = parse_template("t", f"[system]\nBe brief.\n{text}").parts
    assert [part.role for part in parts] == ["system", "user", "assistant", "user"]
    assert parts[2] == Message("assistant", "its text")


@pytest.mark.parametrize(
    "roles", ["user assistant", "assistant user", "user system user", "user user", "system"]
)
def test_examples_in_no_order_are_told(roles: str) -> None:
    text = "".join(f"[{role}]\n{{instruction}} {{answer}} {{words}}\n" for role in roles.split())
    with pytest.raises(TemplateError, match="no conversation"):
        parse_template("t", text)


def test_a_template_may_begin_with_its_user_part() -> None:
    (only,) = parse_template("t", "[user]\n{instruction} {answer} {words}\n").parts
    assert only == Message("user", "{instruction} {answer} {words}")
