"""What we read of ssh_config by ourselves is what ssh reads; where that is not certain, ssh is asked."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupytui.hosts import ssh_config
from jupytui.hosts.plain_config import NotPlainError, Plain, Reading
from jupytui.hosts.resolver import Resolver

SSH = shutil.which("ssh") or ""
pytestmark = pytest.mark.skipif(not SSH, reason="no ssh here")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", pwd.getpwuid(os.getuid()).pw_dir)


HOSTS = ("gpu1", "gpu2.example.org", "GPU1", "me@gpu1", "me@gpu2.example.org:2222", "login-a")
PATTERNS = ("*", "gpu*", "gpu?", "gpu1", "!gpu1", "*.example.org", "login-a", "!login-*", "GPU1", "g*1", "!*.org")
FLAGS = (
    "IdentitiesOnly",
    "HashKnownHosts",
    "PasswordAuthentication",
    "PubkeyAuthentication",
    "KbdInteractiveAuthentication",
    "ForwardAgent",
    "Compression",
    "TCPKeepAlive",
    "ForwardX11",
)
VALUES = {
    **dict.fromkeys(FLAGS, ("yes", "no")),
    "HostName": ("10.0.0.5", "%h.Example.org", "login.%h.org", "Other"),
    "User": ("alice", "bob.smith", "x_1"),
    "Port": ("22", "2222", "6553"),
    "IdentityFile": ("~/.ssh/id_a", "/keys/id_b", "id_c", "~/.ssh/id_ed25519"),
    "CertificateFile": ("~/.ssh/a-cert.pub", "/keys/b-cert.pub"),
    "IdentityAgent": ("none", "SSH_AUTH_SOCK", "~/.1password/agent.sock"),
    "ProxyJump": ("jump", "me@jump:2200", "one,two@three:4", "jump:22"),
    "UserKnownHostsFile": ("~/.ssh/known_a", "/a/known /b/known", "/dev/null"),
    "GlobalKnownHostsFile": ("/etc/known_a",),
    "StrictHostKeyChecking": ("yes", "no", "ask", "accept-new"),
    "HostKeyAlias": ("box", "box.2"),
    "ConnectTimeout": ("1", "30"),
    "AddressFamily": ("any", "inet", "inet6"),
    "BindAddress": ("10.0.0.1",),
    "PreferredAuthentications": ("publickey", "password,publickey", "keyboard-interactive,hostbased"),
    "NumberOfPasswordPrompts": ("1", "5"),
    "KexAlgorithms": ("curve25519-sha256", "curve25519-sha256,ecdh-sha2-nistp256"),
    "Ciphers": ("aes128-ctr", "aes256-gcm@openssh.com,aes128-ctr"),
    "MACs": ("hmac-sha2-256",),
    "HostKeyAlgorithms": ("ssh-ed25519", "ecdsa-sha2-nistp256,ssh-ed25519"),
    "PubkeyAcceptedAlgorithms": ("ssh-ed25519,rsa-sha2-512",),
    "ServerAliveInterval": ("30",),
    "ControlMaster": ("auto", "no"),
    "ControlPath": ("~/.ssh/%r@%h-%p",),
    "ControlPersist": ("600", "yes"),
    "LocalForward": ("8888 localhost:8888",),
    "SendEnv": ("LANG LC_*",),
    "AddKeysToAgent": ("yes",),
}

statements = st.sampled_from(sorted(VALUES)).flatmap(
    lambda keyword: st.builds(
        "{}{}{}{}{}".format,
        st.sampled_from(["", "  ", "\t"]),
        st.sampled_from([keyword, keyword.lower(), keyword.upper()]),
        st.sampled_from([" ", "  ", "=", " = ", "\t"]),
        st.sampled_from(VALUES[keyword]),
        st.sampled_from(["", " "]),
    )
)
hosts = st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3).map(lambda names: "Host " + " ".join(names))
lines = st.one_of(statements, statements, statements, hosts, st.sampled_from(["", "# a comment “quoted”", "  "]))
texts = st.lists(lines, max_size=14).map("\n".join)


def plain(config: Path) -> Plain:
    reading = Reading()
    reading.read(str(config), SSH)
    return Plain(reading.blocks, ssh_config.said_by(SSH, "localhost", "/dev/null"))


def ours(config: Path, destination: str) -> ssh_config.Resolved:
    return ssh_config.resolved(plain(config).options(destination), destination)


def theirs(config: Path, destination: str) -> ssh_config.Resolved:
    return ssh_config.resolved(ssh_config.said_by(SSH, destination, str(config)), destination)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts, included=texts, more=texts, destination=st.sampled_from(HOSTS))
def test_a_plain_configuration_means_to_us_what_it_means_to_ssh(
    tmp_path: Path, text: str, included: str, more: str, destination: str
) -> None:
    (tmp_path / "b.conf").write_text(included)
    (tmp_path / "a.conf").write_text(more)
    config = tmp_path / "config"
    config.write_text(f"{text}\nInclude {tmp_path}/*.conf {tmp_path}/none\nUser last\nHost *\nPort 24\n")
    assert ours(config, destination) == theirs(config, destination)


@pytest.mark.parametrize(
    "line",
    [
        "Match all",
        "Match host gpu1 exec true",
        'User "alice"',
        "User alice # comment",
        "User alice\r",
        "IdentityFile ${HOME}/id",
        "IdentityFile ~/.ssh/%r",
        "IdentityFile none",
        "ProxyCommand nc %h %p",
        "ProxyJump none",
        "CanonicalizeHostname yes",
        "ConnectTimeout 1m",
        "ConnectTimeout 0",
        "KexAlgorithms +curve25519-sha256",
        "KexAlgorithms not-a-key-exchange",
        "Port nonsense",
        "Port 99999",
        "HostName -x",
        "HostKeyAlias Box",
        "IdentitiesOnly maybe",
        "IgnoreUnknown UseKeychain",
        "UseKeychain yes",
        "Unheard of",
        "User",
        "User a b",
        "Host gpu1,gpu2",
        "Include ~other/[ab]",
        "Tag x",
    ],
)
def test_anything_odd_anywhere_is_left_to_ssh(tmp_path: Path, line: str) -> None:
    config = tmp_path / "config"
    config.write_text(f"Host never-asked-for\n  {line}\n")
    with pytest.raises(NotPlainError):
        plain(config)


@pytest.mark.parametrize("destination", ["ssh://gpu1", "::1", "[::1]:22", "-x", "a b", "gpu1:x", "", "x@y@z", "é"])
def test_odd_destinations_are_left_to_ssh(tmp_path: Path, destination: str) -> None:
    (tmp_path / "config").touch()
    with pytest.raises(NotPlainError):
        plain(tmp_path / "config").options(destination)


def test_files_that_ssh_would_refuse_or_cannot_read_are_left_to_ssh(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"User \xff\n")
    (tmp_path / "round").write_text(f"Include {tmp_path}/round\n")
    for name in ("missing", "binary", "round", "."):
        with pytest.raises(NotPlainError):
            plain(tmp_path / name)


def test_another_home_than_the_account_s_is_left_to_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "config").touch()
    with pytest.raises(NotPlainError):
        plain(tmp_path / "config")


async def test_a_changed_file_and_a_new_included_one_hold_at_once(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(f"Include {tmp_path}/*.conf\nUser first\n")
    resolver = Resolver()
    assert (await resolver.resolve("gpu1", str(config))).user == "first"
    config.write_text(f"Include {tmp_path}/*.conf\nUser second\n")
    assert (await resolver.resolve("gpu1", str(config))).user == "second"
    (tmp_path / "new.conf").write_text("User third\n")
    assert (await resolver.resolve("gpu1", str(config))).user == "third"
    (tmp_path / "new.conf").write_text('User "quoted"\n')
    assert (await resolver.resolve("gpu1", str(config))).user == "quoted"


def stand_in(directory: Path, user: str) -> Path:
    """A stand-in for an ssh: says what the real one does but for the user, and counts how often it was asked."""
    program = directory / "ssh"
    program.write_text(f'#!/bin/sh\necho >>"$0.asked"\n{SSH} "$@" | sed "s/^user .*/user {user}/"\n')
    program.chmod(0o755)
    return program


async def test_ssh_is_not_asked_for_every_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = stand_in(tmp_path, "alice")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    config = tmp_path / "config"
    config.write_text("Host box*\n  HostName %h.example.org\n")
    resolver = Resolver()
    for number in range(9):
        hop = await resolver.resolve(f"box{number}", str(config))
        assert hop.address == f"alice@box{number}.example.org:22"
    assert len(Path(f"{program}.asked").read_text()) == 2  # once for what it defaults to, once whether it agrees


async def test_an_ssh_that_reads_it_otherwise_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "mallory")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    config = tmp_path / "config"
    config.write_text("User alice\n")
    resolver = Resolver()
    for name in ("gpu1", "gpu2"):
        assert (await resolver.resolve(name, str(config))).user == "mallory"
