"""Who keeps a server alive, looked up anew before it is touched: what was seen seconds ago may be another process."""

from __future__ import annotations

import re

import msgspec

from jupytui.errors import CommandError, JupytuiError
from jupytui.hosts.base import Host
from jupytui.jupyter.models import Unit
from jupytui.jupyter.process import app_of
from jupytui.systemd.cgroup import owning_unit
from jupytui.text import clean, clean_line

# $1 the pid. Any Python does for what is run there; the server's own is sure to be one.
_LOOK = r"""
LC_ALL=C; export LC_ALL
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
pid=$1
kill -0 "$pid" 2>/dev/null || [ -e "/proc/$pid" ] || exit 94
python=$(readlink -f "/proc/$pid/exe" 2>/dev/null)
case ${python##*/} in python*) [ -x "$python" ] || python= ;; *) python= ;; esac
[ -n "$python" ] || python=$(command -v python3 || command -v python)
echo "python $python"
echo "me $(id -u)"
echo "state ${XDG_STATE_HOME:-$HOME/.local/state}"
if [ -e "/proc/$pid/stat" ]; then
  echo "owner $(sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$pid/status")"
  echo "start $(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f20)"
  sed 's/^/cgroup /' "/proc/$pid/cgroup"
  tr '\n\0' ' \n' <"/proc/$pid/cmdline" | sed 's/^/arg /'
else
  echo "owner $(ps -o uid= -p "$pid")"
  ps -o command= -p "$pid" | tr -s ' ' '\n' | sed 's/^/arg /'
fi
"""
_MAIN = r"""
LC_ALL=C; export LC_ALL
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
systemctl "--$1" --no-ask-password show -p MainPID -p ExecStart -- "$2"
"""


class Holder(msgspec.Struct, frozen=True):
    """A server's process: `start` names it together with `pid`; `unit` is what keeps it alive, None if nothing does.

    `own` is whether the user we are there may signal it; `python` runs our programs there; `state` is where we keep
    logs and pid files.
    """

    pid: int
    start: str
    python: str
    state: str
    own: bool
    unit: Unit | None = None

    @property
    def servers(self) -> str:
        """The directory for logs and pid files."""
        return f"{self.state}/jupytui/servers"


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
    if not one.get("python"):
        raise CommandError(f"{host.name} has no Python that runs.", detail=clean(done.stderr))
    cgroup = "\n".join(value for key, _, value in pairs if key == "cgroup")
    return Holder(
        pid=pid,
        start=one.get("start", ""),
        python=one["python"],
        state=one.get("state", "/tmp"),
        own=one.get("me") in {"0", one.get("owner", "").strip()},
        unit=await _unit(host, pid, cgroup),
    )


async def _unit(host: Host, pid: int, cgroup: str) -> Unit | None:
    """Return the unit that is this server's own: one that runs a terminal, a hub or a scheduler is not."""
    owner = owning_unit(cgroup)
    if owner is None:
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
