"""A local Hub for tests: a real HTTP server on loopback, standard library only.

``LocalHub`` speaks the protocol that ``huggingface_hub`` and ``datasets`` speak, keeps
repositories with real commit histories in memory, and breaks on request.
"""

from .faults import Seen
from .server import LocalHub
from .store import Commit, File, Repo

__all__ = ["Commit", "File", "LocalHub", "Repo", "Seen"]
