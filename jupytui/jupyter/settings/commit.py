"""Makes an edit and has Jupyter itself prove it; what it does not confirm is taken back."""

from __future__ import annotations

from dataclasses import dataclass

from jupytui.errors import CommandError, JupytuiError
from jupytui.hosts.base import Host
from jupytui.jupyter.settings.apply import apply
from jupytui.jupyter.settings.discover import Answer, Whose, ask
from jupytui.jupyter.settings.edit import REMOVE, Edit
from jupytui.jupyter.settings.models import plain
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


async def commit(host: Host, whose: Whose, python: str, edit: Edit) -> Done:
    """Write `edit`, and ask the server's own Jupyter whether all wishes hold and all files parse; else take it back.

    Raises NotConfirmed (all files are as before), CannotEdit, CommandError, HostTrouble. Cut off between writing and
    proof, the files stay as after.
    """
    backups = await apply(host, python, edit)
    try:
        answer = await ask(host, whose)
    except CommandError as error:
        await _take_back(host, python, edit)
        raise NotConfirmed(f"{error.message} Nothing was changed.", error.hint, detail=error.detail) from None
    if problem := _problem(answer, edit):
        await _take_back(host, python, edit)
        raise NotConfirmed(f"{problem} Nothing was changed.")
    return Done(edit, answer, backups)


async def _take_back(host: Host, python: str, edit: Edit) -> None:
    await apply(host, python, edit.undone, backups=False)


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
