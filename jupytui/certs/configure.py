"""What a server's configuration says of its certificate, and the change that turns TLS on or off."""

from __future__ import annotations

import asyncio
import posixpath

from jupytui.certs import pem
from jupytui.certs.files import Files, user_of_process
from jupytui.certs.inspect import Place
from jupytui.certs.install import refuse_unfit
from jupytui.certs.models import CertificateError, Pair
from jupytui.hosts.base import Host
from jupytui.jupyter.settings.discover import Whose, ask, look
from jupytui.jupyter.settings.edit import REMOVE, Edit, Wishes, plan
from jupytui.text import clean_line

CERTFILE, KEYFILE = "ServerApp.certfile", "ServerApp.keyfile"
OFF: Wishes = {CERTFILE: REMOVE, KEYFILE: REMOVE}


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


async def turning_on(host: Host, whose: Whose, port: int) -> tuple[Place, Edit]:
    """Return where a server that has TLS off will have its pair, and the edit of its configuration that turns it on.

    Nothing is written. The edit is the caller's to show (`settings.diff`), the pair to `put` there; then the edit is
    made (`settings.commit`) and followed by a restart, with consent; `install.proven` says whether it worked. Raises
    CannotEdit, CommandError, HostTrouble.
    """
    found, answer, user = await asyncio.gather(look(host, whose), ask(host, whose), user_of_process(host, whose.pid))
    place = Place(posixpath.join(found.user_directory, "certs", f"{port}.pem"), user=user)
    return place, plan(found, wishes(place), answer.knowledge)


async def put(host: Host, place: Place, pair: Pair) -> None:
    """Write `pair` to its place, in a directory that is its user's alone, before anything reads it there.

    Raises Unfit, PermissionError, CommandError, HostTrouble.
    """
    refuse_unfit(pair)
    files = Files(host, place.user)
    await files.make_directory(posixpath.dirname(place.certfile))
    await files.write(place.certfile, pem.combined_pem(pair))
