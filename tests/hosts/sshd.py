"""A real sshd of this machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import asyncssh

from tests.hosts.account import free_port


class Sshd:
    """A real sshd on 127.0.0.1 that lets this user in with the account's key; `said` is its log."""

    def __init__(self, directory: Path, authorized: bytes) -> None:
        directory.mkdir(mode=0o700)
        self.directory = directory
        self.port = free_port()
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        (directory / "host_key").write_bytes(self.key.export_private_key())
        (directory / "host_key").chmod(0o600)
        (directory / "authorized_keys").write_bytes(authorized)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *lines: str) -> None:
        config = self.directory / "sshd_config"
        config.write_text(
            "\n".join(
                [
                    *lines,
                    f"ListenAddress 127.0.0.1:{self.port}",
                    f"HostKey {self.directory / 'host_key'}",
                    f"AuthorizedKeysFile {self.directory / 'authorized_keys'}",
                    "PidFile none",
                    "StrictModes no",
                    "UsePAM no",
                    "PermitRootLogin yes",
                    "PasswordAuthentication no",
                    "KbdInteractiveAuthentication no",
                    "",
                ]
            )
        )
        sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
        assert sshd
        log = (self.directory / "log").open("wb")
        self._process = subprocess.Popen([sshd, "-D", "-e", "-f", config], stderr=log)
        log.close()
        self._wait()

    def _wait(self) -> None:
        assert self._process
        while self._process.poll() is None:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
        raise AssertionError((self.directory / "log").read_text())

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()


def why_no_sshd() -> str:
    if not shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin"):
        return "no sshd here (Debian: openssh-server)"
    if os.getuid():
        return "sshd needs root to log a user in"
    Path("/run/sshd").mkdir(exist_ok=True)
    return ""
