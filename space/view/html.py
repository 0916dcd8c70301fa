"""The one way text becomes HTML.

``gr.HTML`` shows its value as it is and reads ``{{...}}`` and ``${...}`` as templates, so both the
characters that matter to HTML and those that matter to the templates become references.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

_SPECIAL = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
    "{": "&#123;",
    "}": "&#125;",
    "$": "&#36;",
    "`": "&#96;",
    "\\": "&#92;",
}
_TO_REPLACE = re.compile("[" + re.escape("".join(_SPECIAL)) + "\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f]")


def text(value: object) -> str:
    """Any value as HTML text or attribute value; what HTML cannot carry becomes U+FFFD."""
    return _TO_REPLACE.sub(lambda found: _SPECIAL.get(found[0], "\ufffd"), str(value))


def without_places(note: str) -> str:
    """A message without the paths of files that lie on this machine only while a request is worked on."""
    for place in {tempfile.gettempdir(), str(Path(tempfile.gettempdir()).resolve())}:
        note = re.sub(rf"{re.escape(place)}/(context-synthesis-|gradio/)[^/'\"]*/?", "", note)
    return note
