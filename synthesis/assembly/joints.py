"""Where a text may be parted so that the counts of its parts add up to that of the whole.

Most tokenizers split at blanks before they merge, so that nothing of one word ever reaches the next.
Whether one does is found out from its definition, and tried at each kind of place.
"""

from __future__ import annotations

import json
import re
import string
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from synthesis.tokens import Tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

ENDS: Final = ".!?\u2026\"'\u201d\u2019\u00bb)]"
"""What stands before the blank where a text may be parted: what sentences end with."""

JOINT: Final = re.compile(rf"(?<=[{re.escape(ENDS)}])(?= [A-Za-z])")
"""Where a text may be parted: before the blank."""

_WORD_ENDS: Final = ENDS + string.ascii_letters + string.digits + ",;:"
# The blank comes first in the pattern because single characters are searched for fastest.
BETWEEN_WORDS: Final = re.compile(rf" (?<=[{re.escape(_WORD_ENDS)}] )(?=[A-Za-z])")
"""The blanks between two words at which a text may be parted, too: all joints, and more."""

# Normalizers that change a character without looking further than its neighbours.
_LOCAL: Final = frozenset(
    ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "BertNormalizer", "Nmt", "Precompiled")
)
_SPLITTERS: Final = frozenset(
    ("ByteLevel", "Split", "Whitespace", "WhitespaceSplit", "BertPreTokenizer", "Metaspace")
    + ("Digits", "Punctuation", "UnicodeScripts", "Sequence")
)
# Anchors and look-behinds make a split depend on what precedes it.
_FAR_LOOKING: Final = re.compile(r"\(\?<[=!]|(?<!\[)\^|\$|\\[AGzZbB]")
_PROBES: Final = ("The", "a", "I", "Zed9", "it's")


@lru_cache(maxsize=32)
def adds_up(tokenizer: Tokenizer) -> bool:
    """Whether counts of parts, parted between words, are known to sum to the count of the whole."""
    backend = tokenizer.backend
    if backend.pre_tokenizer is None or getattr(backend.model, "dropout", None):
        return False
    normal = _definition(backend.normalizer) if backend.normalizer is not None else {"type": "NFC"}
    splitter = _definition(backend.pre_tokenizer)
    return (
        _is_local(normal)
        and _is_splitter(splitter)
        and _added_tokens_keep_off(backend)
        and all(_parts(backend, end, word) for end in _WORD_ENDS for word in _PROBES)
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
        if (token.rstrip and last in _WORD_ENDS) or (token.lstrip and first.isalpha()):
            return False
    return True


def _parts(backend: Backend, end: str, word: str) -> bool:
    """Whether a text is split before the blank between a word's ``end`` and ``word``."""
    left, right = f"Ab cd{end}", f" {word} ef."
    if backend.normalizer is not None:
        left, right = map(backend.normalizer.normalize_str, (left, right))
    assert backend.pre_tokenizer is not None
    split = backend.pre_tokenizer.pre_tokenize_str

    def pieces(text: str) -> list[str]:
        return [piece for piece, _ in split(text)]

    return pieces(left + right) == pieces(left) + pieces(right)
