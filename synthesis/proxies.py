"""The proxies that the environment names, looked at before a client trips over one.

Whatever speaks HTTP here (servers, the Hub) takes them from the same variables. Opens no connection.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from urllib.parse import urlsplit

from synthesis.errors import ConfigError


def check_proxies() -> None:
    """Look at the proxies that the environment names for all that speak HTTP.

    Raises:
        ConfigError: one of them cannot be used; says which variable names it, and never what it holds.
    """
    for scheme in ("http", "https", "all"):
        for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY"):
            if proxy := os.environ.get(name, "").strip():
                _check_proxy(name, proxy)


def _check_proxy(name: str, proxy: str) -> None:
    advice = f"the environment variable {name}: write it as in http://localhost:3128, or unset it"
    try:
        # As most programs have it, a bare host is one that speaks HTTP.
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not proxy.isascii() or any(c.isspace() for c in proxy):
        raise ConfigError(f"no address of a proxy stands in {advice}")
    if parts.scheme not in ("http", "https", "socks5", "socks5h"):
        raise ConfigError(f"'{parts.scheme}' is no kind of proxy that can be used, in {advice}")
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ConfigError(
            f"the environment variable {name} names a SOCKS proxy, for which the package 'socksio' is "
            "missing: pip install 'httpx[socks]', or unset the variable"
        )
