"""The known_hosts files as OpenSSH understands them."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncssh
import pytest

from jupytui.hosts import known_hosts
from jupytui.hosts.algorithms import host_key

KEY = asyncssh.generate_private_key("ssh-ed25519")
TEXT = KEY.export_public_key().decode().strip()


@pytest.mark.parametrize(
    ("patterns", "host", "found"),
    [
        ("gpu1", "gpu1", True),
        ("GPU1,10.0.0.5", "gpu1", True),
        ("gpu1", "[gpu1]:2222", False),
        ("[gpu1]:2222", "[gpu1]:2222", True),
        ("*.example.org", "a.example.org", True),
        ("*.example.org,!bad.example.org", "bad.example.org", False),
        ("gpu?", "gpu1", True),
        ("gpu?", "gpu11", False),
        ("gpu.", "gpux", False),
    ],
)
def test_patterns_match_as_in_openssh(tmp_path: Path, patterns: str, host: str, found: bool) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"# comment\n\n{patterns} {TEXT}\n")
    name, _, port = host.strip("[").partition("]:")
    known = known_hosts.lookup(name, int(port or 22), [str(file)])
    assert bool(known.keys) is found
    assert known.unknown is not found


def test_what_ssh_keygen_hashed_is_found(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"gpu1 {TEXT}\n[gpu1]:2222 {TEXT}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
    assert "gpu1" not in file.read_text()
    for port, line in ((22, 1), (2222, 2)):
        [known] = known_hosts.lookup("GPU1", port, [str(file)]).keys
        assert known.where == f"{file}:{line}"


@pytest.mark.parametrize("hashed", [False, True])
@pytest.mark.parametrize("port", [22, 2222])
def test_what_is_appended_is_found_by_openssh(tmp_path: Path, port: int, hashed: bool) -> None:
    file = tmp_path / "new" / "known_hosts"
    old = os.umask(0)
    try:
        known_hosts.append(str(file), "gpu1", port, KEY.convert_to_public(), hashed=hashed)
    finally:
        os.umask(old)
    assert file.stat().st_mode & 0o777 == 0o600
    name = "gpu1" if port == 22 else f"[gpu1]:{port}"
    said = subprocess.run(["ssh-keygen", "-F", name, "-f", file], check=True, capture_output=True, text=True).stdout
    assert TEXT.split()[1] in said


def test_lines_appended_at_once_are_all_whole_after_a_file_without_its_last_newline(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"first {TEXT}")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: known_hosts.append(str(file), f"host{n}", 22, KEY.convert_to_public()), range(50)))
    names = {line.split()[0] for line in file.read_text().splitlines()}
    assert names == {"first", *(f"host{n}" for n in range(50))}


def test_a_key_without_the_port_may_vouch_but_makes_no_host_known(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"gpu1 {TEXT}\n")
    known = known_hosts.lookup("gpu1", 2222, [str(tmp_path / "missing"), str(file)])
    assert known.unknown
    assert len(known.portless) == 1


def test_the_fingerprint_is_the_one_openssh_shows(tmp_path: Path) -> None:
    for kind, name in (("ssh-ed25519", "ED25519"), ("ecdsa-sha2-nistp384", "ECDSA"), ("ssh-rsa", "RSA")):
        key = asyncssh.generate_private_key(kind)
        file = tmp_path / "key.pub"
        file.write_bytes(key.export_public_key())
        said = subprocess.run(["ssh-keygen", "-l", "-f", file], check=True, capture_output=True, text=True).stdout
        shown = known_hosts.describe(key)
        assert shown.fingerprint in said
        assert f"({name})" in said
        assert shown.algorithm == name


def test_algorithms_of_known_keys_come_first_and_certificates_only_with_an_authority(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    rsa = asyncssh.generate_private_key("ssh-rsa").export_public_key().decode()
    file.write_text(f"gpu1 {rsa}")
    allowed = ["ssh-ed25519-cert-v01@openssh.com", "sntrup-nonsense", "ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256"]
    known = known_hosts.lookup("gpu1", 22, [str(file)])
    assert host_key(allowed, known) == ["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"]
    file.write_text(f"@cert-authority gpu* {TEXT}\n")
    known = known_hosts.lookup("gpu1", 22, [str(file)])
    assert host_key(allowed, known)[0] == "ssh-ed25519-cert-v01@openssh.com"
