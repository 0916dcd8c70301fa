"""One card out of two: the repository's and ours, so that nothing of others is lost."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatch
from typing import Any

from builder.folder.card import MARKER, NOTES, kept_notes
from synthesis.errors import UsageError

BEGIN = "<!-- context-synthesis: written by this tool from here -->"
END = "<!-- context-synthesis: to here -->"
Meta = dict[str, Any]
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n(?P<yaml>.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_TABLES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".arrow", ".xml", ".zip", ".gz", ".zst", ".tar")
_UNITED = ("tags", "language", "task_categories")


def split_card(text: str, place: str) -> tuple[Meta, str]:
    """A card's metadata and the rest of it.

    Raises:
        UsageError: The metadata cannot be read; ``place`` says whose it is.
    """
    import yaml  # type: ignore[import-untyped]

    found = _FRONT.match(text)
    if not found:
        return {}, text.removeprefix("\ufeff")
    try:
        values = yaml.load(found["yaml"], Loader=_loader())
    except RecursionError:
        values = "it is nested too deeply"
    # Values that only look like dates and numbers raise what their parsers raise.
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, OverflowError) as error:
        values = " ".join(str(error).split())[:300]
    if values is None:
        values = {}
    entries = values.get("configs", []) if isinstance(values, dict) else None
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and "config_name" in entry for entry in entries
    ):
        detail = values if isinstance(values, str) else "it is not a mapping with a list of configs"
        raise UsageError(f"The metadata of {place} cannot be read ({detail}). Mend it there, then run again.")
    return values, text[found.end() :]


def card_text(content: bytes, repo_id: str) -> str:
    """A card's bytes as text.

    Raises:
        UsageError: They are not UTF-8, so that they could not be written back as they were.
    """
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    raise UsageError(
        f"Line {line} of README.md in {repo_id} is not UTF-8, so `datasets` cannot read it either. "
        "Save it as UTF-8 there, then run again."
    )


def _loader() -> Any:
    """YAML 1.1 takes the language code ``no`` for False; cards mean the word."""
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        pass

    words = dict(yaml.SafeLoader.yaml_implicit_resolvers)
    for first in "yYnNoO":
        words[first] = [rule for rule in words.get(first, []) if not rule[0].endswith(":bool")]
    Loader.yaml_implicit_resolvers = words
    return Loader


def is_ours(card: str | None) -> bool:
    """Whether the whole card may be written anew: there is none, it is empty, or this tool's."""
    if card is None:
        return True
    body = _FRONT.sub("", card).strip()
    return not body or (MARKER in body and BEGIN not in body)


def merge_card(
    existing: str | None, ours: str, *, known: Collection[str], inferred: Meta | None, stated: Collection[str]
) -> str:
    """The card to publish.

    Args:
        existing: The repository's card, if it has one.
        ours: Our card for everything of ours in the repository.
        known: Names of configs that this tool has published there before.
        inferred: A config to add for data that had been found without any.
        stated: Metadata keys that the publisher gave on purpose; they win on a card of ours.

    Raises:
        UsageError: The card cannot be read, or a config of ours has the name of another's.
    """
    our_meta, our_body = split_card(ours, "the new card")
    meta, body = split_card(existing or "", "the repository's README.md")
    others = [*meta.get("configs", []), *([inferred] if inferred else [])]
    configs = merge_configs(others, our_meta.get("configs", []), known)
    merged = _merge_keys(meta, our_meta, (*stated, "size_categories") if is_ours(existing) else ())
    if configs:
        merged["configs"] = configs
    if is_ours(existing):
        theirs, local = kept_notes(body), kept_notes(our_body)
        notes = [note for note in (theirs, "" if local in theirs else local) if note]
        head = our_body[: our_body.rindex(NOTES) + len(NOTES)]
        text = "\n\n".join([head, *notes]).strip("\n") + "\n"
    else:
        text = _with_section(body, _section(our_body))
    return f"---\n{_dump(merged)}---\n{text}"


def merge_configs(others: Sequence[Meta], ours: Sequence[Meta], known: Collection[str]) -> list[Meta]:
    """All configs; what `load_dataset(repo)` means without a name stays what it was.

    Ours come first: `datasets` takes the format of all files from the first config.
    """
    names = {entry["config_name"] for entry in ours}
    for entry in others:
        name = str(entry["config_name"])
        if name in names and re.sub(r"-v\d+\.\d+\.\d+$", "", name) not in known:
            raise UsageError(
                f"The repository has a config '{name}' that this tool did not publish. "
                "Build yours under another name (--name), or publish to another repository."
            )
    entries = [*ours, *(entry for entry in others if entry["config_name"] not in names)]
    default = _default_of(others) or _default_of(ours)
    result = []
    for entry in entries:
        plain = {key: value for key, value in entry.items() if key != "default"}
        # One called "default" is the default already; `datasets` refuses to have two.
        if plain["config_name"] == default != "default":
            plain["default"] = True
        result.append(plain)
    return result


def _default_of(entries: Sequence[Meta]) -> str | None:
    for entry in entries:
        if entry.get("default") or entry["config_name"] == "default" or len(entries) == 1:
            return str(entry["config_name"])
    return None


def needs_inference(existing: str | None, files: Collection[str]) -> bool:
    """Whether data is there that `datasets` finds only as long as the card lists no configs.

    Raises:
        UsageError: There are tables of another format. `datasets` reads a whole repository
            with one reader, so configs of Parquet beside them would end their loading.
    """
    meta, _ = split_card(existing or "", "the repository's README.md")
    entries = meta.get("configs", [])
    for entry in entries:
        _check_format([path for path in files if _matches(path, entry)], str(entry["config_name"]))
    if entries:
        return False
    foreign = [path for path in files if not path.startswith(("manifests/", "figures/", "."))]
    _check_format(foreign, "default")
    return any(path.endswith(".parquet") for path in foreign)


def _check_format(paths: Collection[str], config: str) -> None:
    tables = sorted(path for path in paths if path.endswith(_TABLES))
    if tables and not any(path.endswith(".parquet") for path in paths):
        raise UsageError(
            f"The repository's config '{config}' is read from files such as '{tables[0]}'. All configs of a "
            "repository must have one format, and ours are Parquet: theirs could not be loaded any more. "
            "Publish to a repository of its own."
        )


def _matches(path: str, entry: Mapping[str, Any]) -> bool:
    root = str(entry.get("data_dir") or "").strip("./")
    return any(
        fnmatch(path, f"{root}/{pattern}".strip("/")) for pattern in _patterns(entry.get("data_files", "*"))
    )


def _patterns(value: object) -> list[str]:
    if isinstance(value, list):
        return [pattern for item in value for pattern in _patterns(item)]
    if isinstance(value, dict):
        return _patterns(value.get("path", list(value.values())))
    return [str(value)]


def _merge_keys(meta: Meta, ours: Meta, stated: Collection[str]) -> Meta:
    merged = dict(meta)
    for key, value in ours.items():
        if key in _UNITED and key in meta:
            merged[key] = list(dict.fromkeys([*_as_list(meta[key]), *_as_list(value)]))
            if merged[key] == _as_list(meta[key]):
                merged[key] = meta[key]
        elif key not in meta or key in stated:
            merged[key] = value
    return merged


def _as_list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


def _dump(meta: Meta) -> str:
    from huggingface_hub.utils import yaml_dump  # type: ignore[attr-defined]

    return str(yaml_dump(meta, sort_keys=False))


def _with_section(body: str, section: str) -> str:
    block = f"{BEGIN}\n{section}\n{END}"
    if BEGIN not in body:
        return f"{body.rstrip()}\n\n{block}\n"
    head, _, rest = body.partition(BEGIN)
    _, closed, tail = rest.partition(END)
    if not closed:
        raise UsageError(
            f"The repository's README.md lacks the line '{END}' that closes our section. "
            "Put it back, then run again."
        )
    return head + block + tail


def _section(body: str) -> str:
    """Our card as a part of another: one level lower, its notes last."""
    head, _, notes = body.rpartition(NOTES)
    lines = []
    fence = ""
    for line in head.replace(MARKER, "").strip().splitlines():
        ticks = re.match(r"`{3,}", line)
        if ticks and not fence:
            fence = ticks[0]
        elif fence and line.strip() == fence:
            fence = ""
        lines.append(f"#{line}" if line.startswith("#") and not fence else line)
    text = "\n".join(lines).strip()
    if notes.strip():
        return f"{text}\n\n{notes.strip()}"
    return re.sub(r"\n+### Notes$", "", text)
