"""Asks the resident shell for a look, and keeps what needs to be told only once."""

from __future__ import annotations

import secrets
import shlex
import time
from functools import cache
from importlib.resources import files

import msgspec

from jupytui.fleet.facts import Facts, learn
from jupytui.fleet.sections import parse_look
from jupytui.fleet.servers import is_coming_up
from jupytui.hosts.base import HostState, HostTrouble, Shell
from jupytui.jupyter.process import kernel_of

DEADLINE = 10.0
_DISK_EVERY = 10  # looks
_SAME = 5.0  # seconds by which clocks may differ that are called the same
_MOST = 2**33  # unix seconds: the year 2242


class Survey:
    """The looks through one resident shell; a new shell means a new Survey."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._looks = 0
        self._told: tuple[str, ...] = ()
        self.facts = Facts()

    async def look(self, shell: Shell) -> Facts:
        """Look once; one question, two where a running Jupyter names a directory that is new to us.

        Raises HostTrouble, DeadlineError.
        """
        facts = await self._ask(shell, self._flags())
        if runtime_dirs(facts) != self._told:
            again = await self._ask(shell, "f")
            # Rates over the moment between two questions would be noise.
            facts = self.facts = msgspec.structs.replace(again, before=facts.before)
        return facts

    def _flags(self) -> str:
        first = "a" if self._looks == 0 else "w"
        again = ("f" if self.facts.unread else "") + ("s" if is_coming_up(self.facts) else "")
        return first + ("d" if self._looks % _DISK_EVERY == 0 else "") + again

    async def _ask(self, shell: Shell, flags: str) -> Facts:
        self._told = runtime_dirs(self.facts)
        nonce = secrets.token_hex(12)
        call = shlex.join(["jt_look", nonce, flags, *self._told]).encode("utf-8", "surrogateescape")
        asked = time.time()
        answer = await shell.ask((source() if self._looks == 0 else b"") + call, DEADLINE)
        look = parse_look(answer, nonce)
        if not look.complete:
            raise HostTrouble(
                HostState.DOWN, f"The answer of {self._name} was cut short.", "Its /bin/sh may be unusual."
            )
        self._looks += 1
        self.facts = learn(self.facts, look)
        if look.machine:
            ahead = clock_ahead(look.machine.clock, asked, time.time())
            self.facts = msgspec.structs.replace(self.facts, ahead=ahead)
        return self.facts


def clock_ahead(theirs: int, asked: float, answered: float) -> float:
    """Return by how many seconds a clock is ahead of ours that said `theirs` between the two moments, all unix seconds.

    0 where it may be right: it is read in whole seconds, and ages that move with each connection are of no use.
    """
    if not 0 < theirs < _MOST:
        return 0.0
    ahead = theirs - min(max(theirs, asked), answered)
    return float(round(ahead)) if abs(ahead) >= _SAME else 0.0


@cache
def source() -> bytes:
    """Return survey.sh without its comment lines: it crosses every connection once."""
    lines = files("jupytui.fleet").joinpath("survey.sh").read_bytes().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.lstrip().startswith(b"#"))


def runtime_dirs(facts: Facts) -> tuple[str, ...]:
    """Return where the servers and kernels that run keep their files, as far as they say so.

    A server by its environment (jupyter_core.paths.jupyter_runtime_dir), a kernel by where its connection file is.
    """
    found: dict[str, None] = {}
    for detail in facts.details.values():
        if kernel := kernel_of(detail.argv):
            found[kernel[1]] = None
        for name, below in _DIRECTORIES.items():
            if value := detail.env.get(name):
                found[value.rstrip("/") + below] = None
    return tuple(sorted(path for path in found if path.startswith("/") and "\n" not in path))[:32]


_DIRECTORIES = {
    "JUPYTER_RUNTIME_DIR": "",
    "JUPYTER_DATA_DIR": "/runtime",
    "XDG_DATA_HOME": "/jupyter/runtime",
    "HOME": "/.local/share/jupyter/runtime",
}
