"""What systemd says of its services, as values; any garbage is survived."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupytui.systemd.edit import difference
from jupytui.systemd.hardening import hardening
from jupytui.systemd.unit_file import UnitFile, render
from jupytui.systemd.units import find_services, parse_services
from jupytui.systemd.verify import parse_verdict, verify
from jupytui.systemd.words import how_it_ended
from tests.jupyter.launch.conftest import reach
from tests.lab.lab import Lab

RECORDED = """\
up 1000.50 1800001000
linger
scope user
Type=exec
Id=jupyter.service
Description=Lab of \x1b[31malice
LoadState=loaded
ActiveState=failed
SubState=failed
UnitFileState=enabled
FragmentPath=/home/alice/.config/systemd/user/jupyter.service
DropInPaths=/home/alice/.config/systemd/user/jupyter.service.d/a.conf /x/b.conf
MainPID=0
NRestarts=5
Result=exit-code
ExecMainCode=1
ExecMainStatus=203
MemoryCurrent=[not set]
MemoryMax=infinity
CPUQuotaPerSecUSec=1.500s
ExecStart={ path=/v/bin/jupyter-lab ; argv[]=/v/bin/jupyter-lab --port=8890 ; ignore_errors=no ; start_time=[n/a] }
ActiveEnterTimestampMonotonic=500000000

Id=gone.service
LoadState=not-found

scope system
Id=lab.service
LoadState=loaded
ActiveState=active
SubState=running
MainPID=77
NRestarts=0
Result=success
MemoryCurrent=1048576
MemoryMax=8589934592
CPUQuotaPerSecUSec=4s
User=alice
NeedDaemonReload=yes
"""


def test_a_recording_is_read_whole() -> None:
    found = parse_services(RECORDED)
    user, system = found.services
    assert found.linger
    assert (user.id, user.active, user.restarts, user.main_pid, user.linger) == (
        "user:jupyter.service",
        "failed",
        5,
        None,
        True,
    )
    assert user.ended == "could not be executed: its program is missing or not executable"
    assert user.command == "/v/bin/jupyter-lab --port=8890"
    assert user.drop_ins == ("/home/alice/.config/systemd/user/jupyter.service.d/a.conf", "/x/b.conf")
    assert "\x1b" not in user.description
    assert user.since
    assert int(user.since.timestamp()) == 1800000499
    assert (system.memory, system.memory_max, system.cpu_quota) == (2**20, 8 * 2**30, 4.0)
    assert (system.running, system.needs_reload, system.user, system.ended) == (True, True, "alice", "")


@given(st.text())
def test_any_garbage_is_survived(text: str) -> None:
    parse_services(text)
    parse_services(f"up 1 2\nscope user\nId=a.service\n{text}\n\n")
    parse_verdict(text, "a.service")


@given(
    st.sampled_from(["Id", "MainPID", "NRestarts", "MemoryCurrent", "CPUQuotaPerSecUSec", "ExecMainStatus"]), st.text()
)
def test_no_value_breaks_a_service(name: str, value: str) -> None:
    parse_services(f"up 1 2\nscope system\nResult=exit-code\n{name}={value}\nId=a.service\n")


def test_a_value_cannot_set_another_property() -> None:
    assert parse_services("scope user\nId=a.service\nMainPID=5\nDescription=x\nMainPID=6\n").services[0].main_pid == 5


def test_a_machine_without_systemd_says_so() -> None:
    assert not parse_services("none\n").systemd


def test_ends_are_told_in_words() -> None:
    assert how_it_ended("killed", 9) == "was killed by SIGKILL"
    assert how_it_ended("killed", 9, "oom-kill") == "was killed because memory ran out"
    assert how_it_ended("exited", 1) == "ended with exit status 1"
    assert how_it_ended("exited", 0, "start-limit-hit").startswith("failed too often")
    assert how_it_ended("killed", 99) == "was killed by signal 99"


def test_a_difference_shows_what_changes_and_nothing_when_nothing_does() -> None:
    assert difference("a\nb\n", "a\nc\n", "/x").splitlines()[-2:] == ["-b", "+c"]
    assert not difference("a\n", "a\n", "/x")


def test_nothing_that_hides_gpus_or_breaks_jits_is_among_the_hardening() -> None:
    keys = {option.key for scope in ("user", "system") for option in hardening(scope)}
    assert not keys & {"PrivateDevices", "DevicePolicy", "MemoryDenyWriteExecute", "ProtectHome", "ProtectClock"}


async def test_systemd_reads_our_units_without_complaint_and_its_complaints_are_heard(lab: Lab) -> None:
    host = await reach(lab, lab.host("systemd"))
    for scope in ("user", "system"):
        options = tuple((option.key, option.value) for option in hardening(scope))
        bare = UnitFile("x", ("/usr/bin/python3",), user="alice" if scope == "system" else None)
        hard = UnitFile("x", ("/usr/bin/python3",), user=bare.user, hardening=options)
        before, after = (
            await verify(host, scope, "x.service", render(bare)),
            await verify(host, scope, "x.service", render(hard)),
        )
        assert not before.complaints + after.complaints
        assert before.score
        assert after.score
        assert after.score < before.score - 1.5
    wrong = await verify(host, "user", "x.service", render(bare).replace("Restart=", "Restrat="))
    assert "Unknown key" in wrong.complaints[0]
    missing = await verify(host, "user", "x.service", render(UnitFile("x", ("/no/such",))))
    assert "not executable" in missing.complaints[0]
    assert not (await host.run("ls -d /tmp/tmp.*")).stdout
    await host.close()


async def test_units_are_found_by_what_their_files_say_and_by_name(lab: Lab) -> None:
    booted = lab.host("systemd")
    booted.write(
        "/home/alice/.config/systemd/user/deep.service.d/x.conf", "[Service]\nEnvironment=a=jupyter\n", user="alice"
    )
    booted.write("/home/alice/.config/systemd/user/deep.service", "[Service]\nExecStart=/bin/true\n", user="alice")
    host = await reach(lab, booted)
    found = await find_services(host, "[Jj]upyter", ["system:ssh.service", "user:missing.service"])
    assert {service.id for service in found.services} >= {"user:deep.service", "system:ssh.service"}
    assert not found.get("user:missing.service")
    ssh = found.get("system:ssh.service")
    assert ssh
    assert ssh.running
    await host.close()
