"""New, start, stop, restart: what is asked, what is refused, what is said."""

from __future__ import annotations

import pytest

from jupytui.actions.base import Action, Refused, perform, why_not
from jupytui.actions.environments import carry_out, label, place_of
from jupytui.actions.launch import NEW, check_extra, check_port, pick, plan_missing, spec_from
from jupytui.actions.lifecycle import KILL, RESTART, STOP, back, ended
from jupytui.cli.lifecycle import already, running, stopped
from jupytui.errors import UsageError
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.jupyter.environments.models import Environment, Environments, Installer, Kind, Plan, Step
from jupytui.jupyter.launch.lifecycle import Back, Ended, Way
from jupytui.jupyter.launch.proof import Answer
from jupytui.jupyter.models import App, Auth, Health, Kernel, KernelState, Server, Unit
from jupytui.systemd.units import Service
from tests.actions.front import ScriptedFront, context

BUSY = Kernel("k1", state=KernelState.BUSY, path="deep/train.ipynb")
BY_UNIT = Server("gpu1:8888", 11, App.LAB, port=8888, kernels=(BUSY,), unit=Unit("lab.service", "user"))
BY_HAND = Server("gpu1:8889", 12, App.LAB, port=8889)
HOST = HostView("gpu1", servers=(BY_UNIT, BY_HAND))
ON_UNIT, ON_HAND = Subject("gpu1", "gpu1:8888"), Subject("gpu1", "gpu1:8889")


@pytest.mark.parametrize("action", [STOP, RESTART])
async def test_kernels_that_end_are_named_by_notebook_and_the_command_is_shown(action: Action) -> None:
    front = ScriptedFront(yes=False)
    assert await perform(action, context(front, HOST), [ON_UNIT]) is None
    (question,) = front.confirmed
    assert question.losses[0].what == "train.ipynb's kernel"
    assert question.typed == "gpu1"
    assert question.runs.startswith("systemctl --user ")
    assert question.runs.endswith(" lab.service")


def test_a_kill_is_always_grave() -> None:
    losses = KILL.losses(context(ScriptedFront(), HOST), ON_HAND)
    assert losses
    assert all(loss.grave for loss in losses)
    assert KILL.runs(context(ScriptedFront(), HOST), ON_HAND) == "kill -KILL 12"


@pytest.mark.parametrize(("health", "word"), [(Health.STALE, "has ended"), (Health.UNREADABLE, "another user")])
def test_what_cannot_be_ended_is_refused_with_the_reason(health: Health, word: str) -> None:
    view = HostView("gpu1", servers=(Server("gpu1:8889", 12, App.LAB, health=health),))
    assert word in (why_not(STOP, context(ScriptedFront(), view), [ON_HAND]) or "")


async def test_another_users_server_is_asked_to_end_only_after_a_name_was_typed() -> None:
    theirs = Server("gpu1:8889", 12, App.LAB, port=8889, health=Health.UNREADABLE)
    front = ScriptedFront(yes=False)
    where = context(front, HostView("gpu1", servers=(theirs,)))
    assert await perform(STOP, where, [ON_HAND]) is None
    (question,) = front.confirmed
    assert (question.typed, question.runs) == ("gpu1", "POST /api/shutdown")
    assert "another user's" in question.losses[0].what
    assert why_not(RESTART, where, [ON_HAND]) == why_not(KILL, where, [ON_HAND]) == "gpu1:8889 belongs to another user."


def test_what_is_not_as_it_was_is_said() -> None:
    answer = Answer(7, "1", 8890, None, "2.0", "", Auth.TOKEN)
    said = back("gpu1", "gpu1:8889", Back(answer, None, "/home/a/x.log", "/dev/pts/3"))
    assert "it is gpu1:8890 now" in said
    assert "detached" in said
    assert "/dev/pts/3" in said
    assert "/home/a/x.log" in said
    assert "detached" not in back("gpu1", "gpu1:8890", Back(answer, None, "/x.log", "/x.log"))
    assert ended("gpu1:1", Ended(Way.TERM, 7, (8889,))) == "gpu1:1 has ended: process 7 is gone, port 8889 is free."


def _environment(prefix: str, **more: object) -> Environment:
    return Environment(prefix, Kind.VENV, f"{prefix}/bin/python", jupyter_server="2", jupyterlab="4", **more)  # type: ignore[arg-type]


def test_an_environment_is_meant_by_directory_python_or_name() -> None:
    found = Environments(
        "/home/a", environments=tuple(map(_environment, ("/home/a/ml", "/opt/ml2", "/opt/x/ml2", "/home/a/jupyter")))
    )
    assert pick(found, "", App.LAB) == "/home/a/ml/bin/python"
    assert pick(found, "ml", App.LAB) == pick(found, "/home/a/ml/", App.LAB) == "/home/a/ml/bin/python"
    assert pick(found, "/elsewhere", App.LAB) is pick(found, "/home/a/ml", App.NOTEBOOK) is None
    with pytest.raises(Refused, match="2 environments are called ml2"):
        pick(found, "ml2", App.LAB)
    with pytest.raises(Refused, match="no environment nope"):
        pick(found, "nope", App.LAB)
    assert pick(Environments("/home/a"), "", App.LAB) is None


def test_what_is_picked_from_the_list_is_the_place_in_it() -> None:
    ml = _environment("/home/a/ml", version="3.12.1")
    assert label(Environments("/home/a"), ml) == "~/ml · JupyterLab 4 · Jupyter Server 2 · Python 3.12.1"
    assert place_of(label(Environments("/home/a"), ml)) == "~/ml"


def test_only_what_lacks_is_installed_and_by_default_in_a_place_of_our_own() -> None:
    base = Environment("/usr", Kind.SYSTEM, "/usr/bin/python3", "3.12.1", has_venv=True, makes_venvs=True)
    ml = _environment("/home/a/ml", version="3.12.1", writable=True, has_pip=True, ipykernel="6")
    found = Environments("/home/a", environments=(base, ml))
    new = plan_missing(found, "", App.NOTEBOOK)
    assert (new.new, new.prefix, new.packages) == (True, "/home/a/jupyter", ("notebook", "ipykernel"))
    there = plan_missing(found, "/home/a/ml", App.NOTEBOOK)
    assert (there.new, there.prefix, there.packages) == (False, "/home/a/ml", ("notebook",))


async def test_what_an_installation_would_run_is_shown_first_and_nothing_runs_without_consent() -> None:
    front = ScriptedFront(yes=False)
    plan = Plan("/home/a/jupyter", True, Installer.PIP, ("jupyterlab",), (Step("Make", "make it", 1.0),), ("Mind.",))
    assert await carry_out(context(front, HOST), "gpu1", plan) is None
    (question,) = front.confirmed
    assert (question.runs, question.notes, question.losses) == ("make it", ("Mind.",), ())


def test_fields_are_checked_as_they_are_typed() -> None:
    assert check_port("") is check_port("8888") is check_extra("--a=b --c") is None
    assert check_port("0")
    assert check_port("x")
    assert check_extra('--a="')
    assert check_extra("rm -rf")


@pytest.mark.parametrize(("keep", "hardened"), [("user-unit", True), ("system-unit", True), ("process", False)])
def test_only_a_unit_can_be_hardened_and_only_on_request(keep: str, hardened: bool) -> None:
    settings = dict(spec_from({"keep": keep, "harden": "yes"}, "/usr/bin/python3").hardening)
    assert (settings.get("NoNewPrivileges") == "yes") is hardened
    assert ("ProtectSystem" in settings) == (keep == "system-unit")
    assert not spec_from({"keep": keep}, "/usr/bin/python3").hardening


def test_a_server_is_named_by_host_port_or_socket_and_ambiguity_lists_the_candidates() -> None:
    assert running(HOST, "gpu1:8889") is BY_HAND
    with pytest.raises(UsageError, match=r"gpu1 fits 2: gpu1:8888, gpu1:8889"):
        running(HOST, "gpu1")
    with pytest.raises(UsageError, match=r"No server gpu1:1 runs. There: gpu1:8888, gpu1:8889"):
        running(HOST, "gpu1:1")


def test_a_stopped_service_is_named_by_host_port_or_unit() -> None:
    command = "/v/bin/python /v/bin/jupyter-lab --ServerApp.port=8888"
    idle = Service("lab.service", "user", active="inactive", command=command)
    other = Service("nb.service", "system", active="failed")
    busy = Service("up.service", "user", active="active", main_pid=3)
    both = (idle, other, busy)
    assert (
        stopped(both, "gpu1", "gpu1:8888") is stopped(both, "gpu1", "gpu1:lab") is stopped((idle, busy), "gpu1", "gpu1")
    )
    with pytest.raises(UsageError, match="fits 2"):
        stopped(both, "gpu1", "gpu1")
    with pytest.raises(UsageError, match="is stopped"):
        stopped(both, "gpu1", "gpu1:up")


def test_what_runs_already_is_said_to_where_nothing_meant_is_stopped() -> None:
    idle = Service("lab.service", "user", active="inactive")
    busy = Service("up.service", "user", active="active", main_pid=3)
    assert already(HOST, (busy,), "gpu1:8889") == ["gpu1:8889"]
    assert already(HOST, (busy,), "gpu1") == already(HOST, (), "gpu1") == ["gpu1:8888", "gpu1:8889"]
    assert already(HOST, (busy,), "gpu1:up") == ["gpu1:up.service"]
    assert not already(HOST, (idle, busy), "gpu1")
    assert not already(HOST, (busy,), "gpu1:1")


def test_nothing_new_is_begun_where_only_looking_is_allowed() -> None:
    where = context(ScriptedFront(), HOST, read_only=True)
    assert why_not(NEW, where, [Subject("gpu1")])
