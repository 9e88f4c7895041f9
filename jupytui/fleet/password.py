"""Whether a password lets people in beside a token: nothing but a server's files tells that.

Its runtime file does not, and no page does: `GET /login` is the same to the byte with and without a password of the
current kind (measured on jupyter_server 2.7, 2.17 and 2.21). Trying one would be a failed login in its log.
"""

from __future__ import annotations

from datetime import datetime

from jupytui.fleet.sightings import ServerSighting
from jupytui.hosts.base import Host
from jupytui.jupyter.models import App


def is_untold(server: ServerSighting) -> bool:
    """Whether only the files tell: there is a token, and no word of a password (legacy servers tell of theirs)."""
    file = server.file
    return bool(file and file.token and not file.has_password and not file.legacy)


async def lets_in(host: Host, server: ServerSighting, started: datetime | None) -> bool:
    """Return what the files say of the process that `started` then; 0.1 s of its host, nothing of the server.

    Raises CommandError, DeadlineError, HostTrouble.
    """
    from jupytui.jupyter.passwords.standing import held_at_start
    from jupytui.jupyter.settings.discover import Whose, look

    app = server.app if server.app in {App.LAB, App.NOTEBOOK} else App.SERVER
    return held_at_start(await look(host, Whose(app, server.pid), mend=False), started)
