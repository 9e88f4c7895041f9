"""Makes an edit and has Jupyter itself prove it; what it does not confirm is taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from jupytui.errors import CommandError, DeadlineError, JupytuiError
from jupytui.hosts.base import Host, HostTrouble
from jupytui.jupyter.settings.apply import apply
from jupytui.jupyter.settings.discover import Answer, Whose, ask
from jupytui.jupyter.settings.edit import REMOVE, Edit
from jupytui.jupyter.settings.models import CannotEdit, plain
from jupytui.text import clean


@dataclass(frozen=True, slots=True)
class Done:
    """An edit that is made and holds. `undo` brings back every byte; a running server wants a restart."""

    edit: Edit
    answer: Answer
    backups: tuple[str, ...] = ()

    @property
    def undo(self) -> Edit:
        """The edit that takes it back; it is refused if a file has changed since."""
        return self.edit.undone


class NotConfirmed(JupytuiError):
    """Jupyter would not apply what was written, so it was taken back."""


class NotTakenBack(CommandError):
    """What was written does not hold, or nobody waits for it any more, and it could not be taken back: it stays."""


async def commit(host: Host, whose: Whose, python: str, edit: Edit) -> Done:
    """Write `edit`, and ask the server's own Jupyter whether all wishes hold and all files parse; else take it back.

    Raises NotConfirmed, CannotEdit and, when it is cancelled, CancelledError: all files are as before. NotTakenBack:
    they are not. CommandError, HostTrouble: cut off between writing and proof, the files stay as after.
    """
    backups = await _written(host, python, edit)
    try:
        answer = await ask(host, whose)
    except (CannotEdit, CommandError, DeadlineError) as error:
        await _take_back(host, python, edit, error.message)
        raise NotConfirmed(f"{error.message} Nothing was changed.", error.hint, detail=error.detail) from None
    except asyncio.CancelledError:
        await _take_back(host, python, edit, "It was stopped.")
        raise
    except HostTrouble as cut:
        cut.hint = f"{cut.hint} The files were written, and stay.".lstrip()
        raise
    if problem := _problem(answer, edit):
        await _take_back(host, python, edit, problem)
        raise NotConfirmed(f"{problem} Nothing was changed.")
    return Done(edit, answer, backups)


async def _written(host: Host, python: str, edit: Edit) -> tuple[str, ...]:
    """Write `edit`. What was sent is written, whoever waits: stopped or out of time, it is taken back afterwards."""
    writing = asyncio.ensure_future(apply(host, python, edit))
    try:
        return await asyncio.shield(writing)
    except asyncio.CancelledError:
        await _to_its_end(_unwritten(writing, host, python, edit, "It was stopped."))
        raise
    except DeadlineError as error:
        await _to_its_end(_unwritten(writing, host, python, edit, error.message))
        raise NotConfirmed(f"{error.message} Nothing was changed.", error.hint, detail=error.detail) from None


async def _unwritten(writing: asyncio.Future[tuple[str, ...]], host: Host, python: str, edit: Edit, why: str) -> None:
    """Wait for the end of `writing`; see to it that nothing of it is left. Raises NotTakenBack."""
    (outcome,) = await asyncio.gather(writing, return_exceptions=True)
    if isinstance(outcome, CannotEdit):
        return
    try:
        await _take_back(host, python, edit, why)
    except NotTakenBack as error:
        # After a deadline nobody knows whether it was written: if it was not, there is nothing to take back.
        if not (isinstance(outcome, DeadlineError) and isinstance(error.__cause__, CannotEdit)):
            raise


async def _take_back(host: Host, python: str, edit: Edit, why: str) -> None:
    """Bring back what was before `edit`, however often it is stopped meanwhile. Raises NotTakenBack."""
    try:
        await _to_its_end(apply(host, python, edit.undone, backups=False))
    except JupytuiError as error:
        said = f"{why} What was written could not be taken back: {error.message}"
        raise NotTakenBack(said, error.hint, detail=error.detail) from error


async def _to_its_end(work: Awaitable[object]) -> None:
    """Wait until `work` is done; whoever is stopped meanwhile hears so afterwards. Raises what it raises."""
    task, stopped = asyncio.ensure_future(work), None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as cut:
            stopped = cut
    task.result()
    if stopped:
        raise stopped


def _problem(answer: Answer, edit: Edit) -> str:
    """Return why `edit` does not hold, "" if it does."""
    for file in edit.files:
        if said := next((said for said in answer.said if said.error and file.path in said.text), None):
            return f"Jupyter cannot read {file.path} any more: {clean(said.error)}."
    for key, wanted in edit.wishes.items():
        try:
            applied = plain(answer.configured(key))
        except KeyError:
            applied = REMOVE
        if applied != plain(wanted):
            return (
                f"Jupyter still applies another value for {key}." if applied is not REMOVE else f"{key} has no effect."
            )
    return ""
