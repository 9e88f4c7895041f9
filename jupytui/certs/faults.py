"""What can be wrong with a pair that could be read: each fault with its sentence and its fix."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from jupytui.certs import pem
from jupytui.certs.authority import load_key
from jupytui.certs.leaf import as_address, normal_names
from jupytui.certs.models import Certificate, Pair
from jupytui.certs.trust import is_public_root

APPLE_DAYS = 825


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong. `fatal`: it is not installed like this; else it works, and the person should know."""

    message: str
    fix: str = ""
    fatal: bool = True


def judge(pair: Pair, names: Sequence[str] = (), now: datetime | None = None) -> tuple[Fault, ...]:
    """Return what is wrong with a pair that could be read, what is fatal first."""
    now = now or datetime.now(UTC)
    found = [
        *([] if matches(pair.leaf, load_key(pair.key)) else [_MISMATCH]),
        *_dates(pair.chain, now),
        *_purpose(pair.leaf),
        *_strength(pair.leaf),
        *_covers(pair.leaf, names),
        *_completeness(pair.chain),
    ]
    return tuple(sorted(found, key=lambda fault: not fault.fatal))


_MISMATCH = Fault(
    "The key does not belong to the certificate.", "Take the key that the certificate was requested with."
)


def matches(certificate: Certificate, key: object) -> bool:
    """Whether `key` (the library's form) is the one that `certificate` was made for."""
    from cryptography.exceptions import UnsupportedAlgorithm

    assert hasattr(key, "public_key")
    try:
        return bool(pem.load(certificate).public_key() == key.public_key())
    except (ValueError, UnsupportedAlgorithm):
        return False


def _dates(chain: tuple[Certificate, ...], now: datetime) -> Iterator[Fault]:
    for one in chain:
        name = "The certificate" if one is chain[0] else f"The certificate of {one.subject} above it"
        if one.not_after <= now:
            yield Fault(f"{name} expired on {one.not_after:%Y-%m-%d}.", "Renew it.")
        elif one.not_before > now:
            yield Fault(
                f"{name} is valid only from {one.not_before:%Y-%m-%d %H:%M} UTC on.",
                "Wait, or set this machine's clock.",
            )
    if chain[0].lifetime > timedelta(days=APPLE_DAYS):
        yield Fault(
            f"It is valid for {chain[0].lifetime.days} days; Apple's devices refuse more than {APPLE_DAYS}.",
            fatal=False,
        )


def _purpose(leaf: Certificate) -> Iterator[Fault]:
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    if leaf.authority and not leaf.self_signed:
        yield Fault("This is an authority's certificate, not a server's.", "Take the one for the server's name.")
    try:
        extended = pem.load(leaf).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    except ValueError:
        yield Fault("The certificate's extensions are damaged.", "Request it again.")
        return
    if not {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(extended):
        yield Fault("The certificate is not for servers (its extended key usage).", "Request one for TLS servers.")


def _strength(leaf: Certificate) -> Iterator[Fault]:
    kind, _, size = leaf.key_type.partition(" ")
    if kind == "RSA" and int(size) < 2048:
        yield Fault(f"An RSA key of {size} bits is refused by browsers.", "Make a new key: ECDSA P-256 or RSA 2048.")
    elif kind not in {"RSA", "ECDSA"}:
        yield Fault(f"Browsers take no {leaf.key_type} keys.", "Make a new key: ECDSA P-256 or RSA 2048.")
    algorithm = pem.load(leaf).signature_hash_algorithm
    if algorithm and algorithm.name in {"md5", "sha1"}:
        yield Fault(f"It is signed with {algorithm.name.upper()}, which browsers refuse.", "Request it again.")


def _covers(leaf: Certificate, names: Sequence[str]) -> Iterator[Fault]:
    if not leaf.names:
        yield Fault(
            "The certificate names no host (no subjectAltName); browsers ignore the common name.", "Request it again."
        )
        return
    missing = [name for name in (normal_names(names) if names else ()) if not covers(leaf, name)]
    if missing:
        yield Fault(
            f"The certificate is for {', '.join(leaf.names[:6])}, not for {', '.join(missing)}.",
            "Request it for every name and address the server is opened by.",
        )


def covers(leaf: Certificate, name: str) -> bool:
    """Whether a browser that opens `name` finds it in the certificate (RFC 9525: `*` is one whole label)."""
    if address := as_address(name):
        return any(as_address(one) == address for one in leaf.names)
    parent = name.partition(".")[2]
    return any(one.lower() in {name, f"*.{parent}"} and not _is_address(one) for one in leaf.names)


def _is_address(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def _completeness(chain: tuple[Certificate, ...]) -> Iterator[Fault]:
    last = chain[-1]
    if not last.self_signed and not is_public_root(last.issuer) and len(chain) == 1:
        yield Fault(
            f"The file does not hold the certificate of {last.issuer or 'its issuer'}, which signed it.",
            "Fine if that is a root which your browsers know; else append it (fullchain.pem, not cert.pem).",
            fatal=False,
        )
