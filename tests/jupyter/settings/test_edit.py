"""What is planned, written and undone on this machine, with a real Jupyter that has the last word."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from jupytui.errors import DeadlineError
from jupytui.hosts.base import Finished, HostState, HostTrouble
from jupytui.hosts.local import LocalHost
from jupytui.jupyter.settings import commit as committing
from jupytui.jupyter.settings.apply import apply
from jupytui.jupyter.settings.commit import NotConfirmed, NotTakenBack, commit
from jupytui.jupyter.settings.diff import diff
from jupytui.jupyter.settings.discover import Whose, ask, look
from jupytui.jupyter.settings.edit import REMOVE, Edit, plan
from jupytui.jupyter.settings.models import CannotEdit, Found
from jupytui.secret import Secret

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def whose(environment: Path, home: Path) -> Whose:
    for name in (environment / "etc/jupyter").glob("*.*"):
        if name.suffix != ".d":
            name.unlink()
    return Whose(python=str(environment / "bin/python"), cwd=str(home), options=("--allow-root",))


@pytest.fixture
def jupyter(home: Path) -> Path:
    place = home / ".jupyter"
    place.mkdir()
    return place


def tree(place: Path) -> dict[str, tuple[bytes, int, float]]:
    """Files by what is in them, who may read them, and how old they are: a file that is newer than its server counts
    as not read yet.
    """
    files = {str(path): (path.read_bytes(), path.stat()) for path in place.rglob("*") if path.is_file()}
    return {path: (data, about.st_mode & 0o7777, round(about.st_mtime, 3)) for path, (data, about) in files.items()}


async def test_what_jupyter_is_asked_starts_binds_and_writes_nothing(here: LocalHost, whose: Whose, home: Path) -> None:
    (home / ".local/share/jupyter/runtime").mkdir(parents=True)
    before = sorted(home.rglob("*"))
    answer = await ask(here, whose)
    assert answer.value("ServerApp.allow_root") is True
    assert sorted(home.rglob("*")) == before


async def test_an_edit_wins_is_proven_and_undone_to_the_byte(here: LocalHost, whose: Whose, jupyter: Path) -> None:
    (jupyter / "jupyter_server_config.py").write_text(
        "# mine\nc.ServerApp.port = 9000  # work\nc.ServerApp.ip = '::1'\n"
    )
    (jupyter / "jupyter_lab_config.json").write_text('{"ServerApp": {"port": 1}}')
    before, found = tree(jupyter), await look(here, whose)
    edit = plan(found, {"ServerApp.port": 9001, "ServerApp.quit_button": False})
    done = await commit(here, whose, found.python, edit)
    assert (jupyter / "jupyter_server_config.py").read_text() == (
        "# mine\nc.ServerApp.port = 9001  # work\nc.ServerApp.ip = '::1'\nc.ServerApp.quit_button = False\n"
    )
    assert done.answer.value("ServerApp.port") == 9001
    assert [Path(path).stat().st_mode & 0o777 for path in done.backups] == [0o600]
    for path in done.backups:
        assert Path(path).read_text().startswith("# mine\nc.ServerApp.port = 9000")
        Path(path).unlink()
    await apply(here, found.python, done.undo, backups=False)
    assert tree(jupyter) == before


async def test_a_file_that_was_not_there_is_made_private_and_undone(here: LocalHost, whose: Whose, home: Path) -> None:
    found = await look(here, whose)
    edit = plan(found, {"IdentityProvider.token": Secret("s3cret")})
    done = await commit(here, whose, found.python, edit)
    made = home / ".jupyter/jupyter_server_config.json"
    assert json.loads(made.read_text()) == {"IdentityProvider": {"token": "s3cret"}}
    assert (made.stat().st_mode & 0o777, made.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "s3cret" not in diff(edit) + repr(edit) + repr(done) + repr(found)
    assert "(new)" in diff(edit)
    await apply(here, found.python, done.undo, backups=False)
    assert not made.exists()


async def test_an_edit_goes_where_it_wins(here: LocalHost, whose: Whose, jupyter: Path, environment: Path) -> None:
    (jupyter / "jupyter_server_config.json").write_text("{}")
    (environment / "etc/jupyter/jupyter_server_config.py").write_text("c.ServerApp.port = int('7')\n")
    found = await look(here, whose)
    edit = plan(found, {"ServerApp.port": 5})
    assert [file.path for file in edit.files] == [str(environment / "etc/jupyter/jupyter_server_config.json")]
    assert edit.notes
    assert (await commit(here, whose, found.python, edit)).answer.value("ServerApp.port") == 5


async def test_the_command_line_is_named_as_what_is_stronger(here: LocalHost, whose: Whose) -> None:
    stubborn = Whose(python=whose.python, cwd=whose.cwd, options=("--port=5",))
    with pytest.raises(CannotEdit, match="command line"):
        plan(await look(here, stubborn), {"ServerApp.port": 6})


async def test_what_jupyter_does_not_confirm_is_taken_back(here: LocalHost, whose: Whose, jupyter: Path) -> None:
    (jupyter / "jupyter_server_config.json").write_text('{"ServerApp": {"ip": "::1"}}')
    before, found = tree(jupyter), await look(here, whose)
    for key, value in {"ServerApp.port": "no number", "ServerApp.ip": "::2"}.items():
        edit = plan(found, {key: value})
        if key == "ServerApp.ip":
            edit = Edit(edit.files, {key: "::3"})
        with pytest.raises(NotConfirmed, match="Nothing was changed"):
            await commit(here, whose, found.python, edit)
        assert {path: each for path, each in tree(jupyter).items() if ".bak-" not in path} == before


class Slow(LocalHost):
    """Does what it is told once it may."""

    def __init__(self) -> None:
        super().__init__()
        self.told, self.may = asyncio.Event(), asyncio.Event()

    async def run(
        self, script: str, *args: str, stdin: bytes = b"", deadline: float = 30.0, max_output: int = 16 * 2**20
    ) -> Finished:
        self.told.set()
        await self.may.wait()
        return await super().run(script, *args, stdin=stdin, deadline=deadline, max_output=max_output)


async def prepared(here: LocalHost, whose: Whose, jupyter: Path) -> tuple[str, Edit]:
    """A configuration, and an edit of it that holds."""
    (jupyter / "jupyter_server_config.json").write_text('{"ServerApp": {"ip": "::1"}}')
    found = await look(here, whose)
    return found.python, plan(found, {"ServerApp.port": 9001})


def without_backups(place: Path) -> dict[str, tuple[bytes, int, float]]:
    return {path: each for path, each in tree(place).items() if ".bak-" not in path}


def asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Have Jupyter never answer; the event tells that it was asked."""
    asked = asyncio.Event()

    async def ask(*_: object) -> None:
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(committing, "ask", ask)
    return asked


async def test_stopped_while_jupyter_is_asked_nothing_is_changed(
    here: LocalHost, whose: Whose, jupyter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python, edit = await prepared(here, whose, jupyter)
    before, asked = tree(jupyter), asked_for_ever(monkeypatch)
    task = asyncio.ensure_future(commit(here, whose, python, edit))
    await asked.wait()
    assert without_backups(jupyter) != before
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert without_backups(jupyter) == before


async def test_stopped_while_it_is_written_nothing_is_changed_however_often_it_is_stopped(
    here: LocalHost, whose: Whose, jupyter: Path
) -> None:
    python, edit = await prepared(here, whose, jupyter)
    before, slow = tree(jupyter), Slow()
    task = asyncio.ensure_future(commit(slow, whose, python, edit))
    await slow.told.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.wait([task], timeout=0)
    assert not task.done(), "what was sent is on its way, and is waited for"
    slow.may.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert without_backups(jupyter) == before
    await slow.close()


async def test_where_jupyter_does_not_answer_in_time_nothing_is_changed(
    here: LocalHost, whose: Whose, jupyter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python, edit = await prepared(here, whose, jupyter)
    before = tree(jupyter)

    async def too_late(*_: object) -> None:
        raise DeadlineError("Jupyter took longer than 60 s.")

    monkeypatch.setattr(committing, "ask", too_late)
    with pytest.raises(NotConfirmed, match=r"longer than 60 s\. Nothing was changed"):
        await commit(here, whose, python, edit)
    assert without_backups(jupyter) == before


async def test_what_cannot_be_taken_back_is_said_to_stay(
    here: LocalHost, whose: Whose, jupyter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python, edit = await prepared(here, whose, jupyter)
    config, asked = jupyter / "jupyter_server_config.json", asked_for_ever(monkeypatch)
    task = asyncio.ensure_future(commit(here, whose, python, edit))
    await asked.wait()
    config.write_text(config.read_text() + "\n")
    task.cancel()
    with pytest.raises(NotTakenBack, match="could not be taken back"):
        await task
    assert "9001" in config.read_text()


async def test_cut_off_before_the_proof_the_files_are_said_to_be_written(
    here: LocalHost, whose: Whose, jupyter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python, edit = await prepared(here, whose, jupyter)

    async def cut(*_: object) -> None:
        raise HostTrouble(HostState.DOWN, "The connection was lost.")

    monkeypatch.setattr(committing, "ask", cut)
    with pytest.raises(HostTrouble) as trouble:
        await commit(here, whose, python, edit)
    assert "were written, and stay" in trouble.value.hint
    assert "9001" in (jupyter / "jupyter_server_config.json").read_text()


async def test_a_file_changed_meanwhile_is_left_alone_and_so_are_all_others(
    here: LocalHost, whose: Whose, jupyter: Path
) -> None:
    one, two = jupyter / "jupyter_server_config.json", jupyter / "jupyter_server_config.py"
    one.write_text('{"ServerApp": {"port": 1}}')
    two.write_text("c.ServerApp.ip = '::1'\n")
    found = await look(here, whose)
    edit = plan(found, {"ServerApp.port": 2, "ServerApp.ip": "::2"})
    assert len(edit.files) == 2
    two.write_text("c.ServerApp.ip = '::3'\n")
    before = tree(jupyter)
    with pytest.raises(CannotEdit, match="has changed"):
        await apply(here, found.python, edit)
    assert tree(jupyter) == before


async def test_behind_a_link_of_mine_the_target_is_written(
    here: LocalHost, whose: Whose, jupyter: Path, home: Path
) -> None:
    dotfiles = home / "dotfiles"
    dotfiles.mkdir()
    (dotfiles / "jupyter.json").write_text("{}")
    (jupyter / "jupyter_server_config.json").symlink_to(dotfiles / "jupyter.json")
    found = await look(here, whose)
    await apply(here, found.python, plan(found, {"ServerApp.port": 4}))
    assert (jupyter / "jupyter_server_config.json").is_symlink()
    assert json.loads((dotfiles / "jupyter.json").read_text()) == {"ServerApp": {"port": 4}}


async def test_a_removed_key_is_said_nowhere(here: LocalHost, whose: Whose, jupyter: Path) -> None:
    (jupyter / "jupyter_server_config.py").write_text("c.ServerApp.port = 1\nc.ServerApp.ip = '::1'\n")
    (jupyter / "jupyter_lab_config.json").write_text('{"LabApp": {"port": 3}}')
    found = await look(here, whose)
    done = await commit(here, whose, found.python, plan(found, {"ServerApp.port": REMOVE}))
    assert done.answer.value("ServerApp.ip") == "::1"
    assert (jupyter / "jupyter_server_config.py").read_text() == "c.ServerApp.ip = '::1'\n"


def test_nothing_found_can_be_planned_for() -> None:
    with pytest.raises(CannotEdit, match="no file that may be written"):
        plan(Found("lab"), {"ServerApp.port": 1})


async def test_a_file_that_gets_a_secret_is_private_from_then_on(here: LocalHost, whose: Whose, jupyter: Path) -> None:
    (jupyter / "jupyter_server_config.json").write_text("{}")
    (jupyter / "jupyter_server_config.json").chmod(0o644)
    before, found = tree(jupyter), await look(here, whose)
    edit = plan(found, {"PasswordIdentityProvider.hashed_password": Secret("argon2:x")})
    await apply(here, found.python, edit, backups=False)
    assert [mode for _, mode, _ in tree(jupyter).values()] == [0o600]
    await apply(here, found.python, edit.undone, backups=False)
    assert tree(jupyter) == before
