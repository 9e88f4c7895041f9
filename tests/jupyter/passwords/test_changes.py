"""The other changes on real servers, and what happens when one of their steps fails."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from jupytui.errors import CommandError, WrongAnswer
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


# It starts, and lets nobody in, where there is no secret of sessions.
DEAF = """
import os, sys
if sys.argv[0] != "-c" and not os.path.exists({secret!r}):
    c.ServerApp.certfile = {certificate!r}
"""
UNWILLING = """
from jupyter_server.serverapp import ServerApp
ServerApp._signal_stop = lambda self, *_: None
"""


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


async def test_a_server_that_comes_back_and_answers_nobody_is_started_with_its_files_as_they_were(
    here: LocalHost, ground: Lay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupytui.jupyter.launch.proof._LONGEST", 1.0)
    place = ground()
    secret, certificate = place.runtime / "jupyter_cookie_secret", place.home / "bad.pem"
    secret.parent.mkdir(parents=True, mode=0o700)
    secret.write_bytes(b"c2VjcmV0IG9mIHNlc3Npb25z\n")
    secret.chmod(0o600)
    certificate.write_text("no certificate\n")
    deaf = DEAF.format(secret=str(secret), certificate=str(certificate))
    write(place, f"{deaf}c.ServerApp.password = '{OLD_HASH}'\n")
    async with living(place) as server:
        cookies = await session(here, server, OLD)
        with pytest.raises(Restored) as restored:
            await change(here, server, Wish(Kind.LOGOUT))
        assert "does not answer" in restored.value.message
        assert await lets_in(here, server.access, OLD)
        assert await status(here, server.access, cookies) == 200


async def test_that_all_is_as_it_was_is_not_said_of_a_server_that_was_asked_to_end(
    here: LocalHost, ground: Lay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupytui.jupyter.launch.lifecycle.STOP_SECONDS", 1.0)
    place = ground()
    path = write(place, f"{UNWILLING}c.ServerApp.password = '{OLD_HASH}'\n")
    before = path.read_bytes()
    async with living(place) as server:
        with pytest.raises(CommandError, match="Its files are as they were, but it was asked to end"):
            await change(here, server, Wish(Kind.SET, Secret(NEW), Secret(OLD)))
        assert path.read_bytes() == before


async def test_a_token_file_with_a_newline_keeps_nobody_from_proving_a_password(here: LocalHost, ground: Lay) -> None:
    place = ground()
    configure(place, "py")
    (place.home / "token").write_text("t0ken\n")
    async with living(place, JUPYTER_TOKEN_FILE=str(place.home / "token")) as server:
        assert server.token.reveal() == "t0ken\n"
        outcome = await change(here, server, Wish(Kind.SET, Secret(NEW), Secret(OLD)))
        assert outcome.untried == ()
        assert (await lets_in(here, server.access, NEW), await lets_in(here, server.access, OLD)) == (True, False)


async def test_what_waited_for_the_restart_is_proven_with_it(here: LocalHost, ground: Lay) -> None:
    """TLS and another path were set before, and count with the restart of the password."""
    place = ground()
    configure(place, "json")
    async with living(place) as server:
        pair = place.home / "pair.pem"
        make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
        subprocess.run([*make, "-keyout", pair, "-out", place.home / "c.pem"], check=True, capture_output=True)
        pair.write_text(pair.read_text() + (place.home / "c.pem").read_text())
        write(place, f"c.ServerApp.certfile = '{pair}'\nc.ServerApp.base_url = '/moved/'\n")
        outcome = await change(here, server, Wish(Kind.SET, Secret(NEW), Secret(OLD)))
        assert outcome.back
        answer = outcome.back.answer
        assert (answer.pid, answer.access.tls, answer.access.base_url) == (server.pid, True, "/moved/")
        assert outcome.untried == ()
        assert await lets_in(here, answer.access, NEW)


async def test_what_was_not_tried_is_never_called_proven(here: LocalHost, ground: Lay) -> None:
    place = ground()
    write(place, f"c.ServerApp.password = '{OLD_HASH}'\n")
    sessions = "that old sessions are refused"
    async with living(place) as server:
        migrated = await change(here, server, Wish(Kind.MIGRATE))
        assert migrated.untried == ("that the password is accepted (it was not given)",)
        forgotten = await change(here, server, Wish(Kind.SET, Secret(NEW)))
        refused = "that the old password is refused"
        assert forgotten.untried == (f"{refused} (it was not given)", f"{sessions} (none is known)")
        again = await change(here, server, Wish(Kind.SET, Secret(NEW), Secret(NEW)))
        assert again.untried == (f"{sessions} (it had this password already: they go on)",)
        assert "sign in again" not in " ".join(again.plan.notes)
        silent = replace(server.target, access=None)
        unasked = await change(here, server, Wish(Kind.SET, Secret(OLD), Secret(NEW)), target=silent)
        why = "the server could not be asked before"
        assert unasked.untried == (f"{refused} ({why})", f"{sessions} ({why})")
        assert "new password is accepted" in " ".join(step.words for step in unasked.steps)
        assert await lets_in(here, server.access, OLD)


async def test_a_logout_without_a_session_to_try_is_proven_by_the_secret_of_sessions(
    here: LocalHost, ground: Lay
) -> None:
    place = ground()
    configure(place, "json")
    async with living(place) as server:
        secret = place.runtime / "jupyter_cookie_secret"
        before = secret.read_bytes()
        outcome = await change(here, server, Wish(Kind.LOGOUT))
        assert "sessions are signed with another secret now" in [step.words for step in outcome.steps]
        assert (outcome.untried, secret.read_bytes() == before) == ((), False)
