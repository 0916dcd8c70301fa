"""Which contexts of a run stay in its dataset: thresholds, leaks, length, language, near-duplicates.

``Rules`` judges one context, ``Sketches`` finds those that nearly repeat one another, ``sift``
does both for a whole run, together with the check against benchmarks.
"""

from synthesis.filters.near import Sketches, Twin
from synthesis.filters.rules import Rules
from synthesis.filters.sifting import Drop, Settings, Sifted, sift

__all__ = ["Drop", "Rules", "Settings", "Sifted", "Sketches", "Twin", "sift"]
