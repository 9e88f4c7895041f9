"""STAND-INS for backends of the real keyring."""

from __future__ import annotations

from threading import Event

import keyring
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

CONTENT: dict[tuple[str, str], str] = {}


class Kept(KeyringBackend):
    """One that works."""

    priority = 5

    def get_password(self, service: str, username: str) -> str | None:
        return CONTENT.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        CONTENT[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del CONTENT[service, username]


class Locked(Kept):
    """One whose user declines to unlock it."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("no")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("no")


class Silent(Kept):
    """One that waits for somebody to type into a window that nobody sees."""

    asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        Silent.asked += 1
        Event().wait()
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        self.get_password(service, username)


class InTheOpen(Kept):
    """One that keyring itself does not recommend."""

    priority = 0


def use(backend: type[KeyringBackend]) -> None:
    keyring.set_keyring(backend())
