"""Chat templates rendered as training code renders them.

Templates are Jinja programs written for one environment: sandboxed, blocks trimmed, loop
controls, ``raise_exception``, ``strftime_now``, a plain ``tojson`` and a ``generation`` tag
that marks the assistant's words. This module is that environment; it knows nothing of tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from synthesis.errors import TokenizerError

if TYPE_CHECKING:
    from jinja2 import Template

    from synthesis.data import Message

# Some templates print today's date. Counting must give the same number every day and never
# less than on the day of training, so the clock stands at a long date: a Wednesday in September.
FIXED_DATE = datetime(2025, 9, 24, 12, 0, 0)


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """A chat template's source and the special tokens it may print (``bos_token``, ...)."""

    source: str
    special_tokens: Mapping[str, str] = field(default_factory=dict, hash=False)

    def render(self, messages: Sequence[Message], add_generation_prompt: bool = False) -> str:
        """The text of a conversation.

        Raises:
            TokenizerError: the template is malformed, or refuses these messages.
        """
        from jinja2 import TemplateError

        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            return _compiled(self.source).render(
                messages=turns,
                tools=None,
                documents=None,
                add_generation_prompt=add_generation_prompt,
                **self.special_tokens,
            )
        except (TemplateError, TypeError) as error:
            roles = ", ".join(message.role for message in messages)
            raise TokenizerError(
                f"the chat template cannot render the turns [{roles}]: {error}. "
                "Choose a tokenizer whose template accepts a user turn followed by an assistant turn."
            ) from error


@lru_cache(maxsize=32)
def _compiled(source: str) -> Template:
    """Compile once per source; the cache also keeps templates out of pickles."""
    from jinja2 import nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.parser import Parser
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """``{% generation %}...{% endgeneration %}``: prints what it holds."""

        tags = {"generation"}

        def parse(self, parser: Parser) -> nodes.Scope:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body, lineno=line)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = FIXED_DATE.strftime
    return environment.from_string(source)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """JSON as it is: Jinja's own filter escapes HTML, which no chat template wants."""
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def _raise(message: str) -> NoReturn:
    from jinja2 import TemplateError

    raise TemplateError(message)
