"""Where our files are: the configuration the user writes, and what the program keeps for itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import PlatformDirs

HOSTS_FILE = "hosts.toml"


@dataclass(frozen=True, slots=True)
class Paths:
    """`hosts` is the file the user owns; `cache`, `state` and `logs` are directories of ours. None need exist."""

    hosts: Path
    cache: Path
    state: Path
    logs: Path


def find_paths(config: str | None = None, environ: Mapping[str, str] = os.environ) -> Paths:
    """Return the paths in force: `config` (the `--config` option) beats `JUPYTUI_CONFIG`, which beats the platform's.

    What either names is hosts.toml itself when it ends in .toml or is a file, else the directory that holds it.
    """
    dirs = PlatformDirs("jupytui", appauthor=False)
    named = named_path(config, environ)
    return Paths(
        hosts=_hosts_file(named) if named else dirs.user_config_path / HOSTS_FILE,
        cache=dirs.user_cache_path,
        state=dirs.user_state_path,
        logs=dirs.user_log_path,
    )


def named_path(config: str | None = None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return what `--config`, or else `JUPYTUI_CONFIG`, names; None when neither does."""
    named = config or environ.get("JUPYTUI_CONFIG")
    return Path(named).expanduser().absolute() if named else None


def _hosts_file(named: Path) -> Path:
    if named.suffix == ".toml" or (named.exists() and not named.is_dir()):
        return named
    return named / HOSTS_FILE


def private_directory(path: Path) -> Path:
    """Return `path`, made with its missing parents if need be, 0700 each; one that is there stays as it is."""
    if not path.is_dir():
        if path.parent != path:
            private_directory(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
    return path
