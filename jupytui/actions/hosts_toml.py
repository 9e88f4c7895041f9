"""Change hosts.toml, which is open in editors and other jupytuis meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from jupytui.actions.base import Context
from jupytui.config.load import load_config
from jupytui.config.model import Config
from jupytui.hosts.base import destination


def edit(context: Context, change: Callable[[Config], Config]) -> None:
    """Make `change` to the file as it is now, take over what it says, and watch the hosts listed since it was read.

    Raises ConfigError when the file cannot be read any more or written, and what `change` raises.
    """
    known = {entry.name for entry in context.config.watched()}
    context.config = change(load_config(context.config.path))
    new = [entry for entry in context.config.watched() if entry.name not in known]
    new = [entry for entry in new if context.fleet.store.host(entry.name) is None]
    for entry in new:
        context.fleet.add(destination(context.config, entry))
    context.fleet.start(entry.name for entry in new)
