"""The promises of the lab itself."""

from __future__ import annotations

import fcntl
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.addresses import LABS
from tests.lab.host import LabHost
from tests.lab.lab import Lab
from tests.lab.session import own_lab
from tests.lab.slot import LabError, Slot

# A run of its own: takes a slot, boots a host, says so, and stays until it is killed.
OTHER_RUN = """
import signal
from tests.lab.session import own_lab
with own_lab() as lab:
    lab.up("doomed")
    print(lab.slot.number, flush=True)
    signal.pause()
"""


def _remains(slot: Slot) -> list[str]:
    """Everything on this machine that bears the slot's name."""
    links = [link.name for link in Path("/sys/class/net").iterdir() if link.name.startswith(slot.link(0)[:-1])]
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if f"{slot.directory}" in line.split()[1]]
    places = [str(place) for place in (slot.directory, slot.cgroup) if place.exists()]
    return links + mounts + places


def _answers(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=0.3) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def test_hosts_boot_and_openssh_gets_in(lab: Lab) -> None:
    for host in lab.up("h1", "h2"):
        done = lab.ssh(host.name, "hostname; systemctl is-system-running; systemctl --user is-system-running")
        assert done.stdout.split() == [host.name, "running", "running"]


def test_every_host_has_its_own_identity(lab: Lab) -> None:
    hosts = lab.up("h1", "h2")
    for question in ("cat /etc/machine-id", "cat /proc/sys/kernel/random/boot_id", "cat /etc/ssh/ssh_host_*.pub"):
        assert len({host.exec(question).stdout for host in hosts}) == len(hosts)


def test_alice_is_root_by_sudo_with_her_password_only(lab: Lab) -> None:
    host = lab.host("h1")
    assert host.exec("sudo -S -p '' id -un", user="alice", input="lab\n").stdout == "root\n"
    assert host.exec("sudo -n true", user="alice", check=False).returncode == 1


def test_a_host_sees_nobody_elses_home_and_cannot_set_this_machines_kernel(lab: Lab) -> None:
    host = lab.host("h1")
    assert host.exec("ls -A /home").stdout == "alice\n"
    assert host.exec("ls /root").stdout == ""
    with pytest.raises(LabError, match="Read-only"):
        host.exec("echo 1 >/proc/sys/vm/overcommit_memory")


def test_extra_addresses_reach_the_same_host_by_the_same_key(lab: Lab) -> None:
    for address in lab.host("h1").add_addresses(2):
        options = ("-o", f"HostName={address}", "-o", "StrictHostKeyChecking=yes")
        assert lab.ssh("h1", "hostname", *options).stdout == "h1\n"


def test_a_cut_host_is_silent_until_it_is_healed(fresh_host: LabHost) -> None:
    assert _answers(fresh_host.address)
    fresh_host.cut()
    assert not _answers(fresh_host.address)
    fresh_host.heal()
    assert _answers(fresh_host.address)


def test_hosts_that_come_go_and_reboot_disturb_no_connection_of_another(lab: Lab, fresh_host: LabHost) -> None:
    with socket.create_connection((lab.host("h1").address, 22), timeout=2) as connection:
        assert connection.recv(4) == b"SSH-"
        assert _answers(fresh_host.address)
        fresh_host.reboot()
        assert _answers(fresh_host.address)
        lab.host("passing")
        lab.remove("passing")
        connection.sendall(b"SSH-2.0-test\r\n")
        assert connection.recv(4096)


def test_a_reboot_keeps_disk_and_keys_and_ends_everything_else(fresh_host: LabHost) -> None:
    fresh_host.exec("touch ~/kept /tmp/lost")
    before = fresh_host.host_keys(), fresh_host.exec("cat /proc/sys/kernel/random/boot_id").stdout
    with fresh_host.spawn("exec cat") as cat:
        fresh_host.reboot()
    assert cat.returncode
    assert fresh_host.exec("ls ~ /tmp").stdout.count("kept") == 1
    assert fresh_host.exec("test -e /tmp/lost", check=False).returncode == 1
    assert fresh_host.exec("journalctl --list-boots -o json").stdout.count("boot_id") == 2
    assert fresh_host.host_keys() == before[0]
    assert fresh_host.exec("cat /proc/sys/kernel/random/boot_id").stdout != before[1]


def test_a_rekeyed_host_is_no_longer_trusted(lab: Lab, fresh_host: LabHost) -> None:
    fresh_host.rekey()
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in lab.ssh(fresh_host.name, "true").stderr


def test_processes_sockets_and_connections_of_a_host_can_be_seen(fresh_host: LabHost) -> None:
    with fresh_host.spawn("echo; read -r _", user="alice") as reader:
        assert reader.stdout
        assert reader.stdout.readline() == b"\n"
        assert [process.user for process in fresh_host.processes() if "read -r _" in process.command] == ["alice"]
        reader.communicate()
    assert "0.0.0.0:22" in fresh_host.listening()
    with socket.create_connection((fresh_host.address, 22)) as connection:
        connection.recv(4)
        assert fresh_host.ssh_connections() == 1


def test_a_host_that_cannot_boot_says_why_and_leaves_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.lab.host.PATH", "/nonexistent")
    with pytest.raises(LabError, match="unshare: not found"):
        lab.host("broken")
    assert "broken" not in {host.name for host in lab.hosts}
    assert not (lab.slot.cgroup / "broken").exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_dies_leaves_nothing_and_disturbs_no_other(lab: Lab, number: signal.Signals) -> None:
    mine = lab.host("h1")
    argv = [sys.executable, "-c", OTHER_RUN]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout
        slot = Slot(int(run.stdout.readline()))
        assert slot != lab.slot
        assert len(_remains(slot)) > 3
        run.send_signal(number)
    with (LABS / f"{slot.number}.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the undertaker has ended
        assert not _remains(slot)
    assert _answers(mine.address)


def test_fifteen_hosts_boot_at_once_in_a_second_lab(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.lab.lab.MOST_HOSTS", 15)
    with own_lab() as second:
        assert second.slot != lab.slot
        names = [f"n{number}" for number in range(15)]
        assert [host.name for host in second.up(*names)] == names
        assert all(_answers(host.address) for host in second.hosts)
        with pytest.raises(LabError, match="at most 15"):
            second.host("one-too-many")
