"""What to tell the user about a failure: what happened and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence

from synthesis.engines.base import Sampling
from synthesis.engines.serving.address import ServerAddress
from synthesis.engines.serving.asking import GaveUp
from synthesis.engines.serving.failures import Kind, ServerError

_RESUME = "then run again to go on from what is done"
_SHOWN = 12


def describe(end: GaveUp, sampling: Sampling | None) -> str:
    """Why one prompt got no reply, for its completion's ``detail``."""
    failure = end.failure
    if failure.kind is Kind.TOO_LONG:
        limit = f" = {sampling.max_tokens}" if sampling else ""
        return (
            f"{failure.kind.value}: lower generation.max_tokens{limit} (--max-tokens) or "
            f"generation.words, or serve the model with a larger window; {failure.said}"
        )
    if failure.kind is Kind.PARAMETER:
        return f"{failure}; {_setting(failure.parameter)}"
    return f"{failure} (tries: {end.tries})"


def explain(
    end: GaveUp,
    address: ServerAddress,
    model: str,
    sampling: Sampling | None,
    models: Callable[[], Sequence[str]],
) -> ServerError:
    """Why a run (or the one prompt asked) cannot go on. ``models`` is asked only where its answer helps."""
    return ServerError(_why(end, address, model, sampling, models), end.failure)


def _why(
    end: GaveUp,
    address: ServerAddress,
    model: str,
    sampling: Sampling | None,
    models: Callable[[], Sequence[str]],
) -> str:
    failure, url, env = end.failure, address.base_url, address.key_env
    if failure.kind is Kind.AUTH:
        state = "the one it holds was not accepted" if address.secret else "it is not set"
        return (
            f"{url} did not accept the key for model '{model}' ({failure.said}): set the environment "
            f"variable {env} to a key that may use it ({state}), {_RESUME}"
        )
    if failure.kind is Kind.QUOTA:
        return f"{url}: {failure}. Add credit to the account behind {env}, or wait; {_RESUME}"
    if failure.kind is Kind.MISSING:
        return f"{url} does not serve model '{model}' ({failure.said}); {offer(models(), model)}"
    if failure.kind is Kind.UNREACHABLE:
        return (
            f"{url}: {failure}. Check that the server runs and that base_url is right "
            f"(curl {url}/models should list its models), {_RESUME}"
        )
    if failure.kind in (Kind.PARAMETER, Kind.TOO_LONG):
        return f"{url}, model '{model}': {describe(end, sampling)}; {_RESUME}"
    if not end.everyone:
        return f"{url} gave no reply: {describe(end, sampling)}"
    return (
        f"{url} failed for one prompt after another, last with: {describe(end, sampling)}. "
        f"Check the server and its log, {_RESUME}"
    )


def offer(models: Sequence[str], wanted: str = "") -> str:
    """The models there are, those with a similar name first."""
    if not models:
        return "it lists no models either: check base_url (for most servers it ends in /v1) and --model"
    near = difflib.get_close_matches(wanted, models, n=_SHOWN, cutoff=0.4) if wanted else []
    names = [*near, *(name for name in sorted(models) if name not in near)]
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"choose one with --model: {', '.join(names[:_SHOWN])}{rest}"


def _setting(name: str) -> str:
    if name == "temperature and top_p":
        return (
            "it takes one of the two: set the other to 1 (--temperature 1 or --top-p 1), or leave it to the "
            'server with generation.options.leave_to_server = ["top_p"]'
        )
    if name in ("temperature", "top_p"):
        return f"set generation.{name} = 1 (--{name.replace('_', '-')} 1), the only value some models take"
    if name in ("max_tokens", "max_completion_tokens"):
        return "the server takes neither max_tokens nor max_completion_tokens"
    return f"check '{name}' in generation.options.extra_body"
