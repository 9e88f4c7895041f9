"""Importing a pair: each thing that can be wrong has its sentence, before any server sees it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from jupytui.certs import leaf, pem
from jupytui.certs.authority import Authority, load_key
from jupytui.certs.check import Unfit, accept, check
from jupytui.certs.faults import covers
from jupytui.certs.models import Pair
from jupytui.secret import Secret

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


def signed(
    key: Key, *, names: tuple[str, ...] = ("ct",), usage: x509.ObjectIdentifier | None = None, days: int = 90
) -> bytes:
    """A certificate signed by itself."""
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(x509.Name([]), x509.Name([]), key.public_key(), 7)
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=days))
    if names:
        builder = builder.add_extension(leaf.alternative_names(names), critical=True)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    made = builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    return made.public_bytes(Encoding.PEM)


def pem_of(key: Key) -> bytes:
    return pem.key_pem(key).reveal().encode()


@pytest.fixture
def pair(ours: Authority) -> Pair:
    return leaf.issue(ours, ["ct", "10.7.0.9"])


def texts(pair: Pair) -> tuple[bytes, bytes]:
    return pem.chain_pem(pair.chain), pair.key.reveal().encode()


def test_a_good_pair_is_accepted_from_two_files_or_one(pair: Pair) -> None:
    chain, key = texts(pair)
    assert accept(chain, key, names=["ct", "10.7.0.9"]) == pair
    assert accept(key + chain) == pair
    assert accept(chain + key) == pair


def encrypted(pair: Pair) -> bytes:
    key = load_key(pair.key)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame"))


def test_a_passphrase_is_asked_for_and_taken_off(pair: Pair) -> None:
    chain, _ = texts(pair)
    with pytest.raises(Unfit, match="protected by a passphrase"):
        accept(chain, encrypted(pair))
    with pytest.raises(Unfit, match="not the one of this key"):
        accept(chain, encrypted(pair), passphrase=Secret("guess"))
    assert accept(chain, encrypted(pair), passphrase=Secret("open sesame")).key == pair.key


P256 = ec.generate_private_key(ec.SECP256R1())
RSA1024 = rsa.generate_private_key(65537, 1024)
ED25519 = ed25519.Ed25519PrivateKey.generate()
WRONG: dict[str, Callable[[], tuple[bytes, bytes]]] = {
    "There is no certificate": lambda: (b"", pem_of(P256)),
    "There is no private key": lambda: (signed(P256), b""),
    "is binary": lambda: (b"\x30\x82\x01\x00", pem_of(P256)),
    "A certificate in the file is damaged": lambda: (signed(P256).replace(b"MII", b"AAA", 1), pem_of(P256)),
    "The key is damaged": lambda: (signed(P256), pem_of(P256).replace(b"MIG", b"AAA", 1)),
    "2 private keys": lambda: (signed(P256), pem_of(P256) + pem_of(ED25519)),
    "does not belong to the certificate": lambda: (signed(P256), pem_of(ec.generate_private_key(ec.SECP256R1()))),
    "expired on": lambda: (signed(P256, days=-1 + 0), pem_of(P256)),
    "not for servers": lambda: (signed(P256, usage=ExtendedKeyUsageOID.CLIENT_AUTH), pem_of(P256)),
    "RSA key of 1024 bits": lambda: (signed(RSA1024), pem_of(RSA1024)),
    "Browsers take no Ed25519": lambda: (signed(ED25519), pem_of(ED25519)),
    "names no host": lambda: (signed(P256, names=()), pem_of(P256)),
    "is for other, not for ct": lambda: (signed(P256, names=("other",)), pem_of(P256)),
}


@pytest.mark.parametrize("sentence", WRONG)
def test_what_is_wrong_is_said_in_a_sentence_with_a_fix(sentence: str) -> None:
    chain, key = WRONG[sentence]()
    with pytest.raises(Unfit, match=sentence) as refused:
        accept(chain, key, names=["ct"])
    assert refused.value.hint


def test_not_valid_yet(pair: Pair) -> None:
    with pytest.raises(Unfit, match="valid only from"):
        accept(*texts(pair), now=datetime.now(UTC) - timedelta(days=2))


def test_a_chain_is_put_in_order_and_strangers_are_left_out() -> None:
    root = trustme.CA()
    middle = root.create_child_ca()
    made = middle.issue_cert("ct")
    blocks = [blob.bytes() for blob in made.cert_chain_pems]
    stranger = trustme.CA().cert_pem.bytes()
    verdict = check(b"".join([stranger, *reversed(blocks)]), made.private_key_pem.bytes(), names=["ct"])
    assert verdict.pair
    assert pem.chain_pem(verdict.pair.chain).startswith(blocks[0])
    assert not verdict.fatal
    said = " ".join(fault.message for fault in verdict.faults)
    assert "wrong order" in said
    assert "Left out" in said


def test_a_missing_intermediate_is_pointed_out() -> None:
    made = trustme.CA().create_child_ca().issue_cert("ct")
    verdict = check(made.cert_chain_pems[0].bytes(), made.private_key_pem.bytes())
    assert not verdict.fatal
    assert any("does not hold the certificate of" in fault.message for fault in verdict.faults)


def test_a_wildcard_is_one_whole_label(ours: Authority) -> None:
    made = leaf.issue(ours, ["*.lab.example", "10.7.0.9"]).leaf
    assert covers(made, "a.lab.example")
    assert covers(made, "10.7.0.9")
    assert not covers(made, "a.b.lab.example")
    assert not covers(made, "lab.example")
    assert not covers(made, "10.7.0.8")


def test_no_garbage_is_a_crash(pair: Pair, tmp_path: Path) -> None:
    chain, key = texts(pair)
    for cut in range(0, len(chain), 7):
        check(chain[:cut], key)
        check(chain[:cut] + chain[cut + 1 :], key)
        check(chain, key[:cut])
