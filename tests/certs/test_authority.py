"""The authority and its leaves: what OpenSSL says of them, where they lie, and that the key stays there."""

from __future__ import annotations

import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jupytui.certs import authority, leaf, pem
from jupytui.certs.authority import Authority
from jupytui.certs.instructions import instructions
from jupytui.certs.models import CertificateError, Pair, Trust, Urgency, urgency
from jupytui.certs.trust import trusted_by
from jupytui.errors import ConfigError

NAMES = ["ct.lab.example", "CT", "*.lab.example", "10.7.0.9", "::1"]
pytestmark = pytest.mark.usefixtures("careless")


def verify(tmp_path: Path, ours: Authority, pair: Pair, *options: str) -> str:
    (tmp_path / "ca.pem").write_bytes(ours.pem())
    (tmp_path / "leaf.pem").write_bytes(pem.chain_pem(pair.chain))
    argv = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", *options, "-CAfile"]
    done = subprocess.run(
        [*argv, tmp_path / "ca.pem", tmp_path / "leaf.pem"], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("permitted", [(), ("lab.example", "ct", "10.7.0.0/16", "::1")])
def test_openssl_accepts_every_name_strictly(tmp_path: Path, permitted: tuple[str, ...]) -> None:
    ours = authority.load_or_make(tmp_path / "certs", permitted)
    pair = leaf.issue(ours, NAMES)
    for option, name in (
        ("hostname", "ct.lab.example"), ("hostname", "other.lab.example"), ("ip", "10.7.0.9"), ("ip", "::1"),
    ):  # fmt: skip
        assert "OK" in verify(tmp_path, ours, pair, f"-verify_{option}", name)
    assert "mismatch" in verify(tmp_path, ours, pair, "-verify_hostname", "evil.example")
    assert pair.leaf.key_type == "ECDSA P-256"
    assert pair.leaf.lifetime == timedelta(days=397, minutes=5)


def test_a_constrained_authority_vouches_for_nothing_else(tmp_path: Path) -> None:
    narrow = authority.load_or_make(tmp_path / "certs", ["lab.example"])
    for name in ("example.com", "notlab.example", "10.0.0.1", "::1"):
        with pytest.raises(CertificateError, match="may only vouch for lab"):
            leaf.issue(narrow, [name])
        past_our_own_check = Pair(pem.new_key(), ())
        forged = leaf.issue(authority.load_or_make(tmp_path / "wide"), [name], key=past_our_own_check.key)
        signed = pem.describe(leaf._signed(narrow, (name,), forged.key, 30))
        assert "permitted subtree violation" in verify(tmp_path, narrow, Pair(forged.key, (signed,)))


def test_key_and_directory_are_private_and_the_export_has_no_key(tmp_path: Path, ours: Authority) -> None:
    assert stat.S_IMODE(ours.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(ours.path.parent.stat().st_mode) == 0o700
    ours.export(tmp_path / "out" / "jupytui.crt")
    assert b"PRIVATE" not in (tmp_path / "out" / "jupytui.crt").read_bytes()
    assert stat.S_IMODE((tmp_path / "out" / "jupytui.crt").stat().st_mode) == 0o644


def test_it_is_made_once_though_many_make_it_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: authority.load_or_make(tmp_path / "certs").certificate.der, range(16)))
    assert len(made) == 1
    assert [file.name for file in (tmp_path / "certs").iterdir()] == ["authority.pem"]


def test_planted_links_and_open_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "certs").mkdir(mode=0o700)
    (tmp_path / "certs/authority.pem").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CertificateError, match="a symbolic link"):
        authority.load_or_make(tmp_path / "certs")
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "linked").symlink_to(tmp_path / "certs")
    with pytest.raises(CertificateError, match="a symbolic link"):
        authority.load_or_make(tmp_path / "linked")
    made = authority.load_or_make(tmp_path / "other")
    made.path.chmod(0o640)
    with pytest.raises(CertificateError, match="open to others"):
        authority.load(tmp_path / "other")


def test_a_damaged_authority_is_not_replaced(ours: Authority) -> None:
    ours.path.write_bytes(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    with pytest.raises(CertificateError, match="is not an authority any more"):
        authority.load_or_make(ours.path.parent)


@pytest.mark.parametrize("name", ["", "  ", "a b", "-a", "a..b", "x" * 64, "a/b", "a\x1b[2J"])
def test_what_is_no_name_is_refused(ours: Authority, name: str) -> None:
    with pytest.raises(CertificateError):
        leaf.issue(ours, [name])


def test_names_are_made_what_a_browser_compares(ours: Authority) -> None:
    assert leaf.normal_names(["Ct.", "ct", "[::1]", "bücher.example", "fe80::1%eth0"]) == (
        "ct", "::1", "xn--bcher-kva.example", "fe80::1",
    )  # fmt: skip


def test_who_trusts_it(tmp_path: Path, ours: Authority) -> None:
    pair = leaf.issue(ours, ["ct"])
    other = authority.load_or_make(tmp_path / "other")
    assert trusted_by(pair.chain, ours) is Trust.OURS
    assert trusted_by(pair.chain, other) is Trust.PRIVATE
    assert trusted_by((ours.certificate,)) is Trust.ITSELF


def test_warnings_come_at_30_7_and_1_days_and_later_for_short_lives() -> None:
    now, year, week = datetime.now(UTC), timedelta(days=397), timedelta(hours=160)
    left = {31: Urgency.FINE, 30: Urgency.MONTH, 8: Urgency.MONTH, 7: Urgency.WEEK, 1: Urgency.DAY, 0: Urgency.EXPIRED}
    assert {days: urgency(now + timedelta(days=days), year, now) for days in left} == left
    assert urgency(now + timedelta(days=5), week, now) is Urgency.FINE
    assert urgency(now + timedelta(days=2), week, now) is not Urgency.FINE


def test_each_system_has_instructions_that_hold_any_path() -> None:
    for one in instructions(Path("/tmp/a b/jupytui.crt")):
        assert one.steps
        assert one.undo
        assert "/tmp/a b/" not in " ".join(one.steps).replace("'/tmp/a b/jupytui.crt'", "")


def test_an_export_that_cannot_be_written_is_told(ours: Authority) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        ours.export(Path("/proc/nowhere/ca.crt"))
