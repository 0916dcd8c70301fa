"""Questions about a text, without a model: its own sentences, turned round. ``ask`` writes one."""

from synthesis.engines.composer.asking.choose import NothingToAsk, ask

__all__ = ["NothingToAsk", "ask"]
