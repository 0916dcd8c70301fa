"""What looks like a secret key, so that one typed into the wrong place is refused and never shown.

Keys are read from the environment; an option names the variable. Knows no option by name but for what
names of keys have in common.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

# How providers begin their keys; what follows is long, and no word.
_BEGUN: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:sk|pk|rk|gsk|xai|r8|nvapi|pplx|ghp|gho|ghs|ghu|glpat|github_pat|csk|dop_v1|api|key)"
    r"[-_](?P<rest>[A-Za-z0-9_-]{16,})"
    r"|hf_[A-Za-z0-9]{16,}|AIza[A-Za-z0-9_-]{30,}|A[KS]IA[A-Z0-9]{16}|eyJ[A-Za-z0-9_-]{12,}\.[A-Za-z0-9_.-]{12,}"
    r"|[Bb]earer\s+[A-Za-z0-9._~+/-]{16,})"
)
_RANDOM: Final = re.compile(r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16,}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_NAMES: Final = frozenset(
    ("api_key", "apikey", "x_api_key", "access_token", "auth_token", "hf_token", "authorization", "password")
    + ("secret", "client_secret", "secret_key")
)
_SHOWN: Final = "[a key]"


def holds_key(text: str) -> bool:
    """Whether something in a text looks like a key."""
    return any(map(_is_key, _BEGUN.finditer(text)))


def without_keys(text: str) -> str:
    """A text with what looks like a key blacked out."""
    return _BEGUN.sub(lambda found: _SHOWN if _is_key(found) else found[0], text)


def _is_key(found: re.Match[str]) -> bool:
    rest = found["rest"]
    return rest is None or any(map(_RANDOM.fullmatch, re.split("[-_]", rest)))


def misplaced_keys(values: Any, within: str = "") -> Iterator[str]:
    """Where in nested values something stands that is a key, or is called one; never the key itself."""
    if isinstance(values, Mapping):
        for name, value in values.items():
            where = f"{within}.{without_keys(str(name))}" if within else without_keys(str(name))
            if holds_key(str(name)) or _is_secret(str(name), value):
                yield where
            else:
                yield from misplaced_keys(value, where)
    elif isinstance(values, (list, tuple)):
        for value in values:
            yield from misplaced_keys(value, within)
    elif isinstance(values, str) and holds_key(values):
        yield within


def _is_secret(name: str, value: Any) -> bool:
    """Whether a value is a secret by what it is called, or stands where the name of a variable belongs."""
    folded = name.casefold().replace("-", "_")
    if not isinstance(value, str) or not value.strip():
        return False
    return folded in _SECRET_NAMES or (folded.endswith("_env") and not _is_variable(value))


def _is_variable(name: str) -> bool:
    """Whether a text can be the name of an environment variable, rather than what stands in one."""
    if not name or name in os.environ:
        return True
    # Of keys without a beginning of their own most are one long run of letters and digits.
    return _VARIABLE.fullmatch(name) is not None and not _RANDOM.search(name) and not holds_key(name)
