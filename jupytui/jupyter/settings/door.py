"""Which key lets people in: the password and the token that count, among all the keys that look as if they did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from jupytui.jupyter.settings.models import Entry, Found, Setting, plain
from jupytui.jupyter.settings.programs import DEPRECATED

PASSWORD = "PasswordIdentityProvider.hashed_password"
TOKEN = "PasswordIdentityProvider.token"
# What `jupyter server password` writes, and all programs of Jupyter read; it is the weakest of the three.
OFFICIAL = "IdentityProvider.hashed_password"


class Hash(StrEnum):
    """How a password is kept."""

    NONE = "none"
    ARGON2 = "argon2"
    WEAK = "sha1"  # sha1 and whatever hashlib knows: "ALGORITHM:SALT:HEX" still lets people in
    UNUSABLE = "unusable"  # no hash: nobody gets in with it
    UNKNOWN = "unknown"  # computed in a .py file


@dataclass(frozen=True, slots=True)
class Door:
    """What a server will ask for after its next start. None: no file and no option says anything.

    `generated`: with neither, Jupyter makes a new token at every start, or takes it from `JUPYTER_TOKEN`.
    """

    password: Setting | None
    token: Setting | None
    variables: tuple[str, ...] = ()

    @property
    def hash(self) -> Hash:
        """How the password that counts is kept."""
        winner = self.password.winner if self.password else None
        return Hash.NONE if winner is None else hash_of(winner)

    @property
    def open(self) -> bool:
        """Whether anybody is let in: both are set to nothing."""
        token = self.token.winner if self.token else None
        return self.hash is Hash.NONE and token is not None and token.certain and not plain(token.value)

    @property
    def deprecated(self) -> tuple[Entry, ...]:
        """Places that count, under a name that should not be used any more."""
        winners = [setting.winner for setting in (self.password, self.token) if setting and setting.winner]
        return tuple(entry for entry in winners if entry.key in DEPRECATED)

    @property
    def defeated(self) -> tuple[Entry, ...]:
        """Places that say something about the password and do not count."""
        return self.password.losers if self.password else ()


def door(found: Found, settings: Iterable[Setting]) -> Door:
    """Return which password and token count. `PasswordIdentityProvider.hashed_password` beats the deprecated
    `ServerApp.password`, and that beats `IdentityProvider.hashed_password`, whatever files they are in.
    """
    by_key = {setting.key: setting for setting in settings}
    variables = tuple(name for name in found.environ if name in {"JUPYTER_TOKEN", "JUPYTER_TOKEN_FILE"})
    return Door(by_key.get(PASSWORD), by_key.get(TOKEN), variables)


def hash_of(entry: Entry) -> Hash:
    """Return what kind of hash an entry holds (jupyter_server.auth.security.passwd_check)."""
    if not entry.certain:
        return Hash.UNKNOWN
    text = str(plain(entry.value) or "")
    if not text:
        return Hash.NONE
    if text.startswith("argon2:"):
        return Hash.ARGON2
    return Hash.WEAK if text.count(":") == 2 else Hash.UNUSABLE
