"""Which models a server has, and which one is meant when none was named."""

from __future__ import annotations

from synthesis.engines.openai.advice import explain, offer
from synthesis.engines.openai.asking import GaveUp
from synthesis.engines.openai.connection import Address
from synthesis.engines.openai.direct import list_models
from synthesis.engines.openai.failures import Failure
from synthesis.errors import ConfigError


def listed_models(address: Address) -> list[str]:
    """What the server says it serves; nothing where it does not say."""
    models = list_models(address)
    return [] if isinstance(models, Failure) else models


def only_model(address: Address) -> str:
    """The one model a server has.

    Raises:
        ConfigError: it has none or several.
        EngineError: it cannot be asked.
    """
    models = list_models(address)
    if isinstance(models, Failure):
        raise explain(GaveUp(models, 1, True), address, "", None, list)
    if len(models) != 1:
        raise ConfigError(f"{address.base_url} serves {len(models)} models; {offer(models)}")
    return models[0]
