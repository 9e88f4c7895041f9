"""Whether a restart would be refused, asked before anything is changed for its sake."""

from __future__ import annotations

from jupytui.actions.base import Answers, Context, Refused
from jupytui.errors import CommandError
from jupytui.fleet.subject import Subject


async def allowed(context: Context, subject: Subject, answers: Answers) -> tuple[Answers, str]:
    """Return `answers` with no restart in them where there can be none, and why, "" where there can.

    Raises Refused where they want one, Gone, HostTrouble.
    """
    barrier = await barred(context, subject)
    if barrier and answers.get("restart") == "yes":
        raise Refused(barrier)
    return ({**answers, "restart": "no"} if barrier else answers), barrier


async def barred(context: Context, subject: Subject) -> str:
    """Return why the server may not be restarted from here, "" where it may, or has ended. Raises Gone, HostTrouble."""
    from jupytui.jupyter.launch.holder import NotThere, check_restart

    server = subject.server_in(context.fleet.store)
    try:
        await check_restart(context.fleet.host(subject.host or ""), server.pid, server.id)
    except NotThere:
        return ""
    except CommandError as error:
        return str(error)
    return ""
