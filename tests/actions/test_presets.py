"""Presets before anything is written; tests/e2e/test_settings.py has them applied."""

from __future__ import annotations

import pytest

from jupytui.actions.base import Context, Refused
from jupytui.actions.presets import PRESET
from jupytui.actions.settings import LEFT
from jupytui.actions.settings_edit import Seen
from jupytui.errors import CommandError
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Destination, HostState
from jupytui.jupyter.models import App, Server
from jupytui.jupyter.settings.discover import Answer
from jupytui.jupyter.settings.models import Directory, Found
from tests.actions.front import ScriptedFront, context

SERVER = Server(id="gpu1:8888", pid=9, app=App.LAB, port=8888)
ALICES = CommandError(
    "alice started gpu1:8888; restarted by root it would run as root.", "Connect as alice to restart it."
)
PLACE = "/home/alice/.jupyter"
SUBJECT = Subject("gpu1", SERVER.id)


@pytest.fixture
def front() -> ScriptedFront:
    return ScriptedFront(yes=False)


@pytest.fixture
def work(front: ScriptedFront, monkeypatch: pytest.MonkeyPatch) -> Context:
    """On a host where we are root, with a server of alice's."""
    made = context(front, HostView("gpu1", state=HostState.UP, servers=(SERVER,)))
    made.fleet.add(Destination("gpu1", "gpu1"))
    found = Found("lab", directories=(Directory(PLACE, exists=True, writable=True),), user_directory=PLACE, uid=1000)

    async def see(_context: Context, subject: Subject) -> Seen:
        return Seen(subject, SERVER, made.fleet.host("gpu1"), found, Answer("2.21.1", {}, {}))

    async def check(*_: object) -> None:
        raise ALICES

    monkeypatch.setattr("jupytui.actions.presets.see", see)
    monkeypatch.setattr("jupytui.jupyter.launch.holder.check_restart", check)
    return made


async def test_who_wants_a_restart_that_would_be_refused_is_told_before_files_change(
    work: Context, front: ScriptedFront
) -> None:
    with pytest.raises(Refused, match="Connect as alice"):
        await PRESET.run(work, [SUBJECT], {"preset": "idle-culling", "restart": "yes"})
    assert front.confirmed == []


async def test_who_wants_none_is_told_in_the_question(work: Context, front: ScriptedFront) -> None:
    assert await PRESET.run(work, [SUBJECT], {"preset": "idle-culling"}) == LEFT
    (question,) = front.confirmed
    assert str(ALICES) in question.notes
