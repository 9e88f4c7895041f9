"""Changing passwords as actions, on real servers of this machine: consent, many at once, a result for each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from jupytui.actions import passwords
from jupytui.actions.base import Context, perform
from jupytui.config.model import Config
from jupytui.errors import WrongAnswer
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Destination, Nobody
from jupytui.hosts.local import LocalHost
from tests.actions.front import ScriptedFront
from tests.jupyter.passwords.conftest import Lay, free_port, ground, here
from tests.jupyter.passwords.servers import NEW, OLD, Living, configure, lets_in, living

__all__ = ["ground", "here"]
ANSWERS = {"password": NEW, "again": NEW, "old": OLD, "restart": passwords.NOW}


@asynccontextmanager
async def context(front: ScriptedFront) -> AsyncIterator[Context]:
    async with Fleet(Store(), lambda _host: Nobody()) as fleet:
        fleet.add(Destination("local"))
        await fleet.look_once()
        yield Context(fleet, front, Config(Path("hosts.toml")))


def subjects(*servers: Living) -> list[Subject]:
    return [Subject("local", f"local:{server.ground.port}") for server in servers]


async def test_two_servers_of_one_user_get_one_password_and_each_its_proof(here: LocalHost, ground: Lay) -> None:
    first = ground()
    second = replace(first, port=free_port())
    configure(first, "official")
    front = ScriptedFront()
    async with AsyncExitStack() as stack:
        servers = [Living(each) for each in (first, second)]
        for server in servers:
            stack.push_async_callback(server.end)
            await server.answers()
        async with context(front) as opened:
            said = await perform(passwords.SET, opened, subjects(*servers), ANSWERS)
        assert said == "Change of the password: 2 servers done."
        title, paragraphs = front.told[0]
        assert title == "Change of the password: 2 of 2 done"
        for paragraph, server in zip(paragraphs, servers, strict=True):
            assert paragraph.startswith(f"local:{server.ground.port}: proven")
            assert "old password is refused" in paragraph
            assert await lets_in(here, server.access, NEW)
            assert not await lets_in(here, server.access, OLD)
    shown = f"{front.confirmed} {front.told} {said}"
    assert NEW not in shown
    assert OLD not in shown


async def test_nothing_is_written_before_it_is_agreed_to(here: LocalHost, ground: Lay) -> None:
    place = ground()
    configure(place, "json")
    path = place.home / ".jupyter/jupyter_server_config.json"
    before = path.read_bytes()
    front = ScriptedFront(yes=False)
    async with living(place) as server, context(front) as opened:
        assert await perform(passwords.SET, opened, subjects(server), ANSWERS) == ""
        with pytest.raises(WrongAnswer, match="not the same"):
            await perform(passwords.SET, opened, subjects(server), ANSWERS | {"again": "another"})
        with pytest.raises(WrongAnswer, match="At least 8"):
            await perform(passwords.SET, opened, subjects(server), ANSWERS | {"password": "short", "again": "short"})
        assert await perform(passwords.SET, opened, subjects(server), {"restart": passwords.LATER}) == ""
        assert path.read_bytes() == before
    question, generated = front.confirmed
    assert "hashed_password" in question.runs
    assert "(new)" in question.runs
    assert generated.title == "The new password"


async def test_a_logout_names_no_file_that_it_did_not_write(here: LocalHost, ground: Lay) -> None:
    place = ground()
    configure(place, "json")
    async with living(place) as server, context(ScriptedFront()) as opened:
        said = await perform(passwords.LOGOUT, opened, subjects(server), {"restart": passwords.LATER})
        id_ = f"local:{server.ground.port}"
        assert said == f"The secret of all sessions is removed. It counts after a restart of {id_}."


async def test_what_could_not_be_tried_is_not_called_proven(here: LocalHost, ground: Lay) -> None:
    place = ground()
    configure(place, "json")
    front = ScriptedFront()
    async with living(place) as server, context(front) as opened:
        said = await perform(passwords.SET, opened, subjects(server), ANSWERS | {"old": ""})
    id_ = f"local:{place.port}"
    assert said is not None
    assert said.startswith(f"{id_}: change of the password done. Not proven: that the old password is refused (it was")
    ((title, (paragraph,)),) = front.told
    assert title == f"{id_}: done, not all of it proven"
    assert "– not tried: that the old password is refused (it was not given)" in paragraph


async def test_who_stops_it_halfway_is_told_what_it_leaves_behind(
    here: LocalHost, ground: Lay, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def restart(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr("jupytui.jupyter.passwords.carry_out.restart", restart)
    place = ground()
    configure(place, "json")
    front = ScriptedFront()
    async with living(place) as server, context(front) as opened:
        with pytest.raises(asyncio.CancelledError):
            await perform(passwords.SET, opened, subjects(server), ANSWERS)
    ((title, (left,)),) = front.told
    assert title == f"local:{place.port}: stopped halfway"
    assert "The files are changed" in left
