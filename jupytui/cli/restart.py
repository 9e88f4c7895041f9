"""`jupytui restart SERVER [--yes]`."""

from __future__ import annotations

from argparse import Namespace

from jupytui.actions.lifecycle import RESTART
from jupytui.cli.lifecycle import configure, run_action

__all__ = ["configure", "run"]


def run(arguments: Namespace) -> int:
    """Carry it out."""
    return run_action(RESTART, arguments)
