"""Certificates as plain frozen values; nothing here needs the cryptography library."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum

from jupytui.errors import JupytuiError
from jupytui.secret import Secret

WARN_DAYS = (30, 7, 1)


class CertificateError(JupytuiError):
    """A certificate, a key or an authority cannot be used as it is; nothing was changed on any host."""


class Trust(StrEnum):
    """Who takes a certificate without a warning."""

    PUBLIC = "every browser"  # it ends at a root of Mozilla's list
    OURS = "who trusts your jupytui authority"
    PRIVATE = "who trusts its issuer"
    ITSELF = "nobody: it is signed by itself"


class Urgency(IntEnum):
    """How soon something must be done; the number is the column's order."""

    FINE = 0
    MONTH = 1  # 30 days or less are left, or the last third of a short life
    WEEK = 2
    DAY = 3
    EXPIRED = 4
    NOT_YET = 5


@dataclass(frozen=True, slots=True)
class Certificate:
    """What one X.509 certificate says of itself. Text is cleaned; times are aware UTC.

    `names` are DNS names and addresses as people write them; `key_type` is like "ECDSA P-256" or "RSA 2048";
    `fingerprint` the SHA-256 of `der` as "AB:CD:…".
    """

    der: bytes = field(repr=False)
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key_type: str
    fingerprint: str
    authority: bool = False
    self_signed: bool = False

    def days_left(self, now: datetime | None = None) -> float:
        """Return the days until it expires, negative when it has."""
        return (self.not_after - (now or datetime.now(UTC))) / timedelta(days=1)

    @property
    def lifetime(self) -> timedelta:
        """How long it is valid in all."""
        return self.not_after - self.not_before

    def urgency(self, now: datetime | None = None) -> Urgency:
        """Return how soon it must be renewed."""
        now = now or datetime.now(UTC)
        if now < self.not_before:
            return Urgency.NOT_YET
        return urgency(self.not_after, self.lifetime, now)


def urgency(not_after: datetime, lifetime: timedelta, now: datetime) -> Urgency:
    """Return how soon a certificate with this end must be renewed.

    A certificate of 160 hours would be urgent all its life by days alone: of such, the last third counts, as ACME
    clients have it (Let's Encrypt's integration guide).
    """
    left = not_after - now
    if left <= timedelta():
        return Urgency.EXPIRED
    limits = [min(timedelta(days=days), lifetime / 3) for days in WARN_DAYS]
    return Urgency(sum(left <= limit for limit in limits))


@dataclass(frozen=True, slots=True)
class Pair:
    """A private key (PKCS #8 PEM, no passphrase) and its certificates, the server's own first."""

    key: Secret
    chain: tuple[Certificate, ...]

    @property
    def leaf(self) -> Certificate:
        """The server's own certificate."""
        return self.chain[0]
