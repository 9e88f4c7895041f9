"""Puts the STAND-IN agent where a test wants an `ngrok`."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from jupytui.tunnels.models import Status, TunnelState
from tests.tunnels.public import stand_in_ngrok_agent

MARKER = "2tokenMARKERtoken_9f8e7d6c5b4a"


def place_stand_in(directory: Path, **settings: object) -> Path:
    """Return an executable named ngrok that is the stand-in; `set_stand_in` changes what the next start does."""
    directory.mkdir(parents=True, exist_ok=True)
    binary = directory / "ngrok"
    set_stand_in(binary, **settings)
    words = (sys.executable, stand_in_ngrok_agent.__file__, str(directory / "settings.json"))
    binary.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    binary.chmod(0o700)
    return binary


def set_stand_in(binary: Path, **settings: object) -> None:
    (binary.parent / "settings.json").write_text(json.dumps(settings))


class Statuses:
    """Each status that was told, and waiting for one."""

    def __init__(self) -> None:
        self.all: list[Status] = []
        self._new = asyncio.Event()

    def __call__(self, status: Status) -> None:
        self.all.append(status)
        self._new.set()

    async def until(self, wanted: Callable[[Status], bool] | TunnelState, seconds: float = 30) -> Status:
        """Wait until the last status is one that is `wanted`."""
        async with asyncio.timeout(seconds):
            while not (self.all and self._is(self.all[-1], wanted)):
                self._new.clear()
                await self._new.wait()
        return self.all[-1]

    def _is(self, status: Status, wanted: Callable[[Status], bool] | TunnelState) -> bool:
        return status.state is wanted if isinstance(wanted, TunnelState) else wanted(status)
