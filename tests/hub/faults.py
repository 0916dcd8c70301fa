"""What goes wrong on request, and the log of what was asked.

A fault is armed for requests that match a method and a path; the server asks for it
before it reads the request's body.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Seen:
    """One request as it was answered. ``status`` is None where the connection was cut.

    ``received`` and ``sent`` count body bytes; ``body`` is kept for anything but uploads.
    """

    method: str
    path: str
    query: str
    user: str | None
    received: int = 0
    sent: int = 0
    status: int | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Fault:
    """What to do instead of a normal answer.

    ``status`` answers with that; ``cut`` drops the connection after so many body bytes
    (of an upload, or of the answer); ``lost`` does the work but never answers; ``page`` is sent
    in the place of the answer, with a good status, as a gateway does.
    """

    method: str
    path: re.Pattern[str]
    status: int | None = None
    cut: int | None = None
    lost: bool = False
    page: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    skip: int = 0
    first: Callable[[], object] | None = None

    @classmethod
    def parse(cls, method: str, path: str, what: int | str, **options: object) -> Fault:
        """``503``, ``"disconnect"``, ``"lost reply"`` or ``"cut after 1000 bytes"``."""
        fault = cls(method.upper(), re.compile(path), **options)  # type: ignore[arg-type]
        if isinstance(what, int):
            fault.status = what
        elif what == "disconnect":
            fault.cut = 0
        elif what == "lost reply":
            fault.lost = True
        elif found := re.fullmatch(r"cut after (\d+) bytes", what):
            fault.cut = int(found[1])
        else:
            raise ValueError(f"no such fault: {what!r}")
        return fault


class Trouble:
    """Armed faults and the request log, shared by the server's threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settled = threading.Condition(self._lock)
        self._answering: set[int] = set()  # threads
        self._armed: list[Fault] = []
        self._log: list[Seen] = []

    def arm(self, fault: Fault) -> None:
        """Add a fault; of several that match, the one armed first is used up first."""
        with self._lock:
            self._armed.append(fault)

    def disarm(self) -> None:
        """Drop all faults."""
        with self._lock:
            self._armed.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """A request has arrived: the fault that is armed for it, if any; uses it up."""
        with self._lock:
            self._answering.add(threading.get_ident())
            for fault in self._armed:
                if fault.method == method and fault.path.search(path):
                    if fault.skip:
                        fault.skip -= 1
                        return None
                    fault.times -= 1
                    if not fault.times:
                        self._armed.remove(fault)
                    return fault
        return None

    def note(self, seen: Seen) -> None:
        """Add a request that was answered to the log."""
        with self._lock:
            self._log.append(seen)
            self._answering.discard(threading.get_ident())
            self._settled.notify_all()

    def seen(self, method: str, path: str) -> list[Seen]:
        """Logged requests whose path matches, oldest first."""
        return [one for one in self.log if one.method == method.upper() and re.search(path, one.path)]

    @property
    def log(self) -> list[Seen]:
        """All requests that were answered, oldest first."""
        with self._lock:
            self._settle()
            return list(self._log)

    def forget(self) -> None:
        """Empty the log."""
        with self._lock:
            self._settle()
            self._log.clear()

    def _settle(self) -> None:
        # A client may be gone with its answer before our thread comes to note it.
        own = {threading.get_ident()}
        self._settled.wait_for(lambda: self._answering <= own, timeout=5.0)

    @property
    def unused(self) -> int:
        """Faults that are still armed: a test that meant them to strike should find none."""
        with self._lock:
            return len(self._armed)
