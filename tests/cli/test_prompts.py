from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.cli.terminal import ROOT, under_a_terminal

PRELUDE = """
import asyncio
from jupytui.cli.prompts import TerminalPrompter
from jupytui.hosts.base import HostKey, SecretKind, SecretPrompt, UnknownKey
prompter = TerminalPrompter()
password = SecretPrompt("gpu1", SecretKind.PASSWORD, "alice's password:")
unknown = UnknownKey("gpu1", "10.0.0.5:22", HostKey("ED25519", "SHA256:abc"))
"""
ASK = PRELUDE + "secret = asyncio.run(prompter.secret(password)); print('got', secret and secret.reveal()[::-1])"
TRUST = PRELUDE + "print('trusted', asyncio.run(prompter.trust(unknown)))"


def test_a_secret_is_asked_for_by_host_and_never_echoed() -> None:
    with under_a_terminal(ASK) as terminal:
        assert "gpu1: alice's password: " in terminal.wait_for("password: ")
        terminal.type("hünter2\n")
        shown = terminal.wait_for("got ")
        assert "hünter2" not in shown
        terminal.wait_for("2retnüh")


def test_the_end_of_input_declines() -> None:
    with under_a_terminal(ASK) as terminal:
        terminal.wait_for("password: ")
        terminal.type("\x04")
        terminal.wait_for("got None")


@pytest.mark.parametrize(
    ("answers", "trusted"),
    [(["yes"], True), (["no"], False), (["y", "SHA256:abc"], True), (["SHA256:abd", "no"], False)],
)
def test_an_unknown_key_is_shown_as_openssh_does_and_wants_a_whole_answer(answers: list[str], trusted: bool) -> None:
    with under_a_terminal(TRUST) as terminal:
        shown = terminal.wait_for("(yes/no/[fingerprint])? ")
        assert "The authenticity of host 'gpu1 (10.0.0.5:22)' can't be established." in shown
        assert "ED25519 key fingerprint is SHA256:abc." in shown
        for number, answer in enumerate(answers):
            if number:
                terminal.wait_for("Please type 'yes', 'no' or the fingerprint: ")
            terminal.type(f"{answer}\n")
        terminal.wait_for(f"trusted {trusted}")


def test_questions_of_several_hosts_come_one_at_a_time() -> None:
    code = (
        PRELUDE
        + """
async def main():
    async def ask(host):
        secret = await prompter.secret(SecretPrompt(host, SecretKind.CODE, "code", echo=True))
        return host + secret.reveal()
    print("all", *await asyncio.gather(*map(ask, "abc")))
asyncio.run(main())
"""
    )
    with under_a_terminal(code) as terminal:
        for host in "abc":
            shown = terminal.wait_for(f"{host}: code: ")
            assert shown.count("code: ") == 1
            terminal.type(f"{host}!\n")
        terminal.wait_for("all aa! bb! cc!")


def test_a_question_taken_back_leaves_the_terminal_as_it_was() -> None:
    code = (
        PRELUDE
        + """
import termios
async def main():
    before = termios.tcgetattr(0)
    asking = asyncio.create_task(prompter.secret(password))
    while termios.tcgetattr(0) == before:
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    print("cancelled", asking.cancelled(), termios.tcgetattr(0) == before)
asyncio.run(main())
"""
    )
    with under_a_terminal(code) as terminal:
        terminal.wait_for("cancelled True True")


def test_control_c_at_a_question_ends_the_program_with_echo_on() -> None:
    code = (
        PRELUDE
        + """
import termios
before = termios.tcgetattr(0)
try:
    asyncio.run(prompter.secret(password))
except KeyboardInterrupt:
    print("interrupted", termios.tcgetattr(0) == before)
"""
    )
    with under_a_terminal(code) as terminal:
        terminal.wait_for("password: ")
        terminal.type("\x03")
        terminal.wait_for("interrupted True")


def test_text_of_the_host_cannot_command_the_terminal() -> None:
    code = ASK.replace("alice's password:", "\\x1b[2Jpassword:")
    with under_a_terminal(code) as terminal:
        assert "\x1b" not in terminal.wait_for("password: ")


@pytest.mark.parametrize("code", [ASK, TRUST])
def test_without_a_terminal_everything_is_declined_at_once(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=20,
        check=True,
    )
    assert done.stdout in {"got None\n", "trusted False\n"}


def test_in_the_background_everything_is_declined_and_nothing_stops() -> None:
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ASK!r}], process_group=0)"
    with under_a_terminal(code) as terminal:
        terminal.wait_for("got None")
        assert os.waitpid(terminal.process.pid, 0)[1] != signal.SIGTTOU
