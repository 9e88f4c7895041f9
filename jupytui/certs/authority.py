"""The user's own certificate authority: made once, kept in one private file, its certificate for all to trust.

The profile is the one that `openssl verify -x509_strict` and browsers accept: critical CA:TRUE with pathlen 0,
critical keyCertSign and cRLSign, a subject key identifier.
"""

from __future__ import annotations

import getpass
import ipaddress
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from jupytui.certs import pem, private
from jupytui.certs.models import Certificate, CertificateError, Pair
from jupytui.secret import Secret
from jupytui.text import clean_line

if TYPE_CHECKING:
    from cryptography import x509

FILE = "authority.pem"
YEARS = 10


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that signs others, its key, and the file both are in."""

    key: Secret
    certificate: Certificate
    path: Path

    @property
    def permitted(self) -> tuple[str, ...]:
        """The only names and networks it may vouch for, as made; () when it may for all."""
        from cryptography import x509

        try:
            found = pem.load(self.certificate).extensions.get_extension_for_class(x509.NameConstraints).value
        except x509.ExtensionNotFound:
            return ()
        return tuple(str(subtree.value) for subtree in found.permitted_subtrees or ())

    def export(self, path: Path) -> None:
        """Write the certificate alone, never the key, to `path` (0644) for other machines. Raises ConfigError."""
        from jupytui.config.load import read_source
        from jupytui.config.replace import replace_file

        replace_file(path, self.pem(), was=read_source(path))
        path.chmod(0o644)

    def pem(self) -> bytes:
        """Return the certificate alone."""
        return pem.chain_pem((self.certificate,))


def load(directory: Path) -> Authority | None:
    """Return the authority in `directory`, None when none was made yet. Raises CertificateError."""
    path = directory / FILE
    data = private.read(path)
    if data is None:
        return None
    certificates, keys = pem.blocks(data)
    try:
        (certificate,) = pem.read_certificates(data)
        return Authority(Secret(keys[0].decode() + "\n"), certificate, path)
    except (ValueError, IndexError):
        raise CertificateError(
            f"{path} is not an authority any more ({len(certificates)} certificates, {len(keys)} keys).",
            "Restore it from a backup, or move it away; a new one must then be trusted anew.",
        ) from None


def load_or_make(directory: Path, permitted: Sequence[str] = ()) -> Authority:
    """Return the authority in `directory`; made, 0600, the first time. `permitted` counts only then.

    `permitted` are domains ("lab.example": it and all below) and addresses or networks ("10.0.0.0/8"). When two
    programs make one at once, both get the one that was first. Raises CertificateError.
    """
    if found := load(directory):
        return found
    key = pem.new_key()
    data = key.reveal().encode() + pem.chain_pem((_self_signed(key, permitted),))
    try:
        private.write(directory / FILE, data, was=None)
    except private.Changed:
        if load(directory) is None:
            raise
    made = load(directory)
    assert made
    return made


def load_key(key: Secret) -> object:
    """Return the library's form of an ECDSA or RSA key in PEM."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(key.reveal().encode(), None)


def _self_signed(key: Secret, permitted: Sequence[str]) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    secret = load_key(key)
    assert isinstance(secret, ec.EllipticCurvePrivateKey)
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _title())])
    builder = (
        x509.CertificateBuilder(name, name, secret.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(secret.public_key()), critical=False)
    )
    if permitted:
        builder = builder.add_extension(x509.NameConstraints(_subtrees(permitted), None), critical=True)
    return pem.describe(builder.sign(secret, hashes.SHA256()))


def _title() -> str:
    """Who made it where: people must know it again in a browser's list. A common name has at most 64 characters."""
    return clean_line(f"jupytui authority of {getpass.getuser()} on {platform.node()}", 64)


def usage(**set_bits: bool) -> x509.KeyUsage:
    """Return a KeyUsage with only the given bits set."""
    from cryptography import x509

    bits = dict.fromkeys(
        (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        ),
        False,
    )  # fmt: skip
    return x509.KeyUsage(**(bits | set_bits))


def _subtrees(permitted: Sequence[str]) -> list[x509.GeneralName]:
    """A kind of name that is not mentioned would be allowed without limit (RFC 5280, 4.2.1.10): each kind is.

    Of a kind without an entry nothing is allowed: no address is 0.0.0.0/32, and no host has the name "invalid".
    """
    from cryptography import x509

    networks = [network for entry in permitted if (network := _network(entry))]
    domains = [entry.lstrip("*.").lower() for entry in permitted if not _network(entry)]
    nowhere = [ipaddress.ip_network(f"{address}/{bits}") for address, bits in (("0.0.0.0", 32), ("::", 128))]
    missing = [network for network in nowhere if network.version not in {one.version for one in networks}]
    return [
        *(x509.DNSName(domain) for domain in domains or ["invalid"]),
        *(x509.IPAddress(network) for network in [*networks, *missing]),
    ]


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None


def signs(authority: Authority, pair: Pair) -> bool:
    """Whether `pair` is one of its own."""
    return pem.is_signed_by(pair.leaf, authority.certificate)
