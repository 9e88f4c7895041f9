"""The end of a proof, step by step, and its address on the clipboard."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupytui.actions.base import Action, Answers, Context, Finding, Result, Subjects
from jupytui.fleet.subject import Scope
from tests.ui.program import SIZES, running, settled, text, toasts

RESULT = Result(
    "gpu1:8888 at lab.example fails: Host refused",
    (
        Finding("ok", "port answers", "It takes connections."),
        Finding("failed", "Host accepted", "[Jupyter] blocks it.", ("→ Tell the server its name.",)),
    ),
    ("It counts after a restart.",),
    "https://lab.example/",
)


async def _run(context: Context, _subjects: Subjects, _answers: Answers) -> str:
    await context.front.report(RESULT)
    return ""


PROVE = Action(id="test.prove", title="Prove", scope=Scope.FLEET, keys=("n",), run=_run)


@pytest.mark.parametrize("size", SIZES)
async def test_what_failed_is_shown_with_its_way_out_and_the_address_is_copied_by_a_key(
    home: Path, size: tuple[int, int]
) -> None:
    async with running(home, size, actions=(PROVE,)) as (program, pilot):
        await pilot.press("n")
        await settled(pilot)
        seen = " ".join(text(program).replace("│", " ").split())
        for words in (
            "✖ Host accepted: failed: [Jupyter] blocks it.",
            "→ Tell the server",
            "It counts after a restart",
        ):
            assert words in seen
        await pilot.press("y")
        await settled(pilot)
        assert "https://lab.example/" in " ".join(toasts(program))
