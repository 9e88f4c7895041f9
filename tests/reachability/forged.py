"""Certificates that are wrong in ways an authority would not make them."""

from __future__ import annotations

import datetime
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from tests.reachability.servers import DOMAIN


def made(directory: Path, name: str, leaf: trustme.LeafCert | bytes) -> Path:
    path = directory / f"{name}.pem"
    path.write_bytes(leaf if isinstance(leaf, bytes) else leaf.private_key_and_cert_chain_pem.bytes())
    return path


def forged(
    authority: x509.Certificate | None, key: ec.EllipticCurvePrivateKey | None, *, points: bool = False
) -> bytes:
    """A leaf for `DOMAIN` and its key as PEM: signed by itself, or by `authority`, which it may point to."""
    own = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DOMAIN)])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(
        authority.subject if authority else name, name, own.public_key(), 1, now - day, now + day
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(DOMAIN)]), critical=False)
    if points:
        where = x509.UniformResourceIdentifier("http://authority.example/intermediate.der")
        access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, where)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    leaf = builder.sign(key or own, hashes.SHA256())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return own.private_bytes(*form) + leaf.public_bytes(serialization.Encoding.PEM)


def intermediate() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    child = trustme.CA().create_child_ca()
    key = serialization.load_pem_private_key(child.private_key_pem.bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return x509.load_pem_x509_certificate(child.cert_pem.bytes()), key
