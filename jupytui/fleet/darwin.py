"""What the survey prints where there is no /proc: macOS' ps, vm_stat and lsof."""

from __future__ import annotations

import re
import shlex
from calendar import timegm
from time import strptime
from typing import Any

from jupytui.fleet.facts import Detail, Listener, Now, Owner, Process

# pid ppid uid stat time rss lstart(5 words) command; lstart is local time, given with TZ=UTC by the survey.
_PS = re.compile(
    r"\s*(?P<pid>\d{1,9})\s+(?P<ppid>\d{1,9})\s+(?P<uid>\d{1,10})\s+(?P<state>\S+)\s+(?P<time>[\d:.-]{4,20})\s+"
    r"(?P<rss>\d{1,12})\s+(?P<start>\w{3} +\w{3} +\d+ [\d:]{8} \d{4})\s+(?P<command>.*)"
)
_TCP = re.compile(r"n\[?(?P<address>[0-9a-fA-F:.*]+?)\]?:(?P<port>\d{1,5})")


def product(uname: str) -> str:
    """Return a name for the system from `uname -srm` where there is no os-release."""
    return uname.replace("Darwin", "macOS (Darwin)", 1)


def parse_now(text: str) -> dict[str, Any]:
    """Parse sysctl's "load { 1.5 1.2 1.1 }" and "total BYTES", date's "time SECONDS", and vm_stat's page counts.

    Processes' starts are unix seconds here, not seconds since boot: so is `Now.up`, and `Machine.boot_time` is 0.
    """
    load = re.search(r"^load \{? ?(\d{1,6}[.,]\d+)", text, re.M)
    total = re.search(r"^total (\d{1,18})$", text, re.M)
    clock = re.search(r"^time (\d{1,12})$", text, re.M)
    page = re.search(r"page size of (\d{1,8}) bytes", text)
    pages = {name: int(count) for name, count in re.findall(r'^"?([A-Za-z -]+)"?: +(\d{1,15})\.', text, re.M)}
    # What Activity Monitor calls used: app memory, wired and compressed.
    used = sum(pages.get(name, 0) for name in ("Pages active", "Pages wired down", "Pages occupied by compressor"))
    return {
        "now": Now(
            up=float(clock[1]) if clock else None,
            load1=float(load[1].replace(",", ".")) if load else None,
            memory_used=used * int(page[1]) if page and used else None,
            memory_total=int(total[1]) if total else None,
        )
    }


def parse_ps(text: str) -> dict[str, Any]:
    """Parse `ps -o pid=,ppid=,uid=,stat=,time=,rss=,lstart=,command=`: processes and their details."""
    processes: list[Process] = []
    details: dict[str, Detail] = {}
    for match in filter(None, map(_PS.fullmatch, text.split("\n"))):
        start = _unix(match["start"])
        argv = _words(match["command"])
        name = argv[0].rpartition("/")[2] if argv else ""
        key = f"{match['pid']}:{start}:{name}"
        pid, ppid, rss = int(match["pid"]), int(match["ppid"]), int(match["rss"]) * 1024
        processes.append(Process(key, pid, ppid, start * 100, name, match["state"][:1], _ticks(match["time"]), rss))
        details[key] = Detail(argv=argv, uid=int(match["uid"]))
    return {"processes": tuple(processes), "details": details}


def _words(command: str) -> tuple[str, ...]:
    # ps joins the arguments with spaces, so one with a space in it comes apart; quoting was never there.
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return tuple(command.split())


def _ticks(text: str) -> int:
    days, _, clock = text.rpartition("-")
    hundredths = 0.0
    for part in clock.split(":"):
        hundredths = hundredths * 60 + (float(part) if re.fullmatch(r"\d+(\.\d+)?", part) else 0)
    return int(hundredths * 100) + (int(days) * 8_640_000 if days.isdecimal() else 0)


def _unix(text: str) -> int:
    try:
        return timegm(strptime(text, "%a %b %d %H:%M:%S %Y"))
    except ValueError:
        return 0


def parse_lsof(text: str) -> dict[str, Any]:
    """Parse `lsof -F pn` of listening TCP sockets: "p123", then "n127.0.0.1:8888" lines."""
    listeners: list[Listener] = []
    owners: list[Owner] = []
    pid = 0
    for line in text.split("\n"):
        if re.fullmatch(r"p\d{1,9}", line):
            pid = int(line[1:])
        elif match := _TCP.fullmatch(line):
            # No inode is shown here; the socket's place in this list is as good a link between the two.
            listeners.append(Listener(match["address"], int(match["port"]), -1, len(listeners) + 1))
            owners.append(Owner(pid, len(listeners)))
    return {"listeners": tuple(listeners), "owners": tuple(owners)}
