"""Gathers, in one command on the host, what tells why something of a server ended."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence

import msgspec

from jupytui.hosts.base import Host
from jupytui.jupyter.deaths import Evidence
from jupytui.jupyter.models import Server
from jupytui.logs.entry import shown

DEADLINE = 10.0
_MOST = 2**20  # bytes: the sections are bounded one by one, to a fifth of this

# The machine's kernel log is for root where kernel.dmesg_restrict is 1, else for all; the journal's copy of it is for
# the groups adm and systemd-journal. memory.events is for everybody. A cgroup that has gone has no files left.
_SCRIPT = r"""
LC_ALL=C; export LC_ALL
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
nonce=$1 since=$2 pid=$3 scope=$4 unit=$5 file=$6 group=$7 group1=$8
section() { printf '\n%s %s\n' "$nonce" "$1"; }
journal() { journalctl -q --no-pager --all -o cat -n 500 --since="@$since" "$@" | tail -c 65536; }
section journal
case $scope in
user) journal --user-unit="$unit" ;;
system) journal --unit="$unit" ;;
*) [ -n "$file" ] || journal "_PID=$pid" ;;
esac
section file
if [ -r "$file" ] && [ ! -d "$file" ]; then
  date -d "@$since" '+%Y-%m-%d %H:%M:%S' || date -r "$since" '+%Y-%m-%d %H:%M:%S'
  tail -c 65536 "$file"
fi
section kernel
{ dmesg || journalctl -q -k -b --no-pager -o cat -n 2000; } |
  grep -aE 'Killed process|segfault at|general protection|trap ' | tail -n 50 | tail -c 16384
section events
cat "/sys/fs/cgroup$group/memory.events" || cat "/sys/fs/cgroup/unified$group/memory.events" ||
  cat "/sys/fs/cgroup/memory$group1/memory.oom_control"
section unit
[ -z "$unit" ] ||
  systemctl "--$scope" --no-ask-password --no-pager show \
    -p Result,ExecMainPID,ExecMainCode,ExecMainStatus,NRestarts -- "$unit"
section end
"""
_STAMP = re.compile(r"\S{0,2}?(?:[DIWEC] )?(\d{4}-\d\d-\d\d )?(\d\d:\d\d:\d\d)")


class Place(msgspec.Struct, frozen=True):
    """Where to look for the end of a server or its kernels. `since`: unix seconds; `cgroup`: /proc/PID/cgroup."""

    pid: int
    since: int
    unit: str = ""
    scope: str = ""
    file: str = ""
    cgroup: str = ""


def place_of(server: Server, since: float, cgroup: str) -> Place:
    """Return where to look, from what is known of a server."""
    unit, log = server.unit, server.log
    file = log.where if log and log.kind == "file" and log.where and not log.where.endswith(" (deleted)") else ""
    return Place(server.pid, int(since), unit.name if unit else "", unit.scope if unit else "", file, cgroup)


async def gather(host: Host, place: Place) -> Evidence:
    """Ask the host. Raises HostTrouble, DeadlineError, CommandError."""
    nonce = secrets.token_hex(12)
    groups = (_path(place.cgroup, ""), _path(place.cgroup, "memory"))
    args = (nonce, str(place.since), str(place.pid), place.scope, place.unit, place.file, *groups)
    done = await host.run(_SCRIPT, *args, deadline=DEADLINE, max_output=_MOST)
    return parse_evidence(done.stdout, nonce)


def _path(cgroup: str, controller: str) -> str:
    """Return the path for "" (v2) or a v1 controller; "/" where there is none: the root has no counters of its own."""
    for line in cgroup.split("\n"):
        controllers, _, path = line.partition(":")[2].partition(":")
        if controller in controllers.split(",") and path.startswith("/"):
            return path
    return "/"


def parse_evidence(data: bytes, nonce: str) -> Evidence:
    """Return what the script printed; survives garbage."""
    parts = data.split(b"\n%b " % nonce.encode())[1:]
    sections = {name.decode("ascii", "replace"): body for name, _, body in (part.partition(b"\n") for part in parts)}
    since, _, file = sections.get("file", b"").partition(b"\n")
    log = _recent(_shown(file), since.decode("ascii", "replace")) if file else []
    return Evidence(
        log=(*log, *_shown(sections.get("journal", b""))),
        kernel_log=tuple(_shown(sections.get("kernel", b""))),
        events=_counts(sections.get("events", b"")),
        unit=_properties(sections.get("unit", b"")),
    )


def _shown(data: bytes) -> list[str]:
    return [line for raw in data.split(b"\n") if raw and (line := shown(raw).rstrip())]


def _recent(lines: Sequence[str], since: str) -> list[str]:
    """Return what comes after the last line from before `since` ("2026-11-21 10:00:00", by the host's clock).

    What a kernel writes as it dies has no time; it stands above the server's line on it, below an older one.
    """
    old = [index for index, line in enumerate(lines) if (stamp := _STAMP.match(line)) and _is_before(stamp, since)]
    return list(lines[old[-1] + 1 :]) if old else list(lines)


def _is_before(stamp: re.Match[str], since: str) -> bool:
    # notebook <= 6 logs the time without the day.
    return stamp[0][-19:] < since if stamp[1] else stamp[2] < since[11:]


def _counts(data: bytes) -> Mapping[str, int]:
    words = [line.split() for line in data.decode("ascii", "replace").split("\n")]
    return {word[0]: int(word[1]) for word in words if len(word) == 2 and re.fullmatch(r"[0-9]{1,18}", word[1])}


def _properties(data: bytes) -> Mapping[str, str]:
    pairs = (line.partition("=") for line in "\n".join(_shown(data)).split("\n"))
    return {name: value for name, equals, value in pairs if equals}
