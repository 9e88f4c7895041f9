"""What hosts.toml says, as frozen values. Nothing here reads a file."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from jupytui.errors import UsageError

LOCAL = "local"


class Color(StrEnum):
    """How many colours may be used; `auto` asks the terminal."""

    AUTO = "auto"
    TRUECOLOR = "truecolor"
    C256 = "256"
    ANSI = "ansi"


class TunnelKind(StrEnum):
    """Which way a tunnel runs."""

    LOCAL = "local"
    REMOTE = "remote"
    SOCKS = "socks"
    PUBLIC = "public"


class HostEntry(Struct, frozen=True):
    """A host the user listed. `ssh` is whatever `ssh …` accepts, None for this machine; `watch` False hides it."""

    name: str
    ssh: str | None = None
    tags: tuple[str, ...] = ()
    watch: bool = True

    @property
    def is_local(self) -> bool:
        """Whether this is the machine we run on."""
        return self.ssh is None


class Settings(Struct, frozen=True):
    """The `[settings]` table. `refresh` is in seconds; `ssh_config` what `ssh -F` takes, None for ~/.ssh/config."""

    refresh: float = 3.0
    ssh_config: str | None = None
    color: Color = Color.AUTO
    theme: str | None = None


class TunnelEntry(Struct, frozen=True):
    """A tunnel the user listed: `to` is a port, host:port or /unix/socket on `host`; `local` a port or /unix/socket
    where it listens, or None.
    """

    name: str
    host: str
    to: str | None = None
    local: int | str | None = None
    kind: TunnelKind = TunnelKind.LOCAL
    up: bool = False


class Config(Struct, frozen=True):
    """A whole, valid hosts.toml. `source` is what was read (None: there is no file), so that an edit can tell whether
    the file is still the one that was read. `keys` is action id to key names.
    """

    path: Path
    source: bytes | None = None
    hosts: tuple[HostEntry, ...] = (HostEntry(LOCAL),)
    settings: Settings = Settings()
    keys: dict[str, tuple[str, ...]] = {}
    tunnels: tuple[TunnelEntry, ...] = ()

    def watched(self, only: Collection[str] = ()) -> tuple[HostEntry, ...]:
        """Return the hosts to look at: those in `only` in the file's order, else all that are not hidden.

        Raises UsageError for a name that is not listed.
        """
        if only:
            self._all_listed(only)
            return tuple(host for host in self.hosts if host.name in only)
        return tuple(host for host in self.hosts if host.watch)

    def _all_listed(self, names: Collection[str]) -> None:
        known = [host.name for host in self.hosts]
        for name in names:
            if name not in known:
                hint = did_you_mean(name, known) or f"Hosts listed: {', '.join(known)}."
                raise UsageError(f"There is no host {name!r} in {self.path}.", hint)


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Return "Did you mean X?" when `word` is close to one of `known`, else ""."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, 1)
    return f"Did you mean {close[0]}?" if close else ""
