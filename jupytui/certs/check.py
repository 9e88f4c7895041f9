"""Is this key and chain fit to be served? Every fault has its sentence and its fix, found before a server sees it.

Jupyter checks nothing: with a missing, mismatched or encrypted key it says "running at https://…" and lets every
handshake hang (measured on jupyter_server 2.21).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from jupytui.certs import pem
from jupytui.certs.faults import Fault, judge, matches
from jupytui.certs.models import Certificate, CertificateError, Pair
from jupytui.secret import Secret


@dataclass(frozen=True, slots=True)
class Verdict:
    """`pair` is in the right order and without a passphrase; None when it could not be read at all."""

    pair: Pair | None
    faults: tuple[Fault, ...] = ()

    @property
    def fatal(self) -> tuple[Fault, ...]:
        """The faults for which it is refused."""
        return tuple(fault for fault in self.faults if fault.fatal)


class Unfit(CertificateError):
    """The pair is refused; no server has seen it. `faults` are all of them, the message is the first."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        first = faults[0]
        super().__init__(first.message, first.fix, detail="\n".join(f"{one.message} {one.fix}" for one in faults))
        self.faults = tuple(faults)


class _Unreadable(Exception):
    def __init__(self, message: str, fix: str) -> None:
        self.fault = Fault(message, fix)


def accept(
    certificates: bytes,
    key: bytes = b"",
    *,
    names: Sequence[str] = (),
    passphrase: Secret | None = None,
    now: datetime | None = None,
) -> Pair:
    """Return the pair if nothing fatal is wrong with it; see `check`. Raises Unfit."""
    verdict = check(certificates, key, names=names, passphrase=passphrase, now=now)
    if verdict.fatal or verdict.pair is None:
        raise Unfit(verdict.fatal)
    return verdict.pair


def check(
    certificates: bytes,
    key: bytes = b"",
    *,
    names: Sequence[str] = (),
    passphrase: Secret | None = None,
    now: datetime | None = None,
) -> Verdict:
    """Judge PEM texts: `certificates` may hold the key too. `names` are those the server is to be opened by."""
    try:
        private = _read_key(key if key.strip() else certificates, passphrase)
        chain, order = _ordered(_read_chain(certificates), private)
    except _Unreadable as error:
        return Verdict(None, (error.fault,))
    pair = Pair(pem.key_pem(private), chain)
    return Verdict(pair, (*order, *judge(pair, names, now)))


def _read_chain(data: bytes) -> tuple[Certificate, ...]:
    if not pem.blocks(data)[0]:
        raise _Unreadable(*_not_pem(data, "certificate"))
    try:
        return pem.read_certificates(data)
    except ValueError:
        raise _Unreadable(
            "A certificate in the file is damaged.", "Copy the file again, from -----BEGIN to END-----."
        ) from None


def _not_pem(data: bytes, what: str) -> tuple[str, str]:
    if data[:1] == b"\x30":  # an ASN.1 sequence: DER, or PKCS #12
        fix = "openssl pkcs12 -in FILE -nodes -out NEW (a .p12 or .pfx), or openssl x509 -inform der -in FILE."
        return f"The {what} file is binary; Jupyter reads only PEM.", fix
    return f"There is no {what} in the file.", "It must hold a part -----BEGIN …----- (PEM)."


def _read_key(data: bytes, passphrase: Secret | None) -> object:
    keys = pem.blocks(data)[1]
    if not keys:
        raise _Unreadable(*_not_pem(data, "private key"))
    if len(keys) > 1:
        raise _Unreadable(f"The file holds {len(keys)} private keys.", "Leave only the one of this certificate.")
    return _load_key(keys[0], passphrase)


def _load_key(block: bytes, passphrase: Secret | None) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    encrypted = b"ENCRYPTED" in block
    try:
        return load_pem_private_key(block, passphrase.reveal().encode() if passphrase and encrypted else None)
    except TypeError:
        raise _Unreadable(
            "The key is protected by a passphrase, which Jupyter cannot ask for.",
            "Give the passphrase: the key is then kept without it, in a file only you can read.",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        if encrypted:
            raise _Unreadable("The passphrase is not the one of this key.", "Try it again.") from None
        raise _Unreadable("The key is damaged, or of a kind nobody reads.", "Copy the file again.") from None


def _ordered(chain: tuple[Certificate, ...], key: object) -> tuple[tuple[Certificate, ...], list[Fault]]:
    """Return the chain from the key's own certificate upwards, without what does not belong to it."""
    leaf = next((one for one in chain if matches(one, key)), chain[0])
    ordered, rest = [leaf], [one for one in chain if one.der != leaf.der]
    while issuer := next((one for one in rest if pem.is_signed_by(ordered[-1], one)), None):
        ordered.append(issuer)
        rest.remove(issuer)
    notes = []
    if rest:
        names = ", ".join(one.subject or "(no name)" for one in rest)
        notes.append(Fault(f"Left out, as it signed nothing here: {names}.", fatal=False))
    if tuple(ordered) != chain[: len(ordered)]:
        notes.append(Fault("The certificates were in the wrong order and have been put right.", fatal=False))
    return tuple(ordered), notes
