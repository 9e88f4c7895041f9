"""Every pane there is, by its digit. A new pane is one entry."""

from __future__ import annotations

from jupytui.ui.panes.base import Pane
from jupytui.ui.panes.fleet import FleetPane
from jupytui.ui.panes.kernels import KernelsPane

PANES: tuple[type[Pane], ...] = (FleetPane, KernelsPane)
