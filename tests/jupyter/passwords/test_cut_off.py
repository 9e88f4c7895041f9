"""What is said of a change that was cut off or stopped: what it leaves behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupytui.errors import DeadlineError, JupytuiError
from jupytui.hosts.base import Host, HostState, HostTrouble, Nobody
from jupytui.jupyter.launch.shutdown import Target
from jupytui.jupyter.models import App
from jupytui.jupyter.passwords import carry_out as carrying
from jupytui.jupyter.passwords.plan import Kind, Plan, Wish
from jupytui.jupyter.passwords.standing import standing
from jupytui.jupyter.settings.commit import Done
from jupytui.jupyter.settings.discover import Answer, Whose
from jupytui.jupyter.settings.edit import Edit, FileChange
from jupytui.secret import Secret
from tests.jupyter.passwords.test_parts import found

LOST = HostTrouble(HostState.DOWN, "The connection was lost.")


def planned() -> Plan:
    now = found(("jupyter_server_config.py", ""))
    edit = Edit((FileChange("/home/alice/x.py", None, b"", 0o600),), {"PasswordIdentityProvider.hashed_password": "x"})
    answer = Answer("2.21.1", {}, {})
    wish = Wish(Kind.SET, Secret("new battery staple"))
    return Plan(wish, Whose(App.SERVER, 7), now, answer, standing(now), standing(now), edit)


async def cut(monkeypatch: pytest.MonkeyPatch, *, write: BaseException | None, restart: BaseException | None) -> Any:
    """Carry out a change whose write or restart ends so; return what came of it."""

    async def commit(*_: object) -> Done:
        if write:
            raise write
        return Done(plan.edit, plan.answer)

    async def restarted(*_: object) -> None:
        assert restart
        raise restart

    plan = planned()
    monkeypatch.setattr(carrying, "commit", commit)
    monkeypatch.setattr(carrying, "restart", restarted)
    nowhere: Host = None  # type: ignore[assignment]
    with pytest.raises((JupytuiError, asyncio.CancelledError)) as ended:
        await carrying.carry_out(nowhere, Target("it", 7), plan, Nobody(), lambda _step: None, consent=True)
    return ended.value


@pytest.mark.parametrize("error", [LOST, DeadlineError("It took too long.")])
async def test_a_cut_while_it_is_written_says_that_the_files_may_be_changed(
    monkeypatch: pytest.MonkeyPatch, error: JupytuiError
) -> None:
    ended = await cut(monkeypatch, write=error, restart=None)
    assert "The files may be changed: all of them, or none." in str(ended)


async def test_a_cut_while_it_restarts_says_that_the_files_are_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = await cut(monkeypatch, write=None, restart=HostTrouble(HostState.DOWN, "The connection was lost."))
    assert "The files are changed; a restart that was begun goes on" in str(ended)


async def test_what_was_stopped_halfway_says_so_and_what_changed_nothing_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    halfway = await cut(monkeypatch, write=None, restart=asyncio.CancelledError())
    assert "The files are changed" in halfway.__notes__[0]
    taken_back = await cut(monkeypatch, write=asyncio.CancelledError(), restart=None)
    assert not hasattr(taken_back, "__notes__")
