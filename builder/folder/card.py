"""The dataset card: measured numbers and the facts of a run, filled into ``dataset_card.md``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from builder.folder.facts import CARD_FACTS, IMPORTED, ORDER, UNNAMED
from builder.folder.figures import families
from builder.folder.parquet import clean
from builder.folder.schema import ASKED_MEANINGS, COLUMNS
from builder.folder.statistics import LONGEST_REASON, counted_reasons
from builder.folder.versions import Manifest, read_manifests
from builder.resources import card_template
from synthesis.engines import engine_class, engine_names
from synthesis.tasks import task_of
from synthesis.wording import readable_size

MARKER = "<!-- Written by context-synthesis, and again at each build, except for the notes at the end. -->"
NOTES = "<!-- Your notes go below this line; they are kept. -->"

PAPER = {
    "title": "Generalizing From Short to Long: Effective Data Synthesis for Long-Context Instruction Tuning",
    "authors": "Wenhao Zhu et al.",
    "year": 2025,
    "arxiv": "2502.15592",
}

_SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"),
)
_TAGS = ("context-synthesis", "long-context", "instruction-tuning", "synthetic")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MOST_REASONS = 20
# What is told of a benchmark.
_COUNTED = ("rows", "skipped", "ngrams", "common", "instruction", "answer", "context", "dropped")


def render_card(folder: Path, configs: Sequence[Manifest], facts: Mapping[str, Any]) -> str:
    """The text of ``folder/README.md``.

    Args:
        folder: The dataset folder; published versions and figures are looked up in it.
        configs: The newest manifest of each config, in the order to list them. Configs
            without rows are left out: an empty one breaks loading.
        facts: ``license``, ``language``, ``pretty_name``, ``repo_id`` and ``tags`` are
            about the card, each optional. How the rows were made is in the manifests.

    Returns:
        Markdown with YAML metadata, ending in a line below which notes are kept.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=False,  # this is Markdown, not HTML: see the filters
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(md=escape, fence=fence)
    facts = clean(dict(facts)).value
    listed = _main_first([manifest for manifest in configs if manifest.rows])
    text = environment.from_string(card_template()).render(
        metadata=_metadata(folder, listed, facts),
        marker=MARKER,
        notes_marker=NOTES,
        paper=PAPER,
        **_body(folder, listed, facts),
    )
    return str(clean(text).value)


def kept_notes(card: str) -> str:
    """What a user wrote below the notes line of an existing card."""
    # The last such line: a sample quoted further up may hold one too.
    return card.rpartition(NOTES)[2].strip("\n") if NOTES in card else ""


def _main_first(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Rejected rows are never what a reader wants first."""
    return sorted(manifests, key=lambda manifest: manifest.kind == "rejected")


def _metadata(folder: Path, listed: Sequence[Manifest], facts: Mapping[str, Any]) -> str:
    from huggingface_hub import DatasetCardData

    rows = sum(manifest.rows for manifest in listed if manifest.kind != "rejected")
    tasks = {task_of(task).name for manifest in listed for task in manifest.statistics.get("tasks", ())}
    categories = ["question-answering", "text-generation"]
    if any(task.endswith("_summary") for task in tasks):
        categories.insert(1, "summarization")
    data = DatasetCardData(
        pretty_name=_title(facts),
        language=_lines(facts.get("language", "en")),
        license=_lines(facts["license"]) if facts.get("license") else None,
        annotations_creators="machine-generated",
        language_creators="machine-generated",
        source_datasets=[source["name"] for source in _sources(listed)] or None,
        size_categories=next((name for limit, name in _SIZES if rows < limit), "100M<n<1B"),
        task_categories=categories,
        tags=list(dict.fromkeys([*_TAGS, *_lines(facts.get("tags", []))])),
        configs=_configs(folder, listed) or None,
    )
    return data.to_yaml()


def _configs(folder: Path, listed: Sequence[Manifest]) -> list[dict[str, Any]]:
    """Names of newest versions first, then pinned ones; all names differ, none is empty."""
    entries = [_entry(manifest.config, manifest) for manifest in listed]
    shown = {(manifest.config, manifest.version) for manifest in listed}
    known = read_manifests(folder)
    for name in dict.fromkeys([*(manifest.config for manifest in listed), *known]):
        for manifest in reversed(known.get(name, [])):
            if manifest.rows and (manifest.published or (name, manifest.version) in shown):
                entries.append(_entry(f"{name}-v{manifest.version}", manifest))
    # A config called "default" is the default already; `datasets` refuses to have two.
    if entries and all(entry["config_name"] != "default" for entry in entries):
        entries[0]["default"] = True
    return entries


def _entry(name: str, manifest: Manifest) -> dict[str, Any]:
    return {
        "config_name": name,
        "version": manifest.version,
        # `datasets` caches a local folder by this metadata, not by what the files hold. With a
        # digest in it, a folder deleted and built anew is never read from a stale cache.
        "description": f"{manifest.kind}, {manifest.rows} rows, contents {manifest.digest}",
        "data_files": [{"split": "train", "path": f"{manifest.directory}/train-*.parquet"}],
    }


def _body(folder: Path, listed: Sequence[Manifest], facts: Mapping[str, Any]) -> dict[str, Any]:
    chats = [manifest for manifest in listed if manifest.kind == "chat" and "tokens" in manifest.statistics]
    by_kind = {manifest.kind: manifest for manifest in listed}
    main = listed[0] if listed else None
    return {
        "title": _title(facts),
        "configs": [_config_line(manifest) for manifest in listed],
        "figures": _figures(folder, listed),
        "place": json.dumps(_one_line(facts.get("repo_id") or "path/to/this/folder"), ensure_ascii=False),
        "main": {"name": main.config, "version": main.version} if main else None,
        "chat": _chat(chats[0]) if chats else None,
        "rl": next((manifest.config for manifest in listed if manifest.kind == "rl"), None),
        "sample": _sample(main.statistics["sample"]) if main and main.statistics["sample"] else [],
        "columns": [
            {"name": kind, "columns": _columns(by_kind[kind])} for kind in COLUMNS if kind in by_kind
        ],
        "origins": _origins(listed),
        "sources": _sources(listed),
        "rejected": [line for manifest in listed for line in reasons(manifest)],
        "filters": filters(listed),
        "replies": replies(listed),
        "candidates": candidates(listed),
        "reasoned": reasoned(listed),
        "contamination": contamination(listed),
        "modelless": _modelless(listed),
        "asked": ", ".join(one.config for one in listed if _asks(one) and one.kind == "raw"),
        "wrote": not listed or not all(map(_asks, listed)),
        "imported": any(manifest.facts.get("engine") == IMPORTED for manifest in listed),
        "replaced": sum(manifest.statistics.get("replaced_characters", 0) for manifest in listed),
        "license": _one_line(facts.get("license") or ""),
    }


def _asks(manifest: Manifest) -> bool:
    """Whether questions were written for texts, rather than contexts for pairs."""
    return manifest.facts.get("method") == "instruction"


def _modelless(listed: Sequence[Manifest]) -> list[str]:
    """The engines among those that wrote which are no language models."""
    wrote = {name for manifest in listed for name in str(manifest.facts.get("engine") or "").split("+")}
    return [name for name in engine_names() if name in wrote and engine_class(name).free]


def _title(facts: Mapping[str, Any]) -> str:
    return _one_line(facts.get("pretty_name") or UNNAMED)


def _config_line(manifest: Manifest) -> dict[str, Any]:
    tokens, coherence = (manifest.statistics.get(name) for name in ("tokens", "coherence"))
    spread = tokens and f"{tokens['min']:,} / {tokens['mean']:,.0f} / {tokens['max']:,}"
    return {
        "name": manifest.config,
        "kind": manifest.kind,
        "version": manifest.version,
        "rows": f"{manifest.rows:,}",
        "tokens": spread or "–",
        "coherence": f"{coherence['mean']:.3f}" if coherence else "–",
        "size": readable_size(manifest.bytes),
    }


def _chat(manifest: Manifest) -> dict[str, Any]:
    longest = int(manifest.statistics["tokens"]["max"])
    budget = int(manifest.statistics.get("budget", {"max": 0})["max"])
    return {"name": manifest.config, "longest": f"{longest:,}", "max_length": max(longest, budget)}


def _sample(sample: Mapping[str, Any]) -> list[dict[str, str]]:
    if "messages" in sample:
        return [{"title": turn["role"], "text": turn["content"]} for turn in sample["messages"]]
    return [{"title": name, "text": sample[name]} for name in ("instruction", "answer", "context")]


def _columns(manifest: Manifest) -> list[dict[str, str]]:
    # The manifest decides: it may be older than what is written now.
    meanings = {column.name: column.meaning for column in COLUMNS[manifest.kind]}
    meanings |= ASKED_MEANINGS if manifest.kind == "raw" and _asks(manifest) else {}
    return [
        {"name": name, "type": kind, "meaning": meanings.get(name, "")}
        for name, kind in manifest.schema.items()
    ]


def _figures(folder: Path, listed: Sequence[Manifest]) -> list[dict[str, str]]:
    told = {
        family.file(figure): text for family in families(listed) for figure, text in family.figures().items()
    }
    # Ours in the order to read them, then what the user put there.
    place = {file: number for number, file in enumerate(told)}
    there = sorted(
        (path.name for path in (folder / "figures").glob("*.png")),
        key=lambda n: (place.get(n, len(place)), n),
    )
    safe = [name for name in there if re.fullmatch(r"[\w.-]+", name, re.ASCII)]
    return [{"file": name, "alt": told.get(name) or _from_name(name)} for name in safe]


def _from_name(file: str) -> str:
    return re.sub(r"[_-]+", " ", file.removesuffix(".png")).capitalize()


def _sources(listed: Iterable[Manifest]) -> list[dict[str, str]]:
    """The datasets on the Hub that the pairs were taken from."""
    found: dict[str, dict[str, str]] = {}
    for manifest in listed:
        source = manifest.facts.get("source")
        name = str(source.get("name", "")) if isinstance(source, Mapping) else ""
        if isinstance(source, Mapping) and _HUB_ID.fullmatch(name):
            found.setdefault(name, {"name": name, "revision": _one_line(source.get("revision") or "")[:12]})
    return [found[name] for name in sorted(found)]


def _origins(listed: Sequence[Manifest]) -> list[dict[str, Any]]:
    """Configs made in the same way share one table."""
    groups: dict[str, list[Manifest]] = {}
    for manifest in listed:
        groups.setdefault(json.dumps(manifest.facts, sort_keys=True), []).append(manifest)
    origins = []
    for group in groups.values():
        facts = {name: value for name, value in group[0].facts.items() if name not in CARD_FACTS}
        names = [*(name for name in ORDER if name in facts), *sorted(facts.keys() - set(ORDER))]
        rows = [(name.replace("_", " "), shown) for name in names if (shown := _value(facts[name]))]
        if rows:
            configs = ", ".join(f"`{manifest.config}`" for manifest in group)
            origins.append({"configs": configs, "facts": rows})
    return origins


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {_value(value[name])}" for name in sorted(value))
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    return _one_line(value)


def _one_line(value: object) -> str:
    return " ".join(_CONTROL.sub(" ", str(value)).split())


def _lines(value: object) -> Any:
    return [_one_line(item) for item in value] if isinstance(value, list | tuple) else _one_line(value)


def reasons(manifest: Manifest) -> list[dict[str, Any]]:
    """Stages and reasons of a rejected config, most frequent first; rare ones summed up."""
    counts = counted_reasons(manifest.statistics)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    lines = [
        (f"{reason}…" if len(reason) == LONGEST_REASON else reason, count)
        for reason, count in ordered[:_MOST_REASONS]
    ]
    rest = sum(count for _, count in ordered[_MOST_REASONS:])
    lines += [("other reasons", rest)] if rest else []
    return [{"config": manifest.config, "reason": reason, "rows": f"{count:,}"} for reason, count in lines]


def made_of(manifest: Manifest) -> str:
    """What the rows of a raw config are: ``contexts`` for pairs, or ``questions`` for texts."""
    return "questions" if _asks(manifest) else "contexts"


def filters(listed: Sequence[Manifest]) -> list[dict[str, Any]]:
    """Per filtered config: its settings, and how many contexts or questions each filter dropped."""
    found = []
    for manifest, details in _with(listed, "filters"):
        dropped = _mapping(details, "dropped")
        found.append(
            {
                "config": manifest.config,
                "what": made_of(manifest),
                "settings": ", ".join(
                    f"{name.replace('_', ' ')} {_setting(value)}".rstrip()
                    for name, value in _mapping(details, "settings").items()
                ),
                "contexts": _count(details.get("contexts")),
                "kept": _count(details.get("kept")),
                "dropped": [
                    (name, _count(rows))
                    for name, rows in sorted(dropped.items(), key=lambda d: (-d[1], d[0]))
                ],
            }
        )
    return found


def reasoned(listed: Sequence[Manifest]) -> list[dict[str, str]]:
    """Per config whose contexts have a model's reasons: how many have some, and who wrote them."""
    return [
        {
            "config": manifest.config,
            "contexts": _count(details.get("contexts")),
            "without": _count(details.get("without")),
            "models": ", ".join(f"`{name}`" for name in details.get("models") or ["no model"]),
            "template": str(details.get("template") or ""),
        }
        for manifest, details in _with(listed, "reasons")
    ]


def candidates(listed: Sequence[Manifest]) -> list[dict[str, str]]:
    """Per config that holds several contexts for a pair: how many of both, and the models if each wrote."""
    return [
        {
            "config": manifest.config,
            **{name: _count(details.get(name)) for name in ("contexts", "pairs")},
            "models": ", ".join(map(str, details.get("models") or ())),
        }
        for manifest, details in _with(listed, "candidates")
    ]


_REPLIES = {
    "removed": "twins without the evidence: a refusal is right",
    "changed": "twins with another answer in its place: that one is right",
    "decoy": "twins whose answer and decoy are exchanged: what was the decoy is right",
    "abstain": "samples without their context: a refusal is right",
    "cited": "the answer, and below it the evidence in quotes; the answer alone is in the column `answer`",
    "reasoned": "the steps to the answer, then the answer; it stands alone in the column `answer`",
}


def replies(listed: Sequence[Manifest]) -> list[dict[str, Any]]:
    """Per config: rows whose last turn is not the pair's answer alone, by what it is."""
    found = []
    for manifest in listed:
        counts = manifest.statistics.get("replies", {})
        found += [
            {"config": manifest.config, "what": what, "rows": f"{counts[name]:,}", "twin": "twin" in what}
            for name, what in _REPLIES.items()
            if name in counts
        ]
    return found


def contamination(listed: Sequence[Manifest]) -> list[dict[str, Any]]:
    """Per checked config: a line for each benchmark."""
    found = []
    for manifest, details in _with(listed, "contamination"):
        benchmarks = details.get("benchmarks")
        lines = (
            [line for line in benchmarks if isinstance(line, Mapping)] if isinstance(benchmarks, list) else []
        )
        found.append(
            {
                "config": manifest.config,
                "ngram": _count(details.get("ngram")),
                "drop": bool(details.get("drop")),
                "contexts": _count(details.get("contexts")),
                "rows": _count(details.get("rows")),
                "dropped": _count(details.get("dropped")),
                "benchmarks": [
                    {"name": str(line.get("name", "")), **{key: _count(line.get(key)) for key in _COUNTED}}
                    for line in lines
                ],
            }
        )
    return found


def _with(listed: Sequence[Manifest], name: str) -> list[tuple[Manifest, Mapping[str, Any]]]:
    """Raw configs for which something was asked for, with what came of it."""
    raw = [(manifest, manifest.details.get(name)) for manifest in listed if manifest.kind == "raw"]
    return [(manifest, details) for manifest, details in raw if isinstance(details, Mapping) and details]


def _mapping(details: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = details.get(name)
    return found if isinstance(found, Mapping) else {}


def _setting(value: object) -> str:
    return "" if value is True else str(value)


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "–"


def escape(text: str) -> str:
    """One line of text that Markdown and HTML show as it is, also inside a table."""
    line = _one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]()#+!|~$=-])", r"\\\1", line)


def fence(text: str) -> str:
    """A code block around the text, with a fence longer than any run of backticks in it."""
    lines = _CONTROL.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    longest = max(map(len, re.findall(r"`+", lines)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}text\n{lines}\n{ticks}"
