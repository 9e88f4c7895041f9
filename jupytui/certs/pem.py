"""PEM in and out: certificates and keys as the values of `models`."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from jupytui.certs.models import Certificate, Pair
from jupytui.secret import Secret
from jupytui.text import clean_line

if TYPE_CHECKING:
    from cryptography import x509

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----.*?-----END \1-----", re.DOTALL)
_CERTIFICATE = {b"CERTIFICATE", b"X509 CERTIFICATE"}


def blocks(data: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the certificates and the private keys of a PEM text, each a block of its own."""
    found = [(match[1], match[0]) for match in _BLOCK.finditer(data)]
    certificates = [block for label, block in found if label in _CERTIFICATE]
    return certificates, [block for label, block in found if label.endswith(b"PRIVATE KEY")]


def read_certificates(data: bytes) -> tuple[Certificate, ...]:
    """Return the certificates of a PEM text in their order. Raises ValueError for one that cannot be read."""
    from cryptography import x509

    with _quiet():
        return tuple(describe(x509.load_pem_x509_certificate(block)) for block in blocks(data)[0])


def read_der(der: bytes) -> Certificate:
    """Return one certificate, as a handshake gives it. Raises ValueError."""
    from cryptography import x509

    with _quiet():
        return describe(x509.load_der_x509_certificate(der))


def describe(certificate: x509.Certificate) -> Certificate:
    """Return what a certificate says. Raises ValueError where it is not what X.509 allows."""
    from cryptography.hazmat.primitives.serialization import Encoding

    der = certificate.public_bytes(Encoding.DER)
    return Certificate(
        der=der,
        subject=_common_name(certificate.subject),
        issuer=_common_name(certificate.issuer),
        names=_names(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key_type=_key_type(certificate),
        fingerprint=hashlib.sha256(der).digest().hex(":").upper(),
        authority=_is_authority(certificate),
        self_signed=certificate.subject == certificate.issuer and _signed_by(certificate, certificate),
    )


def load(certificate: Certificate) -> x509.Certificate:
    """Return the library's own form of it."""
    from cryptography import x509

    with _quiet():
        return x509.load_der_x509_certificate(certificate.der)


@contextmanager
def _quiet() -> Iterator[None]:
    """Other people's certificates break rules, and the library would say so on our screen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def is_signed_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether `issuer`'s name and key stand under `certificate`."""
    return _signed_by(load(certificate), load(issuer))


def chain_pem(chain: tuple[Certificate, ...]) -> bytes:
    """Return certificates as PEM, in their order."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return b"".join(load(certificate).public_bytes(Encoding.PEM) for certificate in chain)


def combined_pem(pair: Pair) -> bytes:
    """Return what a server reads as its one `certfile`: the key, then the chain. A secret: for a 0600 file only."""
    return pair.key.reveal().encode() + chain_pem(pair.chain)


def new_key() -> Secret:
    """Return a fresh ECDSA P-256 key as PKCS #8 PEM."""
    from cryptography.hazmat.primitives.asymmetric import ec

    return key_pem(ec.generate_private_key(ec.SECP256R1()))


def key_pem(key: object) -> Secret:
    """Return a private key of the library as PKCS #8 PEM without a passphrase."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    assert hasattr(key, "private_bytes")
    return Secret(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _common_name(name: x509.Name) -> str:
    from cryptography import x509

    first = next(iter(name.get_attributes_for_oid(x509.NameOID.COMMON_NAME) or list(name)), None)
    return clean_line(str(first.value), 120) if first else ""


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        value = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    names = value.get_values_for_type(x509.DNSName)
    addresses = value.get_values_for_type(x509.IPAddress)
    return tuple(clean_line(str(name), 255) for name in (*names, *addresses))


def _is_authority(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _key_type(certificate: x509.Certificate) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return "unknown"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "ECDSA " + {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}.get(
            key.curve.name, key.curve.name
        )
    return "Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else type(key).__name__.strip("_")
