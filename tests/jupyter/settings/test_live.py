"""A Jupyter that runs: its settings are those of its own process, and asking does not disturb it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupytui.errors import CommandError
from jupytui.hosts.local import LocalHost
from jupytui.jupyter.models import App
from jupytui.jupyter.settings.commit import commit
from jupytui.jupyter.settings.diff import diff
from jupytui.jupyter.settings.discover import Whose, ask, look
from jupytui.jupyter.settings.door import Hash, door
from jupytui.jupyter.settings.edit import Knowledge, plan
from jupytui.jupyter.settings.models import CannotEdit, Entry, Found, Origin, guarded, plain
from jupytui.jupyter.settings.presets import PRESETS
from jupytui.jupyter.settings.read_options import read_options
from jupytui.jupyter.settings.traits import Trait, Type, traits_of
from tests.jupyter.settings.conftest import Reader
from tests.jupyter.settings.test_plan import at
from tests.jupyter.settings.test_winner import looked_at
from tests.jupyter.settings.trees import Maker, Tree

CONFIG = "c.ServerApp.port_retries = 0\nc.ServerApp.ip = '127.0.0.1'\nc.IdentityProvider.token = 'weak'\n"


@pytest.fixture
def running(environment: Path, home: Path) -> Iterator[tuple[int, int]]:
    """The pid and the port of a server with options, an environment and a directory of its own."""
    place = home / "config"
    place.mkdir()
    (place / "jupyter_server_config.py").write_text(CONFIG)
    environ = {**os.environ, "JUPYTER_CONFIG_DIR": str(place), "JUPYTER_TOKEN": "from-the-environment"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(environment / "bin/python"), "-m", "jupyter_server", f"--ServerApp.port={port}", "--allow-root"]
    with subprocess.Popen([*command, "--no-browser"], cwd=home, env=environ, stderr=subprocess.PIPE) as process:
        assert process.stderr
        port = next(
            int(line.rpartition(b"127.0.0.1:")[2].split(b"/")[0]) for line in process.stderr if b"http://127" in line
        )
        yield process.pid, port
        process.terminate()
        process.communicate(timeout=60)


async def test_settings_are_those_of_the_running_process(here: LocalHost, running: tuple[int, int], home: Path) -> None:
    pid, port = running
    whose = Whose(App.SERVER, pid)
    found, answer = await asyncio.gather(look(here, whose), ask(here, whose))
    assert found.user_directory == f"{home}/config"
    assert {entry.key: entry.value for entry in found.options}["ServerApp.port"] == port
    assert answer.value("ServerApp.port_retries") == 0, "the port is taken, and Jupyter's own --show-config would fail"
    assert plain(answer.value("IdentityProvider.token")) == "weak"
    entrance = door(found, answer.knowledge.resolve(found))
    assert entrance.token
    assert entrance.token.winner
    assert entrance.token.winner.where == f"{home}/config/jupyter_server_config.py:3"
    assert entrance.variables == ("JUPYTER_TOKEN",)
    edit = plan(found, {"ServerApp.ip": "::1", "IdentityProvider.token": "strong"}, answer.knowledge)
    assert "weak" not in diff(edit)
    assert "strong" not in diff(edit)
    done = await commit(here, whose, found.python, edit)
    assert done.answer.value("ServerApp.ip") == "::1"
    with pytest.raises(CannotEdit, match="command line"):
        plan(found, {"ServerApp.port": 1})
    with await asyncio.to_thread(urllib.request.urlopen, f"http://127.0.0.1:{port}/api") as answered:
        assert answered.status == 200, "it was not disturbed"


@pytest.mark.parametrize("seed", [0, 3])
def test_what_is_asked_is_what_jupyter_shows(reader: Reader, home: Path, environment: Path, seed: int) -> None:
    tree = at(Maker(seed).tree(), home, environment)
    tree.app, tree.options = "lab", ["--ServerApp.port=0"]
    _, answer = looked_at(reader, tree, home)
    environ = {name: value.replace("HOME", str(home)) for name, value in tree.environ.items()}
    command = [str(environment / "bin/python"), "-m", "jupyterlab", "--show-config-json", *tree.options]
    shown = json.loads(subprocess.run(command, env=os.environ | environ, capture_output=True, check=True).stdout)
    assert answer.config.keys() == shown.keys()
    for section, values in shown.items():
        values.pop("jpserver_extensions", None)
        assert {key: value for key, value in answer.config[section].items() if key != "jpserver_extensions"} == values


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.id)
def test_a_preset_is_applied_by_jupyter(reader: Reader, home: Path, environment: Path, preset: object) -> None:
    assert isinstance(preset, type(PRESETS[0]))
    tree = Tree({f"{home}/.jupyter/jupyter_server_config.py": "c.ServerApp.allow_remote_access = True\n"})
    found, answer = looked_at(reader, tree, home)
    given = {"domain": "lab.example.org", "certfile": "/etc/ssl/lab.pem"}
    wishes = preset.wishes(given)
    edit = plan(found, wishes, answer.knowledge)
    for change in edit.files:
        assert change.after is not None
        tree.files[change.path] = change.after.decode()
    applied = looked_at(reader, tree, home)[1]
    for key, value in wishes.items():
        if repr(value) == "REMOVE":
            with pytest.raises(KeyError):
                applied.configured(key)
        else:
            assert applied.configured(key) == value


def test_the_password_that_counts_is_told_from_those_that_do_not(reader: Reader, home: Path) -> None:
    tree = Tree(
        {
            f"{home}/.jupyter/jupyter_server_config.json": '{"IdentityProvider": {"hashed_password": "argon2:$new"}}',
            f"{home}/.jupyter/jupyter_lab_config.py": "c.ServerApp.password = 'sha1:salt:old'\n",
        }
    )
    found, answer = looked_at(reader, tree, home)
    entrance = door(found, answer.knowledge.resolve(found))
    assert (entrance.hash, [entry.key for entry in entrance.deprecated]) == (Hash.WEAK, ["ServerApp.password"])
    assert [entry.key for entry in entrance.defeated] == ["IdentityProvider.hashed_password"]
    assert plain(answer.value("PasswordIdentityProvider.hashed_password")) == "sha1:salt:old"
    assert entrance == door(found, Knowledge().resolve(found)), "and that without an answer too"


def test_an_open_door_is_seen(reader: Reader, home: Path) -> None:
    tree = Tree({f"{home}/.jupyter/jupyter_server_config.py": "c.IdentityProvider.token = ''\n"})
    found, answer = looked_at(reader, tree, home)
    assert door(found, answer.knowledge.resolve(found)).open


def test_traits_come_with_type_default_and_help(reader: Reader, home: Path) -> None:
    traits = traits_of(looked_at(reader, Tree(traits=True), home)[1].traits)
    port = traits["ServerApp.port"]
    assert (port.type, port.value("8889"), "port" in port.help) == (Type.WHOLE, 8889, True)
    assert traits["ServerApp.local_hostnames"].value("localhost, lab") == ["localhost", "lab"]
    assert traits["ServerApp.open_browser"].value("no") is False
    assert traits["MappingKernelManager.cull_idle_timeout"].default == "0"


WRONG = [(Type.WHOLE, "x"), (Type.BOOLEAN, "maybe"), (Type.MAPPING, "[1]"), (Type.WHOLE, "True")]


@pytest.mark.parametrize(("type_", "text"), WRONG)
def test_what_is_no_value_of_a_type_is_refused(type_: Type, text: str) -> None:
    with pytest.raises(Exception, match=r"A\.b is"):
        Trait("A.b", type_).value(text)


def test_options_are_read_as_jupyter_reads_them() -> None:
    words = [
        "--port",
        "9000",
        "--ip=::",
        "--no-browser",
        "--ServerApp.allow_origin=*",
        "--IdentityProvider.token=t",
        "notes.ipynb",
    ]
    entries = {entry.key: entry for entry in read_options(words)}
    assert entries["IdentityProvider.token"] == Entry("IdentityProvider", "token", guarded("token", "t"), Origin.OPTION)
    assert {key: entry.value for key, entry in entries.items() if key != "IdentityProvider.token"} == {
        "ServerApp.port": 9000, "ServerApp.ip": "::", "ServerApp.open_browser": False,
        "ExtensionApp.open_browser": False, "ServerApp.allow_origin": "*",
    }  # fmt: skip


def test_no_secret_shows_in_what_was_found() -> None:
    found = Found("lab", options=read_options(["--ServerApp.token=s3cret"]))
    assert "s3cret" not in repr((found, Knowledge().resolve(found)))


def test_a_file_that_fails_when_it_is_run_counts_for_nothing(reader: Reader, home: Path) -> None:
    tree = Tree({f"{home}/.jupyter/jupyter_server_config.py": "c.ServerApp.port = 1\nc.ServerApp.ip = adress\n"})
    found, answer = looked_at(reader, tree, home)
    corrected = answer.corrected(found)
    (broken,) = [file.reading.broken for file in corrected.files if file.reading.broken]
    assert "name 'adress' is not defined" in broken.words
    assert answer.knowledge.setting(corrected, "ServerApp.port").winner is None  # type: ignore[union-attr]


@pytest.mark.parametrize("value", ["'s3cret'", "{'s3cret': 1}"])
def test_no_secret_shows_in_what_jupyter_complains_about(reader: Reader, home: Path, value: str) -> None:
    tree = Tree(
        {
            f"{home}/.jupyter/jupyter_server_config.py": f"c.IdentityProvider.token = {value}\n",
            f"{home}/.jupyter/jupyter_server_config.json": '{"IdentityProvider": {"token": "an0ther"}}',
        }
    )
    _, answer = looked_at(reader, tree, home)
    assert any("Collisions" in said.text for said in answer.said)
    assert not {"s3cret", "an0ther"} & set(repr(answer).replace("'", " ").replace('"', " ").split())
    assert "s3cret" not in repr(answer)
    del tree.files[f"{home}/.jupyter/jupyter_server_config.json"]
    if value.startswith("{"):
        with pytest.raises(CommandError) as failure:
            looked_at(reader, tree, home)
        assert "s3cret" not in failure.value.detail


async def test_a_jupyter_server_of_the_first_line_is_refused_in_words(
    here: LocalHost, environment: Path, home: Path
) -> None:
    old = home / "old/jupyter_server"
    old.mkdir(parents=True)
    (old / "__init__.py").touch()
    (old / "serverapp.py").write_text("class ServerApp:\n    version = '1.24.0'\n")
    whose = Whose(python=str(environment / "bin/python"), cwd=str(home), environ=(("PYTHONPATH", str(old.parent)),))
    for traits in (False, True):
        with pytest.raises(CannotEdit, match=r"jupyter_server is 1\.24\.0; .* Upgrade it first"):
            await ask(here, whose, traits=traits)
