"""A server's certificate, signed by the user's authority.

The profile was measured to pass `openssl verify -x509_strict -purpose sslserver` and Chromium: ECDSA P-256 with
SHA-256, no subject but a critical list of names, not an authority, digitalSignature, serverAuth, both key identifiers.
397 days: Apple refuses more than 825 days, and public authorities stop at 398.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from jupytui.certs import pem
from jupytui.certs.authority import Authority, load_key, usage
from jupytui.certs.models import CertificateError, Pair
from jupytui.secret import Secret

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

DAYS = 397
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def issue(authority: Authority, names: Sequence[str], *, key: Secret | None = None, days: int = DAYS) -> Pair:
    """Return a fresh certificate for `names` (DNS names, one `*.` in front allowed, and addresses).

    It is for a new key, or for `key` (PEM) when one is given. Raises CertificateError for names that cannot be, or
    that the authority may not vouch for.
    """
    key = key or pem.new_key()
    wanted = normal_names(names)
    _refuse_outside(authority, wanted)
    return Pair(key, (pem.describe(_signed(authority, wanted, key, days)),))


def normal_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return names as a certificate holds them: lower case, IDNA, each once. Raises CertificateError."""
    found = tuple(dict.fromkeys(_normal(name) for name in names if name.strip()))
    if not found:
        raise CertificateError("A certificate needs at least one name or address.")
    return found


def _normal(name: str) -> str:
    name = name.strip().rstrip(".").lower()
    if address := as_address(name):
        return str(address)
    bare = name.removeprefix("*.")
    try:
        ascii_name = bare.encode("idna").decode()
    except UnicodeError:
        ascii_name = ""
    if not ascii_name or len(ascii_name) > 253 or not all(_LABEL.fullmatch(part) for part in ascii_name.split(".")):
        raise CertificateError(f"{name[:80]!r} is neither a host name nor an address.")
    return ("*." if name.startswith("*.") else "") + ascii_name


def as_address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return `name` as an address (brackets and a zone allowed), None when it is a name."""
    try:
        return ipaddress.ip_address(name.strip("[]").partition("%")[0])
    except ValueError:
        return None


def alternative_names(names: Sequence[str]) -> x509.SubjectAlternativeName:
    """Return the extension that holds `names`."""
    from cryptography import x509

    return x509.SubjectAlternativeName(
        [x509.IPAddress(address) if (address := as_address(name)) else x509.DNSName(name) for name in names]
    )


def _signed(authority: Authority, names: Sequence[str], key: Secret, days: int) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID

    issuer = pem.load(authority.certificate)
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    public = _private(key).public_key()
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(issuer.subject, x509.Name([]), public, x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(min(now + timedelta(days=days), issuer.not_valid_after_utc))
        .add_extension(alternative_names(names), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
    )
    return builder.sign(_private(authority.key), hashes.SHA256())


def _private(key: Secret) -> ec.EllipticCurvePrivateKey:
    private = load_key(key)
    assert hasattr(private, "public_key")
    return private  # type: ignore[return-value]  # RSA does as well: a server's own key may be one


def _refuse_outside(authority: Authority, names: Sequence[str]) -> None:
    permitted = authority.permitted
    outside = [name for name in names if permitted and not any(within(name, limit) for limit in permitted)]
    if outside:
        raise CertificateError(
            f"Your authority may only vouch for {', '.join(permitted)}; not for {', '.join(outside)}.",
            "Leave those names out, or make an authority without that limit.",
        )


def within(name: str, limit: str) -> bool:
    """Whether an authority limited to `limit` (a domain or a network) may vouch for `name`."""
    if address := as_address(name):
        try:
            return address in ipaddress.ip_network(limit)
        except ValueError:
            return False
    bare = name.removeprefix("*.")
    return bare == limit or bare.endswith(f".{limit}")
