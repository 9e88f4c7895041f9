"""Where work starts: every action runs in a worker of its own, is seen while it does, can be stopped, and reports."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.worker import Worker, get_current_worker

from jupytui.actions.base import Action, Answers, Context, perform
from jupytui.errors import JupytuiError
from jupytui.fleet.subject import Subject
from jupytui.text import clean_line
from jupytui.ui.talk import Talk

if TYPE_CHECKING:
    from jupytui.ui.program import Program

_log = logging.getLogger(__name__)

Job = tuple[str, tuple[Subject, ...]]

SAID = 32  # characters of what an action says of itself: keys should still be seen beside it
BAR = 10  # cells


def bar(fraction: float) -> str:
    """Return how far something is, as a figure and a bar."""
    filled = round(BAR * fraction)
    return f"{fraction:.0%} {'━' * filled}{'─' * (BAR - filled)}"


class Work:
    """What is under way, oldest first. `done` hears which hosts an action brought in."""

    def __init__(self, program: Program, talk: Talk, context: Context) -> None:
        self._program = program
        self._talk = talk
        self.context = context
        self.done: Callable[[set[str]], None] = lambda _added: None
        self._running: dict[Job, tuple[Action, Worker[None]]] = {}
        self._asking: set[Job] = set()  # on their way to a question: nothing has been done so far
        self._progress: dict[str, str] = {}  # by the group of the worker
        context.progress = self._heard

    @property
    def note(self) -> str:
        """What is under way and how far, in a few words for the last line."""
        if not self._running:
            return ""
        action, worker = next(reversed(self._running.values()))
        others = f" +{len(self._running) - 1}" if len(self._running) > 1 else ""
        return f"◐ {action.title}{others}{self._progress.get(worker.group, '')}"

    def _heard(self, text: str, fraction: float | None = None) -> None:
        said = clean_line(text, SAID)
        self._progress[get_current_worker().group] = f": {said}" if fraction is None else f" {bar(fraction)} {said}"
        self._program.main.schedule()

    @property
    def hosts(self) -> set[str]:
        """The hosts that something under way is about."""
        return {subject.host for _id, subjects in self._running for subject in subjects if subject.host}

    @property
    def stopped_by(self) -> str:
        """The command that stops what is under way: going back is enough while nothing has been done."""
        return "" if not self._running else "app.back" if self._asking else "app.stop"

    def start(self, action: Action, subjects: Sequence[Subject]) -> None:
        """Begin `action` on `subjects`, unless just that is under way; of two that will ask, the later one does."""
        job = (action.id, tuple(subjects))
        if job in self._running:
            self._talk.say(f"{action.title} is under way.")
            return
        if action.form or action.asks:
            self.leave()
            self._asking.add(job)
        # Names and descriptions may be printed: ids only, never an answer.
        worker = self._program.run_worker(
            self._carry_out(job, action),
            name=action.id,
            group=f"{action.id} {hash(job)}",
            description=action.title,
            exclusive=True,
            exit_on_error=False,
        )
        self._running[job] = (action, worker)
        self._program.main.schedule()

    def asked(self) -> None:
        """What runs in this worker has come to its question."""
        group = get_current_worker().group
        self._asking -= {job for job, (_action, worker) in self._running.items() if worker.group == group}

    def leave(self) -> str | None:
        """Cancel what is on its way to a question; return its title, None when there is no such thing."""
        return self._cancel(next(iter(self._asking))) if self._asking else None

    def stop(self) -> str | None:
        """Cancel what was begun last; return its title, None when nothing is under way."""
        return self._cancel(next(reversed(self._running))) if self._running else None

    def _cancel(self, job: Job) -> str:
        self._asking.discard(job)
        action, worker = self._running.pop(job)
        worker.cancel()
        self._program.main.schedule()
        return action.title

    async def _carry_out(self, job: Job, action: Action) -> None:
        before = self._hosts()
        try:
            with self._reporting():
                self._talk.say(await perform(self._watched(action), self.context, job[1]) or "")
                self.done(self._hosts() - before)
        finally:
            # Begun again after it was cancelled, the job is another one's by now.
            if self._is_mine(job):
                self._asking.discard(job)
                del self._running[job]
            self._program.main.pane.work_ended()
            self._program.main.schedule()

    def _is_mine(self, job: Job) -> bool:
        return job in self._running and self._running[job][1] is get_current_worker()

    def _watched(self, action: Action) -> Action:
        """Return `action`, known to have come to its question when it runs, unless it asks only then."""

        async def run(context: Context, subjects: Sequence[Subject], answers: Answers) -> str:
            self.asked()
            return await action.run(context, subjects, answers)

        return action if action.asks else replace(action, run=run)

    def _hosts(self) -> set[str]:
        return {view.name for view in self._program.store}

    def aside(self, group: str, work: Coroutine[Any, Any, None]) -> None:
        """Do something nobody waits for; begun again, the first one is cancelled."""

        async def run() -> None:
            with self._reporting():
                await work

        self._program.run_worker(run(), name=group, group=group, description=group, exclusive=True, exit_on_error=False)

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        """Tell what failed: nothing that was started may end the program."""
        try:
            yield
        except JupytuiError as error:
            self._talk.error(error)
        except Exception:
            _log.exception("work failed in a way that was not foreseen")
            self._talk.say("jupytui made a mistake; its log file has the details.", "error")
