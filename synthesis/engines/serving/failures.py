"""What can go wrong with a request, told apart by what to do about it.

``failure_of`` turns a status, headers and body into a ``Failure``; ``Health`` notices when not a
request but the server is the trouble. Servers word their refusals differently (OpenAI, vLLM,
TGI, llama.cpp, Ollama and gateways before them), so statuses and codes come first and words
last. Knows nothing of the client library.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from synthesis.errors import EngineError

STREAK = 20
"""So many failures of one kind in a row are the server's, not the prompts'."""

LONGEST_WAIT = 900.0
"""Seconds; a server that asks for a longer pause (a daily quota) ends the run instead."""

OPENING = "opening"
"""What is put into the assistant's mouth, as the name of a setting that a server may refuse."""

_EXCERPT = 300
_TROUBLE = 3  # failures in a row are no chance any more


class Kind(enum.Enum):
    """Kinds of failure. The value says what happened, for messages."""

    AUTH = "the server did not accept the key"
    QUOTA = "the account has no quota left"
    MISSING = "the server does not know this model or path"
    PARAMETER = "the server does not take a setting"
    TOO_LONG = "prompt and reply do not fit the model's context window"
    REFUSED = "the server's content filter refused"
    REJECTED = "the server rejected the request"
    UNREACHABLE = "no connection to the server"
    BUSY = "the server is overloaded"
    TIMEOUT = "no reply in time"
    SERVER = "the server failed"
    UNDONE = "the batch ended before this prompt's turn"
    BROKEN = "the reply was cut off or is not what the protocol says"
    EMPTY = "the reply is empty"


RETRYABLE = frozenset(
    {Kind.UNREACHABLE, Kind.BUSY, Kind.TIMEOUT, Kind.SERVER, Kind.UNDONE, Kind.BROKEN, Kind.EMPTY}
)
FATAL = frozenset({Kind.AUTH, Kind.QUOTA, Kind.MISSING})
_OVERLOAD = frozenset({Kind.BUSY, Kind.TIMEOUT})


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed request.

    ``said`` is the server's own account; ``wait`` the seconds it asked for; ``parameter``
    the name of the setting it refused.
    """

    kind: Kind
    said: str = ""
    wait: float | None = None
    parameter: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.said}" if self.said else self.kind.value

    @property
    def overload(self) -> bool:
        """Whether fewer requests at once would help."""
        return self.kind in _OVERLOAD


class ServerError(EngineError):
    """A server that gave no reply, or would give none to anybody; ``failure`` says what went wrong."""

    def __init__(self, message: str, failure: Failure) -> None:
        super().__init__(message)
        self.failure = failure


_FILTERED = re.compile(r"content.?(filter|policy|management)|moderation|responsible.?ai|safety system", re.I)
_UNKNOWN_MODEL = re.compile(
    r"model_?not_?found|\bmodel\b.{0,120}(does not exist|not found|unknown)", re.I | re.S
)
_TOO_LONG = re.compile(
    r"context.?(length|window|size)|maximum (context|input|number of tokens)|(prompt|input|max_tokens).{0,60}"
    r"\btoo (long|large)|reduce the length|tokens?`?.{0,80}must be (<=|less)",
    re.I | re.S,
)
_UNSUPPORTED = re.compile(
    r"unsupported|(not |n't )(support|permit|allow)|unrecogni[sz]ed|unexpected|unknown|extra (input|field)",
    re.I,
)
_NO_SYSTEM = re.compile(
    r"system.?(role|message|prompt|turn)s?.{0,60}(not |n't |un)(be )?(support|allow|permit|accept|valid)"
    r"|(not |n't |un)(support|allow|permit|accept).{0,60}\bsystem\b"
    r"|only user(,| and|/) ?(assistant|model).{0,20} roles|roles? must alternate|(unexpected|invalid|unknown)"
    r" role.{0,20}\bsystem\b|\bsystem\b.{0,20}is not (one of|a valid)",
    re.I | re.S,
)
_NOT_BOTH = re.compile(
    r"both|together|only one|simultaneous|mutually|one of|either|at the same time|in combination", re.I
)
_SETTINGS = ("max_completion_tokens", "max_tokens", "temperature", "top_p", "seed", "stream_options")


def failure_of(status: int, headers: Mapping[str, str], body: object, hide: str = "") -> Failure:
    """What an HTTP error means.

    Args:
        status: the HTTP status.
        headers: the reply's headers, looked up in lower case.
        body: the decoded JSON body, or its text.
        hide: a secret that must not be repeated.
    """
    code, param, text = _account(body)
    words = f"{code} {text}"
    said = f"HTTP {status}" + (f", {redact(text, hide)}" if text else "")
    if status in (400, 403, 422) and _FILTERED.search(words):
        return Failure(Kind.REFUSED, said)
    if status in (401, 403):
        return Failure(Kind.AUTH, said)
    if status == 402 or "insufficient_quota" in words:
        return Failure(Kind.QUOTA, said)
    if status == 404 or (status == 400 and _UNKNOWN_MODEL.search(words)):
        return Failure(Kind.MISSING, said)
    # llama.cpp has reported a full context window as a failure of its own (500).
    if status == 413 or (status in (400, 422, 500) and _TOO_LONG.search(words)):
        return Failure(Kind.TOO_LONG, said)
    if status in (400, 422, 500) and _NO_SYSTEM.search(words):
        # Not the fault of the question, unless it has no system part.
        return Failure(Kind.REJECTED if status < 500 else Kind.SERVER, said, parameter="system")
    if status in (400, 422):
        name = _refused_setting(param, words)
        return Failure(Kind.PARAMETER if name else Kind.REJECTED, said, parameter=name)
    if status in (408, 504, 524):
        return Failure(Kind.TIMEOUT, said, retry_after(headers))
    if status in (429, 503, 529):
        wait = retry_after(headers)
        if wait is not None and wait > LONGEST_WAIT:
            return Failure(Kind.QUOTA, f"{said}; it asks to wait {wait:.0f} s")
        return Failure(Kind.BUSY, said, wait)
    if status >= 500 or status in (409, 425):
        return Failure(Kind.SERVER, said, retry_after(headers))
    return Failure(Kind.REJECTED, said)


def redact(text: str, secret: str) -> str:
    """One line of ``text``, shortened, without the secret."""
    line = " ".join(text.split())
    if secret:
        line = line.replace(secret, "***")
    return line if len(line) <= _EXCERPT else line[:_EXCERPT] + " ..."


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks to wait: ``retry-after-ms``, or ``retry-after`` as seconds or date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        return max(0.0, seconds) if math.isfinite(seconds) else None
    until = _moment(headers.get("retry-after", ""))
    if until is None:
        return None
    # By the server's own clock where it tells: ours may be off.
    now = _moment(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _account(body: object) -> tuple[str, str, str]:
    """Code, parameter and message from whichever shape the server chose for its error."""
    inner = body.get("error", body) if isinstance(body, Mapping) else body
    if not isinstance(inner, Mapping):
        return "", "", str(inner or "")
    fields: Mapping[str, Any] = inner
    text = fields.get("message") or fields.get("detail") or fields.get("error") or ""
    code = f"{fields.get('code') or ''} {fields.get('type') or ''}"
    return code, str(fields.get("param") or ""), str(text)


def _refused_setting(param: str, words: str) -> str:
    if "temperature" in words and "top_p" in words and _NOT_BOTH.search(words):
        return "temperature and top_p"
    if not _UNSUPPORTED.search(words):
        return ""
    if param in _SETTINGS:
        return param
    # The one named first is the refused one; a second is what to use instead.
    found = [(match.start(), name) for name in _SETTINGS if (match := re.search(rf"\b{name}\b", words))]
    return min(found)[1] if found else ""


class Health:
    """Tells trouble with a prompt from trouble with the server, over all requests."""

    def __init__(self) -> None:
        self.replies = 0
        """How many prompts got theirs."""
        self._trouble: list[str] = []
        self._no_connection = 0
        self._kind: Kind | None = None
        self._given_up = 0

    @property
    def trouble(self) -> str:
        """The latest failure in passing, once several came and no reply between them."""
        return self._trouble[-1] if len(self._trouble) == _TROUBLE else ""

    def worked(self) -> None:
        """A prompt got its reply."""
        self.replies += 1
        self._trouble = []
        self._no_connection = self._given_up = 0

    def tried(self, failure: Failure) -> bool:
        """Count a failed try; True if there never was a server."""
        if failure.kind in RETRYABLE:
            self._trouble = [*self._trouble[1 - _TROUBLE :], str(failure)]
        self._no_connection = self._no_connection + 1 if failure.kind is Kind.UNREACHABLE else 0
        return not self.replies and self._no_connection >= STREAK

    def gave_up(self, failure: Failure, tries: int) -> bool:
        """Count a prompt given up after so many tries; True if others will fare no better."""
        self._given_up = self._given_up + 1 if failure.kind is self._kind else 1
        self._kind = failure.kind
        if failure.kind is Kind.UNREACHABLE and self._no_connection >= tries:
            return True  # nobody else got through in all that time either
        if failure.kind is Kind.TOO_LONG and self.replies:
            return False  # some pairs are long, and long pairs may stand together
        if failure.kind is Kind.PARAMETER and not self.replies:
            return True  # every request carries the same settings
        return self._given_up >= STREAK

    def forget(self) -> None:
        """Start counting anew, after the trouble has been reported."""
        self._no_connection = self._given_up = 0
