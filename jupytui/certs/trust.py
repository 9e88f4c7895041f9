"""Who believes a certificate: browsers, those who took in the user's own authority, or nobody."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path

from jupytui.certs import pem
from jupytui.certs.authority import Authority
from jupytui.certs.models import Certificate, Trust


def trusted_by(chain: tuple[Certificate, ...], ours: Authority | None = None) -> Trust:
    """Return who takes this certificate without a warning, by signatures; dates are not looked at."""
    if ours and any(pem.is_signed_by(one, ours.certificate) for one in chain):
        return Trust.OURS
    if any(pem.is_signed_by(one, root) for one in chain for root in _public_roots().get(one.issuer, ())):
        return Trust.PUBLIC
    return Trust.ITSELF if chain[0].self_signed else Trust.PRIVATE


def is_public_root(name: str) -> bool:
    """Whether a root of that name is on Mozilla's list."""
    return name in _public_roots()


@cache
def _public_roots() -> dict[str, list[Certificate]]:
    """Mozilla's roots by their name, as certifi has them."""
    import certifi

    found: dict[str, list[Certificate]] = {}
    for block in pem.blocks(Path(certifi.where()).read_bytes())[0]:
        with suppress(ValueError):  # one old root's serial number is to be refused by a coming cryptography
            root = pem.read_certificates(block)[0]
            found.setdefault(root.subject, []).append(root)
    return found
