"""The keeper itself: takes front ends in, tells them all of every change, and leaves when nothing is left to keep."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress

from jupytui import __version__
from jupytui.errors import JupytuiError
from jupytui.hosts.base import Host, Prompter
from jupytui.tunnels.keeper import handover, protocol
from jupytui.tunnels.keeper.lair import Lair
from jupytui.tunnels.keeper.log import log
from jupytui.tunnels.keeper.memory import save
from jupytui.tunnels.keeper.peer import check_peer
from jupytui.tunnels.keeper.questions import Front, Questions
from jupytui.tunnels.keeper.roster import Roster
from jupytui.tunnels.keeper.session import Session
from jupytui.tunnels.models import Status, TunnelState
from jupytui.tunnels.switchboard import Switchboard

GRACE = 3.0  # seconds without a tunnel that is meant to be up
HEARTBEAT = 1.0  # seconds between looks at whether the socket can still be found
MOST_FRONTS = 64

MakeBoard = Callable[[Callable[[str, Prompter], Host], Prompter, Callable[[Status], None]], Switchboard]


class Keeper:
    """One of them runs per place. `make_board` is Switchboard, or what stands in for it."""

    def __init__(
        self, lair: Lair, open_host: Callable[[str, Prompter], Host], *, make_board: MakeBoard = Switchboard
    ) -> None:
        self._lair = lair
        self.questions = Questions()
        board = make_board(open_host, self.questions, self._board_changed)
        self.roster = Roster(board, self._changed, self._save)
        self.welcome = protocol.Welcome(protocol.PROTOCOL, __version__, os.getpid())
        self._sessions: dict[Session, asyncio.Task[None]] = {}
        self._works: set[asyncio.Task[None]] = set()
        self._leaving = asyncio.Event()
        self.handed = False  # a newer keeper has it all, or is about to
        self._heir: socket.socket | None = None
        self._taken = asyncio.Event()

    def leave(self) -> None:
        """End; what is up is remembered as such."""
        self._leaving.set()

    async def run(self) -> None:
        """Serve until there is nothing to keep, `leave` is called or a newer keeper has taken over."""
        tasks = [asyncio.create_task(work) for work in (self._watch_socket(), self._watch_idle())]
        self._open_door()
        try:
            await self._leaving.wait()
        finally:
            await self._end(tasks)

    async def _end(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        self._shut_door()
        if not self.handed:
            self._lair.hide()
        ending = [*tasks, *self._works, *self._sessions.values()]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        if not self.handed:  # what a newer keeper has must be left as it is: it goes with this process
            await self.roster.board.close()
        self._lair.close()

    def _open_door(self) -> None:
        asyncio.get_running_loop().add_reader(self._lair.listener, self._accept)

    def _open_again(self) -> None:
        if not self._leaving.is_set():
            self._open_door()

    def _shut_door(self) -> None:
        asyncio.get_running_loop().remove_reader(self._lair.listener)

    def _accept(self) -> None:
        try:
            connection, _ = self._lair.listener.accept()
        except BlockingIOError:
            return
        except OSError:  # no descriptor is free
            self._shut_door()
            asyncio.get_running_loop().call_later(HEARTBEAT, self._open_again)
            return
        connection.setblocking(False)
        self._receive(connection)

    def _receive(self, connection: socket.socket) -> None:
        try:
            check_peer(connection)
        except (JupytuiError, OSError):
            log.warning("somebody else's process was turned away")
            connection.close()
            return
        if len(self._sessions) >= MOST_FRONTS:
            connection.close()
            return
        session = Session(self, connection)
        task = self._sessions[session] = asyncio.create_task(session.run())
        task.add_done_callback(lambda _: self._forget(session))

    def _forget(self, session: Session) -> None:
        session.connection.close()
        self._sessions.pop(session, None)

    async def _watch_socket(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            if not self.handed and not self._lair.is_found():
                self._shut_door()
                self._lair.listen_again()
                self._open_door()

    async def _watch_idle(self) -> None:
        idle = 0.0
        while idle < GRACE:
            await asyncio.sleep(GRACE / 6)
            idle = 0.0 if self.roster.wanted or self._works else idle + GRACE / 6
        log.info("nothing is left to keep")
        self.leave()

    def work(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Do this to its end, whatever becomes of who asked for it."""
        task = asyncio.create_task(work)
        self._works.add(task)
        task.add_done_callback(self._works.discard)
        return task

    async def stop(self) -> None:
        """Take everything down, and leave once that was said."""
        await self.roster.stop()
        asyncio.get_running_loop().call_later(0.1, self.leave)

    async def hand_over(self, connection: socket.socket) -> None:
        """Give everything to the newer keeper at the other end; if it does not take it, go on.

        Raises JupytuiError while another one takes it: it has the sockets, and is about to serve.
        """
        if self.handed:
            raise JupytuiError("Another keeper is taking over.")
        self.handed, self._heir = True, connection
        self._taken.clear()
        listeners = self.roster.board.listeners()
        tunnels = [
            protocol.Remembered(one.tunnel, one.up, one.local, one.tunnel.name in listeners)
            for one in self.roster.remembered()
        ]
        sockets = [listeners[one.tunnel.name].fileno() for one in tunnels if one.socket]
        try:
            await asyncio.to_thread(handover.give, connection, tunnels, sockets, self._lair.descriptors())
            await asyncio.wait_for(self._taken.wait(), handover.PATIENCE)
        except OSError:  # TimeoutError is one
            self.handed, self._heir = False, None
            log.warning("a newer keeper did not take over")
            return
        log.info("a newer keeper has taken over")
        self.leave()

    def taken(self, connection: socket.socket) -> None:
        """Take note that the newer keeper at the other end has everything; one that comes too late with it has not."""
        if connection is self._heir:
            self._taken.set()

    def can_ask(self, front: Front) -> None:
        """A front end that can ask the person has come; what waits for one goes on."""
        first = not self.questions.anybody
        self.questions.joined(front)
        waiting = [one.tunnel.name for one in self.roster.statuses() if one.state is TunnelState.ASKING]
        for name in waiting if first else ():
            self.work(self.roster.retry(name))

    def _board_changed(self, status: Status) -> None:
        self._changed(status.tunnel.name, status)

    def _changed(self, name: str, status: Status | None) -> None:
        for session in self._sessions:
            session.change(name, status)

    def _save(self, tunnels: Sequence[protocol.Remembered]) -> None:
        if self.handed:
            return
        with suppress(OSError):  # a full disk ends no tunnel
            save(self._lair.place.memory, tunnels)
