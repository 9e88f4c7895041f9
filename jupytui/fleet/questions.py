"""Questions that wait for the user: each is a line on its host's row until somebody answers it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from jupytui.fleet.store import Store
from jupytui.hosts.base import SecretKind, SecretPrompt, UnknownKey
from jupytui.secret import Secret

_WAITING = {
    SecretKind.PASSWORD: "asks for a password",
    SecretKind.PASSPHRASE: "asks for a key's passphrase",
    SecretKind.CODE: "asks for a code",
    SecretKind.TOKEN: "asks for a token",
}


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One question; `answer` is a Secret or None for a prompt, a bool for a host key."""

    about: SecretPrompt | UnknownKey
    answer: asyncio.Future[Secret | bool | None] = field(repr=False)

    @property
    def waiting(self) -> str:
        """The few words for the host's row."""
        return "has an unknown key" if isinstance(self.about, UnknownKey) else _WAITING[self.about.kind]


class Questions:
    """The prompter of a program with a screen: nothing pops up, the host's row says what it waits for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: dict[str, list[Question]] = {}

    def of(self, host: str) -> Question | None:
        """Return the oldest open question of a host."""
        return next(iter(self._open.get(host, ())), None)

    def prompter(self, host: str) -> HostPrompter:
        """Return what asks on behalf of one host (its jump hosts' questions included)."""
        return HostPrompter(self, lambda _asking: host)

    def prompter_of_all(self, row: Callable[[str], str]) -> HostPrompter:
        """Return what asks on behalf of all hosts; `row` says on whose row what a host asks is to be shown."""
        return HostPrompter(self, row)

    async def ask(self, host: str, about: SecretPrompt | UnknownKey) -> Secret | bool | None:
        """Wait until the question is answered; a cancelled one is taken back."""
        question = Question(about, asyncio.get_running_loop().create_future())
        self._open.setdefault(host, []).append(question)
        self._show(host)
        try:
            return await question.answer
        finally:
            self._open[host].remove(question)
            self._show(host)

    def _show(self, host: str) -> None:
        question = self.of(host)
        self._store.patch(host, waiting=question.waiting if question else None)


@dataclass(frozen=True, slots=True)
class HostPrompter:
    """The Prompter handed to one host, or to something that speaks for all of them; `row` as in `prompter_of_all`."""

    questions: Questions
    row: Callable[[str], str]

    async def secret(self, prompt: SecretPrompt) -> Secret | None:
        """Wait for the user's answer."""
        answer = await self.questions.ask(self.row(prompt.host), prompt)
        return answer if isinstance(answer, Secret) else None

    async def trust(self, question: UnknownKey) -> bool:
        """Wait for the user's word."""
        return await self.questions.ask(self.row(question.host), question) is True
