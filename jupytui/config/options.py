"""What the command line asks of the full-screen program."""

from __future__ import annotations

from dataclasses import dataclass

from jupytui.config.model import Config
from jupytui.config.paths import Paths


@dataclass(frozen=True, slots=True)
class Options:
    """`hosts` empty means all; each name in it is in `config`. `read_only` leaves out what changes anything."""

    config: Config
    paths: Paths
    hosts: tuple[str, ...] = ()
    mouse: bool = True
    read_only: bool = False
