"""What the doctor says of its own fixes; tests/doctor/test_mended.py has real ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from jupytui.actions.base import Context
from jupytui.actions.doctor import Examined, mend
from jupytui.doctor.models import Finding, HostFacts, ServerFacts
from jupytui.doctor.rules import diagnose
from jupytui.errors import CommandError
from jupytui.fleet.models import HostView
from jupytui.hosts.base import Destination, HostState
from jupytui.jupyter.models import App, Auth, Server, Unit
from jupytui.jupyter.settings.models import ConfigFile, Found
from jupytui.jupyter.settings.splice import read
from jupytui.systemd.units import Services
from tests.actions.front import ScriptedFront, context

SERVER = Server(id="gpu1:8888", pid=9, app=App.LAB, port=8888, bind="loopback", auth=Auth.NONE, version="2.21.1")
PATH = "/h/.jupyter/jupyter_server_config.json"


def found(text: str) -> Found:
    data = text.encode()
    file = ConfigFile(PATH, "/h/.jupyter", data, 0o600, 1000, writable=True, reading=read(PATH, data))
    return Found("lab", files=(file,), uid=1000)


OPEN = ServerFacts(SERVER, found('{"IdentityProvider": {"token": ""}}'), uid=1000)


def looked(facts: ServerFacts, **more: Any) -> Examined:
    seen = HostFacts(HostView("gpu1", state=HostState.UP, servers=(facts.server,)), (facts,), **more)
    return Examined(diagnose(seen), (seen,))


def called(examined: Examined, id_: str) -> Finding:
    return next(each for each in examined.diagnosis.findings if each.id == id_)


async def mended(
    monkeypatch: pytest.MonkeyPatch, before: Examined, id_: str, after: Examined, barrier: str = "", *, yes: bool = True
) -> tuple[str, ScriptedFront]:
    """Have a finding of `before` mended, after which the host looks like `after`."""

    async def nothing(*_: object, **__: object) -> str:
        return ""

    async def check(*_: object) -> None:
        if barrier:
            raise CommandError(barrier)

    async def examine(_context: Context, _subjects: object) -> Examined:
        return after

    front = ScriptedFront(yes=yes)
    where = context(front, before.facts[0].view)
    where.fleet.add(Destination("gpu1", "gpu1"))
    monkeypatch.setattr(where.fleet, "refresh", nothing)
    monkeypatch.setattr("jupytui.doctor.repair.carry_out", nothing)
    monkeypatch.setattr("jupytui.actions.doctor.examine", examine)
    monkeypatch.setattr("jupytui.jupyter.launch.holder.check_restart", check)
    return await mend(where, before, called(before, id_)), front


ALICES = "alice started gpu1:8888; restarted by root it would run as root. Connect as alice to restart it."


async def test_a_restart_that_would_be_refused_is_not_asked_for_and_said_before_files_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    safe = replace(OPEN, server=msgspec.structs.replace(SERVER, auth=Auth.TOKEN), found=found("{}"))
    said, front = await mended(monkeypatch, looked(OPEN), "exposure.open-local", looked(safe), ALICES)
    (question,) = front.confirmed
    assert ALICES in question.notes
    assert said == f"Open to its machine: put right. It takes effect when the server starts again. {ALICES}"


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (replace(OPEN, server=msgspec.structs.replace(SERVER, auth=Auth.TOKEN)), "put right."),
        (
            replace(OPEN, server=msgspec.structs.replace(SERVER, auth=Auth.UNKNOWN)),
            "not proven. How gpu1:8888 lets people in is not known yet; look again.",
        ),
    ],
)
async def test_an_open_door_is_shut_only_when_it_is_known_what_it_asks_for(
    monkeypatch: pytest.MonkeyPatch, after: ServerFacts, says: str
) -> None:
    said, _ = await mended(monkeypatch, looked(OPEN), "exposure.open-local", looked(after), ALICES)
    assert said.startswith(f"Open to its machine: {says}")


async def test_a_setting_is_put_right_only_when_the_configuration_was_seen_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wide = ServerFacts(
        msgspec.structs.replace(SERVER, auth=Auth.TOKEN), found('{"ServerApp": {"allow_origin": "*"}}'), uid=1000
    )
    late = replace(wide, found=None, unseen="gpu1:8888: Jupyter on gpu1 took longer than 60 s.")
    said, _ = await mended(monkeypatch, looked(wide), "exposure.origin", looked(late), ALICES)
    assert said.startswith(
        "Takes requests of every page: not proven. gpu1:8888: Jupyter on gpu1 took longer than 60 s."
    )


async def test_what_does_not_depend_on_the_configuration_is_proven_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = msgspec.structs.replace(SERVER, auth=Auth.TOKEN, unit=Unit("x.service", "user"))
    before = ServerFacts(unit, linger=False)
    lingers = looked(replace(before, linger=True, unseen="It is not seen."), services=Services(linger=True))
    assert (await mended(monkeypatch, looked(before), "health.linger", lingers))[0] == "Ends at logout: put right."
    unknown = looked(replace(before, linger=None))
    assert "not proven" in (await mended(monkeypatch, looked(before), "health.linger", unknown))[0]
