"""The TLS handshake, and what is wrong with the certificate that is shown."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from jupytui.reachability.models import Cause, Fix
from jupytui.reachability.network import INSPECTION, cut
from jupytui.reachability.visit import Fails, Visit
from jupytui.text import clean_line

_RENEW = Fix("Renew the certificate where TLS ends (the proxy, or the server itself).")
_NAMES = Fix("Have a certificate issued for this name, or use an address that it is for.")
_NO_TRUST = Fix(
    "Import the authority's certificate where you browse, or have the certificate issued by one that is known."
)
_CHAIN = Fix(
    "Install the full chain: the file must hold the server's certificate followed by the intermediate one "
    "(Let's Encrypt calls it fullchain.pem)."
)
# OpenSSL's X509_V_ERR_* (x509_vfy.h).
_EXPIRED, _NOT_YET, _SELF_SIGNED, _SELF_SIGNED_IN_CHAIN = 10, 9, 18, 19
_NO_ISSUER = {20, 21}
_WRONG_NAME = {62, 64}
_BAD_KEY = Fix(
    "Where Jupyter itself speaks TLS, its key is missing, belongs to another certificate or is protected by a "
    "passphrase: it says “running at https” all the same. Install a pair that fits."
)


async def handshake(visit: Visit) -> str:
    """Finish a handshake and verify what was shown."""
    try:
        async with asyncio.timeout(visit.wire.deadline):
            stream = await visit.wire.open()
            await stream.close()
    except ssl.SSLCertVerificationError as error:
        raise await _untrusted(visit, error) from None
    except ssl.SSLError as error:
        raise _failed(visit, error) from None
    except TimeoutError:
        visit.saw("TLS ClientHello → no answer")
        words = "It takes the connection, and then the TLS handshake hangs."
        raise Fails(Cause.TLS_HANGS, words, _BAD_KEY) from None
    except (ConnectionResetError, BrokenPipeError):
        # What Jupyter with a key of another certificate does (measured on 2.21), and what censors of names do.
        visit.saw("TLS ClientHello → connection reset")
        words = "The connection is reset in the middle of the TLS handshake."
        raise Fails(Cause.TLS_FAILS, words, _BAD_KEY, INSPECTION) from None
    except OSError as error:
        raise cut(visit, error) from None
    visit.saw(f"TLS handshake with {visit.wire.target.host}: verified")
    return "The certificate is valid and for this name."


def _failed(visit: Visit, error: ssl.SSLError) -> Fails:
    reason = clean_line((error.reason or str(error)).lower().replace("_", " "), 120)
    visit.saw(f"TLS ClientHello → {reason}")
    target = visit.wire.target
    if any(word in reason for word in ("wrong version number", "record layer", "http request", "packet length")):
        words = f"What answers on port {target.port} does not speak TLS."
        plain = f"http://{target.netloc}{target.base_url}"
        return Fails(Cause.NO_TLS, words, Fix("Turn TLS on there, or use http:// (not encrypted).", url=plain))
    return Fails(Cause.TLS_FAILS, f"The TLS handshake fails ({reason}).", _BAD_KEY)


_PLAIN = {
    _EXPIRED: (Cause.EXPIRED, "The certificate, or one above it, has expired.", _RENEW),
    _NOT_YET: (
        Cause.NOT_YET_VALID,
        "The certificate is not valid yet, or a clock is wrong here or there.",
        Fix("Set the clocks right (timedatectl)."),
    ),
    _SELF_SIGNED: (Cause.SELF_SIGNED, "The certificate is signed by itself: no browser trusts it.", _NO_TRUST),
}


@dataclass(frozen=True, slots=True)
class _Shown:
    """What somebody who trusts anything gets to see: names, dates and issuer, and how many came with it."""

    words: str
    points_to_issuer: bool
    chain: int


async def _untrusted(visit: Visit, error: ssl.SSLCertVerificationError) -> Fails:
    host = visit.wire.target.host
    visit.saw(f"TLS handshake with {host}: {clean_line(error.verify_message, 120)}")
    try:
        shown = await _look(visit)
    except (OSError, ValueError, EOFError):
        shown = _Shown("", False, 0)
    visit.saw(shown.words or "the certificate could not be read")
    return _judged(error.verify_code, host, shown)


def _judged(code: int, host: str, shown: _Shown) -> Fails:
    if code in _WRONG_NAME:
        return Fails(Cause.WRONG_NAME, f"The certificate is for other names than {host}.", _NAMES)
    if code in _PLAIN:
        return Fails(*_PLAIN[code])
    if code in _NO_ISSUER and shown.chain == 1 and shown.points_to_issuer:
        words = "The server sends its certificate without the intermediate one that vouches for it."
        return Fails(Cause.INCOMPLETE_CHAIN, words, _CHAIN)
    if code in _NO_ISSUER | {_SELF_SIGNED_IN_CHAIN}:
        also = (_CHAIN,) if shown.chain == 1 else ()
        words = "The certificate is issued by an authority that is not trusted here."
        return Fails(Cause.UNKNOWN_AUTHORITY, words, _NO_TRUST, *also)
    return Fails(Cause.UNTRUSTED, "The certificate is refused; the evidence says why.", _RENEW)


async def _look(visit: Visit) -> _Shown:
    async with asyncio.timeout(visit.wire.deadline):
        stream = await visit.wire.secure(await visit.wire.connect(), None)
        await stream.close()
    return await asyncio.to_thread(_read, stream.certificate, stream.chain_length())


def _read(der: bytes, chain: int) -> _Shown:
    from cryptography import x509
    from cryptography.x509.oid import AuthorityInformationAccessOID

    certificate = x509.load_der_x509_certificate(der)
    found = {extension.oid: extension.value for extension in certificate.extensions}
    names = found.get(x509.SubjectAlternativeName.oid)
    access = found.get(x509.AuthorityInformationAccess.oid)
    issuer = certificate.issuer.rfc4514_string()
    listed = [str(name.value) for name in names] if isinstance(names, x509.SubjectAlternativeName) else []
    points = isinstance(access, x509.AuthorityInformationAccess) and any(
        entry.access_method == AuthorityInformationAccessOID.CA_ISSUERS for entry in access
    )
    words = f"certificate for {', '.join(listed[:8]) or 'no name'}; issued by {issuer}; "
    words += f"until {certificate.not_valid_after_utc:%Y-%m-%d}; {chain or '?'} sent"
    return _Shown(clean_line(words, 400), points, chain)
