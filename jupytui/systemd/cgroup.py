"""Which systemd unit a process belongs to, from /proc/PID/cgroup."""

from __future__ import annotations

import re
from typing import NamedTuple

_SERVICE = re.compile(r"/(?P<name>[^/\s]{1,255}\.service)(?=/|$)")
_USER = re.compile(r"/user@[0-9]+\.service(?=/|$)")
# What is started by hand over SSH without pam_systemd, or from a crontab, is in these cgroups, and not kept by them.
_DOORS = frozenset({"ssh.service", "sshd.service", "dropbear.service", "cron.service", "crond.service"})


class Owner(NamedTuple):
    """A unit's name and its scope: "user" or "system"."""

    name: str
    scope: str


def owning_unit(cgroup: str) -> Owner | None:
    """Return the service that owns a process with this /proc/PID/cgroup, None for a login session or no systemd.

    Units are named along the path: `/system.slice/NAME`, or `/user.slice/…/user@UID.service/…/NAME` (systemd.slice(5),
    systemd.special(7)). A v1 or hybrid machine has it on the "name=systemd" line, v2 on the one beginning with "0::".
    """
    for line in sorted(cgroup.split("\n"), key=lambda line: not line.startswith("0::")):
        controllers, _, path = line.partition(":")[2].partition(":")
        if controllers in {"", "name=systemd"} and (owner := _owner(path)):
            return owner
    return None


def _owner(path: str) -> Owner | None:
    user = _USER.search(path)
    names = [match["name"] for match in _SERVICE.finditer(path, user.end() if user else 0)]
    if not names or names[-1] in _DOORS or path.endswith(".scope"):
        return None
    return Owner(names[-1], "user" if user else "system")
