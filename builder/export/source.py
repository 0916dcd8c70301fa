"""Where the samples of an export come from: a run, a dataset folder or the Hub, one chat config.

Reads with plain ``datasets``, as a stream, one row at a time. Knows nothing of formats.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from builder.folder.facts import tokenizer_of
from builder.folder.place import Place, is_built
from builder.folder.versions import check_sound, read_manifests
from synthesis.data import Message, content_hash
from synthesis.errors import SourceError, UsageError
from synthesis.sources.hub import dataset_table, hub_errors
from synthesis.storage import in_shell

WINDOW = 64_000_000  # characters mixed at a time: the bound on memory, and enough for 2,000 samples of 8k
_CHAT = re.compile(r".*-chat-(?P<number>\d+(\.\d+)?)(?P<unit>[kM]?)(?P<pin>-v\d+\.\d+\.\d+)?")
_PROMPTS = re.compile(r"-rl-\d+(\.\d+)?[kM]?$")
_UNITS = {"": 1, "k": 1024, "M": 1024**2}
_ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Conversation:
    """One sample as exports see it; the last turn is the assistant's. ``columns`` are the row's others."""

    id: str
    messages: tuple[Message, ...]
    columns: Mapping[str, Any] = field(default_factory=dict)


def choose_config(source: Place, config: str | None, flag: str = "--config") -> str:
    """The config asked for, or the only one there is. ``flag`` is what names it.

    Raises:
        SourceError: There is none of that name, or more than one to choose from.
    """
    names = config_names(source)
    chats = _chats(names)
    if config is not None:
        if config in names:
            return config
        raise SourceError(f"{source.name} has no config '{config}'. {_advice(chats or names, flag)}")
    plain = _chats(names, pinned=False) or names
    if flag == "--config" and not chats and (prompts := [name for name in names if _PROMPTS.search(name)]):
        raise SourceError(f"{source.name} has no conversations with answers. {_of_prompts(prompts[0])}")
    if len(plain) != 1:
        raise SourceError(f"{source.name} has {len(plain)} configs to choose from. {_advice(plain, flag)}")
    return plain[0]


def config_names(source: Place) -> list[str]:
    """The configs of a dataset, as plain ``datasets`` lists them."""
    from datasets import get_dataset_config_names

    with hub_errors(source.name, None, here=source.folder is not None):
        return list(get_dataset_config_names(source.at, revision=source.revision))


def _chats(names: Iterable[str], *, pinned: bool = True) -> list[str]:
    found = []
    for name in names:
        match = _CHAT.fullmatch(name)
        if match and (pinned or not match["pin"]):
            found.append((bool(match["pin"]), float(match["number"]) * _UNITS[match["unit"]], name))
    return [name for *_, name in sorted(found)]


def _advice(names: list[str], flag: str = "--config") -> str:
    return f"Name one of these with {flag}: {', '.join(names)}."


def _of_prompts(config: str) -> str:
    return (
        f"'{config}' holds prompts with what is right, ready for trainers as it is: load_dataset(..., "
        f"'{config}'). For conversations make a chat config: context-synthesis assemble DIR --kind chat,rl."
    )


def conversations(source: Place, config: str, split: str) -> Iterator[Conversation]:
    """The samples of a config, in order.

    Raises:
        SourceError: The split cannot be read, is damaged, is empty, or holds no conversations.
    """
    if source.folder is not None:
        check_sound(source.folder, config)
    table = dataset_table(source.at, source.name, config, split, None, source.revision)
    number = 0
    for row in table.rows():
        number, values = row.line, row.value
        if number == 1 and "reward_model" in values and "messages" not in values:
            raise SourceError(f"The config '{config}' of {source.name} has no answers. {_of_prompts(config)}")
        if number == 1 and "messages" not in values:
            chats = _chats(config_names(source))
            raise SourceError(
                f"The config '{config}' of {source.name} holds no conversations (its columns: "
                f"{', '.join(values)}). " + (_advice(chats) if chats else _how_to_samples(source, values))
            )
        yield _conversation(values, f"Row {number} of '{config}' in {source.name}")
    if not number:
        raise SourceError(f"The config '{config}' of {source.name} has no rows in the split '{split}'.")


def _how_to_samples(source: Place, row: Mapping[str, Any]) -> str:
    if source.folder is None or is_built(source.folder):
        return "Make samples of its contexts: context-synthesis assemble DIR, the folder of the run."
    texts = row.keys() <= {"text"}
    return (
        f"It is no dataset of ours: have {'questions' if texts else 'contexts'} written for its "
        f"{'texts' if texts else 'pairs'}, which makes samples as well: context-synthesis run "
        f"{'--method instruction --contexts' if texts else '--pairs'} {in_shell(source.name)}"
    )


def _conversation(values: Mapping[str, Any], where: str) -> Conversation:
    turns = values["messages"]
    if not isinstance(turns, list) or not all(_is_turn(turn) for turn in turns):
        raise SourceError(
            f"{where}: its messages are not turns with a role (system, user, assistant) and content. "
            "Mend the row, or export another config."
        )
    messages = tuple(Message(turn["role"], turn["content"]) for turn in turns)
    if len(messages) < 2 or messages[-1].role != "assistant":
        raise SourceError(
            f"{where} does not end with an answer by the assistant, so there is nothing to learn. "
            "Remove the row, or export another config."
        )
    name = values.get("id")
    others = {name: value for name, value in values.items() if name != "messages"}
    return Conversation(name if isinstance(name, str) else content_hash(messages), messages, others)


def _is_turn(turn: object) -> bool:
    return isinstance(turn, Mapping) and turn.get("role") in _ROLES and isinstance(turn.get("content"), str)


def shuffled(samples: Iterable[Conversation], seed: int, window: int = WINDOW) -> Iterator[Conversation]:
    """The samples in another order, mixed within ``window`` characters.

    Each one drawn makes room for the next. The same seed gives the same order.
    """
    chance = random.Random(content_hash("export", seed))
    held: list[Conversation] = []
    size = 0
    for sample in samples:
        held.append(sample)
        size += _size(sample)
        while size > window:
            drawn = _draw(held, chance)
            size -= _size(drawn)
            yield drawn
    while held:
        yield _draw(held, chance)


def _draw(held: list[Conversation], chance: random.Random) -> Conversation:
    place = chance.randrange(len(held))
    held[place], held[-1] = held[-1], held[place]
    return held.pop()


def _size(sample: Conversation) -> int:
    return sum(len(message.content) for message in sample.messages)


def measured_with(source: Place, config: str) -> str:
    """The tokenizer that the samples of a local config were measured with.

    Raises:
        UsageError: It is not known, or is not one that can be loaded by name.
    """
    if source.folder is not None:
        for versions in read_manifests(source.folder).values():
            for manifest in versions:
                if config in (manifest.config, f"{manifest.config}-v{manifest.version}"):
                    name, _ = tokenizer_of(manifest.facts)
                    if name:
                        return name
    raise UsageError(
        f"The tokenizer of '{config}' in {source.name} is not recorded. "
        "Name that of the model to train with --tokenizer."
    )
