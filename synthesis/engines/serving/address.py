"""Where a server is, and the key to it, which is shown nowhere."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from urllib.parse import urlsplit

from synthesis.errors import ConfigError

_KEY = re.compile("[!-~]+")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where the server is and which environment variable holds the key to it.

    The key is read from the environment each time it is needed and kept nowhere; ``own`` is one that
    is held here instead. ``timeout`` is in seconds, for one try.
    """

    base_url: str
    key_env: str
    timeout: float
    own: str | None = field(default=None, repr=False)

    @property
    def secret(self) -> str:
        """The key; empty if there is none."""
        return (os.environ.get(self.key_env, "") if self.own is None else self.own).strip()

    def sendable(self) -> str:
        """The key, fit for a header.

        One that is not makes the transport fail with the header, key and all, in its words or in
        the variables that some loggers print.

        Raises:
            ConfigError: it holds spaces, line breaks or characters beyond ASCII.
        """
        if self.secret and not _KEY.fullmatch(self.secret):
            raise ConfigError(
                f"the key for {self.base_url} holds a space, a line break or a letter that no key can have; "
                f"set the environment variable {self.key_env} again, to the key and nothing else"
            )
        return self.secret


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


def checked_address(url: str, key_env: str, timeout: float) -> ServerAddress:
    """The address, if it can be one.

    Raises:
        ConfigError: the address or the key cannot be used.
    """
    if not isinstance(url, str):
        raise ConfigError(f"base_url is {url!r}; write it as in http://localhost:8000/v1")
    url = url.rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(f"base_url '{url}' is not an address; write it as in http://localhost:8000/v1")
    if parts.username or parts.password or parts.query:
        raise ConfigError(
            f"base_url for {parts.hostname} holds more than an address; put the key into the environment "
            f"variable {key_env} and leave user, password and query out"
        )
    address = ServerAddress(url, key_env, timeout)
    address.sendable()
    return address
