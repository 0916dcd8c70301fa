"""Where a server is, and the key to it, which is shown nowhere."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
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
