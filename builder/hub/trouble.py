"""What goes wrong on the Hub, put into words: errors that say what happened and what to do.

They are made of text only and are free of tokens; which of them pass by themselves is a
matter of their class. Does nothing on the Hub itself.
"""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from synthesis.errors import ContextSynthesisError, UsageError
from synthesis.sources.hub import redact

_PASSING = (408, 429, 500, 502, 503, 504)  # HTTP statuses that pass by themselves
_MISREAD = (KeyError, TypeError, AttributeError)
_LOGIN = "Run `hf auth login`, set HF_TOKEN, or give a token."


class HubError(ContextSynthesisError):
    """The Hub could not be reached, or did not do what was asked."""


class OfflineError(UsageError):
    """The Hub is switched off on purpose."""


class UnsettledError(HubError):
    """It failed in a way that may pass. ``wait`` is how many seconds the Hub asks for, if it does."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class ConflictError(UnsettledError):
    """Somebody else changed the repository in the meantime."""


class UnreachableError(UnsettledError):
    """There is no way to the Hub from here, for now."""


class AnswerError(ValueError):
    """An answer with a good status that is not what was asked for; the message says what it is."""


def worded(
    repo_id: str, what: str, error: Exception, *, endpoint: str, token: str | None, writes: bool = True
) -> ContextSynthesisError:
    """Our error for one that was met while doing ``what``; it holds words only, never the request.

    ``writes`` is whether another writer can have come in between.
    """
    from huggingface_hub.errors import HFValidationError, OfflineModeIsEnabled

    root = _root(error)
    text = redact(" ".join(str(root).split()), token)
    place = f"{repo_id}, {what}:"
    response: Any = getattr(root, "response", None)
    if isinstance(root, OfflineModeIsEnabled):
        return OfflineError(f"{place} the Hub is switched off by HF_HUB_OFFLINE. Unset it to publish.")
    if isinstance(root, HFValidationError):
        return UsageError(f"'{repo_id}' cannot name a repository: {text}")
    if response is None and isinstance(root, (_http_error(), ConnectionError, TimeoutError)):
        return UnreachableError(
            f"{place} {endpoint} cannot be reached ({text or type(root).__name__}). "
            "Check the network, HF_ENDPOINT and proxies, then run it again."
        )
    if isinstance(root, AnswerError):
        return UnsettledError(
            f"{place} {text}. Something between here and the Hub seems to answer in its place, such as a "
            "proxy or the login page of a network. Nothing was changed; mend that, then run it again."
        )
    if response is None and isinstance(root, (json.JSONDecodeError, *_MISREAD)):
        return UnsettledError(f"{place} the answer could not be read. Run it again.")
    if type(root) is RuntimeError:  # from the uploader, which does not say more than in words
        return UnsettledError(f"{place} {_short(text)} Run it again: what arrived is not sent twice.")
    status = getattr(response, "status_code", 0)
    if status in (409, 412) and writes:
        return ConflictError(f"{place} somebody else changed the repository. Run it again.")
    if status in _PASSING or status in (409, 412):
        return UnsettledError(
            f"{place} the Hub answered with status {status}. Run it again: what arrived is not sent twice.",
            _retry_after(response.headers),
        )
    return _refusal(status, place, _short(text), endpoint, repo_id, token)


def _short(text: str) -> str:
    return text if len(text) <= 300 else text[:300] + "..."


def _refusal(
    status: int, place: str, text: str, endpoint: str, repo_id: str, token: str | None
) -> ContextSynthesisError:
    if status == 401 and not token:
        return UsageError(f"{place} you are not logged in. {_LOGIN}")
    if status == 401:
        return UsageError(
            f"{place} the Hub does not accept the token; it may be mistyped or revoked. "
            f"Make one at {endpoint}/settings/tokens. {_LOGIN}"
        )
    if status == 403:
        return UsageError(
            f"{place} the token may not write there. Use one with the write role, of an account "
            f"that belongs to '{repo_id.split('/')[0]}', or propose a pull request (--create-pr)."
        )
    return HubError(f"{place} {text} Nothing was tagged; mend the cause and run it again.")


def _http_error() -> type[Exception]:
    """The HTTP library's own base error, whichever library the installed client uses."""
    from huggingface_hub.errors import HfHubHTTPError

    return cast(type[Exception], HfHubHTTPError.__mro__[1])


def expected() -> tuple[type[Exception], ...]:
    """What the client raises on purpose, for ``except``."""
    # Uploads wrap what went wrong in a RuntimeError; answers that make no sense are ValueErrors.
    # One that is JSON of another kind than the client expects, it stumbles over.
    return (_http_error(), OSError, ValueError, RuntimeError, *_MISREAD)


def _root(error: BaseException) -> BaseException:
    while type(error) is RuntimeError and error.__cause__ is not None:
        error = error.__cause__
    return error


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from ``Retry-After`` (seconds or a date) or the Hub's ``RateLimit``."""
    value = headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    with suppress(ValueError, TypeError):
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    limit = re.search(r"\br=0\s*;\s*t=(\d+)", headers.get("RateLimit", ""))
    return float(limit[1]) if limit else None
