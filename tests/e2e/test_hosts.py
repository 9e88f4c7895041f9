"""Hosts that are not as one would wish: each its own state and words, and none disturbs another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.program import screen, status, write_config
from tests.e2e.tmux import Tmux
from tests.lab import accounts
from tests.lab.accounts import Otp
from tests.lab.host import LabHost
from tests.lab.lab import Lab

START = 20.0


@pytest.fixture(scope="module")
def otp(lab: Lab) -> Otp:
    """Accounts of every kind on one host, which listens for SSH on port 22 only."""
    host = lab.host("people")
    accounts.add_account(host, "stranger", key=False)
    accounts.add_account(host, "shellless", shell="/bin/false")
    accounts.add_fish_account(host, "fish")
    accounts.add_noisy_account(host, "noisy")
    accounts.add_password_account(host, "words")
    return accounts.add_otp_account(host, "codes")


@pytest.fixture
def config(home: Path, lab: Lab, otp: Otp) -> Path:
    """A hosts.toml over an ssh_config with an alias for each trouble, and one good host among them."""
    people = lab.existing("people")
    blocks = [
        lab.ssh_host(name, people.address, name)
        for name in ("stranger", "shellless", "fish", "noisy", "words", "codes")
    ]
    blocks += [
        lab.ssh_host("good", people.address),
        lab.ssh_host("refused", people.address) + "  Port 23\n",
        lab.ssh_host("silent", people.slot.address(250)) + "  ConnectTimeout 3\n",
        lab.ssh_host("nameless", "no-such-host.invalid"),
        lab.ssh_host("unknown", people.address).replace(str(lab.known_hosts), str(home / "known_hosts")),
    ]
    (home / "ssh_config").write_text("".join(blocks))
    path = write_config(home, lab, [line.split()[1] for block in blocks for line in block.splitlines()[:1]])
    path.write_text(path.read_text().replace(str(lab.ssh_config), str(home / "ssh_config")))
    return path


def test_each_trouble_is_its_own_state_with_a_sentence_and_a_hint(config: Path) -> None:
    hosts = status(config)
    assert {name: host["state"] for name, host in hosts.items()} == {
        "good": "up",
        "fish": "up",
        "noisy": "up",
        "stranger": "auth-failed",
        "words": "auth-failed",
        "codes": "auth-failed",
        "shellless": "no-shell",
        "refused": "refused",
        "silent": "unreachable",
        "nameless": "unreachable",
        "unknown": "key-unknown",
    }
    for name, host in hosts.items():
        if host["state"] != "up":
            assert host["error"]["message"].endswith((".", "?")), (name, host["error"])
            assert host["error"]["hint"], name
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", str(host)), name


@pytest.fixture
def changed(lab: Lab) -> Iterator[LabHost]:
    host = lab.host("changed")
    host.rekey()
    yield host
    lab.remove("changed")


@pytest.fixture(params=[(120, 40), (45, 30)], ids=["wide", "narrow"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    assert isinstance(request.param, tuple)
    return request.param


def only(config: Path, *names: str) -> Path:
    """Leave only these hosts in the file."""
    head, *tables = config.read_text().split("[hosts.")
    config.write_text(head + "".join(f"[hosts.{table}" for table in tables if table.split("]")[0] in {*names, "local"}))
    return config


def test_a_changed_key_stops_everything_and_shows_both(
    home: Path, lab: Lab, changed: LabHost, size: tuple[int, int]
) -> None:
    with screen(write_config(home, lab, ["changed"]), *size) as terminal:
        terminal.wait_until("key changed", START)
        terminal.send("Enter")
        shown = terminal.wait_until("SHA256:")
        assert len(re.findall(r"SHA256:", shown)) == 2
        assert "Accepted" not in changed.exec("journalctl -u ssh -o cat --no-pager").stdout


def test_an_unknown_key_is_asked_about_and_remembered(config: Path, home: Path, size: tuple[int, int]) -> None:
    with screen(only(config, "unknown"), *size) as terminal:
        terminal.wait_until("unknown key", START)
        assert not (home / "known_hosts").exists()
        terminal.send("Enter")
        terminal.wait_until("SHA256:")
        terminal.type("yes")
        terminal.send("Enter")
        terminal.wait_until(re.compile(r"unknown .*● up"), START)
    assert (home / "known_hosts").read_text().count("ssh-ed25519") == 1
    assert (home / "known_hosts").stat().st_mode & 0o777 == 0o600


def answer(terminal: Tmux, waits: str, text: str) -> None:
    terminal.wait_until(waits, START)
    terminal.send("Enter")
    terminal.wait_until("escape")
    terminal.type(text)
    terminal.send("Enter")


def test_a_password_is_asked_for_where_nothing_else_lets_us_in(config: Path, size: tuple[int, int]) -> None:
    with screen(only(config, "words"), *size) as terminal:
        answer(terminal, "asks for a password", "lab")
        terminal.wait_until(re.compile(r"words .*● up"), START)


def test_a_one_time_password_is_asked_for(config: Path, otp: Otp, size: tuple[int, int]) -> None:
    with screen(only(config, "codes"), *size) as terminal:
        answer(terminal, "asks for a", "lab")
        terminal.wait_until("Verification code", START)  # whoever is answering gets the next question at once
        terminal.type(otp.code())
        terminal.send("Enter")
        terminal.wait_until(re.compile(r"codes .*● up"), START)
        assert otp.code().encode() not in terminal.output()


def test_a_host_that_hangs_delays_nobody_and_is_back_when_it_is(config: Path, lab: Lab) -> None:
    people = lab.existing("people")
    with screen(only(config, "good", "fish")) as terminal:
        terminal.wait_until(re.compile(r"fish .*up(.|\n)*good .*up"), START)
        (fish,) = [p.pid for p in people.processes() if p.command.startswith("sshd: fish@")]
        people.exec('kill -STOP "$1"', str(fish))
        terminal.wait_until(re.compile(r"fish .*(stopped answering|lost|no answer)"), 20)
        assert re.search(r"good .*● up", terminal.screen())
        people.exec('kill -CONT "$1"', str(fish))
        terminal.wait_until(re.compile(r"fish .*● up"), 30)
