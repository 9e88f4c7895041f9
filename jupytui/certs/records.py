"""What was installed where and how it was got, so that all of it can be renewed by one call. No secret is in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from jupytui.certs import private
from jupytui.certs.inspect import Place
from jupytui.certs.models import Certificate, CertificateError, Urgency, urgency
from jupytui.jupyter.access import Access

FILE = "installed.json"


class Acme(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a certificate is got by ACME: `challenge` is "http-01" (by `webroot`, or our responder) or "dns-01"."""

    url: str
    challenge: str
    webroot: str | None = None
    ca_file: str | None = None
    profile: str | None = None


class Installed(msgspec.Struct, frozen=True, omit_defaults=True):
    """One server's certificate. `host` is a name of hosts.toml; `acme` None: signed by the user's own authority."""

    host: str
    certfile: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    keyfile: str | None = None
    address: str = "127.0.0.1"
    port: int | None = None
    sock: str | None = None
    acme: Acme | None = None

    @property
    def place(self) -> Place:
        """Where the server reads it."""
        return Place(self.certfile, self.keyfile)

    @property
    def access(self) -> Access:
        """Where the server shows it."""
        return Access(self.address, self.port, self.sock, tls=True)

    @property
    def server(self) -> str:
        """The server's id, as in `models.Server`."""
        return f"{self.host}:{self.port or self.sock}"

    def urgency(self, now: datetime) -> Urgency:
        """Return how soon it must be renewed."""
        return urgency(self.not_after, self.not_after - self.not_before, now)

    def renewed(self, certificate: Certificate) -> Installed:
        """Return the record of its successor."""
        return msgspec.structs.replace(self, not_before=certificate.not_before, not_after=certificate.not_after)


def load(directory: Path) -> tuple[Installed, ...]:
    """Return every record in `directory`, by server. Raises CertificateError."""
    return _decode(directory / FILE, private.read(directory / FILE))


def _decode(path: Path, data: bytes | None) -> tuple[Installed, ...]:
    try:
        return msgspec.json.decode(data, type=tuple[Installed, ...]) if data else ()
    except msgspec.DecodeError as error:
        raise CertificateError(
            f"{path} cannot be read: {error}.", "Move it away; servers must be added anew."
        ) from None


def keep(directory: Path, record: Installed) -> None:
    """Write a record in place of the one of the same file on the same host. Raises CertificateError."""
    _rewrite(directory, record, [record])


def remember(
    directory: Path, host: str, access: Access, place: Place, *, leaf: Certificate, acme: Acme | None = None
) -> Installed:
    """Keep and return the record of a certificate that was installed just now. Raises CertificateError."""
    record = Installed(
        host, place.certfile, leaf.names, leaf.not_before, leaf.not_after,
        place.keyfile, access.address, access.port, access.sock, acme,
    )  # fmt: skip
    keep(directory, record)
    return record


def forget(directory: Path, record: Installed) -> None:
    """Drop a record; the certificate stays where it is and is renewed no more. Raises CertificateError."""
    _rewrite(directory, record, [])


def hand_over(directory: Path, host: str, certfile: str, heir: Access | None = None) -> None:
    """Drop the record of a file; or keep it for the server at `heir`, which reads it too. Raises CertificateError."""
    for record in load(directory):
        if (record.host, record.certfile) != (host, certfile):
            continue
        if heir:
            keep(directory, msgspec.structs.replace(record, address=heir.address, port=heir.port, sock=heir.sock))
        else:
            forget(directory, record)


def _rewrite(directory: Path, record: Installed, new: list[Installed]) -> None:
    path = directory / FILE
    was = private.read(path)
    others = [one for one in _decode(path, was) if (one.host, one.certfile) != (record.host, record.certfile)]
    records = sorted([*others, *new], key=lambda one: one.server)
    private.write(path, msgspec.json.format(msgspec.json.encode(records)), was=was)


def due(
    records: tuple[Installed, ...], now: datetime | None = None, within: timedelta | None = None
) -> tuple[Installed, ...]:
    """Return the records to be renewed now (or within a time), the most urgent first."""
    now = (now or datetime.now(UTC)) + (within or timedelta())
    found = [record for record in records if record.urgency(now) is not Urgency.FINE]
    return tuple(sorted(found, key=lambda record: record.not_after))
