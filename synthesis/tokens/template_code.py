"""Chat templates as code: the environment that training code runs them in.

Templates are Jinja programs written for one environment: sandboxed, blocks trimmed, loop
controls, ``raise_exception``, ``strftime_now``, a plain ``tojson`` and a ``generation`` tag
that marks the assistant's words. This module is that environment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from synthesis.errors import TokenizerError

if TYPE_CHECKING:
    from jinja2 import Template

# Some templates print today's date. Counting must give the same number every day and never
# less than on the day of training, so the clock stands at a long date: a Wednesday in September.
FIXED_DATE = datetime(2025, 9, 24, 12, 0, 0)


def write_turns(
    source: str,
    special_tokens: Mapping[str, str],
    turns: Sequence[Mapping[str, Any]],
    add_generation_prompt: bool = False,
) -> str:
    """What a template writes of turns, given as they are.

    Raises:
        TokenizerError: with what the template, or Jinja, has to say.
    """
    try:
        return _compiled(source).render(
            messages=turns,
            tools=None,
            documents=None,
            add_generation_prompt=add_generation_prompt,
            **special_tokens,
        )
    except Exception as error:  # a template is a program, and may fail in any way that one can
        raise TokenizerError(str(error) or type(error).__name__) from error


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
