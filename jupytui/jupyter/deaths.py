"""Why a kernel or a server ended that nobody had ended: from what the machine shows to a cause. Pure.

By jupyter_client 8 and jupyter_server 2.21.1, a kernel that died is brought back with the line "…KernelRestarter:
restarting kernel (k/5)" (level INFO) and given up with "Kernel ID died, removing from map."; one that was restarted or
shut down by somebody has "Kernel restarted: ID" or "Kernel shutdown: ID" instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from signal import Signals
from typing import NamedTuple

import msgspec

from jupytui.jupyter.models import Cause, Death

_MOST = 6  # lines of evidence that are kept
_RESTARTING = re.compile(r"KernelRestarter: restarting kernel \((\d{1,3})/(\d{1,3})\)")
_GIVEN_UP = re.compile(r"KernelRestarter: restart failed|died, removing from map|restarted failed!")
_STOPPED = re.compile(
    r"received signal \d+, stopping|Shutting down on /api/shutdown|Shutdown confirmed|^Stopping "
    r"|stop-sigterm|Shutting down \d+ kernels?$"
)
_OOM_UNIT = re.compile(r"killed by the OOM killer|Failed with result 'oom-kill'")
_OOM_KERNEL = re.compile(r"(?:(Memory cgroup out of memory|Out of memory): )?Killed process (\d+)\b")
_FAULT = re.compile(r"(?:^|\s)\S+\[(\d+)\]:? (?:segfault at|general protection|trap )")
_EXITED = re.compile(r"Main process exited, code=(exited|killed|dumped), status=(\d+)/")
_CRASH = re.compile(r"Fatal Python error: .{1,120}|Segmentation fault|Bus error|Illegal instruction|terminate called.*")
_RAISED = re.compile(r"^(?:\w+\.)*(\w*(?:Error|Exception)(?:: .{1,160})?)$")
# The first that fits. What traitlets says of a file it cannot read ends a server only where that is asked for
# (TRAITLETS_APPLICATION_RAISE_CONFIG_FILE_ERROR).
_SAID = (
    (Cause.DISK, "the disk is full", re.compile(r"No space left on device|Errno 28\b|Disk quota exceeded")),
    (
        Cause.PORT,
        "its port is taken",
        re.compile(r"port \d+ is already in use|Address already in use|o available port could be found"),
    ),
    (
        Cause.CONFIG,
        "a configuration file is broken",
        re.compile(r"Exception while loading config file|Failed to load config|ConfigFileError|ConfigFileNotFound"),
    ),
)
_UNSAID = "ended without a word: killed by a signal?"
_ITSELF = "ended by itself"
_OWN_MAKING = {Signals.SIGSEGV, Signals.SIGBUS, Signals.SIGILL, Signals.SIGFPE, Signals.SIGABRT, Signals.SIGSYS}


class Ending(msgspec.Struct, frozen=True):
    """Something that ended, as the looks saw it: a kernel, or (`kernel` None) a server.

    `status` is its wait status (waitpid(2)), None when nobody saw it; `oom` whether the machine killed anything for
    want of memory since it was last seen alive, None where that is not counted. `left` is True when a server did not
    clear up behind itself, `rebooted` when its machine was restarted since.
    """

    pid: int
    at: datetime
    kernel: str | None = None
    status: int | None = None
    oom: bool | None = None
    left: bool = False
    rebooted: bool = False


class Evidence(msgspec.Struct, frozen=True):
    """What the machine shows afterwards; lines cleaned and masked.

    `log` is what server and systemd logged since it was last seen alive, `kernel_log` what the machine's kernel ever
    said of processes it ended, () where it may not be read. `events` are the counters of the server's cgroup
    (memory.events, or memory.oom_control), `unit` systemd's properties of its unit.
    """

    log: tuple[str, ...] = ()
    kernel_log: tuple[str, ...] = ()
    events: Mapping[str, int] = {}
    unit: Mapping[str, str] = {}


class _Finding(NamedTuple):
    cause: Cause
    words: str
    lines: Sequence[str] = ()


def kernel_death(ending: Ending, evidence: Evidence) -> Death | None:
    """Return why a kernel ended; None when somebody ended it, or nothing says that it was not so."""
    name = re.escape(ending.kernel or "")
    if _lines(rf"Kernel (?:restarted|shutdown): {name}|Culling .*{name}", evidence.log):
        return None
    told = [line for line in evidence.log if _RESTARTING.search(line) or _GIVEN_UP.search(line)]
    finding = _memory(ending, evidence) or _by_status(ending, evidence) or _fault(ending, evidence)
    if finding is None and told:
        finding = _last_words(evidence.log) or _Finding(Cause.UNKNOWN, _UNSAID if ending.status is None else _ITSELF)
    if finding is None:
        return None
    counted = next((match for line in reversed(told) if (match := _RESTARTING.search(line))), None)
    restarts, limit = (int(counted[1]), int(counted[2])) if counted else (None, None)
    lines = _evidence([*finding.lines, *told[-2:]])
    return Death(finding.cause, finding.words, ending.at, lines, restarts, limit)


def server_death(ending: Ending, evidence: Evidence) -> Death | None:
    """Return why a server ended; None when somebody stopped it, or it ended in good order."""
    if ending.rebooted:
        return Death(Cause.REBOOT, "its machine was restarted", ending.at)
    finding = _memory(ending, evidence)
    if finding is None and any(map(_STOPPED.search, evidence.log)):
        return None
    finding = finding or _by_systemd(ending, evidence) or _fault(ending, evidence)
    if finding is None and ending.left:
        words = "ended without clearing up: killed by a signal?"
        finding = _said(evidence.log) or _Finding(Cause.UNKNOWN, words, evidence.log[-2:])
    if finding is None:
        return None
    restarts = evidence.unit.get("NRestarts", "")
    counted = int(restarts) if re.fullmatch(r"[0-9]{1,9}", restarts) else None
    return Death(finding.cause, finding.words, ending.at, _evidence(finding.lines), counted or None)


def _memory(ending: Ending, evidence: Evidence) -> _Finding | None:
    """Whether memory ran out: by the kernel's own word on this pid, systemd's, or what was counted meanwhile.

    A pid of the kernel log is that of the whole machine: in a container it is another one.
    """
    if ending.oom is False or (ending.status is not None and ending.status & 0x7F != Signals.SIGKILL):
        return None
    kills = [match for line in evidence.kernel_log if (match := _OOM_KERNEL.search(line))]
    named = [match for match in kills if int(match[2]) == ending.pid]
    unit = [line for line in evidence.log if _OOM_UNIT.search(line)]
    counted = ending.oom and evidence.events.get("oom_kill", 1) > 0
    if not (named or unit or counted):
        return None
    match = next(reversed(named or kills), None)
    words = f"killed: out of memory{_place(match, evidence)}"
    lines = [*([match.string] if match else []), *unit[-1:], *_counters(ending, evidence)]
    return _Finding(Cause.MEMORY, words, lines)


def _place(match: re.Match[str] | None, evidence: Evidence) -> str:
    if match and match[1]:
        return " (cgroup)" if match[1].startswith("Memory cgroup") else " (machine)"
    # "oom" counts how often the limit of this cgroup, or of one below it, was the one that was hit (cgroup-v2.rst).
    return " (cgroup)" if evidence.events.get("oom") else ""


def _counters(ending: Ending, evidence: Evidence) -> list[str]:
    lines = ["The machine's count of processes killed for memory rose (/proc/vmstat oom_kill)."] if ending.oom else []
    if kills := evidence.events.get("oom_kill"):
        lines.append(f"Processes of its cgroup killed for memory so far: {kills} (oom_kill).")
    return lines


def _by_status(ending: Ending, evidence: Evidence) -> _Finding | None:
    if not ending.status:
        return None
    seen = f"Its wait status, before its server noticed: {ending.status}."
    if number := ending.status & 0x7F:
        return _signalled(number, [*_last_lines(evidence.log), seen])
    said = _said(evidence.log) or _last_words(evidence.log)
    return said or _Finding(Cause.FAILED, f"ended with exit status {ending.status >> 8}", [seen])


def _by_systemd(ending: Ending, evidence: Evidence) -> _Finding | None:
    """What systemd says of the unit's main process, by its log or, of that very process, by its properties."""
    for line in reversed(evidence.log):
        if match := _EXITED.search(line):
            return _ended(match[1], int(match[2]), evidence, line)
    unit, codes = evidence.unit, {"1": "exited", "2": "killed", "3": "dumped"}
    if unit.get("ExecMainPID") != str(ending.pid) or unit.get("Result", "success") == "success":
        return None
    status = unit.get("ExecMainStatus", "")
    number = int(status) if re.fullmatch(r"[0-9]{1,3}", status) else 0
    return _ended(codes.get(unit.get("ExecMainCode", ""), ""), number, evidence, f"Result={unit['Result']}")


def _ended(code: str, status: int, evidence: Evidence, line: str) -> _Finding | None:
    if code in {"killed", "dumped"}:
        return _signalled(status, [line])
    if not status:
        return None
    said = _said(evidence.log) or _last_words(evidence.log)
    if said:
        return said._replace(lines=[*said.lines, line])
    return _Finding(Cause.FAILED, f"ended with exit status {status}", [*evidence.log[-3:-1], line])


def _signalled(number: int, lines: Sequence[str]) -> _Finding:
    name = Signals(number).name if number in set(Signals) else f"signal {number}"
    cause = Cause.CRASHED if number in _OWN_MAKING else Cause.KILLED
    return _Finding(cause, f"{'crashed' if cause is Cause.CRASHED else 'killed'} by {name}", lines)


def _fault(ending: Ending, evidence: Evidence) -> _Finding | None:
    found = [line for line in evidence.kernel_log if (match := _FAULT.search(line)) and int(match[1]) == ending.pid]
    return _Finding(Cause.CRASHED, "crashed by a fault in native code", found[-1:]) if found else None


def _said(log: Iterable[str]) -> _Finding | None:
    for cause, words, pattern in _SAID:
        if lines := [line for line in log if pattern.search(line)]:
            return _Finding(cause, words, lines[-1:])
    return None


def _last_words(log: Sequence[str]) -> _Finding | None:
    if crash := [match for line in log if (match := _CRASH.search(line))]:
        return _Finding(Cause.CRASHED, f"crashed: {crash[0][0]}", [crash[0].string])
    raised = [match for line in log if (match := _RAISED.match(line))]
    if said := _said(log):
        return said
    return _Finding(Cause.FAILED, f"ended by {raised[-1][1]}", [raised[-1].string]) if raised else None


def _last_lines(log: Sequence[str]) -> list[str]:
    return [match.string for line in log if (match := _CRASH.search(line))][:1]


def _lines(pattern: str, log: Iterable[str]) -> list[str]:
    return [line for line in log if re.search(pattern, line)]


def _evidence(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line for line in lines if line))[:_MOST]
