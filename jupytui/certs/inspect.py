"""What is in the files a server reads, and what it really shows in a handshake."""

from __future__ import annotations

import asyncio
import posixpath
import ssl
from dataclasses import dataclass

from jupytui.certs import pem
from jupytui.certs.models import Certificate, CertificateError
from jupytui.hosts.base import Host
from jupytui.jupyter.access import Access
from jupytui.jupyter.tls import TlsStream

HANDSHAKE_DEADLINE = 15.0
MAX_FILE = 2**20


@dataclass(frozen=True, slots=True)
class Place:
    """The file or files a server reads on its host: `certfile` with key and chain, or with the key in `keyfile`.

    `user`: whose rights they are read and written with, "" ours (see `files.Files`).
    """

    certfile: str
    keyfile: str | None = None
    user: str = ""

    @property
    def two_files(self) -> bool:
        """Whether the key is in a file of its own."""
        return self.keyfile not in {None, "", self.certfile}


@dataclass(frozen=True, slots=True)
class Sight:
    """A server's certificate: `file` as it lies there, `served` as it is shown; `trouble` why one of them is None."""

    file: tuple[Certificate, ...] = ()
    served: Certificate | None = None
    trouble: str = ""

    @property
    def matches(self) -> bool | None:
        """Whether what is served is what the file holds; None while one of them is unknown."""
        if not self.file or self.served is None:
            return None
        return self.file[0].der == self.served.der


class NoHandshake(CertificateError):
    """A server that should speak TLS does not finish a handshake."""


async def look(host: Host, access: Access, place: Place | None) -> Sight:
    """Return what the file and the server show, whichever can be seen. Raises HostTrouble."""
    file, trouble = await _file(host, place)
    try:
        return Sight(file, await served(host, access), trouble)
    except NoHandshake as error:
        return Sight(file, None, error.message)


async def _file(host: Host, place: Place | None) -> tuple[tuple[Certificate, ...], str]:
    if place is None:
        return (), ""
    try:
        return pem.read_certificates(await host.read(place.certfile, MAX_FILE)), ""
    except FileNotFoundError:
        return (), f"There is no {posixpath.basename(place.certfile)} where the server looks for it."
    except PermissionError:
        return (), f"{place.certfile} may not be read by you."
    except ValueError:
        return (), f"{place.certfile} holds a certificate that cannot be read."


async def served(host: Host, access: Access, deadline: float = HANDSHAKE_DEADLINE) -> Certificate:
    """Return the certificate that a server shows now, by a handshake through its host.

    Jupyter with an unusable key still listens and lets every handshake hang, hence the deadline (seconds). Raises
    NoHandshake, HostTrouble.
    """
    try:
        async with asyncio.timeout(deadline):
            return pem.read_der(await _handshake(host, access))
    except TimeoutError:
        reason = f"It accepts connections, but finished no handshake within {deadline:g} s."
    except ssl.SSLError as error:
        reason = f"The handshake failed: {(error.reason or 'no TLS there').lower().replace('_', ' ')}."
    except ConnectionRefusedError:
        reason = "Nothing listens there."
    except (OSError, ValueError):
        reason = "The connection was closed in the handshake."
    raise NoHandshake(f"The server shows no certificate. {reason}", "Its log and its key file tell more.")


async def _handshake(host: Host, access: Access) -> bytes:
    stream = await host.open_unix(access.sock) if access.sock else await host.open_tcp(access.address, access.port or 0)
    try:
        secured = TlsStream(stream)
        await secured.handshake()
        return secured.certificate
    finally:
        await stream.close()
