"""From evidence to a cause. Log lines as jupyter_server 2.21.1, systemd 252 and Linux 6 print them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui.jupyter.deaths import Ending, Evidence, kernel_death, server_death
from jupytui.jupyter.models import Cause, Death

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
ID = "89654592-4728-46c9-b062-71546506c70d"
RESTARTING = "[I 2026-11-21 10:00:00.267 ServerApp] AsyncIOLoopKernelRestarter: restarting kernel (2/5), keep ports"
REMOVED = f"[W 2026-11-21 10:00:03.267 ServerApp] Kernel {ID} died, removing from map."
COMMANDED = f"[I 2026-11-21 10:00:00.267 ServerApp] Kernel restarted: {ID}"
SHUT = f"[I 2026-11-21 10:00:00.267 ServerApp] Kernel shutdown: {ID}"
CULLED = f"[W 2026-11-21 10:00:00.267 ServerApp] Culling 'python3' kernel '{ID}' (idle)"
CGROUP_OOM = "[ 6969.677604] Memory cgroup out of memory: Killed process 77 (python3) total-vm:1860488kB, UID:1001"
MACHINE_OOM = "[ 6969.677604] Out of memory: Killed process 77 (python3) total-vm:1860488kB, UID:1001"
SEGFAULT = "[ 6969.6] python3[77]: segfault at 0 ip 00007f rsp 00007f error 4 in libfoo.so"
UNIT_OOM = "jupyter.service: A process of this unit has been killed by the OOM killer."
UNIT_KILLED = "jupyter.service: Main process exited, code=killed, status=9/KILL"
UNIT_FAILED = "jupyter.service: Main process exited, code=exited, status=1/FAILURE"
PORT = "ERROR: the port 8888 is already in use, please stop the other server"
FULL = "OSError: [Errno 28] No space left on device"
CONFIG = "[C 10:00:00 ServerApp] Bad config encountered during initialization: ConfigFileError: x"


def kernel(*log: str, status: int | None = None, oom: bool | None = None, **evidence: object) -> Death | None:
    return kernel_death(Ending(77, AT, ID, status, oom), Evidence(log=log, **evidence))  # type: ignore[arg-type]


def server(*log: str, left: bool = False, oom: bool | None = None, **evidence: object) -> Death | None:
    return server_death(Ending(77, AT, left=left, oom=oom), Evidence(log=log, **evidence))  # type: ignore[arg-type]


def told(death: Death | None) -> tuple[Cause, str] | None:
    return (death.cause, death.words) if death else None


@pytest.mark.parametrize("log", [COMMANDED, SHUT, CULLED])
def test_what_somebody_restarted_or_ended_has_not_died(log: str) -> None:
    assert kernel(log, status=9) is None


def test_a_new_process_of_which_nothing_speaks_of_a_death_is_none() -> None:
    assert kernel() is None
    assert kernel(status=0) is None


def test_a_restart_is_counted() -> None:
    death = kernel(RESTARTING, status=9)
    assert death and (death.restarts, death.limit, death.words) == (2, 5, "killed by SIGKILL")
    assert death.evidence[-1] == RESTARTING


@pytest.mark.parametrize(
    ("line", "words"),
    [(CGROUP_OOM, "killed: out of memory (cgroup)"), (MACHINE_OOM, "killed: out of memory (machine)")],
)
def test_the_kernel_log_tells_whose_memory_ran_out(line: str, words: str) -> None:
    assert told(kernel(RESTARTING, kernel_log=(line,))) == (Cause.MEMORY, words)
    assert told(server(kernel_log=(line,), left=True)) == (Cause.MEMORY, words)


def test_a_line_on_an_earlier_process_of_the_same_number_is_no_cause() -> None:
    assert told(kernel(status=11, kernel_log=(CGROUP_OOM,))) == (Cause.CRASHED, "crashed by SIGSEGV")
    assert told(kernel(status=9, oom=False, kernel_log=(CGROUP_OOM,))) == (Cause.KILLED, "killed by SIGKILL")


def test_a_kill_of_another_process_is_not_ours() -> None:
    other = CGROUP_OOM.replace("77", "78")
    assert told(kernel(RESTARTING, status=9, kernel_log=(other,))) == (Cause.KILLED, "killed by SIGKILL")


# memory.events as cgroup-v2.rst documents it, made by hand: where the lab was made, cgroup2 has no such controller.
BY_HAND = {"low": 0, "high": 0, "max": 310, "oom": 1, "oom_kill": 1, "oom_group_kill": 0}


def test_without_a_kernel_log_the_counters_tell() -> None:
    assert told(kernel(oom=True, events=BY_HAND)) == (Cause.MEMORY, "killed: out of memory (cgroup)")
    assert told(kernel(oom=True)) == (Cause.MEMORY, "killed: out of memory")
    above = BY_HAND | {"oom": 0}
    assert told(kernel(oom=True, events=above)) == (Cause.MEMORY, "killed: out of memory")


def test_a_count_that_rose_elsewhere_is_no_cause() -> None:
    assert told(kernel(status=9, oom=True, events=BY_HAND | {"oom_kill": 0})) == (Cause.KILLED, "killed by SIGKILL")
    assert told(kernel(status=15, oom=True)) == (Cause.KILLED, "killed by SIGTERM")
    assert told(kernel(status=9, oom=False, events=BY_HAND)) == (Cause.KILLED, "killed by SIGKILL")


def test_crashes_and_exits() -> None:
    assert told(kernel(status=11)) == (Cause.CRASHED, "crashed by SIGSEGV")
    assert told(kernel(status=139)) == (Cause.CRASHED, "crashed by SIGSEGV")
    assert told(kernel(RESTARTING, kernel_log=(SEGFAULT,))) == (Cause.CRASHED, "crashed by a fault in native code")
    assert told(kernel("Fatal Python error: Aborted", RESTARTING)) == (
        Cause.CRASHED, "crashed: Fatal Python error: Aborted"
    )  # fmt: skip
    assert told(kernel(status=256)) == (Cause.FAILED, "ended with exit status 1")
    assert told(kernel(FULL, RESTARTING, status=256)) == (Cause.DISK, "the disk is full")
    assert told(kernel("ModuleNotFoundError: No module named 'x'", RESTARTING)) == (
        Cause.FAILED, "ended by ModuleNotFoundError: No module named 'x'"
    )  # fmt: skip
    assert told(kernel(RESTARTING, status=0)) == (Cause.UNKNOWN, "ended by itself")


def test_what_is_not_known_is_said_to_be_a_guess() -> None:
    assert told(kernel(RESTARTING)) == (Cause.UNKNOWN, "ended without a word: killed by a signal?")
    assert told(kernel(REMOVED)) == (Cause.UNKNOWN, "ended without a word: killed by a signal?")
    assert told(server(left=True)) == (Cause.UNKNOWN, "ended without clearing up: killed by a signal?")


def test_servers_that_were_stopped_or_ended_in_good_order_have_not_died() -> None:
    assert server() is None
    for line in (
        "[C 2026-11-21 10:00:00 ServerApp] received signal 15, stopping",
        "[I 2026-11-21 10:00:00 ServerApp] Shutting down on /api/shutdown request.",
        "Stopping jupyter.service - JupyterLab...",
        "jupyter.service: State 'stop-sigterm' timed out. Killing.",
    ):
        assert server(line, UNIT_KILLED, left=True) is None


def test_servers_that_died() -> None:
    assert told(server(UNIT_KILLED, "Stopped jupyter.service - JupyterLab.")) == (Cause.KILLED, "killed by SIGKILL")
    assert told(server(UNIT_OOM, "Stopping jupyter.service...")) == (Cause.MEMORY, "killed: out of memory")
    assert told(server(PORT, UNIT_FAILED)) == (Cause.PORT, "its port is taken")
    assert told(server(CONFIG, UNIT_FAILED)) == (Cause.CONFIG, "a configuration file is broken")
    assert told(server(FULL, UNIT_FAILED)) == (Cause.DISK, "the disk is full")
    assert told(server("bye", UNIT_FAILED)) == (Cause.FAILED, "ended with exit status 1")
    rebooted = server_death(Ending(77, AT, left=True, rebooted=True), Evidence())
    assert told(rebooted) == (Cause.REBOOT, "its machine was restarted")


def test_a_units_properties_count_only_for_the_process_that_ended() -> None:
    unit = {"Result": "signal", "ExecMainPID": "77", "ExecMainCode": "2", "ExecMainStatus": "9"}
    assert told(server(unit=unit)) == (Cause.KILLED, "killed by SIGKILL")
    assert server(unit=unit | {"ExecMainPID": "78"}) is None
    assert server(unit=unit | {"Result": "success"}) is None


def test_how_often_systemd_brought_it_back_is_told() -> None:
    for counted, restarts in (("27", 27), ("0", None), ("[not set]", None)):
        died = server(UNIT_KILLED, unit={"NRestarts": counted})
        assert died and died.restarts == restarts


TEXT = st.lists(st.one_of(st.text(), st.sampled_from([RESTARTING, CGROUP_OOM, UNIT_FAILED, SEGFAULT, FULL]))).map(tuple)


@given(TEXT, TEXT, st.one_of(st.none(), st.integers(0, 2**31)), st.booleans())
def test_no_evidence_makes_it_fail(log: tuple[str, ...], lines: tuple[str, ...], status: int | None, oom: bool) -> None:
    evidence = Evidence(log, lines)
    kernel_death(Ending(77, AT, ID, status, oom), evidence)
    server_death(Ending(77, AT, None, status, oom, left=True), evidence)
