"""What becomes of a real model's replies: parsed, repaired, rejected, accepted; before a change and after.

    python benchmarks/gate_model.py OUT --engine vllm --model FOLDER --arm before=OLD --arm after=.
    python benchmarks/gate_model.py OUT --gguf FILE --arm after=. --count 20     # a llama.cpp server
    python benchmarks/gate_model.py OUT --table                                  # OUT's records as Markdown

An arm is ``NAME=TREE`` or ``NAME=TREE:TEMPLATE``: a checkout of this project, whichever age, and the template
to ask with. Each tree runs in a process of its own, all at the same time (one loaded model for all arms of a
tree), on the same pairs, seeds and settings, through the whole loop with its repairs. Needs what the engine
needs and nothing besides.

OUT/ARM.jsonl has a line for each reply (``reply``: how it ended, what the gate made of it) and each pair
(``pair``: its outcome, attempts, score). ``--sheet`` (60) texts of all arms, accepted and rejected ones,
stand in OUT/sheet.md in no order and without a name, for somebody to judge before OUT/sheet-key.json is
opened: ``good`` or ``bad`` after each ``Verdict:``; then ``--table`` tells how many of each arm's were which.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "shared" / "data", ROOT.parent / "shared" / "data"
SETS = ("hotpotqa", "2wikiqa_first100", "narrativeqa")
# Each with a name of its own, so that both trees know the settings: the plain ones of a run otherwise.
GENERATION = ("words", "max_tokens", "temperature", "repairs")
# So much of a GPU that two models of this size fit beside each other.
ON_GPU = {"gpu_memory_utilization": 0.4, "kv_cache_memory_bytes": 8 << 30, "enforce_eager": True}


def main() -> None:
    """Run the arms, each tree in a process; then the sheet and the table."""
    given = arguments()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.child:
        run_arms(given)
        return
    arms = [arm(text) for text in given.arm]
    if not given.table and arms:
        write_pairs(given)
        with served(given) as more:
            run_trees(given, arms, more)
        write_sheet(given.out, [name for name, _, _ in arms], given.sheet)
    print(table(given.out))


def arguments() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--arm", action="append", default=[], metavar="NAME=TREE[:TEMPLATE]")
    parser.add_argument("--engine", default="vllm")
    parser.add_argument("--model", default="")
    parser.add_argument("--gguf", help="serve this file by llama.cpp and ask the engine 'openai'")
    parser.add_argument("--options", default="{}", help="JSON: options of the engine, above those for a GPU")
    parser.add_argument("--pairs", type=Path, nargs="*", help="JSONL; by default the bundled and shared/data")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--words", type=int, default=150)
    parser.add_argument("--max-tokens", type=int, default=600)
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--repairs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=600, help="for all arms together")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def arm(text: str) -> tuple[str, str, str]:
    """Name, tree and template of an arm."""
    name, _, where = text.partition("=")
    tree, _, template = where.partition(":")
    return name, str(Path(tree or ".").resolve()), template or "narrative"


def write_pairs(given: argparse.Namespace) -> None:
    """OUT/pairs.jsonl: ``count`` pairs, the sources taking turns."""
    sources = given.pairs or [ROOT / "examples" / "pairs.jsonl"]
    if not given.pairs and (folder := next((one for one in DATA if one.is_dir()), None)):
        sources += [folder / "seed_instruction" / f"{name}.jsonl" for name in SETS]
    rows = [
        [{"task": path.stem, **json.loads(line)} for line in path.read_text("utf-8").splitlines()]
        for path in sources
    ]
    turns = [row for place in range(max(map(len, rows))) for row in (one[place : place + 1] for one in rows)]
    found = [row for turn in turns for row in turn][: given.count]
    (given.out / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found), "utf-8")


@contextlib.contextmanager
def served(given: argparse.Namespace) -> Iterator[list[str]]:
    """Further words for the children; with a GGUF, its server runs meanwhile."""
    if not given.gguf:
        yield []
        return
    from llama_server import serving

    with serving(given.gguf, window=4096) as address:
        options = {"base_url": address, "concurrency": 8, **json.loads(given.options)}
        yield ["--engine", "openai", "--options", json.dumps(options)]


def run_trees(given: argparse.Namespace, arms: list[tuple[str, str, str]], more: list[str]) -> None:
    """Every tree's arms in a process of its own, side by side; none outlives ``seconds``."""
    until = time.monotonic() + given.seconds
    children = {}
    for tree in dict.fromkeys(tree for _, tree, _ in arms):
        mine = [word for name, at, kind in arms if at == tree for word in ("--arm", f"{name}={at}:{kind}")]
        plain = [word for word in sys.argv[1:] if not word.startswith("--arm=")]
        while "--arm" in plain:
            at = plain.index("--arm")
            del plain[at : at + 2]
        path = os.pathsep.join(filter(None, (tree, os.environ.get("PYTHONPATH"))))
        command = [sys.executable, __file__, *plain, *more, *mine, "--child"]
        children[tree] = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path})
    for tree, child in children.items():
        try:
            code = child.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.terminate()
            code = "out of time"
        if code:
            print(f"{tree}: {code}", flush=True)


def run_arms(given: argparse.Namespace) -> None:
    """The arms of one tree, in this process: ``synthesis`` is that tree's."""
    from synthesis.data import Context, Pair, Rejected
    from synthesis.options import RunConfig, override
    from synthesis.run.job import make_job
    from synthesis.run.journal import Journal
    from synthesis.run.loop import generate

    rows = map(json.loads, (given.out / "pairs.jsonl").read_text("utf-8").splitlines())
    pairs = {
        pair.id: pair
        for row in rows
        if (pair := Pair("", row["instruction"], row["answer"], row.get("task", "generic")))
    }
    options = (ON_GPU if given.engine == "vllm" else {}) | json.loads(given.options)
    settings: dict[str, Any] = {f"generation.{name}": getattr(given, name) for name in GENERATION}
    settings |= {"generation.engine": given.engine, "generation.options": options, "seed": given.seed}
    if given.model:
        settings["generation.model"] = given.model
    engine: Any = None
    for name, _, template in map(arm, given.arm):
        job = make_job(override(RunConfig(), settings | {"generation.template": template}))
        engine = engine or recording(job.engine)
        begun = time.perf_counter()
        with (given.out / f"{name}.jsonl").open("w", encoding="utf-8") as file:

            def note(line: dict[str, Any], file: Any = file) -> None:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                file.flush()

            def outcome(found: Context | Rejected, note: Any = note) -> None:
                note(told(found, pairs[found.pair_id]))

            engine.note = note
            with tempfile.TemporaryDirectory() as folder, Journal(Path(folder)) as journal:
                generate(dataclasses.replace(job, engine=engine), pairs.values(), journal, outcome)
            note({"what": "arm", "seconds": round(time.perf_counter() - begun, 1), "template": template})
    engine.close()


def recording(engine: Any) -> Any:
    """The engine, with ``note`` told of every reply."""
    from synthesis.gate.parsing import parse

    kind, complete = type(engine), type(engine).complete

    class Recorded(kind):  # type: ignore[misc,valid-type]
        def complete(self, prompts: Any, sampling: Any) -> Iterator[Any]:
            asked: dict[str, Any] = {}

            class Seen:
                def pull(self) -> Any:
                    prompt = prompts.pull()
                    if prompt is not None:
                        asked[prompt.id] = prompt
                    return prompt

            for done in complete(self, Seen(), sampling):
                prompt = asked[done.prompt_id]
                found = parse(done, prompt, engine=self.name, model=self.model, seed=sampling.seed)
                line = {"what": "reply", "pair": prompt.pair_id, "finish": done.finish_reason}
                line |= {"verdict": getattr(found, "reason", "parsed"), "text": done.text}
                self.note({**line, "tokens": [done.prompt_tokens, done.output_tokens]})
                yield done

    engine.__class__ = Recorded
    return engine


def told(found: Any, pair: Any) -> dict[str, Any]:
    """A pair's outcome as a line."""
    from synthesis.coherence import score

    reason = getattr(found, "reason", "")
    line = {"what": "pair", "pair": pair.id, "instruction": pair.instruction, "answer": pair.answer}
    line |= {"accepted": not reason, "reason": reason, "attempts": found.attempts, "text": found.text}
    return line | {"score": round(score(found.text, pair.instruction, pair.answer).overall, 4)}


def read(path: Path, what: str) -> list[dict[str, Any]]:
    """The lines of one kind."""
    lines = map(json.loads, path.read_text("utf-8").splitlines()) if path.exists() else []
    return [line for line in lines if line["what"] == what]


def write_sheet(out: Path, arms: list[str], count: int) -> None:
    """Texts to be judged blind: of each arm as many, accepted ones before rejected ones, each text once."""
    chosen: dict[str, dict[str, Any]] = {}
    for place, name in enumerate(arms):
        found = [line | {"arm": name} for line in read(out / f"{name}.jsonl", "pair") if line["text"].strip()]
        random.Random(name).shuffle(found)
        # Three quarters of the arm's share for what was kept: it is what a dataset is made of.
        share = -(-(count - len(chosen)) // (len(arms) - place))
        kept = [line for line in found if line["accepted"]][: -(-3 * share // 4)]
        for line in kept + [line for line in found if not line["accepted"]][: share - len(kept)]:
            chosen.setdefault(line["text"], line)
    order = list(chosen.values())
    random.Random(count).shuffle(order)
    parts = ["Good: a text from which the response follows, that was not made of the prompt. Else bad."]
    for number, line in enumerate(order, 1):
        asked = f"## {number}\n\nRequest: {line['instruction']}\n\nResponse: {line['answer']}"
        # A rejected text is the whole reply, which must not tell it from the others.
        text = line["text"].strip().removeprefix("Context:").strip()
        parts.append(f"{asked}\n\n~~~~text\n{text}\n~~~~\n\nVerdict:")
    (out / "sheet.md").write_text("\n\n".join(parts) + "\n", "utf-8")
    key = [{name: line[name] for name in ("arm", "accepted", "reason", "score")} for line in order]
    (out / "sheet-key.json").write_text(json.dumps(key, indent=1), "utf-8")


def verdicts(out: Path) -> dict[tuple[str, bool], Counter[str]]:
    """What a reader said of the texts of each arm, by whether they were accepted."""
    if not (out / "sheet-key.json").exists():
        return {}
    key = json.loads((out / "sheet-key.json").read_text("utf-8"))
    said = re.findall(r"^Verdict:[ \t]*(\w*)$", (out / "sheet.md").read_text("utf-8"), re.M)
    found: dict[tuple[str, bool], Counter[str]] = {}
    for line, word in zip(key, said, strict=True):
        if word:
            found.setdefault((line["arm"], line["accepted"]), Counter())[word.lower()] += 1
    return found


def table(out: Path) -> str:
    """What became of replies and pairs in each arm, as Markdown."""
    said = verdicts(out)
    lines = []
    for path in sorted(path for path in out.glob("*.jsonl") if path.stem != "pairs"):
        replies, pairs = read(path, "reply"), read(path, "pair")
        if not pairs:
            continue
        accepted = [line for line in pairs if line["accepted"]]
        repaired = [line for line in accepted if line["attempts"] > 1]
        parsed = sum(line["verdict"] == "parsed" for line in replies)
        seconds = next((f", {line['seconds']} s" for line in read(path, "arm")), ", not finished")
        lines += [f"### {path.stem}: {len(pairs)} pairs, {len(replies)} replies{seconds}", ""]
        lines += ["| what | count | share |", "|---|---|---|"]
        lines += [row("replies that parse", parsed, len(replies))]
        lines += [row("pairs accepted", len(accepted), len(pairs))]
        lines += [row("of them repaired", len(repaired), len(accepted))]
        low = sum(line["score"] < 0.4 for line in accepted)
        lines += [row("of them scored under .4", low, len(accepted))]
        reasons = Counter(kind(line["reason"]) for line in pairs if not line["accepted"])
        lines += [row(f"rejected: {reason}", count, len(pairs)) for reason, count in reasons.most_common()]
        for kept, what in ((True, "accepted"), (False, "rejected")):
            if counts := said.get((path.stem, kept)):
                lines += [row(f"{what} and bad, as read", counts["bad"], counts.total())]
        lines.append("")
    return "\n".join(lines)


def row(what: str, count: int, whole: int) -> str:
    """A line of the table."""
    return f"| {what} | {count} | {count / whole:.0%} |" if whole else f"| {what} | {count} | |"


def kind(reason: str) -> str:
    """A reason without its particulars."""
    return re.split(r"[:;,]", re.sub(r"\d[\d.,]*|[“\"'«].*?[”\"'»]", "N", reason))[0].strip()[:60]


if __name__ == "__main__":
    main()
