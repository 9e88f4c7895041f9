"""Renew what was installed: everything due by one call, each server by itself, none half done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from jupytui.certs import records
from jupytui.certs.acme import obtain
from jupytui.certs.acme_account import Service
from jupytui.certs.authority import load
from jupytui.certs.challenge import Solver
from jupytui.certs.dns01 import Dns, Show
from jupytui.certs.files import user_of_path
from jupytui.certs.http01 import Responder, Webroot
from jupytui.certs.inspect import HANDSHAKE_DEADLINE, NoHandshake, Place, served
from jupytui.certs.install import Installed, install, read_pair, refuse_links
from jupytui.certs.leaf import issue
from jupytui.certs.models import CertificateError, Pair
from jupytui.errors import JupytuiError
from jupytui.hosts.base import Host, Nobody, Prompter
from jupytui.secret import Secret


@dataclass(frozen=True, slots=True)
class Means:
    """What renewing needs: the data `directory`, a way to a host by its name, and who can be asked.

    Without `show` nobody can set a DNS record, as in a timer: what needs one is then reported and left as it is.
    """

    directory: Path
    open_host: Callable[[str], Awaitable[Host]]  # connected; whoever gives it closes it
    prompter: Prompter = field(default_factory=Nobody)
    show: Show | None = None
    new_keys: bool = False
    dns_servers: Sequence[str] = ()
    http_port: int = 80
    deadline: float = HANDSHAKE_DEADLINE


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record: `installed`, or `error`."""

    record: records.Installed
    installed: Installed | None = None
    error: JupytuiError | None = None


async def renew_all(means: Means, chosen: Sequence[records.Installed]) -> tuple[Outcome, ...]:
    """Renew each of `chosen`, one after the other; a failure of one does not keep the others. In their order."""
    return tuple([await _outcome(means, record) for record in chosen])


async def renew_due(means: Means) -> tuple[Outcome, ...]:
    """Renew everything due: what `jupytui cert renew --due` and its timer do. Raises CertificateError (no records)."""
    return await renew_all(means, records.due(records.load(means.directory)))


async def _outcome(means: Means, record: records.Installed) -> Outcome:
    try:
        return Outcome(record, await renew(means, record))
    except JupytuiError as error:
        return Outcome(record, error=error)
    except PermissionError as error:
        return Outcome(record, error=CertificateError(str(error), "Is it another user's?"))


async def renew(means: Means, record: records.Installed) -> Installed:
    """Get a new certificate and install it, by the way it was got before; the record follows.

    The key stays, so that no connection can fail meanwhile (see `install`), unless `new_keys` is wished. Raises
    JupytuiError, PermissionError; the server then goes on with what it had, or is told to.
    """
    host = await means.open_host(record.host)
    place = replace(record.place, user=await user_of_path(host, record.certfile))
    key = None if means.new_keys else await _former_key(host, place)
    if record.acme:
        await _installable(means, host, record, place)
    pair = await _obtained(means, host, record, key)
    installed = await install(host, record.access, place, pair, deadline=means.deadline)
    await asyncio.shield(asyncio.to_thread(records.keep, means.directory, record.renewed(installed.certificate)))
    return installed


async def _former_key(host: Host, place: Place) -> Secret | None:
    former = await read_pair(host, place)
    return former.key if former and former.leaf.key_type.startswith("ECDSA") else None


async def _installable(means: Means, host: Host, record: records.Installed, place: Place) -> None:
    """Raise CertificateError where a certificate could not be installed now.

    Authorities count what is ordered in vain: a server that is stopped would use up what they grant in a week.
    """
    await refuse_links(host, place)
    try:
        await served(host, record.access, means.deadline)
    except NoHandshake as error:
        hint = "Start it, then renew; to one that runs, `jupytui cert acme` (A) brings a new pair."
        raise CertificateError(f"{error.message} Nothing was ordered.", hint) from None


async def _obtained(means: Means, host: Host, record: records.Installed, key: Secret | None) -> Pair:
    if record.acme:
        service = Service(record.acme.url, agreed=True, ca_file=record.acme.ca_file, profile=record.acme.profile)
        return await obtain(service, means.directory, record.names, _solver(means, host, record.acme), key=key)
    authority = load(means.directory)
    if authority is None:
        raise CertificateError("There is no authority any more to sign with.", "Restore it from a backup, or make one.")
    return issue(authority, record.names, key=key)


def _solver(means: Means, host: Host, way: records.Acme) -> Solver:
    if way.challenge == "http-01":
        if way.webroot:
            return Webroot(host, way.webroot, port=means.http_port)
        return Responder(host, means.prompter, means.http_port)
    if means.show is None:
        raise CertificateError("A DNS record must be set by hand for it.", "Run: jupytui cert renew")
    return Dns(means.show, servers=means.dns_servers)
