"""Every pane there is, by its digit. A new pane is one entry; its module is imported when it is first shown."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

from jupytui.fleet.subject import Scope

if TYPE_CHECKING:
    from jupytui.ui.panes.base import Pane


class PaneEntry(NamedTuple):
    """A pane: `place` is `module:Class`; its digit narrows it to what is selected in the fleet, at most to `scope`.

    One that is about a single server is narrowed to what is selected in any pane.
    """

    digit: str
    title: str
    place: str
    scope: Scope = Scope.SERVER
    single: bool = False

    def make(self) -> Pane:
        """Return a new pane."""
        module, _, name = self.place.partition(":")
        return cast("Pane", getattr(import_module(module), name)())


PANES = (
    PaneEntry("1", "Fleet", "jupytui.ui.panes.fleet:FleetPane", Scope.FLEET),
    PaneEntry("2", "Kernels", "jupytui.ui.panes.kernels:KernelsPane"),
    PaneEntry("3", "Logs", "jupytui.ui.panes.logs:LogsPane", single=True),
    PaneEntry("4", "Services", "jupytui.ui.panes.services:ServicesPane"),
    PaneEntry("5", "Tunnels", "jupytui.ui.panes.tunnels:TunnelsPane", Scope.HOST),
    PaneEntry("6", "Passwords", "jupytui.ui.panes.passwords:PasswordsPane"),
    PaneEntry("7", "Certificates", "jupytui.ui.panes.certs:CertificatesPane"),
    PaneEntry("8", "Settings", "jupytui.ui.panes.settings:SettingsPane", single=True),
    PaneEntry("9", "Doctor", "jupytui.ui.panes.doctor:DoctorPane"),
)
