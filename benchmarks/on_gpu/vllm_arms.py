"""vLLM alone, our engine through the run's loop, chunks that wait: one loaded model, equal work.

``dummy`` is for random weights and replies of fixed lengths; ``real`` sends pairs through the whole
pipeline with a model that can write.
"""

from __future__ import annotations

import json
import os
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from on_gpu.notes import Notes, Power, read
from on_gpu.shapes import Floor, Shape, make_model, pairs

from synthesis.data import Completion, Context, Prompt, Rejected
from synthesis.engines.base import Items, PromptSource, Sampling
from synthesis.engines.vllm import VLLMEngine
from synthesis.prompts import MARKER, load_template
from synthesis.run.job import Job
from synthesis.run.journal import Journal
from synthesis.run.loop import generate

# For a CPU.
SMALL = {"dtype": "float32", "enforce_eager": True, "kv_cache_memory_bytes": 1 << 28, "max_num_seqs": 16}
_TELLING = re.compile(
    r"attention backend|Model Runner|KV cache|torch\.compile|[Gg]raph captur|init engine|loading took"
)


class Limited:
    """A source that is dry while ``limit`` of its prompts are under way."""

    def __init__(self, prompts: PromptSource, limit: int) -> None:
        self._prompts, self._limit, self.under_way = prompts, limit, 0

    def pull(self) -> Prompt | None:
        """The next prompt, if one may be had."""
        prompt = self._prompts.pull() if self.under_way < self._limit else None
        self.under_way += prompt is not None
        return prompt


class Cut(VLLMEngine):
    """Our engine, whose replies count as whole wherever they are cut; ``at_once`` at most."""

    at_once = 1 << 30

    def complete(self, prompts: PromptSource, sampling: Sampling) -> Iterator[Completion]:
        """As of ``VLLMEngine``."""
        limited = Limited(prompts, self.at_once)
        for done in super().complete(limited, sampling):
            limited.under_way -= 1
            yield replace(done, finish_reason="stop", detail="")


class Watch:
    """Loads an engine's vLLM and counts what passes through: steps, tokens of finished requests.

    ``length`` gives the tokens of the reply to a prompt's token ids; by default as the run wishes.
    """

    def __init__(self, engine: VLLMEngine, length: Callable[[Sequence[int]], int] | None = None) -> None:
        core, asker = engine._open()
        backend: Any = core._backend
        self.chat = asker.chat
        self.llm: Any = backend._llm
        self.config = self.llm.llm_engine.vllm_config
        self.seen: Counter[str] = Counter()
        step, add = self.llm.llm_engine.step, backend.add

        def counted() -> Any:
            outputs = step()
            self.seen["steps"] += 1
            for output in outputs:
                if output.finished:
                    self.seen["prompt"] += len(output.prompt_token_ids)
                    self.seen["cached"] += output.num_cached_tokens or 0
                    self.seen["output"] += len(output.outputs[0].token_ids)
            return outputs

        def cut(name: str, ids: list[int], params: Any, lora: Any) -> None:
            if length:
                params.max_tokens = min(params.max_tokens, length(ids))
            add(name, ids, params, lora)

        self.llm.llm_engine.step, backend.add = counted, cut

    def clear(self) -> None:
        """Count anew, with an empty prefix cache."""
        for _ in range(20):
            if self.llm.reset_prefix_cache():
                break
            time.sleep(0.1)  # blocks are given back a step late
        self.seen.clear()

    def settings(self) -> dict[str, Any]:
        """What vLLM chose for itself."""
        import vllm

        used = self.config
        return {
            "vllm": vllm.__version__,
            "max_num_seqs": used.scheduler_config.max_num_seqs,
            "max_num_batched_tokens": used.scheduler_config.max_num_batched_tokens,
            "async_scheduling": used.scheduler_config.async_scheduling,
            "prefix_caching": used.cache_config.enable_prefix_caching,
            "gpu_memory_utilization": used.cache_config.gpu_memory_utilization,
            "cudagraph_mode": str(used.compilation_config.cudagraph_mode),
            "compilation_mode": str(used.compilation_config.mode),
        }


def log_lines() -> list[str]:
    """What vLLM's log says of its start."""
    path = Path(os.environ.get("VLLM_LOGGING_CONFIG_PATH", "")).with_suffix(".log")
    if not path.is_file():
        return []
    lines = path.read_text("utf-8", errors="replace").splitlines()
    return [line.partition("] ")[2][:160] for line in lines if _TELLING.search(line)]


def dummy(notes: Notes, shape: Shape, options: dict[str, Any]) -> None:
    """Each arm with random weights and replies of fixed lengths: scoring, fewer at once and chunks, too."""
    with tempfile.TemporaryDirectory() as folder:
        make_model(Path(folder), shape)
        fixed = {"load_format": "dummy", "dtype": "bfloat16", "sampling_params": {"ignore_eos": True}}
        engine = Cut(folder, **fixed | options)
        try:
            begun = time.perf_counter()
            watch = Watch(engine, shape.length)
            seconds = round(time.perf_counter() - begun, 1)
            notes.add("start", seconds=seconds, **watch.settings(), log=log_lines())
            arms = Arms(notes, shape, engine, watch)
            arms.warm_up()
            for repeat, arm in enumerate((arms.chat, arms.ours, arms.ours, arms.chat)):
                arms.measure(arm.__name__, arm, repeat=repeat // 2)
            for engine.at_once in shape.at_once:
                arms.measure(f"ours, {engine.at_once} at once", arms.ours, slots=engine.at_once)
            engine.at_once = Cut.at_once
            for repeat in range(2 if shape.scored else 0):
                arms.score(repeat)
            if shape.at_once:
                part, name = shape.prompts // 3, f"chunks of {shape.chunk} that wait"
                arms.measure(name, arms.chunks, slots=shape.chunk, count=part)
        finally:
            engine.close()


class Arms:
    """The ways to have one model answer the same prompts."""

    def __init__(self, notes: Notes, shape: Shape, engine: Cut, watch: Watch) -> None:
        from vllm import SamplingParams

        self._notes, self._shape, self._engine, self._watch = notes, shape, engine, watch
        self._power = Power()
        self._slots = watch.config.scheduler_config.max_num_seqs
        self._sampling = Sampling(max_tokens=shape.lengths[1], seed=1)
        self._pairs = pairs(shape.prompts)
        self._job = Job(engine, load_template("narrative"), self._sampling, words=600)
        self._prompts = [self._job.prompt(pair) for pair in self._pairs]
        opening = MARKER if watch.chat.opens else ""
        ids = [watch.chat.ids(prompt.messages, opening) for prompt in self._prompts]
        self._asked, self._replies = [len(one) for one in ids], [shape.length(one) for one in ids]
        ending = [{"role": "assistant", "content": opening}] if opening else []
        self._messages = [
            [{"role": role, "content": text} for role, text in prompt.messages] + ending
            for prompt in self._prompts
        ]
        how = {"temperature": self._sampling.temperature, "top_p": self._sampling.top_p, "ignore_eos": True}
        self._params = [SamplingParams(max_tokens=tokens, **how) for tokens in self._replies]
        card = next((line for line in read(notes.out) if line["arm"] == "card"), None)
        self._floor = (
            Floor(card["terabytes_per_second"] * 1e12, card["bf16_teraflops"] * 1e12) if card else None
        )

    def warm_up(self) -> None:
        """Short replies of a full batch, so that nothing is compiled while the clock runs."""
        short = replace(self._sampling, max_tokens=8)
        list(self._engine.complete(Items(self._prompts[: self._slots]), short))

    def chat(self) -> None:
        """All prompts at once through vLLM's own ``LLM.chat``, made ready before."""
        goes_on = self._watch.chat.opens
        self._watch.llm.chat(
            self._messages,
            self._params,
            use_tqdm=False,
            add_generation_prompt=not goes_on,
            continue_final_message=goes_on,
        )

    def ours(self) -> None:
        """The run's loop over a journal on disk, from pairs to outcomes."""
        with tempfile.TemporaryDirectory() as folder, Journal(Path(folder)) as journal:
            generate(self._job, self._pairs, journal)

    def chunks(self) -> None:
        """Chunks, each of which waits for its longest reply; a third of the prompts."""
        for start in range(0, len(self._prompts) // 3, self._shape.chunk):
            end = min(start + self._shape.chunk, len(self._prompts) // 3)
            list(self._engine.complete(Items(self._prompts[start:end]), self._sampling))

    def measure(
        self,
        name: str,
        work: Callable[[], object],
        *,
        repeat: int = 0,
        slots: int = 0,
        count: int | None = None,
    ) -> None:
        """Time an arm that answers the first ``count`` prompts, unless there is no time."""
        asked, replies = self._asked[:count], self._replies[:count]
        # A large card writes some 12,000 tokens a second at 7B; waiting for a chunk's longest takes longer.
        guess = 10 + (2 if count else 1) * sum(replies) * self._shape.weights / 8e13
        if not self._notes.has_time(name, guess):
            return
        self._watch.clear()
        self._power.mean()
        begun = time.perf_counter()
        work()
        seconds = time.perf_counter() - begun
        self._notes.took(name, seconds)
        seen = dict(self._watch.seen)
        if seen["output"] != sum(replies):
            seen["should_be"] = sum(replies)
        if self._floor is not None:
            floor = self._floor.seconds(self._shape, asked, replies, slots or self._slots)
            floor += self._floor.reading(self._shape, seen["prompt"] - seen["cached"])
            seen["of_floor"] = round(floor / seconds, 3)
        rate = round(seen["output"] / seconds)
        watts = self._power.mean()
        self._notes.add(name, repeat=repeat, seconds=round(seconds, 2), rate=rate, **seen, watts=watts)

    def score(self, repeat: int) -> None:
        """Log-probabilities of answers after long contexts."""
        if not self._notes.has_time("score", 20):
            return
        if not repeat:
            list(self._engine.loglikelihood(self._to_score(-1)[:4]))  # warms up
        requests = self._to_score(repeat)
        self._watch.clear()
        self._power.mean()
        begun = time.perf_counter()
        found = list(self._engine.loglikelihood(requests))
        seconds = time.perf_counter() - begun
        self._notes.took("score", seconds)
        tokens = self._watch.seen["prompt"]
        facts = {
            "seconds": round(seconds, 2),
            "rate": round(tokens / seconds),
            "texts": len(found),
            "prompt": tokens,
        }
        if self._floor is not None:
            facts["of_peak"] = round(2 * self._shape.weights * tokens / seconds / self._floor.rate, 3)
        self._notes.add("score", repeat=repeat, **facts, watts=self._power.mean())

    def _to_score(self, seed: int) -> list[tuple[str, str]]:
        """Texts of words from our prompts, about four tokens for three words, and answers."""
        draw = random.Random(seed)
        words = " ".join(prompt.messages[-1].content for prompt in self._prompts[:72]).split()
        chosen = [draw.choices(words, k=3 * self._shape.text // 4) for _ in range(self._shape.scored)]
        return [(" ".join(text), pair.answer) for text, pair in zip(chosen, self._pairs, strict=False)]


def real(notes: Notes, model: str, options: dict[str, Any], tiny: bool) -> None:
    """Pairs through the pipeline with repairs, and in sections; contexts are kept to be read."""
    short, long, section, most, count = (60, 300, 100, 64, 2) if tiny else (400, 1600, 400, 640, 72)
    engine = VLLMEngine(model, **options)
    try:
        begun = time.perf_counter()
        watch = Watch(engine)
        notes.add("start", seconds=round(time.perf_counter() - begun, 1), **watch.settings())
        sampling, template = Sampling(max_tokens=most, seed=1), load_template("narrative")
        jobs = {
            f"{short} words, repaired": Job(engine, template, sampling, short, repairs=2),
            f"{long} words in sections": Job(
                engine, template, sampling, long, repairs=2, section_words=section
            ),
        }
        for arm, job in jobs.items():
            if notes.has_time(arm, 60):
                watch.clear()
                _through(notes, arm, job, watch, count)
    finally:
        engine.close()


def _through(notes: Notes, arm: str, job: Job, watch: Watch, count: int) -> None:
    outcomes: list[Context | Rejected] = []
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder)) as journal:
        generate(job, pairs(count), journal, outcomes.append)
        replies = journal.usage.replies
    seconds = time.perf_counter() - begun
    seen = watch.seen
    written = [outcome for outcome in outcomes if isinstance(outcome, Context)]
    notes.add(
        arm,
        seconds=round(seconds, 1),
        rate=round(seen["output"] / seconds),
        pairs=count,
        contexts=len(written),
        words=sum(context.words for context in written),
        replies=replies,
        cached_share=round(seen["cached"] / max(1, seen["prompt"]), 3),
        **seen,
    )
    with (notes.out / "contexts.jsonl").open("a", encoding="utf-8") as file:
        for outcome in outcomes:
            reason = "" if isinstance(outcome, Context) else outcome.reason
            line = {"arm": arm, "pair": outcome.pair_id, "reason": reason, "text": outcome.text}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
