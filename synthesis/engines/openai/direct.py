"""Requests without an event loop: one reply as a stream, the list of models.

Knows nothing of retries; each failure is handed back as a value.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from synthesis.engines.openai.connection import Address, read_error, request_errors
from synthesis.engines.openai.failures import Failure, Kind
from synthesis.engines.openai.wire import is_refusal, model_ids, read_delta


def deltas(address: Address, body: dict[str, Any]) -> Generator[str | Failure, None, None]:
    """The pieces of one streamed reply; if it fails, the ``Failure`` comes last."""
    from openai import Stream

    reason = ""
    failed: Failure | None = None
    with address.client() as client:
        try:
            with client.post(
                "/chat/completions", body=body, cast_to=object, stream=True, stream_cls=Stream[object]
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


def list_models(address: Address) -> list[str] | Failure:
    """What the server says it serves."""
    with address.client() as client:
        try:
            return model_ids(client.get("/models", cast_to=object))
        except request_errors() as error:
            return read_error(error, address)
