"""What a server's configuration says of its certificate, and the change that turns TLS on or off."""

from __future__ import annotations

import posixpath

from jupytui.certs import pem
from jupytui.certs.inspect import Place
from jupytui.certs.install import refuse_unfit
from jupytui.certs.models import CertificateError, Pair
from jupytui.errors import CommandError
from jupytui.hosts.base import Host
from jupytui.jupyter.settings.discover import Whose, ask, look
from jupytui.jupyter.settings.edit import REMOVE, Edit, Wishes, plan
from jupytui.text import clean_line

CERTFILE, KEYFILE = "ServerApp.certfile", "ServerApp.keyfile"
OFF: Wishes = {CERTFILE: REMOVE, KEYFILE: REMOVE}

# Whatever the user's umask, the directory is private; one that exists is left as it is.
_MAKE_DIRECTORY = 'umask 077 && mkdir -p -- "$1"'


async def find_place(host: Host, whose: Whose) -> Place | None:
    """Return the files that a server reads its certificate from, as its own Jupyter says; None: it has TLS off.

    Takes 1-2 s. Raises CertificateError for a path that is not absolute, CommandError, HostTrouble.
    """
    answer = await ask(host, whose)
    certfile, keyfile = (_path(answer.objects.get("ServerApp", {}).get(key)) for key in ("certfile", "keyfile"))
    return Place(certfile, keyfile or None) if certfile else None


def _path(value: object) -> str:
    path = value if isinstance(value, str) else ""
    if path and not path.startswith("/"):
        raise CertificateError(
            f"The server's certificate is given as {clean_line(path, 200)!r}, which depends on where it was started.",
            "Set ServerApp.certfile and ServerApp.keyfile to absolute paths.",
        )
    return path


def wishes(place: Place) -> Wishes:
    """Return the settings that make a server read `place`, for `settings.edit.plan`."""
    return {CERTFILE: place.certfile, KEYFILE: place.keyfile if place.two_files and place.keyfile else REMOVE}


async def turning_on(host: Host, whose: Whose, port: int, pair: Pair) -> tuple[Place, Edit]:
    """Put `pair` on a host whose server has TLS off; return where, and the edit of the configuration that turns it on.

    The edit is the caller's to show (`settings.diff`), to make (`settings.commit`) and to follow by a restart, with
    consent; `install.proven` then says whether it worked. Raises Unfit, CannotEdit, CommandError, HostTrouble; then
    nothing but the file was written.
    """
    refuse_unfit(pair)
    found, answer = await look(host, whose), await ask(host, whose)
    place = Place(posixpath.join(found.user_directory, "certs", f"{port}.pem"))
    edit = plan(found, wishes(place), answer.knowledge)
    made = await host.run(_MAKE_DIRECTORY, posixpath.dirname(place.certfile))
    if made.status:
        raise CommandError(
            f"{posixpath.dirname(place.certfile)} cannot be made on {host.name}.", detail=clean_line(made.stderr)
        )
    await host.write(place.certfile, pem.combined_pem(pair), 0o600)
    return place, edit
