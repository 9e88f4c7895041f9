"""Where secrets of ours live: the system's keyring, else a file that only the user can read, else nowhere.

What a keyring does on its own: on a headless Linux it says "No recommended backend", a locked one on a desktop waits
for somebody to type into a window that perhaps nobody sees (jaraco/keyring#569). So each question has a deadline.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from jupytui.blocking import in_thread
from jupytui.config.paths import find_paths
from jupytui.config.private import NotPrivateError, PrivateDirectory
from jupytui.errors import JupytuiError
from jupytui.secret import Secret

SERVICE = "jupytui"
LOADING = 10.0  # seconds for keyring to load: it imports all backends, half a second of CPU, and asks the session bus
DEADLINE = 3.0  # seconds for the keyring to answer
SILENCE = 60.0  # seconds in which a keyring that did not answer is not asked again
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")

T = TypeVar("T")


class Place(StrEnum):
    """Where a secret is kept."""

    KEYRING = "keyring"
    FILE = "file"
    NOWHERE = "nowhere"  # the user is asked each time


class VaultError(JupytuiError):
    """A secret is kept somewhere and cannot be read or removed there."""


class KeyringSilentError(VaultError):
    """The keyring does not answer now, or refuses to: nobody knows whether it keeps the secret."""


class _NoKeyring(Exception):
    """There is no keyring."""


class _KeyringFailed(_NoKeyring):
    """There is one, and it does not answer, or refuses to."""


class Vault:
    """Keeps secrets by name (lower case, digits, `.`, `_`, `-`: `ngrok-token`), one value each.

    A file is only there while the keyring could not take the secret, so it is looked at first: it is never older.
    """

    def __init__(self, directory: Path | None = None, *, deadline: float = DEADLINE) -> None:
        self._files = PrivateDirectory(directory or find_paths().state / "secrets")
        self._deadline = deadline
        self._silent_until = 0.0

    async def get(self, name: str) -> Secret | None:
        """Return the secret, None when none is kept.

        Raises KeyringSilentError when that cannot be known, VaultError when its file is not private.
        """
        _check(name)
        if data := await self._file(lambda: self._files.read(name)):
            return Secret(data.decode("utf-8", "replace"))
        try:
            kept = await self._ask(lambda ring: ring.get_password(SERVICE, name))
        except _KeyringFailed:
            raise KeyringSilentError("The keyring does not answer.", "Unlock it: it may keep what is needed.") from None
        except _NoKeyring:
            return None
        return Secret(kept) if kept else None

    async def set(self, name: str, secret: Secret) -> Place:
        """Keep `secret`, in place of what was kept, and return where it is now; NOWHERE: it could not be kept."""
        _check(name)
        try:
            await self._ask(lambda ring: ring.set_password(SERVICE, name, secret.reveal()))
        except _NoKeyring:
            return await self._set_file(name, secret)
        await self._file(lambda: self._files.remove(name))
        return Place.KEYRING

    async def forget(self, name: str) -> None:
        """Remove the secret wherever it is. Raises VaultError when the keyring may have it and does not answer now."""
        _check(name)
        await self._file(lambda: self._files.remove(name))
        try:
            await self._ask(lambda ring: ring.get_password(SERVICE, name) and ring.delete_password(SERVICE, name))
        except _KeyringFailed:
            raise VaultError(
                "The keyring does not answer, so what it may keep could not be removed.",
                f"Unlock it and try again, or remove the entry {SERVICE}/{name} with its own program.",
            ) from None
        except _NoKeyring:
            pass

    async def place(self) -> Place:
        """Return where a secret set now would be kept."""
        try:
            await self._ask(lambda ring: None)
        except _NoKeyring:
            return Place.FILE
        return Place.KEYRING

    def describe(self, place: Place) -> str:
        """Return `place` in words: "in the keyring of this system", "in /home/… (only you can read it)"."""
        if place is Place.KEYRING:
            return "in the keyring of this system"
        if place is Place.FILE:
            return f"in {self._files.path} (only you can read it)"
        return "nowhere: you will be asked each time"

    async def _set_file(self, name: str, secret: Secret) -> Place:
        try:
            await asyncio.to_thread(self._files.write, name, secret.reveal().encode())
        except (OSError, NotPrivateError):
            return Place.NOWHERE
        return Place.FILE

    async def _file(self, call: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(call)
        except NotPrivateError as error:
            raise VaultError(error.message, error.hint) from None
        except OSError as error:
            raise VaultError(f"{self._files.path} cannot be used: {error.strerror}.") from None

    async def _ask(self, question: Callable[[Any], T]) -> T:
        """Put `question` to the keyring. Raises _NoKeyring; one that let a deadline pass is left alone for a while."""
        if monotonic() < self._silent_until:
            raise _KeyringFailed
        try:
            await in_thread(_load, LOADING)
            return await in_thread(lambda: _in_keyring(question), self._deadline)
        except TimeoutError:
            self._silent_until = monotonic() + SILENCE
            raise _KeyringFailed from None


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a secret")


def _load() -> None:
    with suppress(Exception):  # the question finds out as well
        import keyring  # noqa: F401


def _in_keyring(question: Callable[[Any], T]) -> T:
    try:
        import keyring

        # What keyring does not itself recommend (priority below 1) keeps secrets in the open, or not at all.
        if keyring.get_keyring().priority >= 1:
            return question(keyring)
    except Exception:  # backends are plug-ins of anybody's, and raise whatever their own libraries do
        raise _KeyringFailed from None
    raise _NoKeyring
