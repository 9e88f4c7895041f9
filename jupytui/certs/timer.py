"""A systemd user timer that renews what is due, also when nobody is logged in (with lingering)."""

from __future__ import annotations

from collections.abc import Sequence

from jupytui.hosts.base import Host, Prompter
from jupytui.systemd import control, edit
from jupytui.systemd.unit_file import exec_line

NAME = "jupytui-cert-renew"

# Twice a day, as ACME authorities ask for, at a time of its own; what was missed while the machine slept is made up.
TIMER = """\
[Unit]
Description=Renew the certificates of Jupyter servers that are due

[Timer]
OnCalendar=*-*-* 00,12:00:00
RandomizedDelaySec=6h
Persistent=true

[Install]
WantedBy=timers.target
"""


def service_text(command: Sequence[str]) -> str:
    """Return the unit that the timer starts; `command` is jupytui's own argv, its first word an absolute path."""
    line = exec_line([*command, "cert", "renew", "--due"])
    return (
        "[Unit]\nDescription=Renew the certificates of Jupyter servers that are due\n\n"
        f"[Service]\nType=oneshot\nExecStart={line}\nTimeoutStartSec=1h\nUMask=0077\n"
    )


async def schedule(host: Host, prompter: Prompter, command: Sequence[str]) -> None:
    """Write both units for the user, where they are not so already, and start the timer now and at each boot.

    Raises edit.Rejected, CommandError, HostTrouble.
    """
    directory = await _directory(host)
    for name, text in ((f"{NAME}.service", service_text(command)), (f"{NAME}.timer", TIMER)):
        path = f"{directory}/{name}"
        before = await _read(host, path)
        if before != text:
            await edit.install(host, prompter, "user", path, before=before, after=text)
    await control.systemctl(host, prompter, "user", "enable", "--now", f"{NAME}.timer")


async def unschedule(host: Host, prompter: Prompter) -> None:
    """Stop the timer and remove both units. Raises CommandError, HostTrouble."""
    directory = await _directory(host)
    for name in (f"{NAME}.timer", f"{NAME}.service"):
        if await _read(host, f"{directory}/{name}") is not None:
            await control.remove(host, prompter, "user", name, f"{directory}/{name}")


async def _directory(host: Host) -> str:
    done = await host.run('printf %s "${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user"')
    return done.stdout.decode("utf-8", "surrogateescape")


async def _read(host: Host, path: str) -> str | None:
    try:
        return await edit.read(host, path)
    except FileNotFoundError:
        return None
