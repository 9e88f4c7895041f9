"""What every command starts from: the paths in force and a hosts.toml that is wholly right."""

from __future__ import annotations

import os
from argparse import Namespace

from jupytui.config.load import load_config
from jupytui.config.model import Config
from jupytui.config.paths import Paths, find_paths, named_path
from jupytui.errors import ConfigError


def configured(arguments: Namespace) -> tuple[Paths, Config]:
    """Return the paths and the configuration.

    Raises ConfigError, also for a path that was named and is not there, and `[keys]` that the screen could not use.
    """
    if (named := named_path(arguments.config)) and not os.path.lexists(named):
        raise ConfigError(f"There is no {named}.", "Is the path right? An empty file there is a beginning.")
    paths = find_paths(arguments.config)
    config = load_config(paths.hosts)
    if config.keys:
        _check_keys(config)
    return paths, config


def _check_keys(config: Config) -> None:
    # The table of actions takes longer to import than the first paint may: only who changed keys waits for it.
    from jupytui.actions.table import ACTIONS
    from jupytui.ui.commands import COMMANDS
    from jupytui.ui.keys import build_keymap

    build_keymap(ACTIONS, COMMANDS, config)
