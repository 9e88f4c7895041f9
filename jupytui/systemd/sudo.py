"""Be root on a host: as root already, by sudo without a password, or with one that is asked for each time.

The password goes to sudo's stdin and nowhere else; it is never kept. sudo reads byte by byte up to the newline, so what
follows it is the command's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from jupytui.errors import JupytuiError
from jupytui.hosts.base import Finished, Host, Prompter, SecretKind, SecretPrompt
from jupytui.secret import Secret
from jupytui.text import clean, clean_line

ATTEMPTS = 3
_WITH_PASSWORD = ("sudo", "-k", "-S", "-p", "", "--")

_PROBE = """\
LC_ALL=C; export LC_ALL
id -u; id -un
[ "$(id -u)" != 0 ] || exit 0
command -v sudo >/dev/null || exit 3
exec sudo -n true
"""
# Closing stdin after one line makes sudo give up at the first wrong answer; it exits by itself.
_CHECK = 'LC_ALL=C exec sudo -k -S -p "" true'


class NotRoot(JupytuiError):
    """The host does not let this user act as root."""


@dataclass(frozen=True, slots=True)
class Root:
    """What makes a command run as root: put `argv` before its own and `stdin` (a secret) before its stdin."""

    argv: tuple[str, ...] = ()
    secret: Secret | None = None

    @property
    def stdin(self) -> bytes:
        """What sudo reads first."""
        return self.secret.reveal().encode() + b"\n" if self.secret else b""


async def become_root(host: Host, prompter: Prompter, why: str) -> Root:
    """Return how to be root on `host` for one use; asks the person if sudo wants a password. `why` ends "to …".

    Raises NotRoot, HostTrouble.
    """
    probe = await host.run(_PROBE)
    if probe.status == 0:
        return Root(() if probe.stdout.split()[:1] == [b"0"] else ("sudo", "-n", "--"))
    user = clean_line([*probe.stdout.split(), b"", b""][1], 64)
    if probe.status == 3:
        raise NotRoot(f"{host.name} has no sudo, and {user} is not root there.", "Log in as root, or use a user unit.")
    _refuse_if_hopeless(host, user, probe)
    return Root(_WITH_PASSWORD, await _asked(host, prompter, user, why))


async def _asked(host: Host, prompter: Prompter, user: str, why: str) -> Secret:
    for attempt in range(ATTEMPTS):
        text = f"sudo on {host.name} wants {user}'s password {why}"
        secret = await prompter.secret(SecretPrompt(host.name, SecretKind.PASSWORD, text, again=attempt > 0))
        if secret is None:
            raise NotRoot("It needs root, and no password was given.", "Nothing was changed.")
        done = await host.run(_CHECK, stdin=secret.reveal().encode() + b"\n")
        if done.status == 0:
            return secret
        _refuse_if_hopeless(host, user, done)
    raise NotRoot(f"sudo on {host.name} refused the password {ATTEMPTS} times.", "Nothing was changed.")


def _refuse_if_hopeless(host: Host, user: str, done: Finished) -> None:
    words = clean(done.stderr)
    if "not in the sudoers" in words or "not allowed to" in words or "may not run sudo" in words:
        raise NotRoot(
            f"{user} may not use sudo on {host.name}.",
            "An administrator must allow it; a user unit needs no root.",
            detail=words,
        )


async def run_as_root(
    host: Host, root: Root, script: str, *args: str, stdin: bytes = b"", deadline: float = 90.0
) -> Finished:
    """Run sh source as root; see `Host.run`."""
    wrapped = 'exec "$@"'
    argv = (*root.argv, "/bin/sh", "-c", script, "sh", *args)
    return await host.run(wrapped, *argv, stdin=root.stdin + stdin, deadline=deadline)
