"""Whether the user's units outlive the user's login."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from jupytui.actions.base import Action, Answers, Context, Loss, Subjects
from jupytui.actions.services import refuse
from jupytui.fleet.subject import Scope, Subject


def _ends_at_logout(context: Context, subject: Subject) -> list[Loss]:
    servers = subject.host_in(context.fleet.store).servers
    kept = [server for server in servers if server.unit and server.unit.scope == "user"]
    return [Loss(server.id, "ends when nobody is logged in any more") for server in kept]


def _linger(on: bool) -> Callable[[Context, Subjects, Answers], Awaitable[str]]:
    async def run(context: Context, subjects: Subjects, _answers: Answers) -> str:
        from jupytui.systemd import control

        name = subjects[0].host or ""
        await control.set_linger(context.fleet.host(name), on)
        does = "run on" if on else "end"
        return f"Your units on {name} {does} when you log out."

    return run


ACTIONS = (
    Action(
        id="service.linger",
        title="Keep my units running after logout",
        scope=Scope.HOST,
        keys=("L",),
        refuse=refuse,
        run=_linger(True),
        help="Switches lingering on: user units start at boot and stay.",
    ),
    Action(
        id="service.nolinger",
        title="End my units at logout",
        scope=Scope.HOST,
        keys=("O",),
        refuse=refuse,
        losses=_ends_at_logout,
        runs=lambda _context, _subject: "loginctl disable-linger",
        run=_linger(False),
        help="Switches lingering off.",
    ),
)
