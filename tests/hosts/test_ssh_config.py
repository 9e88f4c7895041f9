"""What `ssh -G` says, as values."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from jupytui.hosts.base import HostTrouble
from jupytui.hosts.ssh_config import arguments, parse, resolve
from jupytui.text import REPLACEMENT

SAID = """host gpu1
user alice
hostname 10.0.0.5
port 2222
identitiesonly yes
stricthostkeychecking accept-new
hashknownhosts yes
passwordauthentication no
kexalgorithms sntrup761x25519-sha512,curve25519-sha256
identityfile ~/.ssh/id_%h
identityfile ${JT_TEST_DIR}/%r@%n.%p
userknownhostsfile /a/known_hosts /b/known_hosts2 /dev/null
proxyjump one,two@three:4
proxycommand none
connecttimeout 60
identityagent none
numberofpasswordprompts 1
"""


def test_everything_we_use_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JT_TEST_DIR", "/keys")
    hop = parse(SAID, "gpu1")
    assert hop.address == "alice@10.0.0.5:2222"
    assert hop.identity_files == (str(Path("~/.ssh/id_10.0.0.5").expanduser()), "/keys/alice@gpu1.2222")
    assert hop.user_known_hosts == ("/a/known_hosts", "/b/known_hosts2")
    assert hop.jumps == ("one", "two@three:4")
    assert (hop.proxy_command, hop.agent, hop.strict, hop.connect_timeout) == (None, None, "accept-new", 60)
    assert hop.identities_only
    assert hop.hash_known_hosts
    assert hop.methods == ("publickey", "keyboard-interactive")
    assert hop.password_prompts == 1
    assert hop.algorithms["kexalgorithms"] == ("sntrup761x25519-sha512", "curve25519-sha256")


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("gpu1", ["--", "gpu1"]),
        ("me@gpu1", ["--", "me@gpu1"]),
        ("me@gpu1:2222", ["-p", "2222", "--", "me@gpu1"]),
        ("me@[::1]:2222", ["-p", "2222", "--", "me@::1"]),
        ("::1", ["--", "::1"]),
        ("ssh://me@gpu1:2222", ["--", "ssh://me@gpu1:2222"]),
    ],
)
def test_destinations_are_what_ssh_accepts_and_host_colon_port(destination: str, expected: list[str]) -> None:
    assert arguments(destination, None) == ["-G", *expected]
    assert arguments(destination, "/etc/x") == ["-G", "-F", "/etc/x", *expected]


async def test_what_openssh_accepts_is_accepted(tmp_path: Path) -> None:
    if not shutil.which("ssh"):
        pytest.skip("no ssh here")
    (tmp_path / "b").write_text("Host box\n  User second\n")
    (tmp_path / "a").write_text("Host box\n  User first # comment\n")
    config = tmp_path / "config"
    config.write_text(
        f"""Include {tmp_path}/[ab]
Host box
  HostName 10.9.8.7
  ConnectTimeout 1m
  IdentityFile {tmp_path}/missing
  UserKnownHostsFile {tmp_path}/%k
"""
    )
    hop = await resolve("box", str(config))
    assert hop.address == "first@10.9.8.7:22"
    assert hop.connect_timeout == 60
    assert hop.identity_files == (f"{tmp_path}/missing",)
    assert hop.user_known_hosts == (f"{tmp_path}/box",)
    assert (await resolve("me@box:2200", str(config))).address == "me@10.9.8.7:2200"


async def test_without_ssh_the_simple_things_are_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    config = tmp_path / "config"
    config.write_text("Host box\n  HostName 10.9.8.7\n  User alice\n  ProxyJump one,two\n  IdentityFile /k\n")
    hop = await resolve("box", str(config))
    assert hop.address == "alice@10.9.8.7:22"
    assert hop.jumps == ("one", "two")
    assert hop.identity_files == ("/k",)
    config.write_text("Host box\n  Port nonsense\n")
    with pytest.raises(HostTrouble, match="does not work"):
        await resolve("box", str(config))


@pytest.mark.skipif(not shutil.which("ssh"), reason="no ssh here")
async def test_what_ssh_says_of_its_configuration_is_passed_on_clean(tmp_path: Path) -> None:
    with pytest.raises(HostTrouble) as caught:
        await resolve("box", str(tmp_path / "nowhere"))
    assert caught.value.hint.endswith("No such file or directory")
    assert REPLACEMENT not in caught.value.hint + caught.value.detail
