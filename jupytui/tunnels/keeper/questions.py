"""The keeper's way to a person: through whichever front end is there, now or later."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Protocol

from jupytui.hosts.base import SecretPrompt, UnknownKey
from jupytui.secret import Secret
from jupytui.tunnels.keeper.protocol import Answer, Asked, Message, Withdrawn


class Front(Protocol):
    """A front end that can ask the person."""

    def tell(self, message: Message) -> None:
        """Send it this message, as soon as it reads."""
        ...


@dataclass(slots=True, eq=False)
class _Question:
    asked: Asked
    answer: asyncio.Future[Secret | bool | None] = field(repr=False)
    declined: set[Front] = field(default_factory=set)


class Questions:
    """The prompter of all the keeper's hosts. Every front end is asked, and the first answer wins.

    Declined is what all of them have declined, and what nobody is there for: a login that waits for a person for long
    is dropped by its host and counted as a failure. It is begun anew when somebody comes.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._open: dict[int, _Question] = {}
        self._fronts: set[Front] = set()

    @property
    def anybody(self) -> bool:
        """Whether a front end is there that can ask."""
        return bool(self._fronts)

    def joined(self, front: Front) -> None:
        """Ask this one too, now and from now on."""
        self._fronts.add(front)
        for question in self._open.values():
            front.tell(question.asked)

    def left(self, front: Front) -> None:
        """Nobody can be asked there any more."""
        self._fronts.discard(front)
        for question in self._open.values():
            self._settle(question)

    def answered(self, front: Front, answer: Answer) -> None:
        """Take a front end's answer; one that comes too late is passed over."""
        question = self._open.get(answer.question)
        if question is None or question.answer.done():
            return
        value = answer.trust if question.asked.key else answer.secret
        if value is not None:
            question.answer.set_result(value)
            return
        question.declined.add(front)
        self._settle(question)

    def _settle(self, question: _Question) -> None:
        if self._fronts <= question.declined and not question.answer.done():
            question.answer.set_result(None)

    async def secret(self, prompt: SecretPrompt) -> Secret | None:
        """Wait for somebody's answer."""
        answer = await self._ask(Asked(next(self._numbers), secret=prompt))
        return answer if isinstance(answer, Secret) else None

    async def trust(self, question: UnknownKey) -> bool:
        """Wait for somebody's word."""
        return await self._ask(Asked(next(self._numbers), key=question)) is True

    async def _ask(self, asked: Asked) -> Secret | bool | None:
        question = self._open[asked.question] = _Question(asked, asyncio.get_running_loop().create_future())
        self._tell(asked)
        self._settle(question)
        try:
            return await question.answer
        finally:
            del self._open[asked.question]
            self._tell(Withdrawn(asked.question))

    def _tell(self, message: Message) -> None:
        for front in self._fronts:
            front.tell(message)
