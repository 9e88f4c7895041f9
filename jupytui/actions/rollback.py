"""Restart a server that has new settings: they keep it running, or they are taken back and it is started once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupytui.actions.base import Context
from jupytui.actions.lifecycle import target_of
from jupytui.errors import JupytuiError
from jupytui.fleet.subject import Subject

if TYPE_CHECKING:
    from jupytui.jupyter.launch.lifecycle import Back
    from jupytui.jupyter.settings.edit import Edit

PROMISE = "If it does not come back and answer, the files are taken back and it is started once more."
TAKEN_BACK = "Its files are as they were, and it was started once more."
_UNDONE = "Its files are as they were; look whether it runs."
_STAYS = "What was written stays; `jupytui config undo` (u in Settings) takes it back."


async def restart_with(context: Context, subject: Subject, python: str, edit: Edit) -> Back:
    """Restart a server whose files `edit` has just changed; `python` is one of its host.

    Raises what a restart raises; the hint says whether its files are as they were.
    """
    from jupytui.jupyter.launch.lifecycle import Mended, restart
    from jupytui.jupyter.settings.apply import apply

    name = subject.host or ""
    host, undone = context.fleet.host(name), False

    async def take_back() -> None:
        nonlocal undone
        if edit.files:
            await apply(host, python, edit.undone, backups=False)
            undone = True

    context.progress(f"restarting {subject.server}")
    target = target_of(context, subject)
    context.fleet.expect_end(subject)
    try:
        return await restart(host, target, context.fleet.prompter(name), take_back)
    except JupytuiError as error:
        said = _UNDONE if undone else _STAYS if edit.files else ""
        said = TAKEN_BACK if undone and isinstance(error, Mended) else said
        error.hint = f"{error.hint} {said}".strip()
        raise
