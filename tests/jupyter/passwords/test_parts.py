"""Hashes as Jupyter itself checks them, strength in words, and how a tree of files lets people in."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from jupytui.hosts.base import Nobody
from jupytui.jupyter.models import Auth
from jupytui.jupyter.passwords.carry_out import _Run
from jupytui.jupyter.passwords.hashing import fits, hashed
from jupytui.jupyter.passwords.standing import held_at_start, standing
from jupytui.jupyter.passwords.strength import generated, new_token, strength
from jupytui.jupyter.settings.door import Hash
from jupytui.jupyter.settings.models import ConfigFile, Directory, Found
from jupytui.jupyter.settings.read_options import read_options
from jupytui.jupyter.settings.splice import read
from jupytui.secret import Secret
from jupytui.systemd.sudo import NotRoot
from tests.lab.jupyter import VENV

PLACE = "/home/alice/.jupyter"
ARGON2 = "argon2:$argon2id$v=19$m=10240,t=10,p=8$c2FsdA$aGFzaA"
CHECK = "import sys, json; from jupyter_server.auth import passwd_check; print(passwd_check(*json.load(sys.stdin)))"


def found(*files: tuple[str, str], mode: int = 0o600, options: tuple[str, ...] = (), mtime: float = 0.0) -> Found:
    made = tuple(
        ConfigFile(
            f"{PLACE}/{name}",
            PLACE,
            text.encode(),
            mode,
            1000,
            mtime,
            None,
            True,
            "",
            read(f"{PLACE}/{name}", text.encode()),
        )
        for name, text in files
    )
    return Found("lab", (Directory(PLACE, True, True),), made, read_options(options))


@pytest.mark.parametrize("password", ["correct horse", "pässwörd ✓", " spaces "])
async def test_a_hash_of_ours_is_one_that_jupyter_takes(password: str) -> None:
    if not (VENV / "complete").exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"no {VENV}: tests/run makes it")
    hash_ = await hashed(Secret(password))
    assert hash_.reveal().startswith("argon2:$argon2id$v=19$m=10240,t=10,p=8$")
    for word in (password, password + "x"):
        asked = json.dumps([hash_.reveal(), word])
        done = subprocess.run(
            [VENV / "bin/python", "-c", CHECK], input=asked, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == str(word == password)
        assert await fits(hash_.reveal(), Secret(word)) is (word == password)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
async def test_a_legacy_hash_is_recognised_as_jupyter_does(algorithm: str) -> None:
    hash_ = f"{algorithm}:abc123:" + hashlib.new(algorithm, b"old wordabc123").hexdigest()
    assert await fits(hash_, Secret("old word"))
    assert not await fits(hash_, Secret("old ward"))


@pytest.mark.parametrize("hash_", ["", "x", "argon2:nonsense", "nosuch:a:b", "sha1:a"])
async def test_what_is_no_hash_fits_nothing(hash_: str) -> None:
    assert not await fits(hash_, Secret("x"))


def test_strength_knows_how_people_choose() -> None:
    weighed = [strength(Secret(word)) for word in ("password", "Jupyter2024!", "kavoti lumeza pirona", "x" * 5000)]
    assert weighed[0].word == "guessed at once"
    assert weighed[0].advice
    assert weighed[0].bits < weighed[1].bits < weighed[2].bits
    assert weighed[2].word in {"good", "strong"}
    assert strength(Secret("")).word == "empty"


def test_what_is_generated_is_strong_and_never_the_same() -> None:
    made = {generated().reveal() for _ in range(100)} | {new_token().reveal() for _ in range(100)}
    assert len(made) == 200
    assert {strength(Secret(word)).word for word in made} == {"strong"}


@pytest.mark.parametrize(
    ("text", "auth", "hash_"),
    [
        ("", Auth.TOKEN, Hash.NONE),
        ("c.IdentityProvider.token = ''\n", Auth.NONE, Hash.NONE),
        ("c.IdentityProvider.token = 'x'\n", Auth.TOKEN, Hash.NONE),
        (f"c.ServerApp.password = '{ARGON2}'\n", Auth.PASSWORD, Hash.ARGON2),
        (f"c.ServerApp.password = '{ARGON2}'\nc.ServerApp.token = 'x'\n", Auth.BOTH, Hash.ARGON2),
        ("c.ServerApp.password = 'sha1:a:b'\n", Auth.PASSWORD, Hash.WEAK),
        ("import os\nc.ServerApp.password = os.environ['P']\n", Auth.UNKNOWN, Hash.UNKNOWN),
    ],
)
def test_how_files_let_people_in(text: str, auth: Auth, hash_: Hash) -> None:
    known = standing(found(("jupyter_server_config.py", text)))
    assert (known.auth, known.hash) == (auth, hash_)


def test_a_running_server_knows_the_password_that_was_there_when_it_started() -> None:
    file = ("jupyter_server_config.py", f"c.ServerApp.token = 'x'\nc.IdentityProvider.hashed_password = '{ARGON2}'\n")
    started = datetime(2026, 11, 21, 10, tzinfo=UTC)
    for written, known in ((-3600, True), (1, True), (60, False)):
        assert held_at_start(found(file, mtime=started.timestamp() + written), started) is known
    assert held_at_start(found(options=(f"--IdentityProvider.hashed_password={ARGON2}",)), started)


@pytest.mark.parametrize(
    "line", ["c.ServerApp.token = 'x'", "c.ServerApp.password = 'no hash'", "c.ServerApp.password = f()"]
)
def test_what_lets_nobody_in_by_a_password_is_none(line: str) -> None:
    assert not held_at_start(found(("jupyter_server_config.py", f"{line}\n")), None)


def test_warnings_name_file_line_and_key() -> None:
    official = json.dumps({"IdentityProvider": {"hashed_password": ARGON2}})
    files = (
        ("jupyter_server_config.json", official),
        ("jupyter_server_config.py", "\nc.ServerApp.password = 'sha1:a:b'\n"),
    )
    known = standing(found(*files, mode=0o644))
    said = "\n".join(known.warnings)
    assert known.password
    assert (known.password.where, known.deprecated) == (f"{PLACE}/jupyter_server_config.py:2", True)
    assert f"{PLACE}/jupyter_server_config.py:2 is of an old kind" in said
    assert "IdentityProvider.hashed_password at" in said
    assert "counts for nothing: ServerApp.password is stronger." in said
    assert "(mode 0644)" in said
    on_line = standing(found(options=("--IdentityProvider.token=secret",)))
    assert "command line, where everybody on that machine reads it" in on_line.warnings[0]
    assert "secret" not in repr(on_line).replace("Secret", "")


def test_files_that_are_newer_than_the_server_wait_for_a_restart() -> None:
    started = datetime(2026, 11, 1, tzinfo=UTC)
    for minutes, pending in ((-1, False), (1, True)):
        changed = started + timedelta(minutes=minutes)
        known = standing(found(("jupyter_server_config.py", ""), mtime=changed.timestamp()), started)
        assert (known.pending, known.changed_at) == (pending, changed)


async def test_that_all_is_as_it_was_is_said_once() -> None:
    async def restore() -> None:
        pass

    run = _Run(None, None, None, Nobody(), lambda _step: None)  # type: ignore[arg-type]
    error = await run._restored(NotRoot("It needs root, and no password was given.", "Nothing was changed."), restore)
    assert str(error) == "It needs root, and no password was given. Everything is as it was."
