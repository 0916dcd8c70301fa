"""A sample as a row for reinforcement learning: what is asked, what is right, and how a reply is checked.

One row serves TRL (``prompt`` and further columns), verl (``data_source``, ``prompt``, ``reward_model``,
``extra_info``) and verifiers (``prompt``, ``answer``, ``info``). Knows nothing of files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from builder.folder.schema import Row
from synthesis.errors import UsageError
from synthesis.evaluation.rewards import checker_for


def rl_row(known: Mapping[str, Any]) -> Row:
    """The row of one sample, of which ``known`` is the row of a chat config: ``id``, ``messages`` and others.

    Raises:
        UsageError: its answer is empty: there is nothing to be right about.
    """
    *before, last = known["messages"]
    # Our last turn may quote evidence or give reasons; what others call an answer may be anything.
    answer = str(known.get("answer") if known.get("answer_form") else last["content"])
    if not answer.strip():
        raise UsageError(f"Sample {known['id']} has an empty answer, which no reply can match. Leave it out.")
    left_out = str(known.get("distractors") or "").endswith("+abstain")
    refuses = left_out or known.get("twin") == "removed"
    kind, checker = ("refusal", "refusal") if refuses else checker_for(answer)
    aliases = _aliases(known, answer)
    documents, own = list(known.get("documents") or ()), str(known.get("pair_id") or "")
    shown = known.get("twin") != "removed"  # its document is there, without what was evidence
    gold = [number for number, name in enumerate(documents, 1) if name == own and shown]
    task = str(known.get("task") or "")
    checked = {"checker": checker, "answer_type": kind, "aliases": aliases, "tolerance": 0.0}
    return {
        "id": known["id"],
        "group": own,
        "model": str(known.get("model") or ""),
        "rank": known.get("rank") or 1,
        "twin": str(known.get("twin") or ""),
        "twin_of": str(known.get("twin_of") or ""),
        "data_source": f"context-synthesis/{task}" if task else "context-synthesis",
        "ability": "long-context",
        "task": task,
        "prompt": [{"role": turn["role"], "content": turn["content"]} for turn in before],
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
        "extra_info": {"id": known["id"], **checked, "gold_numbers": gold},
        "info": json.dumps({**checked, "gold_numbers": gold}, ensure_ascii=False),
    }


def _piece(piece: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: piece.get(name) for name in ("start", "end", "what", "token_start", "token_end", "document")
    }


def _aliases(known: Mapping[str, Any], answer: str) -> list[str]:
    """Other right answers, where the source of the pairs named any."""
    given = known.get("aliases") or known.get("answers") or ()
    named = [given] if isinstance(given, str) else list(given)
    return [one for one in dict.fromkeys(map(str, named)) if one and one != answer]
