"""One lab's share of this machine: a directory, a bridge with its addresses, and a cgroup, all numbered alike.

Several labs live side by side: slot 0 is for use by hand, every test run takes the first other one that is free.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.lab.addresses import LABS, changing

BY_HAND = 0
FOR_TESTS = range(1, 10)
FIRST_NETWORK = 78  # slot n has 10.(78 + n).0.0/16
# A booted host takes 7 inotify instances and 3 more for each user who is logged in; all count as root's, whose limit
# is 128 by default. Past it systemd dies without a word.
INOTIFY_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_INSTANCES = 2048


class LabError(Exception):
    """The lab cannot do what was asked."""


def ip(*args: str, check: bool = True) -> str:
    """Run iproute2's `ip`; what it printed. Raises LabError with its own words."""
    done = subprocess.run(["ip", *args], capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise LabError(f"ip {' '.join(args)}: {done.stderr.strip()}")
    return done.stdout


def cgroup2() -> Path:
    """Where cgroup2 is mounted: /sys/fs/cgroup, or below it on a hybrid machine. Raises LabError."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2" and where.startswith("/sys/fs/cgroup"):
            return Path(where)
    raise LabError("cgroup2 is not mounted")


@dataclass(frozen=True, slots=True)
class Slot:
    """The names and addresses that belong to lab `number`."""

    number: int

    @property
    def directory(self) -> Path:
        """A tmpfs: the upper layer of an overlay must not lie on the file system of the lower one."""
        return LABS / str(self.number)

    @property
    def cgroup(self) -> Path:
        return cgroup2() / f"jupytui-lab-{self.number}"

    @property
    def bridge(self) -> str:
        return f"jlab{self.number}"

    def link(self, index: int) -> str:
        """The machine's end of the cable to host `index`."""
        return f"jl{self.number}h{index}"

    def address(self, last: int) -> str:
        return self._address(0, last)

    def extra_address(self, index: int, k: int) -> str:
        """One of the addresses that are host `index`'s besides its own; `k` is 0 to 253."""
        return self._address(index, k + 1)

    def _address(self, third: int, last: int) -> str:
        return f"10.{FIRST_NETWORK + self.number}.{third}.{last}"

    def mac(self, last: int) -> str:
        """The hardware address of `address(last)`, given by us and not by chance.

        Else a rebooted host has another one, and a bridge changes its own whenever hosts come and go: everybody
        who has cached the old one waits for half a minute.
        """
        return f"02:78:00:00:{self.number:02x}:{last:02x}"

    def prepare(self) -> None:
        """Make the directory and the bridge, where they are not there yet. Raises LabError."""
        _raise_inotify_limit()
        self.cgroup.mkdir(exist_ok=True)
        if not self.directory.is_mount():
            self.directory.mkdir(parents=True, exist_ok=True)
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=75%,mode=755", "jupytui-lab", self.directory], check=True
            )
        if not (Path("/sys/class/net") / self.bridge).exists():
            with changing():
                ip("link", "add", self.bridge, "address", self.mac(254), "type", "bridge")
                ip("addr", "add", f"{self.address(254)}/16", "dev", self.bridge)
                ip("link", "set", self.bridge, "up")

    def clear(self) -> None:
        """Stop and remove whatever a lab in this slot has made. Safe on an empty slot and after a crash."""
        end_cgroup(self.cgroup)
        if links := list(_links(rf"jl{self.number}h\d+|{self.bridge}")):
            with changing():
                for link in links:
                    ip("link", "del", link, check=False)
        if self.directory.is_mount():
            subprocess.run(["umount", "--lazy", self.directory], check=True)
        if self.directory.is_dir():
            self.directory.rmdir()


def _raise_inotify_limit() -> None:
    """Until this machine boots again: other labs may need it by the time that this one goes."""
    if int(INOTIFY_LIMIT.read_text()) >= INOTIFY_INSTANCES:
        return
    try:
        INOTIFY_LIMIT.write_text(str(INOTIFY_INSTANCES))
    except OSError as error:
        raise LabError(f"{INOTIFY_LIMIT} cannot be raised to {INOTIFY_INSTANCES}: {error.strerror}") from error


def _links(pattern: str) -> Iterator[str]:
    return (link.name for link in Path("/sys/class/net").iterdir() if re.fullmatch(pattern, link.name))


def end_cgroup(cgroup: Path, deadline: float = 10.0) -> None:
    """Kill every process in and below `cgroup`, wait (seconds) until they are gone, remove it. Raises LabError."""
    if not cgroup.is_dir():
        return
    (cgroup / "cgroup.kill").write_text("1")
    until = time.monotonic() + deadline
    while "populated 1" in (cgroup / "cgroup.events").read_text():
        if time.monotonic() > until:
            raise LabError(f"processes in {cgroup} did not die")
        time.sleep(0.005)
    for directory, _, _ in os.walk(cgroup, topdown=False):
        Path(directory).rmdir()


def take() -> tuple[Slot, int]:
    """Return the first free slot for tests and the file descriptor that holds it: it is free again when all its
    copies are closed, be it by a crash. Raises LabError when every slot is in use.
    """
    LABS.mkdir(exist_ok=True)
    for number in FOR_TESTS:
        lock = os.open(LABS / f"{number}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return Slot(number), lock
    raise LabError(f"all {len(FOR_TESTS)} labs of this machine are in use; the locks are in {LABS}")
