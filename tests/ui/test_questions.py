"""What hosts ask: passphrases, codes, and whether a key is theirs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.pilot import Pilot

from jupytui.hosts.base import HostKey, SecretKind, SecretPrompt, UnknownKey
from jupytui.secret import Secret
from jupytui.ui.dialogs.message import MessageDialog
from jupytui.ui.dialogs.prompt import SecretDialog, TrustDialog
from jupytui.ui.program import Program
from tests.ui import fleets
from tests.ui.program import SIZES, desk, running, settled, text, turn_to


async def _ask(program: Program, about: SecretPrompt | UnknownKey) -> asyncio.Task[object]:
    task: asyncio.Task[object] = asyncio.ensure_future(desk(program).live.questions.ask(about.host, about))
    await asyncio.sleep(0)
    return task


async def _turned_to(program: Program, pilot: Pilot[int], host: str) -> None:
    turn_to(program, host)
    await pilot.press("enter")
    await settled(pilot)


def _prompt(**more: object) -> SecretPrompt:
    return SecretPrompt("hpc", SecretKind.CODE, fleets.TAMED, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", SIZES)
async def test_a_question_waits_on_its_row_until_enter_and_its_answer_is_never_seen(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with running(tmp_path, size) as (program, pilot):
        asked = await _ask(program, _prompt())
        await settled(pilot)
        assert len(program.screen_stack) == 1
        await _turned_to(program, pilot, "hpc")
        assert isinstance(program.screen, SecretDialog)
        assert fleets.TAMED in text(program)
        await pilot.press(*"tops3cret")
        await settled(pilot)
        assert "tops3cret" not in text(program)
        await pilot.press("enter")
        assert await asked == Secret("tops3cret")


async def test_a_question_that_is_left_goes_on_waiting(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, pilot):
        asked = await _ask(program, _prompt())
        await _turned_to(program, pilot, "hpc")
        await pilot.press("escape")
        await settled(pilot)
        assert not asked.done()
        assert len(program.screen_stack) == 1
        asked.cancel()


async def test_a_question_taken_back_by_the_host_closes_its_dialog(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, pilot):
        asked = await _ask(program, _prompt())
        await _turned_to(program, pilot, "hpc")
        asked.cancel()
        await settled(pilot)
        assert len(program.screen_stack) == 1


async def test_the_next_question_of_a_host_one_has_turned_to_comes_by_itself(tmp_path: Path) -> None:
    async with running(tmp_path) as (program, pilot):
        first = await _ask(program, _prompt())
        await _turned_to(program, pilot, "hpc")
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
        await _turned_to(program, pilot, "hpc")
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
        await _turned_to(program, pilot, "lab-pi")
        assert isinstance(program.screen, MessageDialog)
        assert "key has changed" in text(program)
        await pilot.press("y", "enter")
        await settled(pilot)
        assert len(program.screen_stack) == 1
