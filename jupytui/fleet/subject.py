"""What an action is about: a place in the fleet, named by keys so that it stays true while views are replaced."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from jupytui.errors import JupytuiError
from jupytui.fleet.models import HostView
from jupytui.fleet.store import Store
from jupytui.jupyter.models import Kernel, Server


class Scope(IntEnum):
    """How much of the fleet: each one lies within the one before."""

    FLEET = 0
    HOST = 1
    SERVER = 2
    KERNEL = 3
    TUNNEL = 4  # beside all of these: what is done to a host is not done to a tunnel

    def lies_in(self, wider: Scope) -> bool:
        """Whether a thing of this scope lies within one of `wider`."""
        return wider in {Scope.TUNNEL, Scope.FLEET} if self is Scope.TUNNEL else wider <= self


class Gone(JupytuiError):
    """The thing meant is not there any more."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A host, a server of it (by id) or a kernel of that (by id), or a tunnel to it; nothing is the whole fleet.

    `unit` ("user:x.service") says which service of the host is meant; it makes nothing narrower.
    """

    host: str | None = None
    server: str | None = None
    kernel: str | None = None
    unit: str | None = None
    tunnel: str | None = None

    @property
    def scope(self) -> Scope:
        """The narrowest thing named."""
        if self.tunnel is not None:
            return Scope.TUNNEL
        return Scope(sum(part is not None for part in (self.host, self.server, self.kernel)))

    def at(self, scope: Scope) -> Subject:
        """Widen to `scope`: the server of a kernel, the host of a server. A unit stays with its host."""
        if scope is Scope.TUNNEL:
            return self
        if scope is Scope.HOST:
            return Subject(self.host, unit=self.unit)
        parts = (self.host, self.server, self.kernel)
        return Subject(*parts[: int(scope)])

    def host_in(self, store: Store) -> HostView:
        """Return the host meant. Raises Gone."""
        view = store.host(self.host) if self.host is not None else None
        if view is None:
            raise Gone(f"{self.host or 'The host'} is not in the fleet any more.")
        return view

    def server_in(self, store: Store) -> Server:
        """Return the server meant. Raises Gone."""
        server = store.server(self.host or "", self.server or "")
        if server is None:
            raise Gone(f"{self.server or 'The server'} has gone.")
        return server

    def kernel_in(self, store: Store) -> Kernel:
        """Return the kernel meant. Raises Gone."""
        kernel = store.kernel(self.host or "", self.server or "", self.kernel or "")
        if kernel is None:
            raise Gone("The kernel has gone.", "It may have been shut down elsewhere.")
        return kernel
