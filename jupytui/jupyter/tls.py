"""TLS over any stream, and the certificate that was shown."""

from __future__ import annotations

import ssl
from functools import cache

from jupytui.hosts.base import Stream
from jupytui.jupyter.models import Tls
from jupytui.text import clean_line

_CHUNK = 65536


class TlsStream:
    """A stream inside another. `certificate` is the DER the server showed in the handshake.

    Nothing is verified unless a `context` that does is given; `name` is who must answer.
    """

    def __init__(self, inner: Stream, context: ssl.SSLContext | None = None, name: str = "localhost") -> None:
        self._inner = inner
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = (context or _context()).wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self.certificate = b""

    async def handshake(self) -> None:
        """Agree on keys. Raises ssl.SSLError, OSError."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            else:
                break
        await self._flush()
        self.certificate = self._tls.getpeercert(binary_form=True) or b""

    def chain_length(self) -> int:
        """Return how many certificates the server sent."""
        # Public from Python 3.13 on; before, the C object below has it (3.10 and newer).
        owner = self._tls if hasattr(self._tls, "get_unverified_chain") else getattr(self._tls, "_sslobj", None)
        ask = getattr(owner, "get_unverified_chain", None)
        return len(ask() or ()) if ask else 0

    async def read(self, max_bytes: int = _CHUNK) -> bytes:
        """Return the next bytes, b"" at the end."""
        while True:
            try:
                return self._tls.read(max_bytes)
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    async def write(self, data: bytes) -> None:
        """Send `data`. Raises OSError."""
        self._tls.write(data)
        await self._flush()

    async def write_eof(self) -> None:
        """Nothing: TLS has no half-closed connections that servers agree on."""

    async def close(self) -> None:
        """End the stream below."""
        await self._inner.close()

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            await self._inner.write(data)

    async def _fill(self) -> None:
        if data := await self._inner.read(_CHUNK):
            self._incoming.write(data)
        else:
            self._incoming.write_eof()


@cache
def _context() -> ssl.SSLContext:
    # Nothing is verified on purpose. The stream ends at a socket of the very machine the server runs on, and was
    # authenticated by SSH's host key; the certificates met here are for other names, or signed by themselves.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def read_certificate(der: bytes) -> Tls:
    """Return what a certificate says of itself; all unknown when it cannot be read."""
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(der)
        issuer = certificate.issuer
        own = issuer == certificate.subject
        return Tls(clean_line(_name(issuer), 120) or None, certificate.not_valid_after_utc, own)
    except ValueError:
        return Tls()


def _name(name: object) -> str:
    from cryptography import x509

    assert isinstance(name, x509.Name)
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME) or list(name)
    return str(common[0].value) if common else ""
