"""A template for each kind of task: which one a pair gets, what a folder may hold, what is recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthesis.data import Pair
from synthesis.engines.base import Sampling
from synthesis.errors import TemplateError
from synthesis.prompts import MARKER, build_prompt, built_in_templates, load_template
from synthesis.prompts.by_task import load_templates
from synthesis.tasks import TASKS
from tests.openai_server import Asked, Reply, serve
from tests.pretend import prose

BUILT_IN = sorted((Path(__file__).parent.parent / "synthesis/prompts/templates/by-task").glob("*.txt"))
MINE = "{instruction} {answer} {words} "


def folder(tmp_path: Path, *names: str) -> Path:
    made = tmp_path / "mine"
    made.mkdir()
    for name in names:
        (made / f"{name}.txt").write_text(MINE + name)
    return made


def pair(task: str, answer: str = "Ilse Brandt") -> Pair:
    return Pair(instruction="Who mended the clock?", answer=answer, task=task)


def name_for(templates, task: str, answer: str = "Ilse Brandt") -> str:
    return templates.of(pair(task, answer)).name


def test_a_single_template_is_for_every_pair() -> None:
    assert load_templates("narrative") == load_template("narrative")
    assert load_templates("narrative").of(pair("hotpotqa")).name == "narrative"


def test_a_pair_gets_the_first_that_is_for_it(tmp_path) -> None:
    names = ("hotpotqa", "multihop_bridge", "yes_no", "my_law", "default")
    found = load_templates(str(folder(tmp_path, *names)))
    assert name_for(found, "HotpotQA") == "mine/hotpotqa"
    assert name_for(found, "multihop_bridge") == "mine/multihop_bridge"
    assert name_for(found, "hotpotqa-hard") == "mine/multihop_bridge"  # of this kind, by another name
    assert name_for(found, "hotpotqa-hard", "yes") == "mine/multihop_bridge"
    assert name_for(found, "qasper", "No.") == "mine/yes_no"
    assert name_for(found, "My law") == "mine/my_law"
    assert name_for(found, "qasper") == "mine/default"


def test_a_file_by_the_name_of_a_dataset_is_for_all_tasks_of_its_kind(tmp_path) -> None:
    found = load_templates(str(folder(tmp_path, "hotpotqa")))
    assert name_for(found, "multihop_bridge") == "mine/hotpotqa"
    assert name_for(found, "qasper") == "narrative"  # the built-in one, without a default


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ((), "holds no template: put text files there"),
        (("multihop_brige",), r"did you mean multihop_bridge\.txt"),
        (("defualt",), r"did you mean default\.txt"),
        (("yes_n",), r"did you mean yes_no\.txt"),
        (("hotpotqa", "Hotpot_QA"), "are both for 'hotpotqa'"),
    ],
)
def test_a_wrong_folder_is_told(tmp_path, names, message) -> None:
    with pytest.raises(TemplateError, match=message):
        load_templates(str(folder(tmp_path, *names)))


def test_a_wrong_file_in_a_folder_is_told_by_its_name(tmp_path) -> None:
    made = folder(tmp_path, "hotpotqa")
    (made / "qasper.txt").write_text("{instruction} {words}")
    with pytest.raises(TemplateError, match=r"'mine/qasper' lacks \{answer\}"):
        load_templates(str(made))


def test_the_built_in_ones_ask_for_a_text_and_share_their_beginning() -> None:
    found = load_templates("by-task")
    assert {path.stem for path in BUILT_IN} == {
        "default",
        "yes_no",
        "numeric",
        *(task.name for task in TASKS),
    }
    for path in BUILT_IN:
        template = next(one for one in found.templates.values() if one.name == f"by-task/{path.stem}")
        (system, rules), (user, asks) = template.parts
        assert (system, user) == ("system", "user")
        assert "{" not in rules  # the same for every pair: servers read it once
        assert asks.index("{instruction}") < asks.index("{answer}") < asks.index("{form}")
        assert asks.rstrip().endswith((f'"{MARKER}"; after it comes the text.',)) or MARKER in asks
    assert name_for(found, "2wikimqa", "yes") == "by-task/multihop_compare"
    assert name_for(found, "generic", "yes") == "by-task/yes_no"
    assert name_for(found, "generic", "1931") == "by-task/numeric"
    assert name_for(found, "narrativeqa", "yes") == "by-task/story_qa"
    assert name_for(found, "generic") == "by-task/default"


def test_the_one_with_an_example_shows_it_as_a_conversation() -> None:
    asked, shown, asks = load_template("few-shot").parts
    assert [part.role for part in (asked, shown, asks)] == ["user", "assistant", "user"]
    assert shown.content.startswith(f"{MARKER} ") and "{" not in asked.content + shown.content
    # What is asked of the example is asked of the pair, word for word.
    same = ("in plain paragraphs", "no paragraph is enough alone", f'Begin with "{MARKER}"')
    assert all(words in asked.content and words in asks.content for words in same)
    answer = asked.content.partition("Answer: ")[2].split()[0]
    # The example does what it asks for: no paragraph holds the answer and what the question says of it.
    paragraphs = [part for part in shown.content.split("\n\n") if answer in part]
    assert paragraphs and not any("school" in part for part in paragraphs)
    prompt = build_prompt(
        pair("hotpotqa"), load_template("few-shot"), words=100, engine="e", model="m", sampling=Sampling()
    )
    assert [message.role for message in prompt.messages] == ["user", "assistant", "user"]


def test_the_short_one_is_short() -> None:
    assert built_in_templates() == ["few-shot", "narrative", "short"]
    (one,) = load_template("short").parts
    assert one.role == "user"
    assert len(one.content.split()) < 90


def test_identity_is_that_of_the_text_a_pair_gets(tmp_path) -> None:
    def prints(made: Path) -> list[str]:
        found = load_templates(str(made))
        return [
            build_prompt(
                one, found.of(one), words=100, engine="e", model="m", sampling=Sampling()
            ).fingerprint
            for one in (pair("hotpotqa"), pair("qasper"))
        ]

    made = folder(tmp_path, "hotpotqa", "default")
    before = prints(made)
    (made / "hotpotqa.txt").write_text(MINE + "changed")
    (made / "musique.txt").write_text(MINE)
    assert [a == b for a, b in zip(before, prints(made), strict=True)] == [False, True]


def test_a_run_asks_by_task_and_records_which(tmp_path, command) -> None:
    rows = [
        {"instruction": "Who mended the clock of Varrow?", "answer": "Ilse Brandt", "task": "hotpotqa"},
        {"instruction": "Who dredged the harbour of Kelm?", "answer": "Otto Reuss", "task": "qasper"},
    ]
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = folder(tmp_path, "hotpotqa", "default")

    def say(asked: Asked) -> Reply:
        row = next(row for row in rows if row["instruction"] in asked.text)
        told = f"{row['instruction'].replace('Who', 'It was').rstrip('?')} by {row['answer']}, they say."
        return Reply(f"Context: {prose(60, row['answer'])} {told} {prose(40)}")

    with serve(say) as server:
        options = ("--pairs", pairs, "--engine", "openai", "--model", "tiny", "--option")
        options += (f"base_url={server.url}", "--words", "100", "--out", tmp_path / "run", "--lengths", "2k")
        bad = command("run", *options, "--template", tmp_path / "none")
        assert (bad.returncode, len(server.asked)) == (2, 0)
        assert "a folder of them by task" in bad.stderr
        done = command("run", *options, "--template", made)
        assert done.returncode == 0, done.stderr
        assert sorted(asked.text.split()[-1] for asked in server.asked) == ["default", "hotpotqa"]
        kept = (tmp_path / "run/journal/contexts.jsonl").read_text().splitlines()
        assert sorted(json.loads(line)["template"] for line in kept) == ["mine/default", "mine/hotpotqa"]
        card = (tmp_path / "run/dataset/README.md").read_text()
        assert "| template | mine |" in card
        (made / "hotpotqa.txt").write_text(MINE + "changed")
        command("run", *options, "--template", made)
        assert [asked.text.split()[-1] for asked in server.asked[2:]] == ["changed"]
