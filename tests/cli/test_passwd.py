"""What `jupytui passwd` asks, says and prints; tests/e2e/test_passwords.py has servers."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from jupytui.actions.base import Answers, Confirmation, Context, Loss
from jupytui.cli import passwd
from jupytui.cli.front import TerminalFront
from jupytui.config.model import Config
from jupytui.errors import CommandError, DeadlineError, JupytuiError, WrongAnswer
from jupytui.fleet.store import Store
from jupytui.hosts.base import HostState, HostTrouble
from jupytui.jupyter.passwords.carry_out import Restored
from jupytui.jupyter.settings.commit import NotConfirmed
from jupytui.jupyter.settings.models import CannotEdit
from tests.cli.terminal import under_a_terminal
from tests.cli.test_status_json import SERVER, UP

GENERATE = Namespace(
    server=SERVER.id, generate=True, restart=True, remove=False, logout=False, token=False, read_only=False
)

ASKS = """
import asyncio
from jupytui.cli.passwd import _from_terminal
try:
    asyncio.run(_from_terminal())
except Exception as error:
    print("ended:", error)
"""


def test_a_password_that_is_too_short_is_refused_before_anything_else_is_asked() -> None:
    with under_a_terminal(ASKS) as terminal:
        terminal.wait_for("New password: ")
        terminal.type("abc\n")
        assert "again" not in terminal.wait_for("ended: At least 8 characters. --generate makes one.")


class ScriptedFleet:
    """Has been looked at once."""

    store = Store([UP])

    async def look_once(self) -> list[Any]:
        return list(self.store)


@asynccontextmanager
async def fleet(*_: object) -> AsyncIterator[ScriptedFleet]:
    yield ScriptedFleet()


async def ends_in(monkeypatch: pytest.MonkeyPatch, error: BaseException, *, asks: bool = True) -> str:
    """Let `passwd --generate --restart` end in `error`; return the passphrase that it had made."""
    made = []

    async def perform(_action: object, context: Context, _subjects: object, answers: Answers) -> str:
        made.append(answers["password"])
        if asks:
            assert await context.front.confirm(Confirmation("Change of the password", (), "a diff"))
        raise error

    monkeypatch.setattr(passwd, "open_fleet", fleet)
    monkeypatch.setattr(passwd, "running", lambda *_: SERVER)
    monkeypatch.setattr(passwd, "perform", perform)
    with pytest.raises(type(error)):
        await passwd._passwd(Config(Path("hosts.toml")), GENERATE)
    return made[0]


@pytest.mark.parametrize(
    "error",
    [
        HostTrouble(HostState.DOWN, "The connection was lost.", "The files are changed."),
        DeadlineError("It took too long."),
        CommandError("It failed. Not everything could be restored."),
        asyncio.CancelledError(),
        RuntimeError("a mistake of ours"),
    ],
)
async def test_a_passphrase_that_may_count_is_printed_however_it_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    made = await ends_in(monkeypatch, error)
    out, err = capsys.readouterr()
    assert out == f"{made}\n"
    assert "may count already" in err
    assert made not in err


@pytest.mark.parametrize(
    "error",
    [Restored("As it was."), NotConfirmed("No."), CannotEdit("No."), WrongAnswer("No.", field="old")],
)
async def test_a_passphrase_that_counts_nowhere_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: JupytuiError
) -> None:
    await ends_in(monkeypatch, error)
    await ends_in(monkeypatch, HostTrouble(HostState.DOWN, "Lost before anything was written."), asks=False)
    out, err = capsys.readouterr()
    assert out == ""
    assert "may count" not in err


async def test_what_was_consented_to_beforehand_is_said_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    question = Confirmation(
        "Change of the password on gpu1",
        (Loss("work.ipynb", "busy for 41 minutes", grave=True),),
        "--- a\n+++ b",
        typed="gpu1",
        notes=("Everybody who is signed in has to sign in again.",),
    )
    assert await TerminalFront(yes=True).confirm(question)
    out, err = capsys.readouterr()
    assert out == ""
    for words in ("Change of the password on gpu1", "work.ipynb  busy for 41 minutes", "+++ b", "has to sign in again"):
        assert words in err
