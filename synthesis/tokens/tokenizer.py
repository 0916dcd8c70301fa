"""The one tokenizer that counts, truncates and renders chats.

Counts are what a trainer sees that renders a conversation with the chat template and encodes
the resulting text without adding special tokens again. In particular a document that happens
to contain the text of a special token (``<|im_end|>``) counts as that token, because that is
how the trainer will read it; nothing is escaped or removed. A lone surrogate, which no
tokenizer can encode, counts as U+FFFD. Knows nothing of documents, budgets or engines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from synthesis.data import content_hash
from synthesis.errors import TokenizerError, UsageError
from synthesis.tokens.chat_template import ChatTemplate

if TYPE_CHECKING:
    from tokenizers import Encoding
    from tokenizers import Tokenizer as Backend

    from synthesis.data import Message

EMBEDDED: Final = "embedded"

# Texts are handed to the native threads in parcels, so that memory stays bounded by the
# parcel (an encoding takes some 30 times its text) and not by the corpus.
_PARCEL_CHARACTERS: Final = 400_000

# How far past the cut of the full encoding a prefix is looked for: a prefix can encode to
# fewer tokens than the same characters do inside the longer text, but only next to the cut.
REACH_TOKENS: Final = 4
LEAD_TOKENS: Final = 64

_SURROGATE = re.compile("[\ud800-\udfff]")
_LENGTH = re.compile(r"(\d+)(?:\.(\d+))?([kKmM]?)")
_UNITS: Final = {"": 1, "k": 1024, "m": 1024 * 1024}


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """Counts, cuts and renders with one tokenizer. Picklable; the same results in any process.

    ``name`` is what it was asked for as. ``identity`` is a short hash of the tokenizer's
    definition, its chat template and special tokens: equal identities count equally.
    """

    name: str
    identity: str
    backend: Backend = field(repr=False, compare=False)
    template: ChatTemplate | None = field(repr=False, compare=False)

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text``; special tokens written in it are recognised, none are added."""
        return self.backend.encode(encodable(text), add_special_tokens=False).ids

    def count(self, text: str) -> int:
        """Number of tokens of ``text``."""
        return len(self.backend.encode(encodable(text), add_special_tokens=False))

    def count_batch(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens of each text, on all cores (``TOKENIZERS_PARALLELISM=false``: on one)."""
        return [
            len(done)
            for parcel in _parcels(texts)
            for done in self.backend.encode_batch_fast(parcel, add_special_tokens=False)
        ]

    def locate_batch(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> list[tuple[int, list[tuple[int, int]]]]:
        """Number of tokens of each text, and the tokens (end exclusive) that hold its character spans.

        A token that only touches a span with white space counts as part of it where the
        tokenizer makes the white space part of the token; (0, 0) where no token holds any of it.
        """
        wanted = iter(spans)
        return [
            (len(done), [held(done, span) for span in next(wanted)])
            for parcel in _parcels(texts)
            for done in self.backend.encode_batch(parcel, add_special_tokens=False)
        ]

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Character span of each token of ``text``.

        Tokens that hold part of a character (bytes of an emoji) span that whole character.
        """
        return self.backend.encode(encodable(text), add_special_tokens=False).offsets

    def truncate(self, text: str, max_tokens: int) -> str:
        """The longest prefix of whole characters that counts at most ``max_tokens``.

        Each candidate is recounted, since a prefix need not encode to a prefix of the tokens.
        Prefixes reaching more than four tokens beyond ``max_tokens`` are not looked at.
        """
        return longest_prefix(text, max_tokens, _Encoded(self, text))

    def render(self, messages: Sequence[Message], add_generation_prompt: bool = False) -> str:
        """The text of a conversation, as the chat template writes it.

        Raises:
            TokenizerError: there is no chat template, or it refuses these messages.
        """
        if self.template is None:
            raise TokenizerError(
                f"tokenizer {self.name!r} has no chat template (a base model, perhaps). "
                "Name the chat or instruct version of the model instead."
            )
        return self.template.render(messages, add_generation_prompt)

    def thoughts(self) -> tuple[str, str] | None:
        """What stands before and behind thoughts in an answer; None where the chat template knows none."""
        return None if self.template is None else self.template.thoughts()

    def check_chat(self) -> None:
        """Refuse a chat template that does not print what is said, whatever is said and however long it is.

        Raises:
            TokenizerError: so it is, there is none, or it takes too much.
        """
        if self.template is None:
            self.render([])
        elif trouble := self.template.trial().trouble:
            raise TokenizerError(
                f"the chat template of {self.name!r} {trouble}. Samples made with it would not hold their "
                "documents or answers. Choose another tokenizer, such as that of the model's chat version."
            )

    def count_chat(self, messages: Sequence[Message]) -> int:
        """Tokens of the rendered conversation, as a trainer counts them.

        Raises:
            TokenizerError: as ``render``.
        """
        return self.count(self.render(messages))


def _parcels(texts: Sequence[str]) -> Iterator[list[str]]:
    parcel: list[str] = []
    size = 0
    for text in texts:
        if parcel and size + len(text) > _PARCEL_CHARACTERS:
            yield parcel
            parcel, size = [], 0
        parcel.append(encodable(text))
        size += len(text)
    if parcel:
        yield parcel


class Reading(Protocol):
    """A text of which is known how many tokens it and its parts have."""

    total: int

    def place(self, token: int) -> int:
        """The character with which a token begins."""
        ...

    def count(self, start: int, end: int) -> int:
        """The tokens of ``text[start:end]``, counted for themselves."""
        ...


class _Encoded:
    """A text as one tokenizer reads it."""

    def __init__(self, tokenizer: Tokenizer, text: str) -> None:
        self._tokenizer, self._text = tokenizer, text
        self._offsets = tokenizer.offsets(text)
        self.total = len(self._offsets)

    def place(self, token: int) -> int:
        return self._offsets[token][0]

    def count(self, start: int, end: int) -> int:
        return self._tokenizer.count(self._text[start:end])


def longest_prefix(text: str, max_tokens: int, reading: Reading) -> str:
    """What ``Tokenizer.truncate`` gives, for whatever has read the text."""
    if max_tokens <= 0:
        return ""
    if reading.total <= max_tokens:
        return text
    reach = max_tokens + REACH_TOKENS
    longest = reading.place(reach) if reach < reading.total else len(text)
    # Near-certain answers come from counting only the last stretch; the whole prefix is
    # then counted to be sure.
    lead = max(0, max_tokens - LEAD_TOKENS)
    stretch = reading.place(lead)
    for end in range(longest, 0, -1):
        start, room = (stretch, max_tokens - lead) if end > stretch else (0, max_tokens)
        if reading.count(start, end) <= room and reading.count(0, end) <= max_tokens:
            return text[:end]
    return ""


def held(encoding: Encoding, span: tuple[int, int]) -> tuple[int, int]:
    """The tokens that hold a span of characters; white space may belong to none."""
    start, end = span
    inside = range(start, end)
    first = next((token for at in inside if (token := encoding.char_to_token(at)) is not None), None)
    last = next((token for at in reversed(inside) if (token := encoding.char_to_token(at)) is not None), None)
    if first is None or last is None:
        return (0, 0)
    # Several tokens may share a character (bytes of an emoji), of which the first was found.
    while last + 1 < len(encoding) and (encoding.token_to_chars(last + 1) or (end, end))[0] < end:
        last += 1
    return (first, last + 1)


def build_tokenizer(
    name: str, definition: str, template: str | None, special_tokens: Mapping[str, str]
) -> Tokenizer:
    """A tokenizer from the text of a ``tokenizer.json`` and a chat template.

    Raises:
        TokenizerError: the definition cannot be read.
    """
    from tokenizers import Tokenizer as Backend

    try:
        backend = Backend.from_str(definition)
    except Exception as error:  # tokenizers raises bare Exception for any malformed definition
        raise TokenizerError(
            f"the tokenizer.json of {name!r} cannot be read: {error}. "
            "Update the package 'tokenizers', or name another tokenizer."
        ) from error
    # Many published files carry the cut-off and padding of their last use.
    backend.no_truncation()
    backend.no_padding()
    known = backend.get_vocab()
    backend.add_special_tokens([token for token in special_tokens.values() if token not in known])
    identity = content_hash(definition, template, dict(special_tokens))[:16]
    chat = None if template is None else ChatTemplate(template, dict(special_tokens))
    return Tokenizer(name, identity, backend, chat)


def parse_length(length: int | str) -> int:
    """Tokens meant by ``8k`` (8,192), ``1.5k`` (1,536), ``1M`` (1,048,576), ``2000`` or 2000.

    Raises:
        UsageError: it is not a positive whole number of tokens.
    """
    if isinstance(length, int) and not isinstance(length, bool):
        tokens = length
    else:
        tokens = _parse_text(length) if isinstance(length, str) else 0
    if tokens <= 0:
        raise UsageError(
            f"length {length!r} is not a number of tokens. Write it like 8k (8,192 tokens), 1M or 2000, "
            "without thousands separators."
        )
    return tokens


def _parse_text(length: str) -> int:
    match = _LENGTH.fullmatch(length.strip())
    if match is None or not length.isascii():
        return 0
    whole, fraction, unit = match.group(1), match.group(2) or "", match.group(3).lower()
    tokens, rest = divmod(int(whole + fraction) * _UNITS[unit], 10 ** len(fraction))
    return 0 if rest else tokens


def format_length(tokens: int) -> str:
    """The short form of a length: 8192 is ``8k``, 1048576 is ``1M``, 2000 is ``2000``."""
    for unit, size in (("M", _UNITS["m"]), ("k", _UNITS["k"])):
        if tokens >= size and tokens % size == 0:
            return f"{tokens // size}{unit}"
    return str(tokens)


def encodable(text: str) -> str:
    """The text itself, or, where it holds lone surrogates, one that UTF-8 can carry."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def special_tokens_of(config: Mapping[str, Any]) -> dict[str, str]:
    """The named special tokens of a ``tokenizer_config.json`` (``bos_token``, ``eos_token``, ...)."""
    found: dict[str, str] = {}
    for key, value in config.items():
        text = value.get("content") if isinstance(value, Mapping) else value
        if key.endswith("_token") and isinstance(text, str):
            found[key] = text
    return found
