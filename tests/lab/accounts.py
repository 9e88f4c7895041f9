"""Accounts of every kind that people have on machines, made in a host of the lab when a test wants one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time
from dataclasses import dataclass

from tests.lab.host import LabHost

PASSWORD = "lab"
FISH_THAT_TALKS = 'echo "Welcome to fish, $USER"\necho "and this on stderr" >&2\n'
BASH_THAT_TALKS = "printf 'a banner\\n\\033[2J[/]\\377garbage without an end of line'\n"


@dataclass(frozen=True, slots=True)
class Otp:
    """A one-time password generator: `secret` is what the phone's app would hold, in base32."""

    secret: str

    def code(self, at: float | None = None) -> str:
        """The six digits for now, or for `at` (seconds since the epoch); RFC 6238, as Google Authenticator does it."""
        step = int((time.time() if at is None else at) // 30)
        digest = hmac.digest(base64.b32decode(self.secret), struct.pack(">Q", step), hashlib.sha1)
        offset = digest[-1] & 15
        return f"{(struct.unpack_from('>I', digest, offset)[0] & 0x7FFFFFFF) % 1_000_000:06}"


def add_account(host: LabHost, name: str, *, shell: str = "/bin/bash", key: bool = True, group: str = "users") -> None:
    """Make an account that is let in by the lab's key, unless `key` is False, and by the password "lab"."""
    host.exec('useradd --create-home --shell "$2" --groups "$3" "$1"', name, shell, group)
    host.exec("chpasswd", input=f"{name}:{PASSWORD}\n")
    if key:
        public = (host.slot.directory / "id.pub").read_text()
        host.write(f"/home/{name}/.ssh/authorized_keys", public, user=name)


def add_password_account(host: LabHost, name: str) -> None:
    """Make an account that is let in by the password "lab" and by nothing else, whatever key is offered."""
    add_account(host, name, group="lab-password")


def add_otp_account(host: LabHost, name: str) -> Otp:
    """Make an account that asks by keyboard-interactive, first for the password "lab" and then for a code."""
    add_account(host, name, group="lab-otp")
    otp = Otp("JUPYTUIJUPYTUIJUPYTUIJUPYTUIJUPY")
    host.write(f"/home/{name}/.google_authenticator", f'{otp.secret}\n" TOTP_AUTH\n', user=name, mode="400")
    return otp


def add_fish_account(host: LabHost, name: str) -> None:
    """Make an account whose login shell is fish, with startup files that print."""
    add_account(host, name, shell="/usr/bin/fish")
    host.write(f"/home/{name}/.config/fish/config.fish", FISH_THAT_TALKS, user=name)


def add_noisy_account(host: LabHost, name: str) -> None:
    """Make an account whose .bashrc prints a banner, control sequences and invalid UTF-8, also without a terminal."""
    add_account(host, name)
    host.write(f"/home/{name}/.bashrc", BASH_THAT_TALKS, user=name)
