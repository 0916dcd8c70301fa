"""The report as one HTML page: nothing outside of it is asked for, no text in it can be markup.

Turns what was measured into what the template shows. Everything of users goes through the
template engine's escaping, and a policy in the page forbids scripts and requests besides.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from builder.folder.card import contamination, filters, made_of, reasons
from builder.folder.schema import Row
from builder.folder.statistics import shorten
from builder.folder.versions import Manifest
from builder.report.collect import DepthLine, RawPart
from builder.resources import page_template
from synthesis.wording import readable_size

MARK = "context-synthesis report"
_PASSAGE = 800  # characters of an instruction or answer
_SHOWN = 24_000  # characters of the sample's context around its evidence
# Control characters have no place in HTML; direction overrides would turn the lines around them.
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")


class Passage(NamedTuple):
    """A run of a text; ``what`` it states, if it is evidence."""

    text: str
    what: str | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture with its file name and what it shows, in words."""

    file: str
    alt: str
    png: bytes

    @property
    def address(self) -> str:
        """The picture itself, as an address inside the page."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class Findings:
    """All that a report is made of; ``run`` is the manifest of the run's folder, if there is one."""

    name: str
    run: Mapping[str, Any]
    manifests: Sequence[Manifest]
    raws: Sequence[RawPart]
    depths: Sequence[DepthLine]
    figures: Sequence[Figure]


def render(found: Findings) -> str:
    """The page; the same findings give the same text."""
    rejected = [manifest for manifest in found.manifests if manifest.kind == "rejected"]
    return fill(
        "report.html",
        mark=MARK,
        title=f"{found.name}: report",
        name=found.name,
        counts=_counts(found),
        made=_made(found),
        configs=[_config(manifest) for manifest in found.manifests],
        rejected=[line for manifest in rejected for line in reasons(manifest)],
        filters=filters(found.manifests),
        contamination=contamination(found.manifests),
        raws=[{"part": part, "pieces": pieces(part.sample)} for part in found.raws],
        depths=found.depths,
        figures=found.figures,
    )


def fill(template: str, **values: Any) -> str:
    """A page from its template; whatever is filled in is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(page_template),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        plain=plain, size=readable_size, number=told_number, score=told_score, short=_short
    )
    return environment.get_template(template).render(**values)


def plain(value: object) -> str:
    """Text without what does not belong into a page; escaping is the template's."""
    return _UNFIT.sub("\ufffd", str(value))


def pieces(row: Row) -> list[Passage]:
    """The context of a row, cut where its evidence begins and ends; long fillers are shortened."""
    text, spans = row["context"], sorted((s["start"], s["end"], s["what"]) for s in row["evidence"] or ())
    room = _SHOWN // (len(spans) + 1)
    cut, at = list[Passage](), 0
    for start, end, what in spans:
        start = max(start, at)  # spans may overlap
        if end > start:
            cut += [Passage(_shortened(text[at:start], room), None), Passage(text[start:end], what)]
            at = end
    cut.append(Passage(_shortened(text[at:], room), None))
    return [piece for piece in cut if piece.text]


def _shortened(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    return f"{text[: room // 2]}\n[... {len(text) - room:,} characters ...]\n{text[-(room // 2) :]}"


def _counts(found: Findings) -> list[tuple[str, str]]:
    """The row of large numbers at the top."""
    newest = found.manifests
    kinds = {
        kind: sum(one.rows for one in newest if one.kind == kind)
        for kind in ("raw", "chat", "rl", "rejected")
    }
    raw = sorted({made_of(one) for one in newest if one.kind == "raw"})
    shown = [
        (" and ".join(raw) or "contexts", kinds["raw"]),
        ("samples", kinds["chat"] or kinds["rl"]),
        ("rejected", kinds["rejected"]),
    ]
    told = [(label, f"{rows:,}") for label, rows in shown]
    scored = [
        one.statistics["coherence"] for one in newest if one.kind == "raw" and "coherence" in one.statistics
    ]
    if scored:
        mean = sum(one["total"] for one in scored) / sum(one["count"] for one in scored)
        told.append(("mean coherence", f"{mean:.3f}"))
    if isinstance(found.run.get("seconds"), int | float):
        told.append(("last run", _duration(found.run["seconds"])))
    return told


def _made(found: Findings) -> list[tuple[str, str]]:
    """How the run was configured; without a run, how the first config was made."""
    facts = found.run or (found.manifests[0].facts if found.manifests else {})
    skipped = {"configs", "language", "seconds"}
    return [
        (key.replace("_", " "), told) for key in sorted(facts.keys() - skipped) if (told := _told(facts[key]))
    ]


def _told(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {told}" for key, item in sorted(value.items()) if (told := _told(item)))
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(_told, value)))
    return "" if value is None else str(value)


def _config(manifest: Manifest) -> dict[str, Any]:
    statistics = manifest.statistics
    return {
        "name": manifest.config,
        "kind": manifest.kind,
        "version": manifest.version,
        "rows": manifest.rows,
        "tokens": statistics.get("tokens"),
        "budget": statistics.get("budget"),
        "coherence": statistics.get("coherence", {}).get("mean"),
        "bytes": manifest.bytes,
    }


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _short(text: str) -> str:
    return shorten(text, _PASSAGE)


def told_number(value: float | None) -> str:
    """A count, or a dash for none."""
    return "–" if value is None else f"{value:,.0f}"


def told_score(value: float | None) -> str:
    """A share or score to three digits, or a dash for none."""
    return "–" if value is None else f"{value:.3f}"
