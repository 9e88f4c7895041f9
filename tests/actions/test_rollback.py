"""What is said of a server that did not come back with new settings: only what is so."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from jupytui.actions import rollback
from jupytui.actions.base import Context
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Host, Prompter
from jupytui.jupyter.launch.causes import LaunchFailed
from jupytui.jupyter.launch.lifecycle import Back, Mend, Mended
from jupytui.jupyter.launch.proof import Answer
from jupytui.jupyter.launch.shutdown import Target
from jupytui.jupyter.models import Auth
from jupytui.jupyter.settings.edit import Edit, FileChange

FAILED = LaunchFailed("gpu1:8888 did not come back.")
MENDED = Mended(FAILED, Back(Answer(8, "1", 8888, None, "2.21.1", "", Auth.PASSWORD)))


@pytest.mark.parametrize(
    ("error", "mends", "said", "unsaid"),
    [
        (MENDED, True, rollback.TAKEN_BACK, "undo"),
        (FAILED, True, "Its files are as they were", "started once more"),
        (FAILED, False, "What was written stays", "as they were"),
    ],
    ids=["started once more", "not started", "not taken back"],
)
async def test_that_it_was_started_once_more_is_said_only_where_it_was(
    monkeypatch: pytest.MonkeyPatch, error: LaunchFailed, mends: bool, said: str, unsaid: str
) -> None:
    async def restart(_host: Host, _target: Target, _prompter: Prompter, mend: Mend) -> Back:
        if mends:
            await mend()
        error.hint = ""
        raise error

    async def apply(*_: object, **__: object) -> None:
        pass

    monkeypatch.setattr("jupytui.jupyter.launch.lifecycle.restart", restart)
    monkeypatch.setattr("jupytui.jupyter.settings.apply.apply", apply)
    monkeypatch.setattr(rollback, "target_of", lambda *_: Target("gpu1:8888", 7))
    nothing = lambda *_: None  # noqa: E731
    fleet = SimpleNamespace(host=nothing, prompter=nothing, expect_end=nothing)
    context = cast("Context", SimpleNamespace(fleet=fleet, progress=nothing))
    edit = Edit((FileChange("/home/alice/x.py", None, b"", 0o600),), {})
    with pytest.raises(LaunchFailed) as failed:
        await rollback.restart_with(context, Subject("gpu1", "gpu1:8888"), "python", edit)
    assert said in failed.value.hint
    assert unsaid not in failed.value.hint
