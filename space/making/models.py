"""Text from a model, piece by piece: Inference Providers for the visitor, or this machine's own.

A visitor's token lives in the call that uses it: never in the environment, where other visitors'
requests would find it, nor in a record, a message or a log. The owner's token is not looked at.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

from space.making.engines import PROVIDERS, PROVIDERS_MODEL, PROVIDERS_URL, can_log_in, local_model, offers
from space.making.inputs import InputError, Inputs
from synthesis.data import Prompt
from synthesis.engines import make_engine
from synthesis.engines.base import Engine, Sampling
from synthesis.engines.openai import OpenAIEngine
from synthesis.engines.serving import Failure, Kind, ServerError
from synthesis.errors import ContextSynthesisError
from synthesis.prompts import build_prompt, load_template, parse_template

MOST_REPLY: Final = 8_192
_TIMEOUT: Final = 120.0
_MODEL = re.compile(r"[\w.-]{1,48}/[\w.-]{1,80}(:[\w-]{1,30})?", re.ASCII)
_F = TypeVar("_F", bound=Callable[..., Any])

_ADVICE = {
    Kind.AUTH: "Your login was not accepted. Log out and in again; the login must allow Inference Providers.",
    Kind.QUOTA: "Your Inference Providers quota is used up. Add credit in your Hugging Face billing "
    "settings, wait for the next month, or choose the composer, which costs nothing.",
    Kind.MISSING: "No provider serves this model. Choose another, by its full name such as {model}.",
    Kind.BUSY: "The provider is busy. Wait a minute and try again, or choose another model.",
    Kind.TOO_LONG: "The model's window is too small for this. Choose a shorter length or another model.",
    Kind.REFUSED: "The provider's content filter refused. Change the pair, or choose the composer.",
}
_DOWN = (
    "The provider does not answer ({what}). Try again in a minute, or choose the composer, which runs here."
)


class ModelTrouble(ContextSynthesisError):
    """A model gave no text, or not all of it; the message says what the visitor can do."""


def settled_model(inputs: Inputs) -> Inputs:
    """The request with the model that will be asked.

    Raises:
        InputError: the engine is not offered here, or the model's name is none.
    """
    if inputs.engine not in {offer.name for offer in offers()}:
        raise InputError(f"The engine {inputs.engine!r} does not run on this machine. Choose the composer.")
    if inputs.engine != PROVIDERS:
        return replace(inputs, model=local_model())
    model = inputs.model or PROVIDERS_MODEL
    if not _MODEL.fullmatch(model):
        raise InputError(
            f"{model!r} is not a model's name. Write it as on the Hub, such as {PROVIDERS_MODEL}."
        )
    return replace(inputs, model=model)


def check_login(inputs: Inputs, token: str | None) -> None:
    """Refuse, before any work, what takes a login the visitor has not made.

    Raises:
        ModelTrouble: there is none.
    """
    if inputs.engine == PROVIDERS and not token:
        how = (
            "sign in with the button below the engine"
            if can_log_in()
            else "signing in works only where this page runs as a Hugging Face Space"
        )
        raise ModelTrouble(
            f"Inference Providers runs on your own account: {how}; "
            "or choose the composer, which needs no login."
        )


def prompt_for(inputs: Inputs, sampling: Sampling) -> Prompt:
    """What the model is asked.

    Raises:
        TemplateError: the visitor's template lacks a placeholder or has an unknown one.
    """
    text = inputs.template
    template = parse_template("your template", text) if text else load_template("narrative")
    return build_prompt(
        inputs.pair,
        template,
        words=inputs.words,
        engine=inputs.engine,
        model=inputs.model,
        sampling=sampling,
    )


def stream(inputs: Inputs, prompt: Prompt, sampling: Sampling, token: str | None) -> Iterator[str]:
    """The reply's pieces as they come.

    Raises:
        ModelTrouble: no login, no quota, no provider, or the reply broke off.
    """
    if inputs.engine == PROVIDERS:
        check_login(inputs, token)
        yield from _from_providers(inputs, prompt, sampling, token or "")
    else:
        with _one_at_a_time:
            yield from _from_this_machine(inputs.engine, inputs.model, prompt, sampling)


def _from_providers(inputs: Inputs, prompt: Prompt, sampling: Sampling, token: str) -> Iterator[str]:
    engine = providers(inputs.model, token)
    # Closed with us, so that a visitor who stops ends the request they pay for.
    with closing(engine), closing(engine.stream(prompt, sampling)) as pieces:
        try:
            yield from pieces
        except ServerError as error:
            raise ModelTrouble(advice(error.failure)) from None


def providers(model: str, token: str) -> OpenAIEngine:
    """Inference Providers for one request on a visitor's account; a failure is told at once."""
    engine = OpenAIEngine(model, base_url=PROVIDERS_URL, api_key_env="", timeout=_TIMEOUT, retries=0)
    engine.use_key(token)
    return engine


def advice(failure: Failure) -> str:
    """What a visitor can do about a failure of their provider."""
    words = _ADVICE.get(failure.kind, _DOWN)
    return words.format(model=PROVIDERS_MODEL, what=failure.kind.value)


def _on_gpu(function: _F) -> _F:
    """On ZeroGPU a function must be marked to get a GPU; elsewhere there is nothing to mark."""
    try:
        import spaces
    except ModuleNotFoundError:
        return function
    return cast(_F, spaces.GPU(duration=120)(function))


_one_at_a_time = threading.Lock()


@_on_gpu
def _from_this_machine(
    engine: str, model: str, prompt: Prompt, sampling: Sampling
) -> Generator[str, None, None]:
    yield from _local_engine(engine, model).stream(prompt, sampling)


@lru_cache(maxsize=1)
def _local_engine(engine: str, model: str) -> Engine:
    return make_engine(engine, model)
