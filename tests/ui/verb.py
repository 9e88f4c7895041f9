"""An action of the tests' own."""

from __future__ import annotations

import asyncio

from jupytui.actions.base import Action, Answers, Context, Subjects
from jupytui.fleet.subject import Scope


class Verb:
    """An action that writes down what it was done to, and does what the test says."""

    def __init__(self, outcome: str | Exception = "Done.", scope: Scope = Scope.KERNEL, **more: object) -> None:
        self.outcome = outcome
        self.done: list[Subjects] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.action = Action(
            id=f"{scope.name.lower()}.test",
            title="Test kernel",
            scope=scope,
            keys=("T",),
            run=self._run,
            **more,  # type: ignore[arg-type]
        )

    async def _run(self, _context: Context, subjects: Subjects, _answers: Answers) -> str:
        await self.hold.wait()
        self.done.append(subjects)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome
