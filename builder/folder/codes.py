"""The codes that a card names languages and a licence by, as far as the Hub knows them.

Others are written as they are given: a code may be newer than this list. Told, never refused.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Final

# ISO 639-1. Codes of three letters (ISO 639-3) are some 8,000 and are not judged.
_TWO_LETTERS: Final = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de
dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id
ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu
lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu
rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to
tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
_LANGUAGES: Final = frozenset(_TWO_LETTERS.split())
_LANGUAGE: Final = re.compile(r"(?P<first>[a-z]{2,3})(-[A-Za-z0-9]{2,8})*|code|multilingual")
_LICENSE_NAMES: Final = """
afl-3.0 agpl-3.0 apache-2.0 apple-amlr apple-ascl artistic-2.0 bigcode-openrail-m bigscience-bloom-
rail-1.0 bigscience-openrail-m bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 c-uda cc cc-
by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-
nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0
cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0 creativeml-openrail-m deepfloyd-if-
license ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 fair-noncommercial-research-license
gemma gfdl gpl gpl-2.0 gpl-3.0 grok2-community h-research intel-research isc lgpl lgpl-2.1 lgpl-3.0
lgpl-lr llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl odc-by
ofl-1.1 openmdw-1.0 openrail openrail++ osl-3.0 other pddl postgresql unknown unlicense wtfpl zlib
"""
_LICENSES: Final = frozenset(_LICENSE_NAMES.split())


def tell_codes(languages: Sequence[str], license: str) -> list[str]:
    """A line for each code that the Hub does not know, with what may have been meant."""
    lines = [
        f"'{one}' is no code of a language that the Hub knows (as en or fr); the card names it as it is"
        for one in languages
        if not _is_language(one)
    ]
    if license and license not in _LICENSES:
        near = difflib.get_close_matches(license.casefold(), sorted(_LICENSES), n=2)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        lines.append(
            f"'{license}' is no licence that the Hub knows by its name{hint}; the card names it as it is"
            + ("" if hint else ", or say 'other'")
        )
    return lines


def _is_language(code: str) -> bool:
    found = _LANGUAGE.fullmatch(code)
    return found is not None and (len(found["first"] or "...") == 3 or found["first"] in _LANGUAGES)
