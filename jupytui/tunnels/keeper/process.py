"""The keeper's own process: `python -P -m jupytui.tunnels.keeper [--detach] [--login] HOSTS.TOML`.

With --detach it leaves the process that started it behind, and says on stdout when it serves, or why it does not.
With --login it also brings up what hosts.toml wants to be up.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from jupytui import __version__
from jupytui.config.paths import Paths, find_paths
from jupytui.errors import JupytuiError
from jupytui.tunnels.keeper import handover
from jupytui.tunnels.keeper.handover import Estate
from jupytui.tunnels.keeper.lair import Lair
from jupytui.tunnels.keeper.listed import ListedHosts, tunnels_after_login
from jupytui.tunnels.keeper.log import log, log_mistake, open_log
from jupytui.tunnels.keeper.memory import recall
from jupytui.tunnels.keeper.place import Place, find_place, make_private
from jupytui.tunnels.keeper.server import Keeper, MakeBoard
from jupytui.tunnels.switchboard import Switchboard

SERVES = "serves"
PATIENCE = 8.0  # seconds for another keeper that is just coming or going


def main(argv: Sequence[str], make_board: MakeBoard = Switchboard) -> int:
    """Be the keeper until there is nothing left to keep; returns the exit status, at once when there is one already."""
    options, (hosts,) = set(argv[:-1]), argv[-1:]
    if "--detach" in options and os.fork():
        return 0
    os.umask(0o077)
    try:
        status = _serve(_paths(Path(hosts)), make_board, login="--login" in options)
    except JupytuiError as error:
        log.error("%s", error)
        _report(str(error))
        return 1
    except Exception as error:
        log_mistake(error)
        _report(f"This is a mistake in jupytui itself ({type(error).__name__}).")
        return 1
    return status


def _paths(hosts: Path) -> Paths:
    ours = find_paths()
    return Paths(hosts, ours.cache, ours.state, ours.logs)


def _report(word: str) -> None:
    """Say the one thing that the starting process waits for, and let go of it."""
    with suppress(OSError):
        os.write(1, f"{word}\n".encode())
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _serve(paths: Paths, make_board: MakeBoard, *, login: bool) -> int:
    place = find_place(paths)
    make_private(place.state)
    taken = _take(place)
    if taken is None:
        _report(SERVES)
        return 0
    lair, estate = taken
    _open_log(place)
    _allow_descriptors()
    asyncio.run(_keep(lair, estate, make_board, login=login))
    return 0


def _take(place: Place) -> tuple[Lair, Estate | None] | None:
    """Become the keeper, after an older one if need be; None when another serves that is as new as we are."""
    until = time.monotonic() + PATIENCE
    while True:
        if lair := Lair.take(place):
            return lair, None
        try:
            estate = handover.ask_for(place)
            return (Lair(place, estate.lock, estate.listener, estate.at), estate) if estate else None
        except (OSError, JupytuiError):
            if time.monotonic() > until:
                raise JupytuiError("Another keeper holds the tunnels and does not answer.") from None
        time.sleep(0.05)


def _open_log(place: Place) -> None:
    try:
        make_private(place.logs)
        open_log(place.log)
    except OSError as error:
        raise JupytuiError(f"{place.log} cannot be written: {error.strerror}.") from None


def _allow_descriptors() -> None:
    """Each connection through a tunnel costs one; the soft limit of 256 or 1024 is for programs that use select."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536) if most > 0 else 10240, most))


async def _keep(lair: Lair, estate: Estate | None, make_board: MakeBoard, *, login: bool) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: log_mistake(context.get("exception") or RuntimeError()))
    keeper = Keeper(lair, ListedHosts(lair.place.hosts).open, make_board=make_board)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    loop.add_signal_handler(signal.SIGTERM, keeper.leave)
    log.info("jupytui %s keeps tunnels", __version__)
    await keeper.roster.restore(
        estate.tunnels if estate else recall(lair.place.memory), estate.listening if estate else {}
    )
    if login:
        await _bring_listed(keeper, lair.place.hosts)
    _report(SERVES)
    await keeper.run()
    log.info("left")
    if keeper.handed:
        os._exit(0)  # what is tidied up on the way out belongs to the newer keeper by now


async def _bring_listed(keeper: Keeper, hosts: Path) -> None:
    for tunnel in tunnels_after_login(hosts):
        await keeper.roster.bring_listed(tunnel)


def run() -> None:
    """Be the keeper with the arguments of this process."""
    sys.exit(main(sys.argv[1:]))
