"""Promises of the one way in which verbs are carried out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jupytui.actions import base
from jupytui.actions.base import Action, Answers, Context, Field, Form, Loss, Refused, Subjects, perform, why_not
from jupytui.actions.kernels import SHUTDOWN
from jupytui.actions.table import ACTIONS, BY_ID
from jupytui.errors import WrongAnswer
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Scope, Subject
from jupytui.jupyter.models import App, Health, Kernel, KernelState, Server
from tests.actions.front import ScriptedFront, context

BUSY = Kernel("k1", state=KernelState.BUSY, path="deep/train.ipynb", gpu_memory=12 * 2**30)
IDLE = Kernel("k2", state=KernelState.IDLE, path="eval.ipynb")
SERVER = Server("gpu1:8888", 1, App.LAB, port=8888, kernels=(BUSY, IDLE))
HOST = HostView("gpu1", servers=(SERVER,))
ON_BUSY, ON_IDLE = Subject("gpu1", "gpu1:8888", "k1"), Subject("gpu1", "gpu1:8888", "k2")


async def _tell(_context: Context, subjects: Subjects, answers: Answers) -> str:
    return f"{[subject.host for subject in subjects]} {dict(answers)}"


TELL = Action(id="test.tell", title="Tell", scope=Scope.HOST, run=_tell, many=True)


async def test_what_loses_nothing_asks_nothing() -> None:
    front = ScriptedFront()
    assert await perform(TELL, context(front, HOST), [Subject("gpu1")]) == "['gpu1'] {}"
    assert not front.confirmed


async def test_what_is_within_is_widened_and_named_once() -> None:
    assert await perform(TELL, context(ScriptedFront(), HOST), [ON_BUSY, ON_IDLE]) == "['gpu1'] {}"


async def test_a_busy_kernel_wants_the_name_typed_and_an_idle_one_a_key() -> None:
    front = ScriptedFront(yes=False)
    assert await perform(SHUTDOWN, context(front, HOST), [ON_BUSY, ON_IDLE]) is None
    assert await perform(SHUTDOWN, context(front, HOST), [ON_IDLE]) is None
    both, idle = front.confirmed
    assert (both.typed, idle.typed) == ("gpu1", None)
    assert both.losses[0].what == "train.ipynb's kernel"
    assert both.losses[0].how.endswith("12G on the GPU")
    assert both.runs == "DELETE /api/kernels/k1 on gpu1:8888\nDELETE /api/kernels/k2 on gpu1:8888"


async def test_a_state_nobody_can_tell_is_treated_as_busy() -> None:
    unknown = replace_kernels(HOST, Kernel("k1"))
    front = ScriptedFront(yes=False)
    await perform(SHUTDOWN, context(front, unknown), [ON_BUSY])
    assert front.confirmed[0].typed == "gpu1"


def replace_kernels(view: HostView, *kernels: Kernel, health: Health = Health.OK) -> HostView:
    import msgspec

    server = msgspec.structs.replace(SERVER, kernels=kernels, health=health)
    return msgspec.structs.replace(view, servers=(server,))


async def test_a_wrong_answer_brings_the_form_back_as_it_was_filled_in_until_it_is_left() -> None:
    async def form(_context: Context, _subjects: Subjects) -> Form:
        return Form("T", (Field("name", "Name"), Field("port", "Port")))

    async def run(_context: Context, _subjects: Subjects, answers: Answers) -> str:
        raise WrongAnswer("It is taken.", field="port" if answers else "none")

    class Leaves(ScriptedFront):
        async def fill(self, form: Form) -> Answers | None:
            self.forms.append(form)
            return {"name": "mine", "port": "1"} if len(self.forms) == 1 else None

    front = Leaves()
    action = replace(TELL, form=form, run=run)
    assert await perform(action, context(front, HOST), [Subject("gpu1")]) is None
    assert [(f.value, f.problem) for f in front.forms[1].fields] == [("mine", ""), ("1", "It is taken.")]
    with pytest.raises(WrongAnswer, match="It is taken"):  # nobody to fill it in again
        await perform(action, context(front, HOST), [Subject("gpu1")], {})


async def test_a_form_that_is_left_does_nothing_and_one_that_is_filled_is_passed_on() -> None:
    async def form(_context: Context, _subjects: Subjects) -> Form:
        return Form("T", (Field("name", "Name"),))

    action = replace(TELL, form=form)
    assert await perform(action, context(ScriptedFront(), HOST), [Subject("gpu1")]) is None
    filled = ScriptedFront(answers={"name": "x"})
    assert await perform(action, context(filled, HOST), [Subject("gpu1")]) == "['gpu1'] {'name': 'x'}"
    asked = ScriptedFront()
    assert await perform(action, context(asked, HOST), [Subject("gpu1")], {"name": "y"}) == "['gpu1'] {'name': 'y'}"
    assert not asked.forms


@pytest.mark.parametrize(
    ("action", "subjects", "reason"),
    [
        (SHUTDOWN, [], "Select a kernel first."),
        (SHUTDOWN, [Subject("gpu1", "gpu1:8888")], "Select a kernel first."),
        (replace(TELL, many=False), [Subject("gpu1"), Subject("b")], "One at a time."),
        (SHUTDOWN, [Subject("gpu1", "gpu1:9", "k1")], "gpu1:9 has gone."),
    ],
)
async def test_why_it_cannot_be_done_is_said(action: Action, subjects: list[Subject], reason: str) -> None:
    where = context(ScriptedFront(), HOST)
    assert why_not(action, where, subjects) == reason
    with pytest.raises(Refused, match=reason):
        await perform(action, where, subjects)


def test_a_server_that_does_not_let_us_in_is_refused_with_the_reason() -> None:
    locked = replace_kernels(HOST, IDLE, health=Health.LOCKED)
    assert "password" in (why_not(SHUTDOWN, context(ScriptedFront(), locked), [ON_IDLE]) or "")


def test_read_only_refuses_what_changes_and_nothing_else() -> None:
    where = context(ScriptedFront(), HOST, read_only=True)
    for action in ACTIONS:
        refused = "--read-only" in (why_not(action, where, [ON_IDLE]) or "")
        assert refused is action.changes, action.id


def test_ids_are_unique_and_every_destructive_verb_shows_what_it_runs() -> None:
    assert len(BY_ID) == len(ACTIONS)
    for action in ACTIONS:
        if action.scope is Scope.KERNEL and action.losses(context(ScriptedFront(), HOST), ON_BUSY):
            assert action.runs(context(ScriptedFront(), HOST), ON_BUSY)


def test_losses_are_values() -> None:
    assert Loss("a", "b") == base.Loss("a", "b")


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ("kill -TERM 7", "Runs: kill -TERM 7"),
        ("--- /h/a.json\n+++ /h/a.json\n+1", "Changes:\n--- /h/a.json\n+++ /h/a.json\n+1"),
    ],
)
def test_only_what_is_run_is_said_to_run(runs: str, said: str) -> None:
    assert base.Confirmation("Set password", (), runs).introduced == said


def test_this_machine_has_no_address_to_copy() -> None:
    here = context(ScriptedFront(), HostView("local"), HOST)
    assert "needs no address" in (why_not(BY_ID["host.copy"], here, [Subject("local")]) or "")
    assert why_not(BY_ID["host.copy"], here, [Subject("gpu1")]) is None
