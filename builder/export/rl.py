"""A sample as a row for reinforcement learning: what is asked, what is right, and how a reply is checked.

One row serves TRL (``prompt`` and further columns), verl (``data_source``, ``prompt``, ``reward_model``,
``extra_info``) and verifiers (``prompt``, ``answer``, ``info``). Knows nothing of files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from builder.export.files import Kind, Row
from builder.export.source import Conversation
from synthesis.errors import UsageError
from synthesis.evaluation.rewards import checker_for

COLUMNS: dict[str, Kind] = {
    "id": "text",
    "data_source": "text",
    "ability": "text",
    "task": "text",
    "prompt": "turns",
    "answer": "text",
    "aliases": "names",
    "answer_type": "text",
    "checker": "text",
    "tolerance": "number",
    "gold_documents": "names",
    "gold_numbers": "tokens",
    "evidence": "evidence",
    "form": "text",
    "hops": "integer",
    "rings": "integer",
    "depth": "number",
    "tokens": "integer",
    "budget": "integer",
    "reward_model": "reward",
    "extra_info": "extra",
    "info": "text",
}


def rl_row(sample: Conversation) -> Row:
    """The row of one sample.

    Raises:
        UsageError: its answer is empty: there is nothing to be right about.
    """
    *before, last = sample.messages
    known = sample.columns
    answer = str(known.get("answer") or last.content)  # the last turn may quote evidence, or give reasons
    if not answer.strip():
        raise UsageError(f"Sample {sample.id} has an empty answer, which no reply can match. Leave it out.")
    kind, checker = checker_for(answer)
    aliases = _aliases(known, answer)
    documents, own = list(known.get("documents") or ()), str(known.get("pair_id") or "")
    gold = [number for number, name in enumerate(documents, 1) if name == own]
    task = str(known.get("task") or "")
    checked = {"checker": checker, "answer_type": kind, "aliases": aliases, "tolerance": 0.0}
    return {
        "id": sample.id,
        "data_source": f"context-synthesis/{task}" if task else "context-synthesis",
        "ability": "long-context",
        "task": task,
        "prompt": [message._asdict() for message in before],
        "answer": answer,
        **checked,
        "gold_documents": [own] if gold else [],
        "gold_numbers": gold,
        "evidence": [_piece(one) for one in known.get("evidence") or ()],
        "form": str(known.get("form") or ""),
        "hops": known.get("hops") or 0,
        "rings": known.get("rings") or 0,
        "depth": known.get("depth"),
        "tokens": known.get("tokens"),
        "budget": known.get("budget"),
        "reward_model": {"style": "rule", "ground_truth": answer},
        "extra_info": {"id": sample.id, **checked, "gold_numbers": gold},
        "info": json.dumps({**checked, "gold_numbers": gold}, ensure_ascii=False),
    }


def _piece(piece: Mapping[str, Any]) -> dict[str, Any]:
    return {name: piece.get(name) for name in ("start", "end", "what", "token_start", "token_end")}


def _aliases(known: Mapping[str, Any], answer: str) -> list[str]:
    """Other right answers, where the source of the pairs named any."""
    given = known.get("aliases") or known.get("answers") or ()
    named = [given] if isinstance(given, str) else list(given)
    return [one for one in dict.fromkeys(map(str, named)) if one and one != answer]
