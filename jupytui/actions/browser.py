"""The user's browser: which one, and how an address with a token gets there without being seen on the way.

An argument is seen by everybody on the machine (`ps`), so a browser is given the name of a file that only its user
can read and that leads on to the address. jupyter_server does so itself (`jpserver-PID-open.html`).
"""

from __future__ import annotations

import getpass
import html
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit

from jupytui.blocking import in_thread
from jupytui.config.private import PrivateDirectory
from jupytui.errors import JupytuiError
from jupytui.secret import Secret

KEPT = 60  # seconds for a browser that has yet to start to read the file
PATIENCE = 3.0  # seconds in which a browser that cannot be started has failed; one that can may run for hours

# They would take our terminal, or find none.
_TEXT = frozenset({"lynx", "w3m", "links", "links2", "elinks", "www-browser", "browsh"})
_DESKTOP = ("wslview", "xdg-open", "sensible-browser", "x-www-browser", "firefox", "chromium", "google-chrome")
# The file goes, and its directory if it was the last, whatever becomes of us and of the browser.
_SCRIPT = 'file=$1; shift; (sleep "$0"; rm -f -- "$file"; rmdir -- "${file%/*}") & exec "$@"'


def command(environ: Mapping[str, str] = os.environ) -> tuple[str, ...] | None:
    """Return what opens an address on the screen of whoever sits here, None where there is no such screen or browser.

    `$BROWSER` comes first: commands with colons between, `%s` for the address. Logged in by SSH nobody sees a browser
    of this machine.
    """
    if environ.get("SSH_CONNECTION"):
        return None
    return next(_found(environ), None)


def _found(environ: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for entry in environ.get("BROWSER", "").split(os.pathsep):
        with suppress(ValueError):
            words = shlex.split(entry)
            if words and shutil.which(words[0]) and Path(words[0]).name not in _TEXT:
                yield tuple(words)
    if sys.platform == "darwin":
        yield ("open",)
    elif environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        yield from ((name,) for name in _DESKTOP if shutil.which(name))


def from_afar(bare: str, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return how the machine from which somebody is logged in here by SSH gets at the address `bare`, if one is.

    From SSH_CONNECTION (ssh(1)): the address and the port of this machine as that one knew them.
    """
    try:
        _address, _port, here, sshd = environ.get("SSH_CONNECTION", "").split()
    except ValueError:
        return ()
    at = urlsplit(bare)
    host = f"[{at.hostname}]" if ":" in (at.hostname or "") else at.hostname
    options = () if sshd == "22" else ("-p", sshd)
    words = ("ssh", "-N", *options, "-L", f"{at.port}:{host}:{at.port}", f"{getpass.getuser()}@{here}")
    return (f"The machine you sit at reaches it while this runs there:\n{shlex.join(words)}",)


async def launch(browser: tuple[str, ...], url: Secret) -> None:
    """Have `browser` open `url`; returns when it has been started. Raises JupytuiError."""
    try:
        file = lead_to(url)
        status = await in_thread(lambda: _start(browser, file))
    except OSError as error:
        raise JupytuiError(f"The browser cannot be started: {error.strerror}.") from None
    if status:
        hint = "Set BROWSER to a command that opens one, or copy the address."
        raise JupytuiError(f"{browser[0]} opened no browser (exit status {status}).", hint)


def _start(browser: tuple[str, ...], file: Path) -> int | None:
    """Return the exit status, None if it goes on running. Raises OSError."""
    address = file.as_uri()
    words = [word.replace("%s", address) for word in browser]
    words += [] if any("%s" in word for word in browser) else [address]
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(
        ["/bin/sh", "-c", _SCRIPT, str(KEPT), str(file), *words],
        stdin=nothing,
        stdout=nothing,  # browsers talk, and the terminal is the screen
        stderr=nothing,
        cwd=Path.home(),
        start_new_session=True,
    )
    try:
        return process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        return None


def lead_to(url: Secret, environ: Mapping[str, str] = os.environ) -> Path:
    """Return a file that leads a browser on to `url`; what is left of earlier ones is removed. Raises OSError."""
    directory = PrivateDirectory(_place(environ))
    _sweep(directory)
    page = _PAGE.format(url=html.escape(url.reveal(), quote=True))
    return directory.write(f"{token_hex(8)}.html", page.encode())


# `no-referrer`: where it leads is not to be told where it came from.
_PAGE = """<!DOCTYPE html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={url}">
<title>Opening Jupyter</title>
<p><a href="{url}">Open Jupyter</a> if the browser does not do so itself.</p>
"""


def _place(environ: Mapping[str, str]) -> Path:
    """Return the directory for such files.

    A browser from a snap sees neither /run/user, /tmp nor anything hidden in the home directory (the `home` interface
    of snapd): where there are snaps, it must be a plain name in there. Else it is where nothing outlives the session.
    """
    home = Path.home()
    if (home / "snap").is_dir():
        return home / "jupytui-opens"
    runtime = Path(environ.get("XDG_RUNTIME_DIR", ""))
    return (runtime if runtime.is_absolute() else home / ".cache") / "jupytui" / "open"


def _sweep(directory: PrivateDirectory) -> None:
    for file in directory.path.glob("*.html"):
        with suppress(OSError):
            if time.time() - file.lstat().st_mtime > KEPT:
                directory.remove(file.name)
