"""Whether a text is a program, a query, a command or markup rather than prose. Knows no language of them."""

from __future__ import annotations

import re

_CODE_LINE = re.compile(
    r"^\s*(?:(?:async )?(?:def|class|function|func|fn|public|private|static|const|let|var|struct|enum"
    r"|interface)\s+[\w<>$]"
    r"|(?:import|from|using|package)\s+[\w.{*\"<]+[^.]*$|#include\b|return\b[^.]*$|(?:if|for|while|elif|else)\b.*[:{]\s*$"
    r"|(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|ALTER|DROP|WITH)\b"
    r".*(?:[;*]|\b(?:FROM|SET|TABLE|VALUES|WHERE)\b)"
    r"|FROM\s+\w+|WHERE\s+\w+|</?[a-z][\w-]*[^<>]*>|[\w.\[\]]+\s*[-+*/]?=\s*\S|[\w.]+\(.*\)[;:]?\s*$"
    r"|\$\s+\w|[a-z][\w.-]*(?:\s+\S+){0,6}?\s+-{1,2}[a-zA-Z]"
    r"|(?:git|npm|pip|docker|sudo|apt|ls|cd|grep|find|awk|sed)\s+\S"
    r"|[\]})]+[;,)]*\s*$|//\s|.*[;{]\s*$|.*=>)"
)


def is_code(text: str) -> bool:
    """Whether a text is mostly lines of a program, a query, a command or markup."""
    if "```" in text:
        return True
    lines = [line for line in text.splitlines() if line.strip()]
    coded = sum(_CODE_LINE.match(line) is not None for line in lines)
    prose = sum(line.rstrip().endswith((".", "!", "?")) for line in lines)
    return bool(lines) and coded * 2 >= len(lines) and coded > prose
