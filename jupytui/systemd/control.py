"""Tell systemd what to do, as the user where that is enough, else as root."""

from __future__ import annotations

from jupytui.errors import CommandError
from jupytui.hosts.base import Finished, Host, Prompter
from jupytui.systemd.sudo import Root, become_root, run_as_root
from jupytui.text import clean, clean_line

DEADLINE = 100.0  # a unit may take 90 s to stop before systemd kills it

_SYSTEMCTL = """\
LC_ALL=C; export LC_ALL
scope=$1; shift
[ -d /run/systemd/system ] || { echo "no systemd here" >&2; exit 91; }
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
exec systemctl "--$scope" --no-ask-password --no-pager "$@"
"""
_LINGER = 'LC_ALL=C exec loginctl --no-ask-password "$1-linger"'
_REMOVE = 'rm -f -- "$1" && rm -rf -- "$1.d"'

# What systemctl says when polkit would ask, or says no (systemd 245-257).
_NEEDS_ROOT = (
    "Interactive authentication required",
    "Access denied",
    "Permission denied",
    "authentication is required",
)


class Refused(CommandError):
    """systemd or polkit said no."""


def command_line(scope: str, *words: str) -> str:
    """Return what is run, for people."""
    return " ".join(["systemctl", *(["--user"] if scope == "user" else []), *words])


async def systemctl(host: Host, prompter: Prompter, scope: str, *words: str, why: str = "") -> str:
    """Run systemctl for the "user" or "system" manager and return its stdout; asks for root when it is needed.

    Raises Refused, CommandError, NotRoot, HostTrouble.
    """
    done = await host.run(_SYSTEMCTL, scope, *words, deadline=DEADLINE)
    if done.status and scope == "system" and any(text in clean(done.stderr) for text in _NEEDS_ROOT):
        root = await become_root(host, prompter, why or f"to run {command_line(scope, *words)}")
        done = await run_as_root(host, root, _SYSTEMCTL, scope, *words, deadline=DEADLINE)
    if done.status:
        raise _failure(host, scope, words, done)
    return clean(done.stdout, 2**20)


def _failure(host: Host, scope: str, words: tuple[str, ...], done: Finished) -> CommandError:
    line, said = command_line(scope, *words), clean(done.stderr)
    if done.status == 91:
        return CommandError(f"{host.name} runs no systemd.", "Its servers are kept as processes.")
    if "Failed to connect to bus" in said or "Failed to get D-Bus connection" in said:
        hint = "Log in there in a way that starts one (pam_systemd), or let an administrator enable lingering."
        return CommandError(f"No systemd user manager answers on {host.name}.", hint, detail=said)
    if any(text in said for text in _NEEDS_ROOT):
        return Refused(
            f"{host.name} does not allow `{line}`.", "Its polkit rules say no, to root's password too.", detail=said
        )
    if "is masked" in said:
        return Refused(f"`{line}`: the unit is masked.", "systemctl unmask allows it again.", detail=said)
    return CommandError(f"`{line}` failed on {host.name}: {clean_line(said, 200)}", "Its log may say why.", detail=said)


async def start(host: Host, prompter: Prompter, scope: str, unit: str) -> None:
    """Start a unit. Raises as `systemctl` does."""
    await systemctl(host, prompter, scope, "start", unit)


async def stop(host: Host, prompter: Prompter, scope: str, unit: str) -> None:
    """Stop a unit and wait until it has."""
    await systemctl(host, prompter, scope, "stop", unit)


async def restart(host: Host, prompter: Prompter, scope: str, unit: str) -> None:
    """Restart a unit, one that has failed too often included."""
    await systemctl(host, prompter, scope, "restart", unit)


async def enable(host: Host, prompter: Prompter, scope: str, unit: str) -> None:
    """Let a unit start at boot (a user's: when the user's manager starts, which lingering makes the boot)."""
    await systemctl(host, prompter, scope, "enable", unit)


async def disable(host: Host, prompter: Prompter, scope: str, unit: str) -> None:
    """Let a unit start no more by itself; it runs on."""
    await systemctl(host, prompter, scope, "disable", unit)


async def daemon_reload(host: Host, prompter: Prompter, scope: str) -> None:
    """Let systemd read its unit files again."""
    await systemctl(host, prompter, scope, "daemon-reload")


async def set_linger(host: Host, on: bool) -> None:
    """Let this user's units run while nobody is logged in, or not. Needs no root for oneself. Raises Refused."""
    done = await host.run(_LINGER, "enable" if on else "disable")
    if done.status:
        hint = "An administrator can: loginctl enable-linger USER."
        raise Refused(f"{host.name} does not let its users linger.", hint, detail=clean(done.stderr))


async def remove(host: Host, prompter: Prompter, scope: str, unit: str, fragment: str) -> None:
    """Stop and disable a unit and remove its file and drop-ins. Raises Refused for one that a package installed."""
    if not fragment.startswith(("/etc/", "/home/", "/root/", "/run/")) and "/.config/" not in fragment:
        raise Refused(f"{fragment} belongs to an installed package.", "Disable it instead, or remove the package.")
    root = await _root_for(host, prompter, scope, f"to remove {unit}")
    await _as(host, scope, root, _SYSTEMCTL, scope, "disable", "--now", unit)
    await _as(host, scope, root, _REMOVE, fragment)
    await _as(host, scope, root, _SYSTEMCTL, scope, "daemon-reload")
    await _as(host, scope, root, _SYSTEMCTL, scope, "reset-failed", unit, check=False)


async def _root_for(host: Host, prompter: Prompter, scope: str, why: str) -> Root:
    return await become_root(host, prompter, why) if scope == "system" else Root()


async def _as(host: Host, scope: str, root: Root, script: str, *args: str, check: bool = True) -> None:
    done = await run_as_root(host, root, script, *args, deadline=DEADLINE)
    if check and done.status:
        raise _failure(host, scope, args[1:], done)
