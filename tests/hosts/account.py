"""Who logs in: a person who answers, and the user's side of SSH."""

from __future__ import annotations

import asyncio
import getpass
import socket
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import pytest

from jupytui.hosts.base import Destination, Host, HostTrouble, Prompter, SecretPrompt, UnknownKey
from jupytui.hosts.limits import Gates
from jupytui.hosts.open import open_host
from jupytui.secret import Secret


@dataclass
class Person:
    """A prompter with prepared answers; None declines. `pause` is how long each answer takes to type, in seconds."""

    answers: list[str | None] = field(default_factory=list)
    trusts: bool = False
    pause: float = 0
    asked: list[SecretPrompt] = field(default_factory=list)
    shown: list[UnknownKey] = field(default_factory=list)

    async def secret(self, prompt: SecretPrompt) -> Secret | None:
        self.asked.append(prompt)
        await asyncio.sleep(self.pause)
        answer = self.answers.pop(0) if self.answers else None
        return None if answer is None else Secret(answer)

    async def trust(self, question: UnknownKey) -> bool:
        self.shown.append(question)
        return self.trusts


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass
class Account:
    """The user's side of SSH: a configuration, keys and known_hosts in a directory of their own."""

    directory: Path

    def __post_init__(self) -> None:
        self.directory.mkdir(mode=0o700)
        self.key = self.new_key("id")

    @property
    def known_hosts(self) -> Path:
        return self.directory / "known_hosts"

    @property
    def config(self) -> Path:
        return self.directory / "config"

    def new_key(self, name: str, passphrase: str | None = None) -> asyncssh.SSHKey:
        key = asyncssh.generate_private_key("ssh-ed25519", comment=name)
        path = self.directory / name
        path.write_bytes(key.export_private_key(passphrase=passphrase))
        path.chmod(0o600)
        return key

    def know(self, port: int, key: asyncssh.SSHKey, marker: str = "") -> None:
        line = f"{marker} [127.0.0.1]:{port} {key.export_public_key().decode().strip()}\n"
        with self.known_hosts.open("a") as stream:
            stream.write(line.lstrip())

    def add_host(self, name: str, port: int, *lines: str) -> None:
        options = "".join(f"  {line}\n" for line in lines)
        entry = f"""Host {name}
  HostName 127.0.0.1
  Port {port}
  User {getpass.getuser()}
{options}  IdentityFile {self.directory / "id"}
  IdentitiesOnly yes
  IdentityAgent none
  HashKnownHosts no
  UserKnownHostsFile {self.known_hosts}
  GlobalKnownHostsFile {self.directory / "missing"}

"""
        with self.config.open("a") as stream:
            stream.write(entry)

    def open(self, name: str, prompter: Prompter | None = None, gates: Gates | None = None) -> Host:
        destination = Destination(name, name, str(self.config))
        return open_host(destination, prompter or Person(), gates or Gates())


async def trouble(account: Account, person: Person | None = None, name: str = "box") -> HostTrouble:
    host = account.open(name, person)
    try:
        with pytest.raises(HostTrouble) as caught:
            await host.connect()
        assert not host.connected
        return caught.value
    finally:
        await host.close()


async def lets_in(account: Account, person: Person | None = None, name: str = "box") -> None:
    host = account.open(name, person)
    try:
        await host.connect()
        assert host.connected
        assert (await host.run("cat", stdin=b"in")).stdout == b"in"
    finally:
        await host.close()
