"""Older releases of jupyter_server, each in an environment of its own."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.lab.jupyter import LOCK, VENV

__all__ = ["LOCK", "LOCKS", "VENV", "venv_of"]

LOCKS = {version: Path(__file__).with_name(f"server-{version}.lock") for version in ("2.7", "2.17")}


def venv_of(version: str) -> Path:
    """The environment of a release of `LOCKS`; the lab's own for any other. tests/run makes them."""
    lock = LOCKS.get(version)
    return VENV.with_name(hashlib.sha256(lock.read_bytes()).hexdigest()[:12]) if lock else VENV
