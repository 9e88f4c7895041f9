"""The other servers of a host, which what is done for one may concern."""

from __future__ import annotations

from collections.abc import Sequence

from jupytui.actions.base import Context
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import Health


def sharing_files(context: Context, subject: Subject) -> Sequence[str]:
    """Return what is to be said of a change of its files: servers of one user read the same."""
    there = subject.host_in(context.fleet.store).servers
    others = [s.id for s in there if s.id != subject.server and s.health not in {Health.STALE, Health.UNREADABLE}]
    if not others:
        return ()
    return (f"If {', '.join(others)} read the same files, the change counts there after their next start.",)
