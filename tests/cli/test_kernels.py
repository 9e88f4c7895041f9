"""`kernels` and `status` over a fleet that is a script: what it was asked to do is all it did."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from jupytui.cli import kernels, main, status
from jupytui.config.model import Config
from jupytui.fleet.models import HostView, Trouble
from jupytui.fleet.store import Store
from jupytui.hosts.base import HostState
from jupytui.jupyter.http import ApiError
from jupytui.jupyter.models import KernelState
from tests.cli.terminal import under_a_terminal
from tests.cli.test_status_json import KERNEL, SERVER, UP

IDLE = msgspec.structs.replace(KERNEL, id="1d1e-aaaa", path="work/eval.ipynb")
BUSY = msgspec.structs.replace(KERNEL, id="b5f0-bbbb", path="work/train.ipynb", state=KernelState.BUSY)
TWIN = msgspec.structs.replace(KERNEL, id="b5f1-cccc", path="other/train.ipynb")
HOST = msgspec.structs.replace(UP, servers=(msgspec.structs.replace(SERVER, kernels=(IDLE, BUSY, TWIN)),))
AWAY = HostView("lab", "bob@lab", HostState.UNREACHABLE, Trouble("lab does not answer on port 22.", "Is it awake?"))


@dataclass
class ScriptedFleet:
    """Shows `views` and writes down what its servers are asked to do; those of `unknown` kernels they do not know."""

    views: Sequence[HostView]
    done: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    opened: int = 0
    refreshed: int = 0

    def __post_init__(self) -> None:
        self.store = Store(self.views)

    @asynccontextmanager
    async def open(self, _config: Config, _names: Sequence[str] = ()) -> AsyncIterator[ScriptedFleet]:
        yield self

    async def look_once(self) -> Sequence[HostView]:
        return self.views

    async def refresh(self, names: Any) -> None:
        await asyncio.sleep(0)
        self.refreshed += 1

    def expect_end(self, _subject: object) -> None:
        """What an action ends is no death."""

    def api(self, _subject: object) -> ScriptedFleet:
        self.opened += 1
        return self

    async def close(self) -> None:
        self.opened -= 1

    async def interrupt(self, kernel: str) -> None:
        if kernel in self.unknown:
            raise ApiError("The server does not know it (any more).", "Refresh, and look again.", status=404)
        await asyncio.sleep(0)  # others fail before this one is through
        self.done.append(f"interrupt {kernel}")

    async def restart(self, kernel: str) -> None:
        self.done.append(f"restart {kernel}")

    async def shutdown(self, kernel: str) -> None:
        self.done.append(f"shutdown {kernel}")


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> ScriptedFleet:
    fleet = ScriptedFleet([HOST])
    monkeypatch.setenv("JUPYTUI_CONFIG", str(tmp_path))
    monkeypatch.setattr(kernels, "open_fleet", fleet.open)
    monkeypatch.setattr(status, "open_fleet", fleet.open)
    monkeypatch.setattr("jupytui.cli.terminal.TERMINAL", "/nonexistent")
    return fleet


def test_ls_lists_every_kernel_of_the_fleet(fleet: ScriptedFleet, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kernels", "ls"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert " ".join(lines[0].split()) == "KERNEL NOTEBOOK SERVER SPEC STATE SINCE PID CPU RAM GPU CLIENTS"
    assert lines[2].split()[:5] == ["b5f0-bbb", "work/train.ipynb", "gpu1:8888", "python3", "busy"]
    assert len(lines) == 4


def test_ls_can_be_asked_for_one(fleet: ScriptedFleet, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kernels", "ls", "eval.ipynb"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize(("scope", "lines"), [("gpu1", 4), ("gpu1:8888", 4), ("lab", 0)])
def test_ls_can_be_asked_for_those_of_a_host_or_a_server(
    fleet: ScriptedFleet, capsys: pytest.CaptureFixture[str], scope: str, lines: int
) -> None:
    fleet.views = [HOST, AWAY]
    assert main(["kernels", "ls", scope]) == 3
    assert len(capsys.readouterr().out.splitlines()) == lines


@pytest.mark.parametrize("name", ["1d1e", "1d1e-aaaa", "eval.ipynb", "work/eval.ipynb"])
def test_a_kernel_is_named_by_its_id_or_notebook(fleet: ScriptedFleet, name: str) -> None:
    assert main(["kernels", "interrupt", name]) == 0
    assert fleet.done == ["interrupt 1d1e-aaaa"]


def test_a_name_that_fits_two_lists_both_and_does_nothing(
    fleet: ScriptedFleet, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["kernels", "interrupt", "1d1e", "train.ipynb"]) == 2
    told = capsys.readouterr().err
    assert "b5f0-bbbb" in told
    assert "b5f1-cccc" in told
    assert fleet.done == []


def test_a_name_that_fits_nothing_is_wrong_use(fleet: ScriptedFleet) -> None:
    assert main(["kernels", "interrupt", "nope"]) == 2
    assert fleet.done == []


@pytest.mark.parametrize("verb", ["restart", "shutdown"])
def test_what_is_lost_needs_yes_without_a_terminal(
    fleet: ScriptedFleet, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["kernels", verb, "b5f0"]) == 2
    assert "would end train.ipynb's kernel. Say --yes" in capsys.readouterr().err
    assert fleet.done == []
    assert main(["kernels", verb, "b5f0", "--yes"]) == 0
    assert fleet.done == [f"{verb} b5f0-bbbb"]


@pytest.mark.parametrize("line", ["--yes restart b5f0 1d1e", "restart --yes b5f0 1d1e", "restart b5f0 --yes 1d1e"])
def test_options_may_stand_anywhere(fleet: ScriptedFleet, line: str) -> None:
    assert main(["kernels", *line.split()]) == 0
    assert fleet.done == ["restart b5f0-bbbb", "restart 1d1e-aaaa"]


def test_what_befalls_one_kernel_keeps_nothing_from_the_others_and_is_said(
    fleet: ScriptedFleet, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.unknown = {IDLE.id}
    assert main(["kernels", "interrupt", "1d1e", "b5f0", "b5f1"]) == 1
    assert fleet.done == ["interrupt b5f0-bbbb", "interrupt b5f1-cccc"]
    assert fleet.refreshed == 1
    assert capsys.readouterr().err == (
        "jupytui: Interrupted 2 of 3 kernels; eval.ipynb: The server does not know it (any more). "
        "Refresh, and look again.\n"
    )


def test_the_one_kernel_that_failed_says_why_in_its_own_words_and_is_looked_at(
    fleet: ScriptedFleet, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.unknown = {IDLE.id}
    assert main(["kernels", "interrupt", "1d1e"]) == 1
    assert fleet.refreshed == 1
    told = capsys.readouterr().err
    assert told == "jupytui: The server does not know it (any more). Refresh, and look again.\n"


@pytest.mark.parametrize("unknown", [set[str](), {IDLE.id}])
def test_no_connection_to_a_server_outlives_what_was_asked(fleet: ScriptedFleet, unknown: set[str]) -> None:
    fleet.unknown = unknown
    main(["kernels", "interrupt", "1d1e", "b5f0"])
    assert fleet.opened == 0


def test_read_only_changes_nothing(fleet: ScriptedFleet, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--read-only", "kernels", "restart", "b5f0", "--yes"]) == 1
    assert "--read-only" in capsys.readouterr().err
    assert fleet.done == []


def test_a_host_out_of_reach_is_status_3_and_the_rest_is_printed(
    fleet: ScriptedFleet, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.views = [HOST, AWAY]
    for command in (["status"], ["status", "--json"], ["kernels", "ls"]):
        assert main(command) == 3
        printed = capsys.readouterr()
        assert "train.ipynb" in printed.out
        assert printed.err == "jupytui: lab does not answer on port 22. Is it awake?\n"


CONFIRM = """
import asyncio
from jupytui.actions.base import Confirmation, Loss
from jupytui.cli.front import TerminalFront
question = Confirmation("Restart kernel on gpu1", (Loss("train.ipynb", "busy for 41 minutes", True),), "POST x", "gpu1")
print("consent", asyncio.run(TerminalFront(yes=False).confirm(question)))
"""


@pytest.mark.parametrize(("typed", "consent"), [("gpu1", True), ("yes", False), ("", False)])
def test_on_a_terminal_the_loss_is_shown_and_the_name_typed(typed: str, consent: bool) -> None:
    with under_a_terminal(CONFIRM) as terminal:
        shown = terminal.wait_for("Type gpu1 to go on: ")
        assert "train.ipynb  busy for 41 minutes" in shown
        assert "Runs: POST x" in shown
        terminal.type(f"{typed}\n")
        terminal.wait_for(f"consent {consent}")
