"""vLLM's log: kept in a file instead of on the screen, and read when something fails.

vLLM works in processes of its own; all that an exception says on our side is "see above". The
reason is in the log. Whoever sets one of vLLM's own logging variables gets vLLM's own logging,
and messages here then only know what the exception says.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

_THEIRS = ("VLLM_LOGGING_LEVEL", "VLLM_LOGGING_CONFIG_PATH", "VLLM_CONFIGURE_LOGGING")
# The last line of a traceback, with or without the prefix of a log line before it.
_CAUSE = re.compile(r"^(?:.*\]\s)?((?:\w+\.)*\w*(?:Error|Exception|Interrupt)): (.+)$", re.M)
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Log:
    """The log from ``start`` (bytes) on; ``path`` is None where vLLM logs in its own way."""

    path: Path | None
    start: int = 0

    def cause(self) -> str:
        """The first error since ``start``, as ``Type: message``; empty if none is known.

        The first is the reason, those after it are of processes that noticed.
        """
        found = _CAUSE.search(self._text())
        return f"{found[1]}: {found[2]}"[:_LONGEST] if found else ""

    def hint(self) -> str:
        """Where to read more. From now on the file outlives this process."""
        if self.path is None or not self._text():
            return "vLLM's own log says more"
        _kept.add(self.path)
        return f"vLLM's log: {self.path}"

    def _text(self) -> str:
        if self.path is None or not self.path.is_file():
            return ""
        with self.path.open("rb") as file:
            file.seek(self.start)
            return file.read().decode("utf-8", "replace")


_kept: set[Path] = set()


def open_log() -> Log:
    """The log from here on. Has to be called before ``vllm`` is imported to have an effect."""
    path = _path()
    return Log(path, path.stat().st_size if path and path.is_file() else 0)


@functools.cache
def _path() -> Path | None:
    """The log file of this process; one for all engines, since vLLM sets up logging once."""
    if any(name in os.environ for name in _THEIRS):
        return None
    handle, name = tempfile.mkstemp(prefix="context-synthesis-vllm-", suffix=".log")
    os.close(handle)
    path = Path(name)
    settings = path.with_suffix(".json")
    settings.write_text(json.dumps(_logging_config(path)), encoding="utf-8")
    # Through the environment, because vLLM's processes read it, too.
    os.environ["VLLM_LOGGING_CONFIG_PATH"] = str(settings)
    atexit.register(_tidy, os.getpid(), path, settings)
    return path


def _logging_config(path: Path) -> dict[str, object]:
    line = "%(asctime)s %(levelname)s %(process)d [%(name)s] %(message)s"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": line}},
        "handlers": {
            "file": {
                "class": "logging.FileHandler",
                "filename": str(path),
                "formatter": "plain",
                "delay": True,
            }
        },
        "loggers": {"vllm": {"handlers": ["file"], "level": "INFO", "propagate": False}},
    }


def _tidy(owner: int, path: Path, settings: Path) -> None:
    if os.getpid() != owner:  # a fork must not take its parent's files away
        return
    settings.unlink(missing_ok=True)
    if path not in _kept:
        path.unlink(missing_ok=True)
