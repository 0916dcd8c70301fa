"""The client library at its edge: where it connects, with what key, what its errors mean.

The key is read from the environment each time a client is made and kept nowhere. The
client's own retries are off. Knows nothing of prompts.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from synthesis.engines.openai.failures import Failure, Kind, judge, redact
from synthesis.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

_OPENAI = "https://api.openai.com/v1"
_KEY = re.compile("[!-~]+")
_CONNECT_TIMEOUT = 15.0  # a host that does not answer at all need not be waited for any longer


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is and which environment variable holds the key to it."""

    base_url: str
    key_env: str
    timeout: float

    @property
    def secret(self) -> str:
        """The key; empty if there is none."""
        return os.environ.get(self.key_env, "").strip()

    def sendable(self) -> str:
        """The key, fit for a header.

        One that is not makes the transport fail with the header, key and all, in its words or in
        the variables that some loggers print.

        Raises:
            ConfigError: it holds spaces, line breaks or characters beyond ASCII.
        """
        if self.secret and not _KEY.fullmatch(self.secret):
            raise ConfigError(
                f"the key for {self.base_url} holds a space, a line break or a letter that no key can have; "
                f"set the environment variable {self.key_env} again, to the key and nothing else"
            )
        return self.secret

    def client(self) -> OpenAI:
        """A client for one synchronous use."""
        from openai import OpenAI

        return OpenAI(**self._arguments())

    def async_client(self) -> AsyncOpenAI:
        """A client for a session."""
        from openai import AsyncOpenAI

        return AsyncOpenAI(**self._arguments())

    def _arguments(self) -> dict[str, Any]:
        from openai import Timeout

        return {
            "base_url": self.base_url,
            # Servers at home need no key, but the client insists on one.
            "api_key": self.sendable() or "none",
            "timeout": Timeout(self.timeout, connect=min(self.timeout, _CONNECT_TIMEOUT)),
            "max_retries": 0,
        }


def make_address(base_url: str, key_env: str, timeout: float) -> Address:
    """Check the settings and the client library before any work.

    Raises:
        ConfigError: the address or the key cannot be used, or OpenAI's own has no key.
        MissingExtraError: the package ``openai`` is not installed.
    """
    try:
        import openai  # noqa: F401
    except ModuleNotFoundError:
        raise MissingExtraError("openai", "openai", "speaking the OpenAI protocol") from None
    url = (base_url or os.environ.get("OPENAI_BASE_URL", "") or _OPENAI).rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(f"base_url '{url}' is not an address; write it as in http://localhost:8000/v1")
    if parts.username or parts.password or parts.query:
        raise ConfigError(
            f"base_url for {parts.hostname} holds more than an address; put the key into the environment "
            f"variable {key_env} and leave user, password and query out"
        )
    address = Address(url, key_env, timeout)
    if not address.sendable() and url == _OPENAI:
        raise ConfigError(
            f"{url} needs a key: set the environment variable {key_env}, or set base_url to another server"
        )
    return address


def request_errors() -> tuple[type[Exception], ...]:
    """What a request may raise.

    The client's errors; those of the transport below it, which some versions of the client
    let through while streaming; a total timeout; a body that is not JSON.
    """
    from openai import APIError

    # The transport depends on the client's version, and the client has imported it by now.
    transports = [sys.modules[name] for name in ("httpx", "httpx2") if name in sys.modules]
    lost: list[type[Exception]] = [transport.HTTPError for transport in transports]
    return APIError, *lost, TimeoutError, json.JSONDecodeError, UnicodeDecodeError


def read_error(error: Exception, address: Address) -> Failure:
    """One of ``request_errors`` as a failure, without the key."""
    from openai import APIConnectionError, APIError, APIStatusError

    if isinstance(error, APIStatusError):
        headers: Mapping[str, str] = error.response.headers
        body = error.body if error.body is not None else error.response.text
        return judge(error.status_code, headers, body, address.secret)
    if isinstance(error, APIError) and not isinstance(error, APIConnectionError):  # inside a stream
        code = int(error.code) if error.code and error.code.isdigit() else 500
        return judge(code, {}, error.body or error.message, address.secret)
    if isinstance(error, ValueError):
        return Failure(Kind.BROKEN, "the body is not JSON")
    # By name, for both transports.
    cause = error.__cause__ or error
    name = type(cause).__name__
    said = redact(f"{name} {cause}".strip(), address.secret)
    if name in ("ConnectError", "ConnectTimeout"):
        return Failure(Kind.UNREACHABLE, said)
    if isinstance(error, TimeoutError) or name.endswith("Timeout"):
        return Failure(Kind.TIMEOUT, f"nothing complete within {address.timeout:g} s")
    return Failure(Kind.BROKEN, said)
