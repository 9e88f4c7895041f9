"""A URL, taken apart once."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from jupytui.errors import UsageError
from jupytui.text import clean_line

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9._:-]{1,253}")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: `host` without brackets, `base_url` with a slash at both ends."""

    scheme: str
    host: str
    port: int
    base_url: str = "/"

    @classmethod
    def parse(cls, url: str) -> Target:
        """Read a URL; https where none is named; what follows the path (a token) is dropped. Raises UsageError."""
        try:
            parts = urlsplit(url if "://" in url else f"https://{url}")
            port = parts.port
        except ValueError:
            raise UsageError(f"{clean_line(url, 80)} is no address with a valid port.") from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise UsageError("That is no address of a web page.", "It should look like https://lab.example.org/.")
        host = _ascii(parts.hostname)
        return cls(parts.scheme, host, port or _PORTS[parts.scheme], _base(parts.path))

    @property
    def tls(self) -> bool:
        """Whether it is https."""
        return self.scheme == "https"

    @property
    def address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """The host, where it is an IP address."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def loopback(self) -> bool:
        """Whether it is the very machine that asks."""
        return self.host == "localhost" or bool(self.address and self.address.is_loopback)

    @property
    def netloc(self) -> str:
        """The Host header as a browser sends it: without the scheme's own port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The Origin header as a browser sends it."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def url(self) -> str:
        """The address in whole."""
        return self.origin + self.base_url


def _ascii(host: str) -> str:
    try:
        name = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        name = ""
    if not _HOST.fullmatch(name):
        raise UsageError(f"{clean_line(host, 80)} is no name a machine can have.")
    return name


def _base(path: str) -> str:
    # People paste what the browser shows: /lab, /tree and /login are pages of the server, not where it lives.
    words = [word for word in path.split("/") if word]
    for page in ("lab", "tree", "login"):
        if page in words:
            words = words[: words.index(page)]
    path = "/" + "".join(f"{word}/" for word in words)
    if not path.isascii() or not path.isprintable() or " " in path:
        raise UsageError("The path of that address must be written with percent signs.")
    return path
