"""Several contexts for a pair: side by side, the best kept, the others findable, more asked for later."""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path

import pytest

from synthesis.data import Context, Pair, Prompt
from synthesis.engines.base import Sampling
from synthesis.errors import ConfigError
from synthesis.options import from_dict
from synthesis.prompts import load_template
from synthesis.run.candidates import Mark, candidate_names, marked
from synthesis.run.job import Job, make_job
from synthesis.run.journal import Journal
from synthesis.run.loop import generate, survey, synthesize
from tests.openai_server import Asked, Reply, serve
from tests.pretend import PretendModel, prose

PAIRS = [
    Pair(instruction="Who mended the tower clock of Varrow in the spring?", answer="Ilse Brandt"),
    Pair(instruction="Who dredged the harbour of Kelm after the storm?", answer="Otto Reuss"),
]
WEAK, GOOD, FAIR = "weak", "good", "fair"


def text(pair: Pair, how: str) -> str:
    """Of a pair's contexts those are better that tell more of what is asked about."""
    clock = "clock" in pair.instruction
    verb, thing, place, time = (
        ("mended", "tower clock", "Varrow", "spring") if clock else ("dredged", "harbour", "Kelm", "storm")
    )
    told = {
        WEAK: f"All of {place} knew that it was {pair.answer} who came.",
        FAIR: f"All of {place} knew that it was {pair.answer} who {verb} it.",
        GOOD: f"All of {place} spoke of the {thing}. It was {pair.answer} who {verb} it, late that {time}.",
    }[how]
    return f"Context: The {how} account. {prose(50, how)} {told} {prose(30, pair.answer)}"


def source(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    rows = [{"instruction": pair.instruction, "answer": pair.answer} for pair in PAIRS]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def kept(folder: Path) -> list[str]:
    """Which account each pair has in the dataset."""
    with Journal(folder / "journal", writable=False) as journal:
        return [context.text.split()[1] for _, context in journal.current_contexts()]


def test_the_accounts_are_better_and_worse() -> None:
    for pair in PAIRS:
        prompt = Job(PretendModel(str), load_template("narrative"), Sampling(), 100).prompt(pair)
        weak, fair, good = (
            marked(Context(pair.id, text(pair, how).removeprefix("Context: ")), pair, prompt)
            for how in (WEAK, FAIR, GOOD)
        )
        assert weak.rank < fair.rank < good.rank


def test_the_best_is_kept_and_more_may_be_asked_for(tmp_path, command) -> None:
    folder = tmp_path / "run"
    replies = (WEAK, FAIR, GOOD, WEAK)
    asked: Counter[str] = Counter()

    def say(request: Asked) -> Reply:
        pair = next(pair for pair in PAIRS if pair.instruction in request.text)
        asked[pair.id] += 1
        return Reply(text(pair, replies[asked[pair.id] - 1]))

    with serve(say) as server:
        options = ["--pairs", source(tmp_path), "--engine", "openai", "--model", "tiny", "--words", "100"]
        options += ["--option", f"base_url={server.url}", "--lengths", "1k", "--out", folder, "--min"]
        options += ["overall=0,support=0.01", "--option", "concurrency=1", "--repairs", "0"]

        def run(count: int) -> None:
            done = command("run", *options, "--candidates", count)
            assert done.returncode == 0, done.stderr
            assert "2 contexts, 0 rejected" in done.stdout

        run(1)
        assert (len(server.asked), kept(folder)) == (2, [WEAK, WEAK])
        told = command("plan", *options, "--candidates", "3")
        assert "a run would write 4 contexts" in told.stdout
        run(3)
        assert (len(server.asked), kept(folder)) == (6, [GOOD, GOOD])
        assert len({request.body["seed"] for request in server.asked}) == 6
        run(2)
        assert (len(server.asked), kept(folder)) == (6, [FAIR, FAIR])
        run(4)
        assert (len(server.asked), kept(folder)) == (8, [GOOD, GOOD])
    with Journal(folder / "journal", writable=False) as journal:
        # The others are there, with their score; what all of them took counts.
        assert len(journal.contexts) == journal.usage.replies == 8
    for line in (folder / "journal/contexts.jsonl").read_text().splitlines()[2:]:
        assert 0 <= json.loads(line)["score"] <= 1


def test_candidates_are_written_side_by_side(tmp_path, command) -> None:
    three = threading.Event()

    def say(request: Asked) -> Reply:
        if request.held == 3:
            three.set()
        return Reply(text(PAIRS[0], GOOD), until=three)

    with serve(say) as server:
        options = ["--pairs", source(tmp_path), "--limit", "1", "--engine", "openai", "--model", "tiny"]
        options += ["--option", f"base_url={server.url}", "--option", "concurrency=3", "--words", "100"]
        done = command("run", *options, "--out", tmp_path / "run", "--lengths", "1k", "--candidates", "3")
    assert done.returncode == 0, done.stderr
    assert server.most_held == 3


def job(engine: PretendModel, candidates: int, repairs: int = 0) -> Job:
    settings = {"words": 100, "repairs": repairs, "candidates": candidates}
    return Job(engine, load_template("narrative"), Sampling(), **settings)


def test_one_that_cannot_be_used_is_no_loss_while_another_can(tmp_path) -> None:
    replies = iter(["I cannot.", text(PAIRS[0], FAIR), "No.", "No.", "No."])
    engine = PretendModel(lambda _: next(replies))
    with Journal(tmp_path) as journal:
        generate(job(engine, 2), PAIRS[:1], journal)
        ((_, context),) = journal.current_contexts()
        assert "fair account" in context.text
        assert survey(job(engine, 2), PAIRS[:1], journal).settled == 1
        # All were rejected: the pair is.
        generate(job(engine, 2), PAIRS[1:], journal)
        assert len(list(journal.current_rejected())) == 1
        assert len(journal.current_contexts()) == 0


def test_a_run_that_broke_off_goes_on_where_it_was(tmp_path) -> None:
    engine = PretendModel(lambda prompt: text(PAIRS[0], GOOD), fail_after=2)
    with Journal(tmp_path) as journal, pytest.raises(Exception, match="broke down"):
        generate(job(engine, 3), PAIRS[:1], journal)
    more = PretendModel(lambda prompt: text(PAIRS[0], GOOD))
    with Journal(tmp_path) as journal:
        generate(job(more, 3), PAIRS[:1], journal)
        assert len(more.asked) == 1
        assert len(journal.current_contexts()) == 1


def test_in_memory_the_best_of_each_is_given() -> None:
    told: Counter[str] = Counter()

    def say(prompt: Prompt) -> str:
        pair = next(pair for pair in PAIRS if pair.id == prompt.pair_id)
        told[pair.id] += 1
        return text(pair, (FAIR, GOOD, WEAK)[told[pair.id] % 3])

    twice = [*PAIRS, *PAIRS]  # equal pairs are no trouble
    found = list(synthesize(twice, PretendModel(say, window=12), words=100, candidates=3, repairs=0))
    assert [one.text.split()[1] for one in found] == [GOOD] * 4
    with pytest.raises(ConfigError, match="this engine draws nothing"):
        next(synthesize(PAIRS, candidates=2))


def test_the_first_is_the_one_that_would_be_written_alone() -> None:
    (alone,) = candidate_names(["0" * 32], [0])
    assert list(candidate_names(["0" * 32], [0] * 3))[0] == alone == "0" * 32
    assert len(set(candidate_names(["0" * 32], [0] * 9))) == 9


def test_what_a_model_writes_beside_others_has_the_name_that_it_has_alone() -> None:
    one, other = "0" * 32, "1" * 32
    names = list(candidate_names([one, other], [0, 1, 0, 1, 0]))
    assert names[::2] == list(candidate_names([one], [0] * 3))
    assert names[1::2] == list(candidate_names([other], [0] * 2))
    assert len(set(candidate_names([one, one], [0, 1, 0]))) == 3  # two servers of one model


def test_candidates_that_would_all_be_the_same_are_refused() -> None:
    table = {"engine": "openai", "model": "m", "temperature": 0.0, "candidates": 2}
    with pytest.raises(ConfigError, match="all would be the same: give --temperature above 0"):
        make_job(from_dict({"generation": table}))


def test_samples_of_all_where_one_is_kept_are_refused() -> None:
    table = {"samples": {"all_candidates": True}}
    with pytest.raises(ConfigError, match="one is kept; add --candidates 2 or more with --keep-candidates"):
        from_dict(table)
    kept = {"engine": "openai", "model": "m", "candidates": 2, "keep_candidates": True}
    assert from_dict({**table, "generation": kept}).samples.all_candidates


def test_faults_count_before_the_score() -> None:
    assert Mark(1, 0.9).rank < Mark(0, 0.4).rank < Mark(0, 0.5).rank


def test_all_are_kept_as_rows_of_their_own_if_asked(tmp_path, command) -> None:
    import datasets

    from builder import load
    from builder.export.write import export

    folder = tmp_path / "run"
    told: Counter[str] = Counter()

    def say(request: Asked) -> Reply:
        pair = next(pair for pair in PAIRS if pair.instruction in request.text)
        told[pair.id] += 1
        return Reply(text(pair, (WEAK, GOOD, FAIR)[told[pair.id] - 1]))

    def rows(name: str) -> list[dict[str, object]]:
        return datasets.load_dataset(str(folder / "dataset"), name, split="train").to_list()

    with serve(say) as server:
        options = ["--pairs", source(tmp_path), "--engine", "openai", "--model", "tiny", "--words", "100"]
        options += ["--option", f"base_url={server.url}", "--lengths", "700", "--out", folder, "--min"]
        options += [
            "overall=0,support=0.01",
            "--option",
            "concurrency=1",
            "--repairs",
            "0",
            "--candidates",
            "3",
        ]
        done = command("run", *options, "--keep-candidates")
        assert done.returncode == 0 and "6 contexts, 0 rejected" in done.stdout, done.stderr
        assert "0 new" in command("plan", *options, "--keep-candidates").stdout
        raw = rows("tiny")
        assert [(row["group"], row["rank"], row["chosen"]) for row in raw] == [
            (pair.id, rank, rank == 1) for pair in PAIRS for rank in raw_ranks(raw, pair)
        ]
        best = {row["id"]: row for row in raw if row["chosen"]}
        assert [str(best[pair.id]["context"]).split()[1] for pair in PAIRS] == [GOOD, GOOD]
        for pair in PAIRS:
            scores = [
                row["coherence"] for row in sorted(raw, key=lambda row: row["rank"]) if row["id"] == pair.id
            ]
            assert scores == sorted(scores, reverse=True) and len(set(scores)) == 3
        # Samples are of the best, unless all are asked for; no two of a pair ever stand together.
        assert [(row["pair_id"], row["rank"]) for row in rows("tiny-chat-700")] == [
            (pair.id, 1) for pair in PAIRS
        ]
        more = command("assemble", folder, "--lengths", "900", "--all-candidates", "--kind", "chat,rl")
        assert more.returncode == 0, more.stderr
        samples = rows("tiny-chat-900")
        assert sorted(row["rank"] for row in samples) == [1, 1, 2, 2, 3, 3]
        assert all(len(set(row["documents"])) == len(row["documents"]) == 2 for row in samples)
        assert len({row["id"] for row in samples}) == 6
        assert [(row["group"], row["rank"]) for row in rows("tiny-rl-900")] == [
            (row["pair_id"], row["rank"]) for row in samples
        ]
        export(folder, tmp_path / "rl.jsonl", format="rl", config="tiny-chat-900")
        written = [json.loads(line) for line in (tmp_path / "rl.jsonl").read_text().splitlines()]
        assert written == rows("tiny-rl-900")
        loaded = load(str(folder), "tiny", length=900, cache_dir=str(tmp_path / "cache"))
        assert sorted(loaded["pair_id"]) == sorted(pair.id for pair in PAIRS) and set(loaded["rank"]) == {1}
        every = load(str(folder), "tiny", length=900, all_candidates=True, cache_dir=str(tmp_path / "cache"))
        assert every.to_list() == samples
        card = (folder / "dataset/README.md").read_text()
        assert "6 contexts for 2 pairs" in " ".join(card.split())
        # They are there for whoever does not want them any more, and nothing is asked again.
        done = command("run", *options)
        assert "2 contexts, 0 rejected" in done.stdout and len(server.asked) == 6
        assert [row["rank"] for row in rows("tiny")] == [1, 1]
        refused = command("run", *options[:-1], "1", "--keep-candidates")
        assert refused.returncode == 2 and "give --candidates 2 or more" in refused.stderr


def raw_ranks(raw: list[dict[str, object]], pair: Pair) -> list[object]:
    """The ranks of a pair's rows, the best of which comes first."""
    ranks = [row["rank"] for row in raw if row["id"] == pair.id]
    assert sorted(ranks) == [1, 2, 3] and ranks[0] == 1
    return ranks


def test_what_was_kept_stays_when_rejected_pairs_are_asked_again(tmp_path) -> None:
    from dataclasses import replace

    from synthesis.run.loop import carry_out
    from synthesis.run.retry import by_another_seed, rows_to_retry

    replies = iter([text(PAIRS[0], WEAK), text(PAIRS[0], GOOD), "No.", "No.", *[text(PAIRS[1], FAIR)] * 2])
    keeping = replace(job(PretendModel(lambda _: next(replies)), 2), keeps=True)
    with Journal(tmp_path) as journal:
        generate(keeping, PAIRS, journal)
        assert [context.text.split()[1] for _, context in journal.current_contexts()] == [GOOD, WEAK]
        before = list(journal.current())
        assert [kept for _, kept in before] == [True, True, False]
        again = by_another_seed(keeping, journal)
        carry_out(again, rows_to_retry(again, journal), journal)
        assert list(journal.current())[:2] == before[:2]
        assert [kept for _, kept in journal.current()] == [True, True, True]


def test_in_memory_all_are_given_the_best_first() -> None:
    replies = iter([text(PAIRS[0], how) for how in (FAIR, WEAK, GOOD)])
    model = PretendModel(lambda _: next(replies))
    found = synthesize(PAIRS[:1], model, words=100, candidates=3, keep_candidates=True, repairs=0)
    assert [one.text.split()[1] for one in found] == [GOOD, FAIR, WEAK]
    with pytest.raises(ConfigError, match="one is asked for"):
        next(synthesize(PAIRS, model, keep_candidates=True))
