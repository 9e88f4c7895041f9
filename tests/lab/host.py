"""A host of the lab: systemd as PID 1, sshd, a network cable, and a disk that outlives a reboot."""

from __future__ import annotations

import re
import socket
import struct
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.lab.slot import LabError, Slot, end_cgroup, ip

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
BOOT_DEADLINE = 60.0
HEAL_DEADLINE = 10.0
EXTRA_ADDRESSES = 10


@dataclass(frozen=True, slots=True)
class LabProcess:
    """A process in a host, as `ps` there shows it."""

    pid: int
    ppid: int
    user: str
    command: str


class LabHost:
    """One host. `index` (from 1 on) decides its addresses; `LabHost` of a running host may be made by anybody."""

    def __init__(self, slot: Slot, name: str, index: int) -> None:
        self.slot, self.name, self.index = slot, name, index
        self.directory = slot.directory / "hosts" / name
        self.address = slot.address(10 + index)
        self._link = slot.link(index)
        self._cgroup = slot.cgroup / name
        self._notify: socket.socket | None = None
        self._unshare: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to boot; `wait_booted` must follow."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._cgroup.mkdir()
        self._notify = self._notify_socket()
        with (self.directory / "console").open("ab") as console:
            self._unshare = subprocess.Popen(
                ["/bin/sh", Path(__file__).with_name("boot.sh")],
                env={"PATH": PATH, **self._boot_variables()},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,  # ctrl+c in pytest is for pytest, which then ends the lab in order
            )

    def _boot_variables(self) -> dict[str, str]:
        return {
            "NAME": self.name,
            "ADDRESS": self.address,
            "MAC": self.slot.mac(10 + self.index),
            "DIR": str(self.directory),
            "CGROUP": str(self._cgroup),
            "LINK": self._link,
            "BRIDGE": self.slot.bridge,
            "ID": str(self.slot.directory / "id.pub"),
        }

    def _notify_socket(self) -> socket.socket:
        path = self.directory / "notify"
        path.unlink(missing_ok=True)
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        notify.bind(str(path))
        notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        return notify

    def wait_booted(self) -> None:
        """Wait until systemd says that it has booted. Raises LabError with the console's last words."""
        assert self._notify
        with self._notify as notify:
            until = time.monotonic() + BOOT_DEADLINE
            while not (pid := _pid_if_ready(notify)):
                assert self._unshare
                if self._unshare.poll() is not None or time.monotonic() > until:
                    raise LabError(f"host {self.name} did not boot: {self.console()[-2000:]}")
        (self.directory / "pid").write_text(str(pid))

    def console(self) -> str:
        """What was written on its console, over all boots."""
        return (self.directory / "console").read_text(errors="replace")

    def stop(self) -> None:
        """Cut its power: every process dies at once; the disk stays."""
        end_cgroup(self._cgroup)
        if self._unshare:
            self._unshare.wait()
        ip("link", "del", self._link, check=False)  # the kernel would do so too, but later

    def reboot(self) -> None:
        """Cut its power and boot it again; the disk and the host keys stay, `/run` and `/tmp` and cuts do not."""
        self.stop()
        self.start()
        self.wait_booted()

    def cut(self) -> None:
        """Unplug its network: connections are half open, new ones are not answered."""
        ip("link", "set", self._link, "down")

    def heal(self) -> None:
        """Plug its network in again; returns when this machine has found it."""
        ip("link", "set", self._link, "up")
        until = time.monotonic() + HEAL_DEADLINE
        while not _found(self.address):
            if time.monotonic() > until:
                raise LabError(f"{self.name} is not found {HEAL_DEADLINE} s after its network was plugged in")

    @property
    def pid(self) -> int:
        """The PID of its systemd on this machine."""
        return int((self.directory / "pid").read_text())

    def command(self, script: str, *args: str, user: str = "root") -> list[str]:
        """The argv that runs sh source `script` (its $1, $2 …: `args`) in the host, from the user's home."""
        enter = ["nsenter", f"--target={self.pid}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"]
        become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--reset-env"]
        home = 'cd; export XDG_RUNTIME_DIR=/run/user/$(id -u); unset OLDPWD; eval "$0"'
        return [*enter, "--root", "--wd", "--", *become, "sh", "-c", home, script, *args]

    def exec(
        self,
        script: str,
        *args: str,
        user: str = "root",
        input: str | None = None,
        timeout: float = 60.0,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run sh source `script` in the host, past its network and sshd; `input` (nothing) is its stdin.

        Raises LabError with its stderr when it fails, unless `check` is False.
        """
        done = subprocess.run(
            self.command(script, *args, user=user),
            input=input or "",
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            raise LabError(f"{self.name}: {script!r} ended with {done.returncode}: {done.stderr}{done.stdout}")
        return done

    def spawn(self, script: str, *args: str, user: str = "root") -> subprocess.Popen[bytes]:
        """Start `script` in the host, with pipes; it ends at the latest with the host."""
        pipe = subprocess.PIPE
        return subprocess.Popen(self.command(script, *args, user=user), stdin=pipe, stdout=pipe, stderr=pipe)

    def write(self, path: str, text: str, *, user: str = "root", mode: str = "600") -> None:
        """Make a file in the host, and the directories above it."""
        script = 'mkdir -p "$(dirname "$1")" && umask 077 && cat >"$1" && chmod "$2" "$1"'
        self.exec(script, path, mode, user=user, input=text)

    def processes(self) -> tuple[LabProcess, ...]:
        """Every process in the host but the one that looks."""
        rows = self.exec("exec ps -eo pid=,ppid=,user:32=,args=").stdout.splitlines()
        found = (row.split(None, 3) for row in rows)
        all_of_them = (LabProcess(int(pid), int(ppid), user, command) for pid, ppid, user, command in found)
        return tuple(process for process in all_of_them if not process.command.startswith("ps -eo pid="))

    def listening(self) -> frozenset[str]:
        """The TCP sockets that listen in the host, as "address:port"."""
        return frozenset(row.split()[3] for row in self.exec("ss -Hltn").stdout.splitlines())

    def ssh_connections(self) -> int:
        """How many connections to its sshd are established."""
        return len(self.exec("ss -Htn state established sport = :22").stdout.splitlines())

    def add_addresses(self, count: int = EXTRA_ADDRESSES) -> tuple[str, ...]:
        """Give it `count` (up to 10) more addresses until it reboots; they are returned."""
        addresses = self.extra_addresses()[:count]
        self.exec('for a in "$@"; do ip addr add "$a/16" dev eth0; done', *addresses)
        return addresses

    def extra_addresses(self) -> tuple[str, ...]:
        """The addresses that are its own besides `address`, whether it has been given them or not."""
        return tuple(self.slot.extra_address(self.index, k) for k in range(EXTRA_ADDRESSES))

    def host_keys(self) -> tuple[str, ...]:
        """Its public host keys, each as "type base64"."""
        files = sorted((self.directory / "upper/etc/ssh").glob("ssh_host_*_key.pub"))
        return tuple(" ".join(file.read_text().split()[:2]) for file in files if file.is_file())  # else a whiteout

    def rekey(self) -> None:
        """Give it new host keys, as a reinstalled machine would have; the lab's known_hosts keeps the old ones."""
        self.exec(
            "rm /etc/ssh/ssh_host_*; for t in ed25519 ecdsa; do"
            " ssh-keygen -q -t $t -N '' -f /etc/ssh/ssh_host_${t}_key; done; systemctl restart ssh"
        )


def _found(address: str) -> bool:
    """Whether the machine answers at all; waits at most 0.2 s. A failed neighbour entry lives for a second."""
    try:
        socket.create_connection((address, 22), timeout=0.2).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        time.sleep(0.02)
        return False
    return True


def _pid_if_ready(notify: socket.socket) -> int:
    """Read one message of systemd's; its PID here if it says that all is up, else 0. Waits at most 0.2 s."""
    notify.settimeout(0.2)
    try:
        message, ancillary, _, _ = notify.recvmsg(4096, socket.CMSG_SPACE(struct.calcsize("3i")))
    except TimeoutError:
        return 0
    if not re.search(rb"^READY=1$", message, re.MULTILINE):
        return 0
    pid: int = struct.unpack("3i", ancillary[0][2])[0]
    return pid
