"""The services of a host, user's and system's, as frozen values: one round trip for all that are asked for.

`systemctl show A B -p …` separates its blocks by a blank line, in its own order of properties; a unit that is not there
has LoadState=not-found (measured, systemd 252; systemctl(1)).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from jupytui.errors import CommandError
from jupytui.hosts.base import Host
from jupytui.systemd.words import how_it_ended
from jupytui.text import clean, clean_line

SCOPES = ("user", "system")
_PROPERTIES = (
    "Id Description LoadState ActiveState SubState UnitFileState FragmentPath DropInPaths MainPID NRestarts Result "
    "ExecMainCode ExecMainStatus MemoryCurrent MemoryMax CPUQuotaPerSecUSec ExecStart StandardOutput NeedDaemonReload "
    "ActiveEnterTimestampMonotonic User"
)
_UNSET = {"", "[not set]", "infinity", str(2**64 - 1)}

# $1 a word to look for in unit files (an extended regular expression), then units to show in any case: "user:NAME".
# What a unit file does not mention is found by its processes: the caller names those units.
_LIST = r"""
LC_ALL=C; export LC_ALL
[ -d /run/systemd/system ] || { echo none; exit 0; }
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
word=$1; shift
echo "up $(cut -d' ' -f1 /proc/uptime) $(date +%s)"
[ -e "/var/lib/systemd/linger/$(id -un)" ] && echo linger
named() {
  grep -rslE -e "$word" "$@" 2>/dev/null |
    sed -n 's,.*/\([^/]*\.service\)\.d/[^/]*$,\1,p; s,.*/\([^/]*\.service\)$,\1,p'
}
shown() {
  scope=$1; shift
  # A template alone (name@.service) is nothing that runs; its instances are loaded or given.
  names=$(printf '%s\n' "$@" | grep -v '@\.service$' | sort -u)
  [ -n "$names" ] || return 0
  echo "scope $scope"
  printf '%s\n' "$names" | tr '\n' '\0' |
    xargs -0 systemctl "--$scope" --no-ask-password show --no-pager -p "$PROPERTIES" --
  echo
}
known=$(printf '%s\n' "$@")
for scope in user system; do
  case $scope in
  user) set -- "${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user" "${XDG_DATA_HOME:-$HOME/.local/share}/systemd/user" ;;
  system) set -- /run/systemd/system ;;
  esac
  list=$(named "$@" /etc/systemd/$scope /usr/local/lib/systemd/$scope /usr/lib/systemd/$scope)
  list="$list
$(printf '%s\n' "$known" | sed -n "s/^$scope://p")"
  set -f; IFS='
'; shown "$scope" $list; unset IFS; set +f
done
"""


class Service(msgspec.Struct, frozen=True):
    """One service. `scope` "user" or "system"; sizes in bytes; None where systemd does not know.

    `command` is ExecStart as systemd prints it, words joined by spaces; `ended` how it last ended, in words, "" when
    nothing ailed it; `enabled` systemd's UnitFileState ("enabled", "disabled", "static", "masked" …).
    """

    name: str
    scope: str
    description: str = ""
    load: str = ""
    active: str = ""
    sub: str = ""
    enabled: str = ""
    linger: bool | None = None
    restarts: int | None = None
    result: str = ""
    ended: str = ""
    memory: int | None = None
    memory_max: int | None = None
    cpu_quota: float | None = None  # CPUs
    main_pid: int | None = None
    fragment: str | None = None
    drop_ins: tuple[str, ...] = ()
    command: str = ""
    user: str | None = None
    output: str = ""
    needs_reload: bool = False
    since: datetime | None = None

    @property
    def id(self) -> str:
        """`user:NAME` or `system:NAME`: what names it among both managers."""
        return f"{self.scope}:{self.name}"

    @property
    def packaged(self) -> bool:
        """Whether its file belongs to an installed package, whose next version writes it anew."""
        return (self.fragment or "").startswith(("/usr/lib/", "/lib/", "/usr/share/"))

    @property
    def removable(self) -> bool:
        """Whether it has a file, and that is somebody's own."""
        return bool(self.fragment) and not self.packaged

    @property
    def changed_in(self) -> str | None:
        """The file that takes changes: its own, for a package's the drop-in that `systemctl edit` makes.

        None where there is none: a generated unit, and a package's in the user's manager.
        """
        if self.packaged:
            return f"/etc/systemd/system/{self.name}.d/override.conf" if self.scope == "system" else None
        return self.fragment or None

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self.active in {"active", "activating", "reloading", "deactivating"} and bool(self.main_pid)


class Services(msgspec.Struct, frozen=True):
    """All services asked for. `systemd` False: this machine has none."""

    systemd: bool = True
    linger: bool = False
    services: tuple[Service, ...] = ()

    def get(self, id_: str) -> Service | None:
        """Return the service called `user:NAME` or `system:NAME`."""
        return next((service for service in self.services if service.id == id_), None)


async def find_services(host: Host, pattern: str, known: Iterable[str] = ()) -> Services:
    """Return the services whose files match `pattern` (extended regular expression), and `known` ("user:NAME").

    Raises CommandError, HostTrouble.
    """
    done = await host.run(f"PROPERTIES='{','.join(_PROPERTIES.split())}'\n{_LIST}", pattern, *known)
    if done.status and not done.stdout:
        raise CommandError(f"The services of {host.name} cannot be listed.", detail=clean(done.stderr))
    return parse_services(done.stdout.decode("utf-8", "replace"))


def parse_services(text: str) -> Services:
    """Read what the script printed; pure, and survives garbage."""
    head, *scopes = re.split(r"^scope (user|system)$", text, flags=re.M)
    lines = head.split("\n")
    if "none" in lines:
        return Services(systemd=False)
    linger = "linger" in lines
    boot = _boot(lines)
    found: dict[str, Service] = {}
    for scope, part in zip(scopes[::2], scopes[1::2], strict=False):
        for block in part.split("\n\n"):
            service = _service(_fields(block), scope, linger, boot)
            if service and service.load != "not-found":
                found[service.id] = service
    return Services(linger=linger, services=tuple(sorted(found.values(), key=lambda s: (s.scope != "user", s.name))))


def _boot(lines: list[str]) -> float | None:
    for line in lines:
        if match := re.fullmatch(r"up ([0-9.]{1,20}) ([0-9]{1,12})", line):
            return float(match[2]) - float(match[1])
    return None


def _fields(block: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in block.split("\n"):
        name, equals, value = line.partition("=")
        if equals and name.isalnum():
            fields.setdefault(name, value)  # a value with a line break must not set another property
    return fields


def _service(fields: Mapping[str, str], scope: str, linger: bool, boot: float | None) -> Service | None:
    name = fields.get("Id", "")
    if not name.endswith(".service") or clean_line(name, 256) != name:
        return None
    state, result = fields.get("ActiveState", ""), fields.get("Result", "")
    return Service(
        name=name,
        scope=scope,
        description=clean_line(fields.get("Description", ""), 256),
        load=clean_line(fields.get("LoadState", ""), 32),
        active=clean_line(state, 32),
        sub=clean_line(fields.get("SubState", ""), 32),
        enabled=clean_line(fields.get("UnitFileState", ""), 32),
        linger=linger if scope == "user" else None,
        restarts=_number(fields, "NRestarts"),
        result=clean_line(result, 64),
        ended=_ended(fields, state, result),
        memory=_number(fields, "MemoryCurrent"),
        memory_max=_number(fields, "MemoryMax"),
        cpu_quota=_cpus(fields.get("CPUQuotaPerSecUSec", "")),
        main_pid=_number(fields, "MainPID") or None,
        fragment=clean_line(fields.get("FragmentPath", ""), 4096) or None,
        drop_ins=tuple(clean_line(path, 4096) for path in fields.get("DropInPaths", "").split()),
        command=_command(fields.get("ExecStart", "")),
        user=clean_line(fields.get("User", ""), 64) or None,
        output=clean_line(fields.get("StandardOutput", ""), 4096),
        needs_reload=fields.get("NeedDaemonReload") == "yes",
        since=_since(_number(fields, "ActiveEnterTimestampMonotonic"), boot),
    )


_CODES = {"1": "exited", "2": "killed", "3": "dumped"}


def _ended(fields: Mapping[str, str], state: str, result: str) -> str:
    restarted = state == "active" and (_number(fields, "NRestarts") or 0) > 0
    if result in {"", "success"} and not restarted:
        return ""
    if result in {"", "success"}:
        return "ended, and was started again"
    status = _number(fields, "ExecMainStatus") or 0
    return how_it_ended(_CODES.get(fields.get("ExecMainCode", ""), ""), status, result)


def _number(fields: Mapping[str, str], name: str) -> int | None:
    value = fields.get(name, "")
    return int(value) if value not in _UNSET and value.isascii() and value.isdigit() and len(value) < 20 else None


def _cpus(value: str) -> float | None:
    match = re.fullmatch(r"([0-9]{1,9})(us|ms|s)|([0-9]{1,4})min(?: ([0-9]{1,2})s)?", value)
    if not match:
        return None
    if match[3]:
        return 60.0 * int(match[3]) + int(match[4] or 0)
    return int(match[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1.0}[match[2]]


def _command(value: str) -> str:
    match = re.match(r"\{ path=.*? ; argv\[\]=(.*?) ; ignore_errors=", value)
    return clean_line(match[1], 4096) if match else ""


def _since(microseconds: int | None, boot: float | None) -> datetime | None:
    if not microseconds or boot is None:
        return None
    try:
        return datetime.fromtimestamp(int(boot + microseconds / 1e6), UTC)
    except (OverflowError, ValueError, OSError):
        return None
