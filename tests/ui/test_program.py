from __future__ import annotations

import asyncio
import re
from pathlib import Path

import msgspec
import pytest
from textual import events
from textual.widgets import Input

from jupytui.actions.base import Action, Answers, Confirmation, Context, Loss, Subjects
from jupytui.errors import ConfigError, JupytuiError
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Scope, Subject
from jupytui.hosts.base import HostKey, SecretKind, SecretPrompt, UnknownKey
from jupytui.hosts.state import HostState
from jupytui.secret import Secret
from jupytui.ui.dialogs.confirm import ConfirmDialog
from jupytui.ui.dialogs.message import MessageDialog
from jupytui.ui.dialogs.prompt import SecretDialog, TrustDialog
from jupytui.ui.panes.table import PANES
from jupytui.ui.program import Program
from tests.ui import fleets
from tests.ui.program import SIZES, desk, options, running, settled, text, toasts

HOSTILE = "[/] [@click=app.quit]x[/] \x1b]52;c;eA==\x07"
SHOWN = "[/] [@click=app.quit]x[/]"


class Verb:
    """An action that writes down what it was done to, and does what the test says."""

    def __init__(self, outcome: str | Exception = "Done.", scope: Scope = Scope.KERNEL, **more: object) -> None:
        self.outcome = outcome
        self.done: list[Subjects] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.action = Action(
            id=f"{scope.name.lower()}.test",
            title="Test kernel",
            scope=scope,
            keys=("T",),
            run=self._run,
            **more,  # type: ignore[arg-type]
        )

    async def _run(self, _context: Context, subjects: Subjects, _answers: Answers) -> str:
        await self.hold.wait()
        self.done.append(subjects)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def test_the_table_of_panes_says_what_the_panes_say_of_themselves() -> None:
    for entry in PANES:
        pane = entry.make()
        assert (entry.digit, entry.title) == (pane.DIGIT, pane.TITLE)


def test_a_theme_there_is_not_is_an_error_before_there_is_a_screen(tmp_path: Path) -> None:
    given = options(tmp_path)
    config = msgspec.structs.replace(given.config, settings=msgspec.structs.replace(given.config.settings, theme="no"))
    with pytest.raises(ConfigError, match=r"settings.theme: there is no theme no"):
        Program(type(given)(config, given.paths))


@pytest.mark.parametrize("size", SIZES)
async def test_the_first_and_the_last_line_say_where_one_is_and_what_to_press(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with running(tmp_path, size) as (program, _pilot):
        first, *_rest, last = text(program).splitlines()
        assert "1 Fleet" in first
        assert "4 hosts" in first
        assert ("2 Kernels" in first) is (size[0] >= 110)
        assert "? help" in last
        assert all(len(line) <= size[0] for line in text(program).splitlines())


async def test_digits_go_to_panes_enter_goes_in_escape_and_minus_come_back(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, pilot):
        await pilot.press("2")
        await settled(pilot)
        assert program.main.pane.TITLE == "Kernels"
        await pilot.press("minus")
        assert program.main.pane.TITLE == "Fleet"
        await pilot.press("down", "enter")  # a server
        await settled(pilot)
        assert program.main.pane.TITLE == "Kernels"
        assert "local:8888" in text(program).splitlines()[0]
        await pilot.press("escape")
        await settled(pilot)
        assert program.main.pane.TITLE == "Fleet"


async def test_changes_are_drawn_together_and_a_hidden_pane_learns_them_when_it_is_shown(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, pilot):
        calls: list[object] = []
        pane = program.main.pane
        show = pane.show_store
        pane.show_store = lambda store, changed=None: (calls.append(changed), show(store, changed))[1]  # type: ignore[method-assign, func-returns-value]
        for _ in range(50):
            program.store.patch("gpu1", rtt_ms=float(len(calls)) + 1.5)
            program.store.patch("local", rtt_ms=2.5)
        await settled(pilot)
        assert calls == [{"gpu1", "local"}]
        await pilot.press("2")
        program.store.remove("gpu1")
        await settled(pilot)
        assert len(calls) == 1
        assert "gpu1:" not in text(program)
        await pilot.press("1")
        await settled(pilot)
        assert "gpu1" not in text(program)
        assert "3 hosts" in text(program)


async def test_the_filter_narrows_while_typing_enter_keeps_it_escape_drops_it(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, pilot):
        await pilot.press("/", *"gpu1")
        await settled(pilot)
        assert "lab-pi" not in text(program)
        await pilot.press("enter")
        await settled(pilot)
        assert "/gpu1" in text(program).splitlines()[-1]
        await pilot.press("escape")
        await settled(pilot)
        assert "lab-pi" in text(program)


async def test_work_is_seen_reported_and_done_once_however_often_the_key_is_pressed(tmp_path: Path) -> None:
    verb = Verb("Tested train.ipynb.")
    verb.hold.clear()
    async with running(tmp_path, actions=(verb.action,)) as (program, pilot):
        await pilot.press("2", "T")
        await settled(pilot)
        assert "◐ Test kernel" in text(program).splitlines()[-1]
        await pilot.press("T")
        verb.hold.set()
        await program.workers.wait_for_complete()
        await settled(pilot)
        assert len(verb.done) == 1
        assert toasts(program) == ["Test kernel is under way.", "Tested train.ipynb."]
        assert "◐" not in text(program).splitlines()[-1]


async def test_ctrl_c_stops_what_is_under_way_and_never_ends_the_program(tmp_path: Path) -> None:
    verb = Verb()
    verb.hold.clear()
    async with running(tmp_path, actions=(verb.action,)) as (program, pilot):
        await pilot.press("2", "T")
        await settled(pilot)
        await pilot.press("ctrl+c")
        await settled(pilot)
        await pilot.press("ctrl+c")
        await settled(pilot)
        assert toasts(program) == ["Stopped: Test kernel.", "q quits."]
        assert verb.done == []
        assert program.is_running


@pytest.mark.parametrize("size", SIZES)
async def test_a_failure_says_what_and_what_to_do_and_d_shows_what_came_back(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    verb = Verb(JupytuiError(f"It failed {HOSTILE}.", "Try later.", detail=f"stderr: {HOSTILE}"))
    async with running(tmp_path, size, actions=(verb.action,)) as (program, pilot):
        await pilot.press("2", "T")
        await program.workers.wait_for_complete()
        await settled(pilot)
        assert f"It failed {SHOWN}" in toasts(program)[0]
        assert "\x1b" not in toasts(program)[0]
        assert "d shows what came back" in toasts(program)[0]
        await pilot.press("d")
        await settled(pilot)
        assert f"stderr: {SHOWN}" in text(program).replace("\n", " ")
        await pilot.press("escape")
        assert program.is_running


async def test_a_mistake_of_ours_in_an_action_is_a_sentence_and_a_log_line(tmp_path: Path) -> None:
    verb = Verb(ZeroDivisionError("boo"))
    async with running(tmp_path, actions=(verb.action,)) as (program, pilot):
        await pilot.press("2", "T")
        await program.workers.wait_for_complete()
        await settled(pilot)
        assert "made a mistake" in toasts(program)[0]
        assert "ZeroDivisionError" in (tmp_path / "logs" / "jupytui.log").read_text()


async def test_what_does_not_fit_what_is_selected_says_what_to_select(tmp_path: Path) -> None:
    verb = Verb()
    async with running(tmp_path, actions=(verb.action,)) as (program, pilot):
        await pilot.press("T")
        await program.workers.wait_for_complete()
        await settled(pilot)
        assert toasts(program) == ["Select a kernel first."]


async def test_read_only_says_so_and_changes_nothing(tmp_path: Path) -> None:
    verb = Verb()
    async with running(tmp_path, actions=(verb.action,), read_only=True) as (program, pilot):
        assert "read-only" in text(program).splitlines()[0]
        await pilot.press("2", "T")
        await program.workers.wait_for_complete()
        await settled(pilot)
        assert verb.done == []
        assert "--read-only" in toasts(program)[0]


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_grave_needs_the_typed_name(tmp_path: Path, size: tuple[int, int]) -> None:
    losses = [Loss(f"train {SHOWN}.ipynb", "busy for 41 minutes", grave=True)]
    verb = Verb(losses=lambda _context, _subject: losses, runs=lambda _context, _subject: f"POST {SHOWN}")
    async with running(tmp_path, size, actions=(verb.action,)) as (program, pilot):
        await pilot.press("2", "2", "T")
        await settled(pilot)
        assert isinstance(program.screen, ConfirmDialog)
        shown = text(program)
        assert "busy for 41 minutes" in shown.replace("\n", " ") or "busy for 41" in shown
        assert "Type gpu1" in shown
        await pilot.press("y", "enter")
        assert verb.done == []
        await pilot.press("ctrl+u", *"gpu1", "enter")
        await program.workers.wait_for_complete()
        assert len(verb.done) == 1


async def test_an_enter_too_many_leaves_one_dialog_and_ends_nothing(tmp_path: Path) -> None:
    verb = Verb(losses=lambda _context, _subject: [Loss("train.ipynb", "busy", grave=True)])
    async with running(tmp_path, actions=(verb.action,)) as (program, pilot):
        await pilot.press("2", "2", "T")
        await settled(pilot)
        field = program.screen.query_one(Input)
        field.value = "gpu1"
        for _ in range(2):
            await field.action_submit()
        await program.workers.wait_for_complete()
        await settled(pilot)
        assert len(verb.done) == 1
        assert program.is_running and program.screen is program.main


async def test_what_is_not_grave_needs_one_key_and_escape_leaves_it(tmp_path: Path) -> None:
    verb = Verb(losses=lambda _context, _subject: [Loss("eval.ipynb", "idle")])
    async with running(tmp_path, actions=(verb.action,)) as (program, pilot):
        await pilot.press("2", "T")
        await settled(pilot)
        await pilot.press("escape")
        await program.workers.wait_for_complete()
        assert verb.done == []
        await pilot.press("T")
        await settled(pilot)
        await pilot.press("y")
        await program.workers.wait_for_complete()
        assert len(verb.done) == 1


async def test_marked_things_are_done_together(tmp_path: Path) -> None:
    verb = Verb(many=True)
    async with running(tmp_path, actions=(verb.action,)) as (program, pilot):
        await pilot.press("2", "2")
        await settled(pilot)
        await pilot.press("space", "down", "space", "T")
        await program.workers.wait_for_complete()
        assert [len(subjects) for subjects in verb.done] == [2]
        await pilot.press("escape")
        assert len(program.main.pane.chosen) == 1


async def test_help_lists_only_what_is_valid_now_and_can_be_searched(tmp_path: Path) -> None:
    verb = Verb()
    async with running(tmp_path, (120, 40), actions=(verb.action,)) as (program, pilot):
        await pilot.press("?")
        await settled(pilot)
        assert "Test kernel" not in text(program)
        assert "In this pane" in text(program)
        await pilot.press("escape", "2", "?")
        await settled(pilot)
        assert re.search(r"T +Test kernel", text(program)), text(program)
        await pilot.press(*"tstk")
        await settled(pilot)
        assert "Quit" not in text(program)
        await pilot.press("enter")
        await program.workers.wait_for_complete()
        assert len(verb.done) == 1


async def test_the_palette_lists_everything_and_says_why_something_cannot_be_done(tmp_path: Path) -> None:
    verb = Verb()
    async with running(tmp_path, actions=(verb.action,)) as (program, pilot):
        await pilot.press(":")
        await settled(pilot)
        assert "Test kernel" in text(program)
        assert "Select a kernel first." in text(program)
        await pilot.press("enter")
        await settled(pilot)
        assert verb.done == []
        await pilot.press(*"last view", "enter")
        await settled(pilot)
        assert len(program.screen_stack) == 1


async def test_quit_by_the_palette_ends_the_program(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, pilot):
        await pilot.press("ctrl+p", *"quit", "enter")
        await settled(pilot)
        assert not program.is_running


async def _ask(program: Program, about: SecretPrompt | UnknownKey) -> asyncio.Task[object]:
    task: asyncio.Task[object] = asyncio.ensure_future(desk(program).live.questions.ask(about.host, about))
    await asyncio.sleep(0)
    return task


def _prompt(**more: object) -> SecretPrompt:
    return SecretPrompt("hpc", SecretKind.CODE, SHOWN, **more)  # type: ignore[arg-type]


async def _to(pilot: object, program: Program, host: str) -> None:
    program.main.pane.move_to(Subject(host))  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", SIZES)
async def test_a_question_waits_on_its_row_until_enter_and_its_answer_is_never_seen(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with running(tmp_path, size) as (program, pilot):
        asked = await _ask(program, _prompt())
        await settled(pilot)
        assert len(program.screen_stack) == 1
        await _to(pilot, program, "hpc")
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(program.screen, SecretDialog)
        assert SHOWN in text(program)
        await pilot.press(*"tops3cret")
        await settled(pilot)
        assert "tops3cret" not in text(program)
        await pilot.press("enter")
        assert await asked == Secret("tops3cret")


async def test_a_question_that_is_left_goes_on_waiting(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, pilot):
        asked = await _ask(program, _prompt())
        await _to(pilot, program, "hpc")
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert not asked.done()
        assert len(program.screen_stack) == 1
        asked.cancel()


async def test_a_question_taken_back_by_the_host_closes_its_dialog(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, pilot):
        asked = await _ask(program, _prompt())
        await _to(pilot, program, "hpc")
        await pilot.press("enter")
        await settled(pilot)
        asked.cancel()
        await settled(pilot)
        assert len(program.screen_stack) == 1


async def test_the_next_question_of_a_host_one_has_turned_to_comes_by_itself(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, pilot):
        first = await _ask(program, _prompt())
        await _to(pilot, program, "hpc")
        await pilot.press("enter")
        await settled(pilot)
        await pilot.press("1", "enter")
        await first
        second = await _ask(program, _prompt(again=True))
        await settled(pilot)
        assert "not accepted" in text(program)
    second.cancel()


@pytest.mark.parametrize("size", SIZES)
async def test_an_unknown_key_is_trusted_by_the_whole_word_yes_alone(tmp_path: Path, size: tuple[int, int]) -> None:
    fingerprint = "SHA256:1mJrHc8nQ6k1T0m0mXo3Jf7b2bW1u8YkqY0yq3X0abc"
    async with running(tmp_path, size) as (program, pilot):
        question = UnknownKey("hpc", "10.0.0.9:22", HostKey("ED25519", fingerprint))
        asked = await _ask(program, question)
        await _to(pilot, program, "hpc")
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(program.screen, TrustDialog)
        shown = "".join(line.strip(" │▂▇█") for line in text(program).splitlines())
        assert fingerprint in shown
        assert "ED25519" in shown
        assert "10.0.0.9:22" in shown
        await pilot.press("y", "enter")
        assert not asked.done()
        await pilot.press("e", "s", "enter")
        assert await asked is True


@pytest.mark.parametrize("size", SIZES)
async def test_a_changed_key_is_explained_and_offers_no_way_through(tmp_path: Path, size: tuple[int, int]) -> None:
    async with running(tmp_path, size) as (program, pilot):
        await _to(pilot, program, "lab-pi")
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(program.screen, MessageDialog)
        assert "key has changed" in text(program)
        await pilot.press("y", "enter")
        await settled(pilot)
        assert len(program.screen_stack) == 1


async def test_words_of_others_are_shown_as_they_are_everywhere(tmp_path: Path) -> None:
    views = [*fleets.everything(), HostView(f"h{SHOWN}", state=HostState.DOWN)]
    async with running(tmp_path, (120, 40), views) as (program, pilot):
        for keys in (["1"], ["2"], ["?"], ["escape", ":"], ["escape", "."]):
            await pilot.press(*keys)
            await settled(pilot)
        await pilot.press("escape", "1")
        await _to(pilot, program, f"h{SHOWN}")
        await pilot.press(".")
        await settled(pilot)
        assert SHOWN in text(program)
        question = Confirmation(SHOWN, (Loss(SHOWN, SHOWN),), SHOWN, SHOWN)
        await program.push_screen(ConfirmDialog(question))
        await settled(pilot)
        assert text(program).count("[@click=app.quit]") >= 5
        assert program.is_running


async def test_what_is_known_is_saved_at_the_end(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, _pilot):
        program.store.patch("gpu1", rtt_ms=3.0)
    known = Program(options(tmp_path, fleets.fleet())).store.host("gpu1")
    assert known is not None
    assert known.servers
    assert known.state is HostState.CONNECTING


async def test_a_blurred_terminal_is_looked_at_less_often(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, pilot):
        pace = desk(program).live.fleet.pace
        program.post_message(events.AppBlur())
        await settled(pilot)
        assert pace.factor > 1
        program.post_message(events.AppFocus())
        await settled(pilot)
        assert pace.factor == 1
