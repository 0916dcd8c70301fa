"""Whether everything fails alike, so that asking on is for nothing."""

from __future__ import annotations

import re
from textwrap import shorten

from synthesis.data import Context, Rejected

_DETAILS = re.compile(r"[:;]| \(")
_NUMBER = re.compile(r"\b\d[\d,]*(?= tokens)")
_OVER_BUDGET = re.compile(r"takes [\d,]+ tokens and the budget is [\d,]+")


class Alike:
    """Counts rejections of the same kind in a row, with no context between them.

    ``reason`` is that of the latest in the row.
    """

    def __init__(self, most: int) -> None:
        """Watch for ``most`` in a row; 0 for never."""
        self._most = most
        self._kind = self.reason = ""
        self.count = 0

    def goes_on(self, outcome: Context | Rejected) -> bool:
        """Count an outcome; False once there are as many in a row as were watched for."""
        kind = "" if isinstance(outcome, Context) else kind_of_rejection(outcome.stage, outcome.reason)
        self.count = self.count + 1 if kind == self._kind else 1
        self._kind = kind
        if isinstance(outcome, Rejected):
            self.reason = f"{outcome.stage}: {outcome.reason}"
        return not (kind and self._most and self.count >= self._most)


def kind_of_rejection(stage: str, reason: str) -> str:
    """The stage and the name of the fault: what rejections are counted by.

    Numbers of tokens are no part of it, nor what is in brackets.
    """
    # Two numbers that both read N would say that they are one.
    said = _OVER_BUDGET.sub("takes more tokens than its budget", _DETAILS.split(reason, maxsplit=1)[0])
    name = _NUMBER.sub("N", said.strip())
    return shorten(f"{stage}: {name}", 100, placeholder=" …")
