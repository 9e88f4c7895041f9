"""Rotation on real servers of three releases: the acceptance of this part of the program."""

from __future__ import annotations

import pytest

from jupytui.hosts.local import LocalHost
from jupytui.jupyter.client import Door, JupyterApi
from jupytui.jupyter.http import HttpClient
from jupytui.jupyter.login import sign_in
from jupytui.jupyter.passwords.plan import Kind, Wish
from jupytui.secret import Secret
from tests.jupyter.passwords.conftest import Lay
from tests.jupyter.passwords.cut import How
from tests.jupyter.passwords.points import points
from tests.jupyter.passwords.servers import NEW, OLD, SETUPS, VERSIONS, change, configure, lets_in, living, status


@pytest.mark.parametrize("setup", SETUPS)
@pytest.mark.parametrize("version", VERSIONS)
async def test_old_password_session_and_token_are_refused_and_the_new_password_is_accepted(
    here: LocalHost, ground: Lay, version: str, setup: str
) -> None:
    place = ground(version)
    configure(place, setup)
    async with living(place) as server:
        before, token = server.pid, server.token
        old = Secret(OLD if setup != "none" else "")
        client = HttpClient(here, server.access)
        cookies = dict(await sign_in(client, old or token))
        await client.close()
        assert await status(here, server.access, cookies) == 200
        bearer = {"Authorization": f"token {token.reveal()}".encode()}
        outcome = await change(here, server, Wish(Kind.SET, Secret(NEW), old))
        assert server.pid != before
        assert await lets_in(here, server.access, NEW)
        assert not await lets_in(here, server.access, OLD)
        assert await status(here, server.access, cookies) in {302, 401, 403}
        assert not token or await status(here, server.access, bearer) in {302, 401, 403}
        api = JupyterApi(here, server.access)
        assert await api.door() is Door.SHUT
        await api.close()
        assert all(step.ok for step in outcome.steps)
        said = " ".join(step.words for step in outcome.steps)
        for words in ("new password is accepted", "old session is refused"):
            assert words in said
        assert ("old password is refused" in said) == (setup != "none")
    written = [path for path in (*place.home.rglob("*config.*"), *place.prefix.glob("etc/jupyter/*")) if path.is_file()]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in written), written
    assert NEW not in "".join(path.read_text(errors="replace") for path in place.home.rglob("*") if path.is_file())


@pytest.mark.parametrize(("version", "how"), [("2.7", How.AFTER), ("current", How.KILL)])
async def test_a_cut_link_or_a_kill_leaves_it_as_before_or_as_after(
    here: LocalHost, ground: Lay, version: str, how: How
) -> None:
    """At three operations; tests/bench/password_cuts.py takes every one there is, in three ways."""
    place = ground(version)
    configure(place, "py")
    async with living(place) as server:
        found = [point async for point in points(server, how, (6, 15, 21), OLD)]
    assert len(found) == 3
    assert [point for point in found if not point.holds] == []
    assert {point.later for point in found} == {"before", "after"}
