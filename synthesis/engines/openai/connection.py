"""The client library at its edge: connections, streams, lists of models, and what its errors mean.

The client's own retries are off; each failure is handed back as a value. Knows nothing of
prompts.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

from synthesis.engines.openai.bodies import PER_TOKEN, ROOM, UNPACKED, BodyError, bounded, most
from synthesis.engines.openai.wire import is_refusal, model_ids, read_delta
from synthesis.engines.serving.address import ServerAddress, checked_address
from synthesis.engines.serving.advice import explain, offer
from synthesis.engines.serving.asking import GaveUp
from synthesis.engines.serving.failures import Failure, Kind, failure_of, redact
from synthesis.errors import ConfigError, MissingExtraError
from synthesis.proxies import check_proxies

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

_OPENAI = "https://api.openai.com/v1"
_AT_ONCE = 32  # requests of one client
_CONNECT_TIMEOUT = 15.0  # a host that does not answer at all need not be waited for any longer


def make_address(base_url: str, key_env: str, timeout: float) -> ServerAddress:
    """Check the settings and the client library before any work.

    Raises:
        ConfigError: the address or the key cannot be used, or OpenAI's own has no key.
        MissingExtraError: the package ``openai`` is not installed.
    """
    try:
        import openai  # noqa: F401
    except ModuleNotFoundError:
        raise MissingExtraError("openai", "openai", "speaking the OpenAI protocol") from None
    check_proxies()
    address = checked_address(base_url or os.environ.get("OPENAI_BASE_URL", "") or _OPENAI, key_env, timeout)
    if not address.secret and address.base_url == _OPENAI:
        raise ConfigError(
            f"{_OPENAI} needs a key: set the environment variable {key_env}, or base_url to another server"
        )
    return address


def open_client(address: ServerAddress) -> OpenAI:
    """A client for one synchronous use."""
    from openai import DefaultHttpxClient, OpenAI

    client = DefaultHttpxClient(event_hooks={"response": [bounded]}, timeout=_timeout(address))
    return OpenAI(http_client=client, **_arguments(address))


class OpenConnection:
    """Clients for a session's event loop: one, and more where many requests are under way.

    With each request a client looks at all of its connections, twice, so that hundreds of them in one would
    take as much of the processor as all else that is done for a reply.
    """

    def __init__(self, address: ServerAddress) -> None:
        self._address = address
        self._clients = [_open_async(address)]
        self._busy = [0]

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.close()

    def _roomy(self) -> int:
        """The number of the first client with room."""
        for number, busy in enumerate(self._busy):
            if busy < _AT_ONCE:
                return number
        self._clients.append(_open_async(self._address))
        self._busy.append(0)
        return len(self._clients) - 1

    async def send(self, path: str, body: dict[str, Any]) -> object:
        """The decoded reply, or the ``Failure`` it came to.

        Of a chat, a reply is no longer than the tokens that were asked for.
        """
        asked = body.get("max_tokens", body.get("max_completion_tokens"))
        if isinstance(asked, int) and "messages" in body:
            most.set(ROOM + PER_TOKEN * asked)
        number = self._roomy()
        self._busy[number] += 1
        try:
            # The client's own timeout is per read; a reply that trickles would never run into it.
            async with asyncio.timeout(self._address.timeout):
                return await self._clients[number].post(path, body=body, cast_to=object)
        except request_errors() as error:
            return read_error(error, self._address)
        finally:
            self._busy[number] -= 1


def deltas(
    address: ServerAddress, path: str, body: Mapping[str, Any]
) -> Generator[str | Failure, None, None]:
    """The pieces of one streamed reply, without an event loop; if it fails, the ``Failure`` comes last."""
    from openai import Stream

    reason = ""
    failed: Failure | None = None
    with open_client(address) as client:
        try:
            with client.post(
                path, body=body, cast_to=object, stream=True, stream_cls=Stream[object]
            ) as events:
                for event in events:
                    found = read_delta(event, address.secret)
                    if isinstance(found, Failure):
                        failed = found
                        break
                    text, reason = found[0], found[1] or reason
                    if text:
                        yield text
        except request_errors() as error:
            failed = read_error(error, address)
    if failed is None and not reason:
        failed = Failure(Kind.BROKEN, "the stream ended early")
    if failed is None and is_refusal(reason):
        failed = Failure(Kind.REFUSED, f"the reply ended with {reason}")
    if failed is not None:
        yield failed


def listed_models(address: ServerAddress) -> list[str]:
    """What the server says it serves; nothing where it does not say."""
    models = _list_models(address)
    return [] if isinstance(models, Failure) else models


def only_model(address: ServerAddress) -> str:
    """The one model a server has.

    Raises:
        ConfigError: it has none or several.
        EngineError: it cannot be asked.
    """
    models = _list_models(address)
    if isinstance(models, Failure):
        raise explain(GaveUp(models, 1, True), address, "", None, list)
    if len(models) != 1:
        raise ConfigError(f"{address.base_url} serves {len(models)} models; {offer(models)}")
    return models[0]


def request_errors() -> tuple[type[Exception], ...]:
    """What a request may raise.

    The client's errors; those of the transport below it, which some versions of the client
    let through while streaming; a total timeout; a body that is not JSON.
    """
    from openai import APIError

    # The transport depends on the client's version, and the client has imported it by now.
    transports = [sys.modules[name] for name in ("httpx", "httpx2") if name in sys.modules]
    lost: list[type[Exception]] = [transport.HTTPError for transport in transports]
    return APIError, *lost, BodyError, TimeoutError, json.JSONDecodeError, UnicodeDecodeError, RecursionError


def read_error(error: Exception, address: ServerAddress) -> Failure:
    """One of ``request_errors`` as a failure, without the key."""
    from openai import APIConnectionError, APIError, APIStatusError

    if isinstance(error, APIStatusError):
        headers: Mapping[str, str] = error.response.headers
        body = error.body if error.body is not None else error.response.text
        return failure_of(error.status_code, headers, body, address.secret)
    if isinstance(error, APIError) and not isinstance(error, APIConnectionError):  # inside a stream
        code = int(error.code) if error.code and error.code.isdigit() else 500
        return failure_of(code, {}, error.body or error.message, address.secret)
    if isinstance(error, ValueError):
        return Failure(Kind.BROKEN, "the body is not JSON")
    if isinstance(error, RecursionError):
        return Failure(Kind.BROKEN, "the body is nested too deeply")
    # By name, for both transports.
    cause = error.__cause__ or error
    name = type(cause).__name__
    said = redact(f"{name} {cause}".strip(), address.secret)
    if name in ("ConnectError", "ConnectTimeout"):
        return Failure(Kind.UNREACHABLE, said)
    if isinstance(error, TimeoutError) or name.endswith("Timeout"):
        return Failure(Kind.TIMEOUT, f"nothing complete within {address.timeout:g} s")
    return Failure(Kind.BROKEN, said)


def _arguments(address: ServerAddress) -> dict[str, Any]:
    return {
        "base_url": address.base_url,
        # Servers at home need no key, but the client insists on one.
        "api_key": address.sendable() or "none",
        "default_headers": {"Accept-Encoding": UNPACKED},
        "max_retries": 0,
    }


def _open_async(address: ServerAddress) -> AsyncOpenAI:
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    client = DefaultAsyncHttpxClient(event_hooks={"response": [_bounded]}, timeout=_timeout(address))
    return AsyncOpenAI(http_client=client, **_arguments(address))


async def _bounded(response: Any) -> None:
    bounded(response)


def _timeout(address: ServerAddress) -> Any:
    from openai import Timeout

    return Timeout(address.timeout, connect=min(address.timeout, _CONNECT_TIMEOUT))


def _list_models(address: ServerAddress) -> list[str] | Failure:
    with open_client(address) as client:
        try:
            return model_ids(client.get("/models", cast_to=object))
        except request_errors() as error:
            return read_error(error, address)
