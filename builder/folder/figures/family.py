"""Which configs are drawn together, what their figures are called, and what they say in words.

A family is a raw config with the chat configs made from it. Each has figures of its own, so
that families that meet in one repository leave each other's alone. Reads manifests only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from builder.folder.facts import words_of
from builder.folder.versions import Manifest
from synthesis.data import content_hash

VERSION = 1  # to be raised when the same rows would be drawn differently
MOST_CHATS = 8  # chat configs in one figure
FIGURES = ("lengths", "asked", "depth", "coherence")
_CHAT = re.compile(r"(?P<name>.+?)-chat-.+")


@dataclass(frozen=True, slots=True)
class Family:
    """Newest versions that have rows: ``raw`` if there is one, ``chats`` by token budget."""

    name: str
    raw: Manifest | None
    chats: tuple[Manifest, ...]

    @property
    def key(self) -> str:
        """Names everything that the figures show."""
        members = [self.raw, *self.chats] if self.raw else self.chats
        return content_hash(VERSION, [(one.config, one.digest, self.words) for one in members if one])

    @property
    def words(self) -> int | None:
        """How many words a context was asked to have, where that is known."""
        return words_of(self.raw.facts) if self.raw else None

    def label(self, chat: Manifest) -> str:
        """A chat config's name without what the family shares: ``composer-chat-4k`` is ``chat-4k``."""
        return chat.config.removeprefix(f"{self.name}-")

    def figures(self) -> dict[str, str]:
        """Figure -> what it shows, in words: the text for those who cannot see it."""
        told = {name: self._told(name) for name in FIGURES}
        return {name: text for name, text in told.items() if text}

    def file(self, figure: str) -> str:
        """The file name of a figure."""
        return f"{self.name}-{figure}.png"

    def _told(self, figure: str) -> str:
        chats = "; ".join(filter(None, (_range(chat, figure) for chat in self.chats)))
        raw = _range(self.raw, figure) if self.raw else ""
        both = "; ".join(filter(None, (raw, chats)))
        if figure == "lengths":
            return f"Histograms of tokens per row. {both}." if both else ""
        if figure == "depth":
            return f"Histograms of where the evidence stands, 0 = start, 1 = end. {chats}." if chats else ""
        if figure == "coherence":
            return f"Histograms of the coherence score and its parts. {raw}." if raw else ""
        words = f"{raw}, asked for {self.words:,}" if raw and self.words else ""
        both = "; ".join(filter(None, (words, chats)))
        return f"What was asked for and what came of it. {both}." if both else ""


def families(manifests: Iterable[Manifest]) -> list[Family]:
    """The families among the newest manifests of a folder, by name; rejected rows are in none."""
    drawn = {one.config: one for one in manifests if one.rows and one.kind != "rejected"}
    raws = {name for name, one in drawn.items() if one.kind == "raw"}
    members: dict[str, list[Manifest]] = {name: [] for name in raws}
    for name, one in drawn.items():
        if one.kind == "chat":
            members.setdefault(_parent(name, raws), []).append(one)
    return [
        Family(
            name, drawn.get(name) if name in raws else None, tuple(sorted(chats, key=_by_budget)[:MOST_CHATS])
        )
        for name, chats in sorted(members.items())
    ]


def _parent(chat: str, raws: set[str]) -> str:
    owners = [raw for raw in raws if chat.startswith(f"{raw}-chat-")]
    match = _CHAT.fullmatch(chat)
    return max(owners, key=len) if owners else match["name"] if match else chat


def _by_budget(chat: Manifest) -> tuple[float, str]:
    return chat.statistics.get("budget", {"mean": 0})["mean"], chat.config


def _range(manifest: Manifest, figure: str) -> str:
    """The figure's numbers for one config, as its manifest has them."""
    statistics: Mapping[str, Mapping[str, float]] = manifest.statistics
    if figure in ("depth", "coherence"):
        parts = ("depth",) if figure == "depth" else ("coherence", "support", "relevance", "uniqueness")
        means = [f"{part} mean {statistics[part]['mean']:.2f}" for part in parts if part in statistics]
        return f"{manifest.config}: {', '.join(means)}" if means else ""
    column = "words" if figure == "asked" and manifest.kind == "raw" else "tokens"
    if column not in statistics:
        return ""
    text = f"{manifest.config}: {statistics[column]['min']:,} to {statistics[column]['max']:,} {column}"
    budget = statistics.get("budget")
    return f"{text} of {budget['max']:,}" if budget else text
