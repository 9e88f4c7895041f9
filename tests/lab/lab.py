"""The lab: real hosts on this one machine, and what ssh needs to reach them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from tests.lab.host import LabHost
from tests.lab.slot import LabError, Slot

MOST_HOSTS = 60  # some 40 MB each; they stay for the session


class Lab:
    """The hosts of one slot. `known_hosts`, `ssh_config` and `identity` are files that ssh takes."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.known_hosts = slot.directory / "known_hosts"
        self.ssh_config = slot.directory / "ssh_config"
        self.identity = slot.directory / "id"
        self._hosts: dict[str, LabHost] = {}

    @classmethod
    def open(cls, slot: Slot) -> Lab:
        """The lab in `slot`, with the hosts that are already there."""
        slot.prepare()
        lab = cls(slot)
        if not lab.identity.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", lab.identity], check=True)
        for file in sorted((slot.directory / "hosts").glob("*/index")):
            lab._hosts[file.parent.name] = LabHost(slot, file.parent.name, int(file.read_text()))
        return lab

    @property
    def hosts(self) -> Sequence[LabHost]:
        return tuple(self._hosts.values())

    def host(self, name: str) -> LabHost:
        """The host of that name; booted now if it is new (under a second)."""
        return self.up(name)[0]

    def existing(self, name: str) -> LabHost:
        """The host of that name, which must be up. Raises LabError."""
        if name not in self._hosts:
            raise LabError(f"no host {name!r} is up")
        return self._hosts[name]

    def up(self, *names: str) -> Sequence[LabHost]:
        """The hosts of those names; those that are new are booted, all at once. Raises LabError."""
        new = [self._add(name) for name in dict.fromkeys(names) if name not in self._hosts]
        try:
            _boot(new)
        except BaseException:
            for host in new:
                self.remove(host.name)
            raise
        if new:
            self.trust()
        return tuple(self._hosts[name] for name in names)

    def _add(self, name: str) -> LabHost:
        used = {host.index for host in self.hosts}
        index = next((index for index in range(1, MOST_HOSTS + 1) if index not in used), 0)
        if not index:
            raise LabError(f"a lab has at most {MOST_HOSTS} hosts")
        host = self._hosts[name] = LabHost(self.slot, name, index)
        host.directory.mkdir(parents=True)
        (host.directory / "index").write_text(str(index))
        return host

    def remove(self, name: str) -> None:
        """Stop that host and forget it and its disk."""
        host = self._hosts.pop(name)
        host.stop()
        subprocess.run(["rm", "-rf", host.directory], check=True)
        self.trust()

    def trust(self) -> None:
        """Write known_hosts and ssh_config for the hosts as they are now."""
        self.known_hosts.write_text("".join(map(_known_hosts, self.hosts)))
        self.ssh_config.write_text("".join(self.ssh_host(host.name, host.address) for host in self.hosts))

    def ssh_host(self, alias: str, address: str, user: str = "alice") -> str:
        """A Host block of ssh_config."""
        return (
            f"Host {alias}\n  HostName {address}\n  User {user}\n  IdentityFile {self.identity}\n  IdentitiesOnly yes\n"
            # asyncssh has no sntrup761: with one key exchange for all, comparisons are fair.
            f"  KexAlgorithms curve25519-sha256\n  UserKnownHostsFile {self.known_hosts}\n"
        )

    def ssh(self, name: str, command: str, *options: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        """Run `command` by OpenSSH on a host of the lab."""
        argv = ["ssh", "-F", str(self.ssh_config), "-o", "BatchMode=yes", *options, name, command]
        return subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False
        )

    def down(self) -> None:
        """Stop all hosts and remove everything the lab has made."""
        for host in self.hosts:
            host.stop()
        self._hosts.clear()
        self.slot.clear()


def _boot(hosts: Sequence[LabHost]) -> None:
    for host in hosts:
        host.start()
    for host in hosts:
        host.wait_booted()


def _known_hosts(host: LabHost) -> str:
    names = ",".join([host.address, *host.extra_addresses()])
    return "".join(f"{names} {key}\n" for key in host.host_keys())
