"""The other changes on real servers, and what happens when one of their steps fails."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from jupytui.errors import WrongAnswer
from jupytui.hosts.base import Nobody
from jupytui.hosts.local import LocalHost
from jupytui.jupyter.http import HttpClient
from jupytui.jupyter.launch.lifecycle import restart
from jupytui.jupyter.login import sign_in
from jupytui.jupyter.models import Auth
from jupytui.jupyter.passwords.carry_out import Restored
from jupytui.jupyter.passwords.plan import Kind, Wish, prepare
from jupytui.jupyter.passwords.standing import standing
from jupytui.jupyter.settings.discover import look
from jupytui.jupyter.settings.door import Hash
from jupytui.jupyter.settings.models import CannotEdit
from jupytui.secret import Secret
from tests.jupyter.passwords.conftest import Lay
from tests.jupyter.passwords.servers import (
    NEW,
    OLD,
    OLD_HASH,
    Ground,
    Living,
    change,
    configure,
    lets_in,
    living,
    status,
)

WEAK = "sha1:0123456789ab:" + hashlib.sha1(f"{OLD}0123456789ab".encode()).hexdigest()
# A class that takes any password, as a broken extension could: the proof must see it.
CREDULOUS = """
from jupyter_server.auth.identity import PasswordIdentityProvider
PasswordIdentityProvider.passwd_check = lambda self, password: True
"""
# It starts only where there is a secret of sessions; what jupytui asks beforehand cannot know.
PICKY = """
import os, sys
if sys.argv[0] != "-c" and not os.path.exists({secret!r}):
    raise SystemExit("this server does not start without its secret")
"""


def write(ground: Ground, text: str, name: str = "jupyter_server_config.py") -> Path:
    path = ground.home / ".jupyter" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


async def session(here: LocalHost, server: Living, password: str) -> dict[str, bytes]:
    client = HttpClient(here, server.access)
    try:
        return dict(await sign_in(client, Secret(password)))
    finally:
        await client.close()


def bearer(token: str) -> dict[str, bytes]:
    return {"Authorization": f"token {token}".encode()}


async def test_a_configured_token_is_replaced_where_it_stands_and_sessions_end(here: LocalHost, ground: Lay) -> None:
    place = ground()
    path = write(place, "# mine\nc.ServerApp.token = 'old-token'  # kept\n")
    async with living(place) as server:
        cookies = await session(here, server, "old-token")
        outcome = await change(here, server, Wish(Kind.TOKEN))
        said = [step.words for step in outcome.steps]
        assert "old token is refused (403)" in said
        assert "old session is refused (403)" in said
        assert "new token is accepted (200)" in said
        assert await status(here, server.access, bearer("old-token")) == 403
        assert await status(here, server.access, cookies) == 403
    lines = path.read_text().splitlines()
    assert (lines[0], "old-token" in lines[1], lines[1].endswith("# kept")) == ("# mine", False, True)
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_token_of_jupyters_own_making_is_new_after_a_restart_and_stands_in_no_file(
    here: LocalHost, ground: Lay
) -> None:
    place = ground()
    async with living(place) as server:
        old = server.token.reveal()
        outcome = await change(here, server, Wish(Kind.TOKEN))
        assert "old token is refused (403)" in [step.words for step in outcome.steps]
        assert await status(here, server.access, bearer(server.token.reveal())) == 200
        assert await status(here, server.access, bearer(old)) == 403
    assert not list((place.home / ".jupyter").glob("*config*"))


async def test_everybody_is_logged_out_and_the_password_stays(here: LocalHost, ground: Lay) -> None:
    place = ground()
    configure(place, "json")
    async with living(place) as server:
        cookies = await session(here, server, OLD)
        secret = (place.runtime / "jupyter_cookie_secret").read_text().strip()
        outcome = await change(here, server, Wish(Kind.LOGOUT, old=Secret(OLD)))
        assert outcome.plan.shown == f"rm {place.runtime}/jupyter_cookie_secret"
        assert secret not in f"{outcome}"
        assert "old session is refused (403)" in [step.words for step in outcome.steps]
        assert await status(here, server.access, cookies) == 403
        assert await lets_in(here, server.access, OLD)
    assert not list(place.runtime.glob("*.bak-*")), "the old secret is not kept"


async def test_a_weak_hash_under_a_deprecated_key_is_migrated_and_the_password_stays(
    here: LocalHost, ground: Lay
) -> None:
    place = ground()
    path = write(place, f"c.ServerApp.password = '{WEAK}'  # from 2018\n")
    async with living(place) as server:
        plan = await prepare(here, server.whose, Wish(Kind.MIGRATE, Secret(OLD)))
        assert (plan.now.hash, plan.now.deprecated) == (Hash.WEAK, True)
        assert (plan.then.hash, plan.then.deprecated, plan.then.warnings) == (Hash.ARGON2, False, ())
        with pytest.raises(WrongAnswer):
            await prepare(here, server.whose, Wish(Kind.MIGRATE, Secret(NEW)))
        await change(here, server, Wish(Kind.MIGRATE, Secret(OLD)))
        assert await lets_in(here, server.access, OLD)
    assert path.read_text().startswith("c.PasswordIdentityProvider.hashed_password = ")
    assert path.read_text().endswith("# from 2018\n")


async def test_without_consent_it_waits_and_the_running_server_is_left_alone(here: LocalHost, ground: Lay) -> None:
    place = ground()
    configure(place, "venv")
    async with living(place) as server:
        pid = server.pid
        outcome = await change(here, server, Wish(Kind.SET, Secret(NEW)), consent=False)
        assert outcome.pending
        assert (server.pid, await lets_in(here, server.access, OLD)) == (pid, True)
        await restart(here, server.target, Nobody())
        assert (await lets_in(here, server.access, NEW), await lets_in(here, server.access, OLD)) == (True, False)


async def test_a_logout_that_waits_for_a_restart_is_seen_until_then(here: LocalHost, ground: Lay) -> None:
    place = ground()
    configure(place, "json")
    async with living(place) as server:
        assert not standing(await look(here, server.whose)).logs_out
        outcome = await change(here, server, Wish(Kind.LOGOUT), consent=False)
        assert outcome.pending
        assert standing(await look(here, server.whose)).logs_out
        await restart(here, server.target, Nobody())
        assert not standing(await look(here, server.whose)).logs_out


async def test_a_wrong_old_password_is_told_before_anything_is_written(here: LocalHost, ground: Lay) -> None:
    place = ground()
    configure(place, "py")
    async with living(place) as server:
        with pytest.raises(WrongAnswer) as wrong:
            await change(here, server, Wish(Kind.SET, Secret(NEW), Secret("something else")))
        assert wrong.value.field == "old"
        assert OLD_HASH in (place.home / ".jupyter/jupyter_server_config.py").read_text()


async def test_a_server_that_takes_any_password_fails_the_proof_and_everything_is_restored(
    here: LocalHost, ground: Lay
) -> None:
    place = ground("2.7")
    path = write(place, f"{CREDULOUS}c.ServerApp.password = '{OLD_HASH}'\n")
    before = path.read_bytes()
    async with living(place) as server:
        cookies = await session(here, server, OLD)
        with pytest.raises(Restored) as restored:
            await change(here, server, Wish(Kind.SET, Secret(NEW), Secret(OLD)))
        assert "old password is refused" in restored.value.message
        assert not restored.value.steps[-2].ok
        assert path.read_bytes() == before
        assert await status(here, server.access, cookies) == 200, "the sessions there were are back too"


async def test_a_server_that_does_not_come_back_is_started_with_its_files_as_they_were(
    here: LocalHost, ground: Lay
) -> None:
    place = ground()
    secret = place.runtime / "jupyter_cookie_secret"
    secret.parent.mkdir(parents=True, mode=0o700)
    secret.write_bytes(b"c2VjcmV0IG9mIHNlc3Npb25z\n")
    secret.chmod(0o600)
    write(place, PICKY.format(secret=str(secret)) + f"c.ServerApp.password = '{OLD_HASH}'\n")
    async with living(place) as server:
        cookies = await session(here, server, OLD)
        with pytest.raises(Restored) as restored:
            await change(here, server, Wish(Kind.LOGOUT))
        assert "Everything is as it was." in restored.value.message
        assert await lets_in(here, server.access, OLD)
        assert await status(here, server.access, cookies) == 200
    assert secret.read_bytes() == b"c2VjcmV0IG9mIHNlc3Npb25z\n"


async def test_what_cannot_be_done_is_refused_with_the_place_that_is_in_the_way(here: LocalHost, ground: Lay) -> None:
    place = ground()
    path = write(place, f"c.ServerApp.cookie_secret = b'fixed'\nc.ServerApp.password = '{OLD_HASH}'\n")
    async with living(place) as server:
        with pytest.raises(CannotEdit, match=f"{path}:1 fixes"):
            await prepare(here, server.whose, Wish(Kind.LOGOUT))
        with pytest.raises(CannotEdit, match="No token opens this server"):
            await prepare(here, server.whose, Wish(Kind.TOKEN))


async def test_a_password_taken_away_leaves_a_token_never_an_open_server(here: LocalHost, ground: Lay) -> None:
    place = ground()
    value = {"IdentityProvider": {"hashed_password": OLD_HASH, "token": ""}}
    write(place, json.dumps(value), "jupyter_server_config.json")
    async with living(place) as server:
        outcome = await change(here, server, Wish(Kind.REMOVE, old=Secret(OLD)))
        assert outcome.plan.then.auth is Auth.TOKEN
        assert await status(here, server.access, {}) == 403
        assert await status(here, server.access, bearer(server.token.reveal())) == 200
