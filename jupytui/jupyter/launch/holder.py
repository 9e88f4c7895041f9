"""Who keeps a server alive, looked up anew before it is touched: what was seen seconds ago may be another process."""

from __future__ import annotations

import re

import msgspec

from jupytui.errors import CommandError, JupytuiError
from jupytui.hosts.base import Host
from jupytui.jupyter.models import Unit
from jupytui.jupyter.process import app_of
from jupytui.jupyter.rights import SHELL, refusal
from jupytui.systemd.cgroup import owning_unit
from jupytui.text import clean, clean_line

# $1 the pid. Any Python does for what is run there; the server's own is sure to be one, though not root's to run.
_LOOK = (
    SHELL
    + r"""
LC_ALL=C; export LC_ALL
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
pid=$1
kill -0 "$pid" 2>/dev/null || [ -e "/proc/$pid" ] || exit 94
python=$(readlink -f "/proc/$pid/exe" 2>/dev/null)
case ${python##*/} in python*) [ -x "$python" ] || python= ;; *) python= ;; esac
[ -n "$python" ] || python=$(command -v python3 || command -v python)
owner=$(owner_of "$pid")
[ -n "$owner" ] || owner=$(ps -o uid= -p "$pid" | tr -d ' ')
echo "python $(usable_python "$owner" "$python")"
echo "me $(id -u)"
echo "owner $owner"
echo "user $({ getent passwd "$owner" || ps -o user= -p "$pid"; } 2>/dev/null | cut -d: -f1)"
echo "state ${XDG_STATE_HOME:-$HOME/.local/state}"
if [ -e "/proc/$pid/stat" ]; then
  echo "start $(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f20)"
  sed 's/^/cgroup /' "/proc/$pid/cgroup"
  tr '\n\0' ' \n' <"/proc/$pid/cmdline" | sed 's/^/arg /'
else
  ps -o command= -p "$pid" | tr -s ' ' '\n' | sed 's/^/arg /'
fi
"""
)
_MAIN = r"""
LC_ALL=C; export LC_ALL
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
systemctl "--$1" --no-ask-password show -p MainPID -p ExecStart -- "$2"
"""


class Holder(msgspec.Struct, frozen=True):
    """A server's process: `start` names it together with `pid`; `unit` is what keeps it alive, None if nothing does.

    `own` is whether the user we are there may signal it; `python` runs our programs there; `state` is where we keep
    logs and pid files. `other` is the user whose process it is where we are root and that is somebody else, else "".
    """

    pid: int
    start: str
    python: str
    state: str
    own: bool
    unit: Unit | None = None
    other: str = ""

    @property
    def servers(self) -> str:
        """The directory for logs and pid files."""
        return f"{self.state}/jupytui/servers"

    def check_restart(self, title: str) -> None:
        """Raise CommandError where a restart would make another user's server root's: that of no system unit."""
        if self.other and not (self.unit and self.unit.scope == "system"):
            raise CommandError(
                f"{self.other} started {title}; restarted by root it would run as root.",
                f"Connect as {self.other} to restart it.",
            )


class NotThere(JupytuiError):
    """The server has gone, or its pid is another program's by now."""


async def holder_of(host: Host, pid: int, *, jupyter: bool = True) -> Holder:
    """Look at process `pid`. Raises NotThere when it is gone or (with `jupyter`) no Jupyter, HostTrouble."""
    done = await host.run(_LOOK, str(pid))
    lines = done.stdout.decode("utf-8", "surrogateescape").split("\n")
    if done.status == 94 or not lines:
        raise NotThere(f"The server (pid {pid}) has gone.", "Look again.")
    pairs = [line.partition(" ") for line in lines]
    one = {key: value for key, _, value in pairs}
    argv = [value for key, _, value in pairs if key == "arg"]
    if jupyter and app_of(argv) is None:
        raise NotThere(f"Process {pid} on {host.name} is no Jupyter server any more.", "Look again.")
    me, owner = one.get("me", ""), one.get("owner", "")
    other = clean_line(one.get("user") or f"user {owner}", 64) if me == "0" != owner else ""
    if not one.get("python"):
        raise (
            refusal(host, done.stderr)
            if other
            else CommandError(f"{host.name} has no Python that runs.", detail=clean(done.stderr))
        )
    cgroup = "\n".join(value for key, _, value in pairs if key == "cgroup")
    return Holder(
        pid=pid,
        start=one.get("start", ""),
        python=one["python"],
        state=one.get("state", "/tmp"),
        own=me in {"0", owner},
        unit=await _unit(host, pid, cgroup, ours=me == owner),
        other=other,
    )


async def check_restart(host: Host, pid: int, title: str) -> None:
    """Raise what a restart of process `pid` would be refused with, before anything is changed for its sake.

    CommandError for another user's server where we are root; NotThere, HostTrouble.
    """
    (await holder_of(host, pid)).check_restart(title)


async def _unit(host: Host, pid: int, cgroup: str, *, ours: bool) -> Unit | None:
    """Return the unit that is this server's own: one that runs a terminal, a hub or a scheduler is not.

    Another user's manager cannot be asked: ours may have a unit of the same name, which is not meant.
    """
    owner = owning_unit(cgroup)
    if owner is None or (owner.scope == "user" and not ours):
        return None
    shown = await main_process(host, owner.scope, owner.name)
    if shown[0] == pid or (re.search(r"jupyter|notebook", shown[1], re.I) and "hub" not in shown[1]):
        return Unit(clean_line(owner.name, 256), owner.scope)
    return None


async def main_process(host: Host, scope: str, unit: str) -> tuple[int, str]:
    """Return a unit's main pid (0: none) and its ExecStart as systemd prints it."""
    done = await host.run(_MAIN, scope, unit)
    fields = dict(line.split("=", 1) for line in clean(done.stdout, 65536).split("\n") if "=" in line)
    pid = fields.get("MainPID", "")
    return int(pid) if pid.isdecimal() else 0, fields.get("ExecStart", "")
