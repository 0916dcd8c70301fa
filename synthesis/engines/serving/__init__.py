"""What engines behind a server share, whatever protocol it speaks.

``engine`` is the base of such engines; ``address`` where a server is and with what key;
``failures`` what went wrong and whether to try again; ``asking`` one question until it is
answered or given up; ``pace`` how many requests at once; ``session`` the event loop behind the
synchronous iterators; ``advice`` what to tell the user. Only the standard library is needed.
"""

from __future__ import annotations

from synthesis.engines.serving.failures import Failure, Kind, ServerError

__all__ = ["Failure", "Kind", "ServerError"]
