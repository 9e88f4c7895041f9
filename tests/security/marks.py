"""What is searched for: every secret in the forms in which it could lie about, and where each of them may be."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from secrets import token_hex


def marker(kind: str) -> str:
    """A secret of that kind that is found nowhere else in the world."""
    return f"{kind}-{token_hex(12)}"


def forms(secret: bytes) -> Iterator[bytes]:
    """The secret as it is, in hex, and in base64 wherever in a longer text it stands."""
    yield secret
    yield secret.hex().encode()
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + secret)
        inner = whole[(0, 2, 3)[before] : len(whole) // 4 * 4 - 4]  # what does not hang on its neighbours
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def key_parts(pem: bytes) -> list[bytes]:
    """What is secret in an ECDSA key in PEM, whose base64 is broken into lines behind its twelfth byte."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(pem, None)
    assert isinstance(key, EllipticCurvePrivateKey)
    number = key.private_numbers().private_value.to_bytes(32, "big")
    return [number[:12], number[12:]]


@dataclass(frozen=True, slots=True)
class Found:
    """A secret (by its kind) at a place where a person could look: a file, a process, the journal, a screen."""

    kind: str
    place: str


class Marks:
    """The secrets of one run, by kind."""

    def __init__(self) -> None:
        self._forms: dict[str, set[bytes]] = {}

    def add(self, kind: str, *secrets: str | bytes) -> None:
        """Search for these as well."""
        plain = (secret.encode() if isinstance(secret, str) else secret for secret in secrets)
        self._forms.setdefault(kind, set()).update(form for secret in plain for form in forms(secret))

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(self._forms)

    def search(self, place: str, data: bytes) -> list[Found]:
        """The kinds of secrets in `data`."""
        return [Found(kind, place) for kind, forms in self._forms.items() if any(_is_in(form, data) for form in forms)]


def _is_in(form: bytes, data: bytes) -> bool:
    """A code of digits is none within a longer number."""
    if not form.isdigit():
        return form in data
    return form in data and re.search(rb"(?<!\d)" + form + rb"(?!\d)", data) is not None


def outside(found: Iterable[Found], intended: Mapping[str, str]) -> list[Found]:
    """Those that are nowhere near where their kind may be: `intended` has a pattern for the place, by kind."""
    return sorted(
        {f for f in found if not (f.kind in intended and re.search(intended[f.kind], f.place))},
        key=lambda f: (f.kind, f.place),
    )
