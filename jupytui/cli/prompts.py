"""The command line's way to the person: questions on the terminal, one at a time; without one, all are declined."""

from __future__ import annotations

import asyncio
import re

from jupytui.cli.terminal import ask_line, open_terminal, show
from jupytui.hosts.base import SecretPrompt, UnknownKey
from jupytui.secret import Secret


class TerminalPrompter:
    """Asks on the controlling terminal; hosts wait for each other's questions."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def secret(self, prompt: SecretPrompt) -> Secret | None:
        """Ask for a password, passphrase or code without echo."""
        async with self._turn:
            with open_terminal() as terminal:
                if terminal is None:
                    return None
                answer = await ask_line(terminal, _question(prompt), echo=prompt.echo)
        return None if answer is None else Secret(answer)

    async def trust(self, question: UnknownKey) -> bool:
        """Ask as OpenSSH does: yes, no, or the fingerprint as it is known from elsewhere."""
        async with self._turn:
            with open_terminal() as terminal:
                return terminal is not None and await _vouches(terminal, question)


def _question(prompt: SecretPrompt) -> str:
    refused = "That was refused. " if prompt.again else ""
    host = "" if prompt.host in re.split(r"[^\w.-]+", prompt.text) else f"{prompt.host}: "
    return f"{refused}{host}{prompt.text.rstrip().rstrip(':')}: "


async def _vouches(terminal: int, question: UnknownKey) -> bool:
    show(
        terminal,
        f"The authenticity of host '{question.host} ({question.address})' can't be established.\n"
        f"{question.key.algorithm} key fingerprint is {question.key.fingerprint}.\n",
    )
    ask = "Are you sure you want to continue connecting (yes/no/[fingerprint])? "
    while (answer := await ask_line(terminal, ask)) is not None:
        if answer.strip() == question.key.fingerprint or answer.strip().lower() == "yes":
            return True
        if answer.strip().lower() == "no":
            return False
        ask = "Please type 'yes', 'no' or the fingerprint: "
    return False
