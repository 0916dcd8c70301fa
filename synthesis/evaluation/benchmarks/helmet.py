"""HELMET: its JSON and JSON Lines files of questions over retrieved passages, keys, needles and rankings.

Its prompts stand in its code, so that the wording is ours. Tasks whose data HELMET makes from other
datasets as it runs, or which a model judges (summaries, citations), have no files and are not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from synthesis.data import Evidence, Rejected
from synthesis.evaluation.benchmarks.rows import (
    Row,
    found_once,
    questions_in,
    text_of,
    texts_of,
    whole_of,
    write_json,
)
from synthesis.evaluation.benchmarks.tables import TaskFiles, TaskTable
from synthesis.evaluation.benchmarks.wording import CLOSED, OWN, TEMPLATES
from synthesis.evaluation.metrics.helmet import ONE_ANSWER, RANKS, better, ndcg, parsed, ranked
from synthesis.evaluation.metrics.overlap import substring_share
from synthesis.evaluation.questions import ContextQuestion, Prediction, QuestionSource
from synthesis.sources.rows import SourceRow, SourceTable
from synthesis.sources.values import BadRow

_SETTINGS: Final = "shots0_sampFalsemax{most}min0t0.0p1.0_chatTrue_42"
_BETWEEN: Final = "\n\n"
_WINDOW: Final = 131_072
# Of a row all that is not text of the context goes into the file of predictions.
_TEXTS: Final = ("ctxs", "context", "demos", "docs", "input")


class _Task(NamedTuple):
    """HELMET's name of a task; its metric, our wording of it, and how many tokens a reply may have."""

    name: str
    metric: str
    wording: str
    most_tokens: int


# The beginning of a file's or folder's name -> the task. Longer beginnings come first.
_TASKS: Final[Mapping[str, _Task]] = {
    "niah_single": _Task("ruler_niah_s", "all-substrings", "answer", 50),
    "niah_multikey_3": _Task("ruler_niah_mk_3", "all-substrings", "answer", 100),
    "niah_multikey": _Task("ruler_niah_mk", "all-substrings", "answer", 50),
    "niah_multiquery": _Task("ruler_niah_mq", "all-substrings", "answer", 100),
    "niah_multivalue": _Task("ruler_niah_mv", "all-substrings", "answer", 50),
    "vt": _Task("ruler_vt", "all-substrings", "answer", 50),
    "cwe": _Task("ruler_cwe", "all-substrings", "answer", 100),
    "fwe": _Task("ruler_fwe", "all-substrings", "answer", 50),
    "qa_1": _Task("ruler_qa_1", "helmet-contains", "answer", 50),
    "qa_2": _Task("ruler_qa_2", "helmet-contains", "answer", 50),
    "nq": _Task("kilt_nq", "helmet-contains", "answer", 20),
    "triviaqa": _Task("kilt_triviaqa", "helmet-contains", "answer", 20),
    "hotpotqa": _Task("kilt_hotpotqa", "helmet-contains", "answer", 20),
    "popqa": _Task("kilt_popqa_3", "helmet-contains", "answer", 20),
    "json_kv": _Task("json_kv", "helmet-value", "key", 100),
    "msmarco": _Task("msmarco_rerank_psg", "ndcg", "ranking", 200),
    "icl": _Task("icl", "helmet-label", "label", 20),
}
_OTHER: Final = _Task("", "helmet-contains", "answer", 100)


def _task_of(part: str) -> str:
    beginning = next((one for one in _TASKS if part.startswith(one)), "")
    # "niah_single_1" is "ruler_niah_s_1": what follows the beginning stays, as far as it is a number.
    rest = part[len(beginning) :]
    return f"{_TASKS[beginning].name}{rest if rest[1:].isdigit() else ''}" if beginning else ""


def _told(task: str) -> _Task:
    found = [one for one in _TASKS.values() if task.startswith(one.name)]
    return max(found, key=lambda one: len(one.name), default=_OTHER)


_FILES: Final = TaskFiles("HELMET", _task_of, split="test")


def _is_alike(row: Row) -> bool:
    held = row.get("data")
    first = held[0] if isinstance(held, list) and held and isinstance(held[0], Mapping) else row
    passages = "ctxs" in first and ("question" in first or "query" in first)
    return passages or set(first) >= {"context", "question", "answer", "num_kvs"}


class Helmet:
    """See the module."""

    name = "helmet"
    told = "HELMET's files, with ctxs or with context, question and answer"

    def fits(self, source: QuestionSource) -> bool:
        """By the name of the dataset on the Hub, else by the columns of a first row."""
        return _FILES.fits(source, _is_alike)

    def read(self, source: QuestionSource) -> Iterator[ContextQuestion | Rejected]:
        """The questions of the tasks wanted, file by file."""
        for at in _FILES.tables(source):
            yield from questions_in(_unfolded(at.table), partial(_question, at))

    def write(self, folder: Path, model: str, answered: Iterable[Prediction]) -> list[Path]:
        """``MODEL/TASK_eval_FILE_in..._42.json`` and its ``.score``, for ``collect_results.py``."""
        groups: dict[tuple[str, str], list[Prediction]] = {}
        for one in answered:
            groups.setdefault((one.question.task, str(one.question.record["test"])), []).append(one)
        written: list[Path] = []
        for (task, test), ones in groups.items():
            result = _result(task, test, model, ones)
            args = result["args"]
            settings = _SETTINGS.format(most=args["generation_max_length"])
            name = f"{task}_eval_{test}_in{args['input_max_length']}_size{len(ones)}_{settings}.json"
            written.append(write_json(folder / model / name, result))
            written.append(write_json(folder / model / f"{name}.score", result["averaged_metrics"]))
        return written


FORM = Helmet()


def _unfolded(table: SourceTable) -> SourceTable:
    """The rows of ``{"data": [...]}``, numbered from 1, as well as rows that stand for themselves."""

    def rows() -> Iterator[SourceRow]:
        for row in table.rows():
            held = row.value.get("data") if isinstance(row.value, Mapping) else None
            if isinstance(held, list):
                yield from (SourceRow(number, value) for number, value in enumerate(held, 1))
            else:
                yield row

    return replace(table, rows=rows)


def _question(at: TaskTable, row: Row, line: int) -> ContextQuestion:
    if "docs" in row:
        raise BadRow("answers with citations are judged by a model of entailment, which is not here")
    task = at.task or at.table.label
    told = _told(task)
    classes: tuple[str, ...] = ()
    asked = text_of(row, "query" if "query" in row and "question" not in row else "question", "")
    if told.metric == "ndcg":
        classes = tuple(f"{text_of(one, 'id')} {whole_of(one, 'label')}" for one in _passages(row))
        answers: tuple[str, ...] = (" > ".join(one.rpartition(" ")[0] for one in _best_first(classes)),)
    else:
        answers = texts_of(
            row, next((one for one in ("answers", "answer", "outputs") if one in row), "answer")
        )
    context, evidence = _shown(row, asked, answers)
    kept = {name: value for name, value in row.items() if name not in _TEXTS}
    return ContextQuestion(
        id=_id(task, row),
        context=context,
        instruction=asked,
        answers=answers,
        task=task,
        metric=told.metric,
        classes=classes,
        evidence=evidence,
        evidence_source="exact" if evidence else "none",
        depth=_share(row.get("depth")),
        record={
            "test": at.table.label,
            "row": {**kept, "question": asked, "answer": list(answers), "k": len(_passages(row))},
        },
        template=TEMPLATES[told.wording],
        closed=CLOSED.get(told.wording, ""),
        wording=OWN,
        most_tokens=told.most_tokens,
    )


def _shown(row: Row, asked: str, answers: Sequence[str]) -> tuple[str, tuple[Evidence, ...]]:
    """The context, and what of it answers: passages that are marked so, a key with its value."""
    if "ctxs" not in row:
        context = text_of(row, "context")
        return context, found_once(context, [f'"{asked}": "{answers[0]}"'])
    texts: list[str] = []
    evidence: list[Evidence] = []
    at = 0
    for passage in _passages(row):
        text = _passage(passage)
        if passage.get("has_answer") is True or whole_of(passage, "label"):
            evidence.append(Evidence(at, at + len(text), text_of(passage, "title", "") or text[:60]))
        texts.append(text)
        at += len(text) + len(_BETWEEN)
    return _BETWEEN.join(texts), tuple(evidence)


def _id(task: str, row: Row) -> str:
    # One question stands there several times, with its passage at several depths.
    given = next((text_of(row, name) for name in ("id", "qid") if row.get(name) is not None), "")
    return f"{task}-{given}-{row.get('depth')}" if given and "depth" in row else ""


def _passages(row: Row) -> Sequence[Mapping[str, Any]]:
    found = row.get("ctxs") or ()
    if not isinstance(found, list | tuple) or not all(isinstance(one, Mapping) for one in found):
        raise BadRow("the column 'ctxs' is no list of passages with a text each")
    return found


def _passage(passage: Row) -> str:
    head = [f"[{text_of(passage, 'id')}]"] if "label" in passage else []
    title = text_of(passage, "title", "")
    return "\n".join([" ".join([*head, title]).strip(), text_of(passage, "text")]).strip()


def _best_first(classes: Sequence[str]) -> list[str]:
    return sorted(classes, key=lambda one: -int(one.rpartition(" ")[2]))


def _share(value: object) -> float | None:
    try:
        share = float(str(value))
    except ValueError:
        return None
    return share if 0 <= share <= 1 else None


def _result(task: str, test: str, model: str, answered: Sequence[Prediction]) -> dict[str, Any]:
    """What HELMET writes of a task: its settings, each reply with its scores, and their means."""
    told = _told(task)
    data: list[Row] = []
    metrics: dict[str, list[float]] = {}
    for one in answered:
        scores = {**_scores(told, one), "input_len": one.tokens, "output_len": 0}
        reading = {"output": one.reply, "parsed_output": parsed(one.reply), **scores}
        data.append({**one.question.record["row"], **reading})
        for name, value in scores.items():
            metrics.setdefault(name, []).append(value)
    means = {
        name: sum(values) / len(values) * (1 if name.endswith("_len") else 100)
        for name, values in metrics.items()
    }
    args = {
        "model_name_or_path": model,
        "datasets": task,
        "test_files": test,
        "tag": "eval",
        "input_max_length": answered[0].variant.length or _WINDOW,
        "generation_max_length": answered[0].question.most_tokens,
        "max_test_samples": len(answered),
        "shots": 0,
        "use_chat_template": True,
    }
    # How long replies took is not known here.
    return {"args": args, "data": data, "metrics": metrics, "averaged_metrics": means, "throughput": 0.0}


def _scores(told: _Task, one: Prediction) -> dict[str, float]:
    """HELMET's own names of scores -> the scores of a reply."""
    question = one.question
    if told.metric == "ndcg":
        places = [place for place in RANKS if place <= len(question.classes)]
        gains = {f"NDCG@{n}": ndcg(n)(one.reply, question.answers, question.classes) for n in places}
        return {**gains, "num_preds": len(ranked(one.reply))}
    if told.metric == "all-substrings":
        return {"ruler_recall": substring_share(one.reply, question.answers)}
    mark = {"helmet-value": "corresponding value:", "helmet-label": "label:"}.get(told.metric, "answer:")
    whole = told.metric != "helmet-label"
    return {
        name: max(better(name, mark, whole=whole)(one.reply, answer) for answer in question.answers)
        for name in ONE_ANSWER
    }
