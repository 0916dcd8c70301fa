"""Snippets of other programs, for the repository around a pair's own: short, plain, of our own writing."""

from __future__ import annotations

import random

_PYTHON = (
    ("counting the NOUNs of a day", "def count_NOUNs(rows, day):\n    return sum(1 for row in rows if row.day == day)"),
    ("dropping empty NOUNs", "def drop_empty(NOUNs):\n    kept = [NOUN for NOUN in NOUNs if NOUN]\n    return kept"),
    ("the oldest NOUN", "def oldest(NOUNs):\n    return min(NOUNs, key=lambda NOUN: NOUN.year)"),
    ("a label for a NOUN", "def label(NOUN, width=@):\n    text = str(NOUN)\n    return text[:width].rjust(width)"),
    ("waiting for a NOUN", "while not NOUN.ready():\n    time.sleep(@)\nprint(\"NOUN ready\")"),
    ("splitting NOUNs by weight", "heavy = [NOUN for NOUN in NOUNs if NOUN.weight > @]\nlight = [NOUN for NOUN in NOUNs if NOUN.weight <= @]"),
    ("closing a NOUN", "def close(NOUN):\n    if NOUN.open:\n        NOUN.open = False\n        NOUN.log(\"closed\")"),
    ("the NOUN's name in capitals", "def titled(NOUN):\n    return NOUN.name.strip().upper()"),
)  # fmt: skip
_JAVASCRIPT = (
    ("hiding a NOUN", "const NOUN = document.querySelector('#NOUN');\nNOUN.hidden = true;"),
    ("counting NOUNs", "function countNOUNs(list) {\n  return list.filter((one) => one.kind === 'NOUN').length;\n}"),
    ("the last NOUN", "const last = NOUNs[NOUNs.length - 1];"),
    ("a timer for a NOUN", "setTimeout(() => {\n  NOUN.refresh();\n}, @ * 1000);"),
    ("storing a NOUN", "localStorage.setItem('NOUN', JSON.stringify(NOUN));"),
    ("a longer name for a NOUN", "const title = `${NOUN.name} (${NOUN.year})`;"),
)
_SQL = (
    ("NOUNs by town", "SELECT town, COUNT(*)\nFROM NOUNs\nGROUP BY town;"),
    ("taking out old NOUNs", "DELETE FROM NOUNs\nWHERE year < 19@;"),
    ("a table of NOUNs", "CREATE TABLE NOUNs (\n  id INTEGER PRIMARY KEY,\n  name TEXT NOT NULL\n);"),
    ("the heaviest NOUN", "SELECT name\nFROM NOUNs\nORDER BY weight DESC\nLIMIT 1;"),
    ("renaming a NOUN", "UPDATE NOUNs\nSET name = 'spare'\nWHERE id = @;"),
    ("NOUNs without a keeper", "SELECT NOUNs.name\nFROM NOUNs\nLEFT JOIN keepers ON keepers.id = NOUNs.keeper\nWHERE keepers.id IS NULL;"),
)  # fmt: skip
_HTML = (
    ("a heading for the NOUNs", "<h2>Our NOUNs</h2>"),
    ("a list of NOUNs", "<ul class=\"NOUNs\">\n  <li>the first NOUN</li>\n  <li>the other NOUN</li>\n</ul>"),
    ("a picture of the NOUN", "<img src=\"NOUN-@.png\" alt=\"the NOUN from the side\">"),
    ("a form for a NOUN", "<form action=\"/NOUN\">\n  <input name=\"weight\" size=\"@\">\n</form>"),
)
_SHELL = (
    ("moving the NOUN files", "mv NOUN-*.csv archive/"),
    ("the size of the NOUN folder", "du -sh NOUN/"),
    ("looking for a NOUN", "grep -rn NOUN notes/ | head -n @"),
    ("packing the NOUNs", "tar -czf NOUNs.tar.gz NOUNs/"),
    ("sorting the NOUN list", "sort -u NOUNs.txt > NOUNs.sorted"),
    ("who may read the NOUN", "chmod 640 NOUN.key"),
)
_ALL = {"python": _PYTHON, "javascript": _JAVASCRIPT, "sql": _SQL, "html": _HTML, "shell": _SHELL}
_NOUNS = ("barge", "crate", "parcel", "lantern", "ticket", "pallet", "wagon", "mooring", "permit", "buoy", "ferry", "seal")


def snippet(language: str, rng: random.Random) -> tuple[str, str]:
    """What it is for, and its lines; mostly in the language asked for."""
    pool = _ALL[language] if rng.random() < 0.7 else _ALL[sorted(_ALL)[int(rng.random() * len(_ALL))]]
    thing, code = pool[int(rng.random() * len(pool))]
    noun = _NOUNS[int(rng.random() * len(_NOUNS))]
    number = str(13 + int(rng.random() * 80))
    return thing.replace("NOUN", noun), code.replace("NOUN", noun).replace("@", number)
