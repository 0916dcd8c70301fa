"""A short sweep of an engine's settings on a user's own pairs: which of them is fastest here.

Each setting is tried in a process of its own (``builder.job.tuning_trial``) with a time limit, so
that one that dies, or fills the memory, is a line of the table. Which settings are worth trying the
engine says (``BaseEngine.tunings``). Prints nothing.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

from synthesis.errors import ConfigError, UsageError
from synthesis.options import RunConfig, dump_config
from synthesis.run.mix import class_of
from synthesis.storage import replace_file, storage_errors

REST = "as it is"
"""The setting that all others are held against: what is configured, and else the engine's defaults."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """How much is tried: ``prompts`` of the pairs, ``repeats`` of them, ``seconds`` for a setting at most."""

    prompts: int = 256
    repeats: int = 3
    seconds: float = 900.0


@dataclass(frozen=True, slots=True)
class TriedSetting:
    """One setting and what came of it.

    ``changes`` are options of the engine in place of those configured; ``rates`` output tokens a second, one
    for each repeat; ``start`` seconds until the engine was ready; ``reason`` is why there are no rates, or
    fewer.
    """

    changes: Mapping[str, Any]
    rates: tuple[float, ...] = ()
    start: float = 0.0
    reason: str = ""
    tunings: tuple[Mapping[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """What was changed, as on a command line."""
        told = [f"{key}={_told(value)}" for key, value in self.changes.items()]
        return " ".join(told) or REST

    @property
    def rate(self) -> float:
        """Output tokens a second, the mean of the repeats; 0 without any."""
        return mean(self.rates) if self.rates else 0.0

    @property
    def spread(self) -> float:
        """Between the slowest and the fastest repeat, in tokens a second."""
        return max(self.rates) - min(self.rates) if self.rates else 0.0

    def beats(self, other: TriedSetting) -> bool:
        """Whether it is faster by more than either of the two varies by itself."""
        return self.rate - other.rate > max(self.spread, other.spread)


def tune(config: RunConfig, sweep: Sweep, found: Callable[[TriedSetting], None]) -> TriedSetting:
    """Try settings, tell of each as it is done, and return the one to take: maybe the one there is.

    Where something seems faster, what is configured is tried a second time, at the end: a machine that has
    become slower or faster meanwhile then shows as spread.

    Raises:
        UsageError: the engine has nothing to try, or there are several.
        ConfigError: what is configured does not run as it is: there is nothing to hold others against.
    """
    if config.generation.mix:
        raise UsageError("a mix of models is tuned one by one: give --engine and --model of each in turn")
    engine = class_of(config.generation)
    if not engine.has_tunings:
        raise UsageError(
            f"engine '{engine.name}' has no settings to try; give --engine vllm, openai or transformers"
        )
    config = _in_one_reply(config)

    def tried(changes: Mapping[str, Any]) -> TriedSetting:
        trial = try_setting(config, changes, sweep)
        if changes or trial.rates:
            found(trial)
        return trial

    rest = tried({})
    if not rest.rates:
        raise ConfigError(f"what is configured does not run as it is: {rest.reason}")
    trials = [tried(changes) for changes in rest.tunings]
    faster = _best_by_option([trial for trial in trials if trial.beats(rest)])
    if len(faster) > 1:
        together: dict[str, Any] = {}
        for trial in faster:
            together |= trial.changes
        faster.append(tried(together))
    if not faster:
        return rest
    again = tried({})
    rest = replace(rest, rates=rest.rates + again.rates)
    best = max(faster, key=lambda trial: trial.rate)
    return best if best.beats(rest) else rest


def try_setting(config: RunConfig, changes: Mapping[str, Any], sweep: Sweep) -> TriedSetting:
    """One setting in a process of its own, which is ended with all it started when its time is up."""
    options = {**config.generation.options, **changes}
    asked = replace(config, generation=replace(config.generation, options=options))
    with tempfile.TemporaryDirectory(prefix="context-synthesis-tune-") as scratch:
        folder = Path(scratch)
        (folder / "run.toml").write_text(dump_config(asked), encoding="utf-8")
        command = [sys.executable, "-m", "builder.job.tuning_trial", str(folder)]
        command += [str(sweep.prompts), str(sweep.repeats)]
        with (folder / "said").open("wb") as said:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=said, stderr=said, start_new_session=True
            )
            status = _ended(process, sweep.seconds)
        return _read(folder, changes, status, sweep)


def _ended(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """How the process ended; None if its time was up. Nothing that it started is left."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _read(folder: Path, changes: Mapping[str, Any], status: int | None, sweep: Sweep) -> TriedSetting:
    path = folder / "found.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    trial = TriedSetting(
        changes,
        tuple(found.get("rates", ())),
        found.get("start", 0.0),
        found.get("reason", ""),
        tuple(found.get("tunings", ())),
    )
    if trial.reason or found.get("done"):
        return trial
    if status is None:
        reason = f"not done after {sweep.seconds:.0f} s"
    elif status == -signal.SIGKILL:
        reason = "the system ended it, as it does where memory runs out"
    else:
        last = (folder / "said").read_text("utf-8", "replace").strip().splitlines()[-1:]
        reason = f"it ended with status {status}: {' '.join(last)[:300]}"
    return replace(trial, reason=reason)


def _best_by_option(faster: Sequence[TriedSetting]) -> list[TriedSetting]:
    """The fastest of those that change the same option."""
    best: dict[tuple[str, ...], TriedSetting] = {}
    for trial in faster:
        key = tuple(sorted(trial.changes))
        if key not in best or trial.rate > best[key].rate:
            best[key] = trial
    return list(best.values())


def _in_one_reply(config: RunConfig) -> RunConfig:
    """What is written in sections is tried by a section's length, as one reply."""
    made = config.generation
    if made.words > 2 * made.section_words > 0:
        made = replace(made, words=made.section_words)
    return replace(config, generation=replace(made, candidates=1))


def write_best(path: Path, config: RunConfig, best: TriedSetting) -> None:
    """Put what was tuned into a run's file: its other values, their order and its comments stay.

    Written are the options of ``best`` and all in which ``config`` differs from the defaults, as far as the
    file does not say so already. A file that is not there is made.

    Raises:
        ConfigError: the file is no TOML, or an option stands in it where a table should.
        StorageError: it cannot be written.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    options = {**config.generation.options, **best.changes}
    wanted = replace(config, generation=replace(config.generation, options=options))
    with storage_errors(path):
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
    try:
        document = tomlkit.parse(text)
        for keys, value in _differing(wanted.to_dict(), RunConfig().to_dict()):
            _put(document, keys, value)
    except (TOMLKitError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} cannot be changed as TOML: {error}; correct it by hand") from None
    replace_file(path, tomlkit.dumps(document).encode())


def _differing(
    values: Mapping[str, Any], usual: Mapping[str, Any], at: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each value that is not the usual one, with the keys that lead to it."""
    for key, value in values.items():
        if isinstance(value, Mapping) and len(at) < 2:
            known = usual.get(key, {})
            yield from _differing(value, known if isinstance(known, Mapping) else {}, (*at, key))
        elif key not in usual or value != usual[key]:
            yield (*at, key), value


def _put(document: Any, keys: tuple[str, ...], value: Any) -> None:
    import tomlkit

    for key in keys[:-1]:
        if key not in document:
            document[key] = tomlkit.table()
        document = document[key]
    plain = list(value) if isinstance(value, tuple) else value
    if keys[-1] in document and document[keys[-1]] == plain:
        return
    if isinstance(plain, Mapping):
        inline = tomlkit.inline_table()
        inline.update(plain)
        plain = inline
    document[keys[-1]] = plain


def _told(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")) if isinstance(value, Mapping) else str(value)


def table_of(trials: Sequence[TriedSetting]) -> list[str]:
    """The lines of a table: setting, tokens a second, spread, ratio to what is configured, start."""
    rest = next((trial.rate for trial in trials if not trial.changes and trial.rates), 0.0)
    rows = [("setting", "tokens/s", "spread", "ratio", "start", "")]
    for trial in trials:
        if trial.rates:
            ratio = f"{trial.rate / rest:.2f}" if rest else ""
            spread = f"{trial.spread / trial.rate:.0%}"
            rows.append(
                (trial.name, f"{trial.rate:,.0f}", spread, ratio, f"{trial.start:.0f} s", trial.reason)
            )
        else:
            rows.append((trial.name, "", "", "", "", trial.reason))
    widths = [max(len(row[place]) for row in rows) for place in range(5)]
    return [
        "  ".join((*(f"{cell:<{wide}}" for cell, wide in zip(row, widths, strict=False)), row[5])).rstrip()
        for row in rows
    ]
