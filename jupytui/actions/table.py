"""Every verb there is. A new action is one entry in one of these modules; nothing else has to know of it."""

from __future__ import annotations

from jupytui.actions import deaths, environments, hosts, kernels, launch, lifecycle, lingering, servers, services, units
from jupytui.actions.base import Action

ACTIONS: tuple[Action, ...] = (
    *hosts.ACTIONS,
    *launch.ACTIONS,
    *servers.ACTIONS,
    *lifecycle.ACTIONS,
    *services.ACTIONS,
    *lingering.ACTIONS,
    *units.ACTIONS,
    *environments.ACTIONS,
    *kernels.ACTIONS,
    *deaths.ACTIONS,
)

BY_ID = {action.id: action for action in ACTIONS}
