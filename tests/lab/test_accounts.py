"""Accounts of the lab let in whom they should. OpenSSH asks by SSH_ASKPASS, as it does without a terminal."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.lab.accounts import (
    Otp,
    add_account,
    add_fish_account,
    add_noisy_account,
    add_otp_account,
    add_password_account,
)
from tests.lab.host import LabHost
from tests.lab.lab import Lab


@pytest.fixture(scope="module")
def host(lab: Lab) -> LabHost:
    return lab.host("accounts")


def _login(lab: Lab, user: str, home: Path, answers: str) -> subprocess.CompletedProcess[str]:
    """Log in by OpenSSH; every question is answered by what the sh case patterns of `answers` say."""
    askpass = home / "askpass"
    askpass.write_text(f'#!/bin/sh\ncase "$1" in {answers} esac\n')
    askpass.chmod(0o700)
    return subprocess.run(
        ["ssh", "-F", lab.ssh_config, "-o", "NumberOfPasswordPrompts=1", "-l", user, "accounts", "id -un"],
        env={**os.environ, "SSH_ASKPASS": str(askpass), "SSH_ASKPASS_REQUIRE": "force"},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_a_password_account_refuses_the_key_and_takes_the_password(lab: Lab, host: LabHost, home: Path) -> None:
    add_password_account(host, "carol")
    assert "Permission denied" in lab.ssh("accounts", "true", "-l", "carol").stderr
    assert _login(lab, "carol", home, "*) echo lab;;").stdout == "carol\n"
    assert _login(lab, "carol", home, "*) echo wrong;;").returncode == 255


def test_an_otp_account_wants_the_password_and_then_the_code_of_now(lab: Lab, host: LabHost, home: Path) -> None:
    otp = add_otp_account(host, "oscar")
    right = f"*[Pp]assword*) echo lab;; *[Cc]ode*) echo {otp.code()};;"
    assert _login(lab, "oscar", home, right).stdout == "oscar\n"
    assert _login(lab, "oscar", home, right.replace(otp.code(), "000000")).returncode == 255


def test_codes_are_those_of_rfc_6238() -> None:
    assert Otp("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").code(at=59) == "287082"


def test_an_account_with_no_shell_is_let_in_and_runs_nothing(lab: Lab, host: LabHost) -> None:
    add_account(host, "frank", shell="/bin/false")
    done = lab.ssh("accounts", "echo ran", "-l", "frank")
    assert (done.returncode, done.stdout) == (1, "")


def test_a_fish_account_talks_before_it_obeys(lab: Lab, host: LabHost) -> None:
    add_fish_account(host, "finn")
    assert lab.ssh("accounts", "echo $version", "-l", "finn").stdout.startswith("Welcome to fish, finn\n3")


def test_a_noisy_account_prints_control_bytes_and_invalid_utf8_first(lab: Lab, host: LabHost) -> None:
    add_noisy_account(host, "nina")
    argv = ["ssh", "-F", str(lab.ssh_config), "-l", "nina", "accounts", "echo done"]
    assert subprocess.run(argv, capture_output=True, check=True).stdout == (
        b"a banner\n\x1b[2J[/]\xffgarbage without an end of linedone\n"
    )
