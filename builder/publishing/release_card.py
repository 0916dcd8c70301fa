"""The card of a release: everything of ours that the repository holds after it, on one page.

Renders from the manifests of both sides and merges the page into the card that is there.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from builder.card import kept_notes, render_card
from builder.publishing.merge import Meta, is_ours, merge_card, split_card
from builder.publishing.sides import CARD, Remote, Source, merged_versions
from builder.versions import manifest_path

UNNAMED = "Context synthesis dataset"  # the title of a card whose publisher gave none
_CARD_FACTS = ("license", "language", "pretty_name", "tags")


def release_card(source: Source, remote: Remote, *, repo_id: str, inferred: Meta | None) -> str:
    """The card for all that is ours in the repository after this commit, merged into the one there."""
    both = merged_versions(source, remote)
    meta, _ = split_card(remote.card or "", f"README.md of {repo_id}")
    ours = is_ours(remote.card)
    # From the card of the folder: a build that changes nothing else writes these there only.
    given, _ = split_card(source.card, f"'{source.folder / CARD}'")
    facts: dict[str, Any] = {name: given[name] for name in _CARD_FACTS if given.get(name)}
    if facts.get("pretty_name") == UNNAMED:
        del facts["pretty_name"]
    stated = tuple(facts.keys() - {"language", "tags"})
    kept = ("license", "pretty_name") if ours else ("license",)
    facts = {name: meta[name] for name in kept if meta.get(name)} | facts | {"repo_id": repo_id}
    with tempfile.TemporaryDirectory() as scratch:
        stage = Path(scratch)
        for manifest in (one for versions in both.values() for one in versions):
            path = manifest_path(stage, manifest.config, manifest.version)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(replace(manifest, published=True).to_json(), encoding="utf-8")
        (stage / "figures").mkdir()
        for name in _figures(source, remote):
            (stage / "figures" / name).touch()
        text = render_card(stage, [versions[-1] for versions in both.values()], facts)
    text += kept_notes(source.card)
    return merge_card(remote.card, text, known=remote.manifests.keys(), inferred=inferred, stated=stated)


def _figures(source: Source, remote: Remote) -> set[str]:
    # Pictures of a repository that is not ours are not ours to show.
    owned = remote.snapshot.files if remote.manifests else ()
    theirs = {Path(path).name for path in owned if Path(path).match("figures/*.png")}
    return theirs | {figure.name for figure in source.figures}
