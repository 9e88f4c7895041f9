"""What systemd says of a service's end, in words."""

from __future__ import annotations

import signal

# systemd.exec(5), "Process Exit Codes": statuses that systemd gives a process which it could not execute.
_EXEC = {
    200: "could not enter its working directory",
    203: "could not be executed: its program is missing or not executable",
    204: "could not be executed: no memory",
    208: "could not open its stdin",
    209: "could not open its log file",
    213: "could not open its log file",
    216: "could not change to its group",
    217: "could not change to its user: there is none of that name",
    218: "could not drop its capabilities: a hardening option is not allowed here",
    219: "could not enter its cgroup",
    224: "failed in its PAM session",
    225: "could not set up its network",
    226: "could not set up its file system view: a hardening option is not allowed here",
    238: "could not make its state directory",
    240: "could not make its log directory",
}
_RESULTS = {
    "oom-kill": "was killed because memory ran out",
    "timeout": "took too long and was killed",
    "watchdog": "stopped answering its watchdog and was killed",
    "start-limit-hit": "failed too often in a row, so systemd gave it up",
    "resources": "could not be started: the machine lacks something for it",
    "protocol": "did not start as systemd expects it",
    "exec-condition": "was not started: its condition said no",
}


def how_it_ended(code: str, status: int, result: str = "") -> str:
    """Return how a service ended, to follow "it": `code` "exited", "killed" or "dumped", `result` systemd's Result=."""
    if result in _RESULTS:
        return _RESULTS[result]
    if code in {"killed", "dumped"}:
        return f"was killed by {_signal(status)}" + (" and dumped core" if code == "dumped" else "")
    if status in _EXEC:
        return _EXEC[status]
    if status:
        return f"ended with exit status {status}"
    return "ended by itself" if code else "ended"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
