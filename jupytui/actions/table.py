"""Every verb there is. A new action is one entry in one of these modules; nothing else has to know of it."""

from __future__ import annotations

from jupytui.actions import (
    certs,
    deaths,
    doctor,
    environments,
    hosts,
    kernels,
    launch,
    lifecycle,
    lingering,
    open,
    passwords,
    presets,
    servers,
    services,
    settings,
    share,
    tunnels,
    units,
)
from jupytui.actions.base import Action

ACTIONS: tuple[Action, ...] = (
    *hosts.ACTIONS,
    *launch.ACTIONS,
    *open.ACTIONS,
    *servers.ACTIONS,
    *lifecycle.ACTIONS,
    *services.ACTIONS,
    *lingering.ACTIONS,
    *units.ACTIONS,
    *environments.ACTIONS,
    *kernels.ACTIONS,
    *deaths.ACTIONS,
    *certs.ACTIONS,
    *passwords.ACTIONS,
    *share.ACTIONS,
    *tunnels.ACTIONS,
    *settings.ACTIONS,
    *presets.ACTIONS,
    *doctor.ACTIONS,
)

BY_ID = {action.id: action for action in ACTIONS}
