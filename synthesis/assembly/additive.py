"""Which tokenizers count a text as the sum of its parts, and where a text may be parted.

Most tokenizers first split a text into words, by rules that look at a character or two, and
then encode each word for itself. For these, a text parted before a single blank that stands
between a sentence's end and a letter has as many tokens as its parts together; so the middle
of a document, counted once, need never be counted again. Tokenizers that join across words
(some SentencePiece models) are recognised, and every text is then counted whole. Knows
nothing of documents or samples.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from synthesis.tokens import Tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

_ENDS: Final = ".!?\u2026\"'\u201d\u2019\u00bb)]"
JOINT: Final = re.compile(rf"(?<=[{re.escape(_ENDS)}])(?= [A-Za-z])")
"""Where a text may be parted: before the blank."""

# Normalizers that change a character without looking further than its neighbours.
_LOCAL: Final = frozenset(
    ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "BertNormalizer", "Nmt", "Precompiled")
)
_SPLITTERS: Final = frozenset(
    ("ByteLevel", "Split", "Whitespace", "WhitespaceSplit", "BertPreTokenizer", "Metaspace")
    + ("Digits", "Punctuation", "UnicodeScripts", "FixedLength", "Sequence")
)
# Anchors and look-behinds make a split depend on what precedes it.
_FAR_LOOKING: Final = re.compile(r"\(\?<[=!]|(?<!\[)\^|\$|\\[AGzZbB]")
_PROBES: Final = ("The", "a", "I", "Zed9", "it's")


@lru_cache(maxsize=32)
def adds_up(tokenizer: Tokenizer) -> bool:
    """Whether counts of parts, parted at joints, are known to sum to the count of the whole."""
    backend = tokenizer.backend
    if backend.pre_tokenizer is None or getattr(backend.model, "dropout", None):
        return False
    normal = _definition(backend.normalizer) if backend.normalizer is not None else {"type": "NFC"}
    splitter = _definition(backend.pre_tokenizer)
    return (
        _is_local(normal)
        and _is_splitter(splitter)
        and _added_tokens_keep_off(backend)
        and all(_parts(backend, end, word) for end in _ENDS for word in _PROBES)
    )


def _definition(component: Any) -> dict[str, Any]:
    """What a normalizer or pre-tokenizer is made of; nothing for one written in Python."""
    try:
        found = json.loads(component.__getstate__())
    except (TypeError, ValueError):  # a custom component cannot be described
        return {}
    return found if isinstance(found, dict) else {}


def _is_local(normal: dict[str, Any]) -> bool:
    if normal.get("type") == "Sequence":
        return all(map(_is_local, normal["normalizers"]))
    if normal.get("type") == "Replace":
        return len(normal["pattern"].get("String", "..")) == 1 and normal["content"] != ""
    return normal.get("type") in _LOCAL


def _is_splitter(splitter: dict[str, Any]) -> bool:
    if splitter.get("type") not in _SPLITTERS:
        return False
    if splitter["type"] == "Split":
        pattern = splitter["pattern"].get("Regex", "")
        return not _FAR_LOOKING.search(pattern.replace("\\\\", ""))
    return all(map(_is_splitter, splitter.get("pretokenizers", ())))


def _added_tokens_keep_off(backend: Backend) -> bool:
    """Whether no added token can reach over a joint."""
    for token in backend.get_added_tokens_decoder().values():
        first, last = token.content[:1], token.content[-1:]
        if re.search(r"\s[A-Za-z]", token.content):
            return False
        if (token.rstrip and last in _ENDS) or (token.lstrip and first.isalpha()):
            return False
    return True


def _parts(backend: Backend, end: str, word: str) -> bool:
    """Whether a text is split before the blank between a sentence's ``end`` and ``word``."""
    left, right = f"Ab cd{end}", f" {word} ef."
    if backend.normalizer is not None:
        left, right = map(backend.normalizer.normalize_str, (left, right))
    assert backend.pre_tokenizer is not None
    split = backend.pre_tokenizer.pre_tokenize_str

    def pieces(text: str) -> list[str]:
        return [piece for piece, _ in split(text)]

    return pieces(left + right) == pieces(left) + pieces(right)
