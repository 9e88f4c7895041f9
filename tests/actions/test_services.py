from __future__ import annotations

import pytest

from jupytui.actions import services
from jupytui.actions.base import Context, why_not, widened
from jupytui.actions.table import BY_ID
from jupytui.actions.units import check_cpu, check_memory, verdict_notes
from jupytui.fleet.subject import Scope, Subject
from jupytui.systemd.units import Service, Services
from jupytui.systemd.verify import Verdict
from tests.actions.front import ScriptedFront, context
from tests.ui.fleets import gpu1

UNIT = Subject("gpu1", "gpu1:8888", unit="user:lab.service")


def test_a_unit_stays_with_its_host_and_makes_nothing_narrower() -> None:
    assert UNIT.at(Scope.HOST) == Subject("gpu1", unit="user:lab.service")
    assert UNIT.at(Scope.SERVER) == Subject("gpu1", "gpu1:8888")
    assert Subject("gpu1", unit="user:lab.service").scope is Scope.HOST
    assert widened(BY_ID["service.stop"], [UNIT]) == (Subject("gpu1", unit="user:lab.service"),)


async def test_a_unit_that_is_selected_is_not_asked_for() -> None:
    action = BY_ID["service.stop"]
    assert action.form
    assert await action.form(context(ScriptedFront(), gpu1()), [UNIT.at(Scope.HOST)]) is None


async def test_the_form_that_asks_for_a_unit_says_in_one_word_what_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    async def units(_context: Context, _name: str) -> Services:
        return Services(services=(Service("lab.service", "user"),))

    monkeypatch.setattr(services, "services_of", units)
    form = await services.pick_unit("Start a stopped server", bool)(context(ScriptedFront(), gpu1()), [Subject("gpu1")])
    assert form is not None
    assert form.submit == "Start"


@pytest.mark.parametrize("verb", ["server.start", "service.edit", "service.remove", "service.linger"])
def test_read_only_mode_changes_no_unit(verb: str) -> None:
    assert "--read-only" in (why_not(BY_ID[verb], context(ScriptedFront(), gpu1(), read_only=True), [UNIT]) or "")


@pytest.mark.parametrize("text", ["", "8G", "512M", "50%", "infinity", " 1T "])
def test_limits_of_memory_that_systemd_takes(text: str) -> None:
    assert check_memory(text) is None


@pytest.mark.parametrize("text", ["8 G", "8GB", "-1", "8G\nExecStart=/bin/x", "50%%"])
def test_limits_of_memory_that_it_does_not(text: str) -> None:
    assert check_memory(text)


def test_a_share_of_cpus_is_a_percentage() -> None:
    assert check_cpu("150%") is None
    assert check_cpu("2")


def test_what_systemd_says_and_both_scores_are_shown() -> None:
    notes = verdict_notes(Verdict((), 9.6, "unsafe"), Verdict(("Unknown key Bogus",), 7.8, "exposed"))
    assert notes == (
        "systemd finds fault with it:\nUnknown key Bogus",
        "Exposure: 9.6 unsafe → 7.8 exposed (0 is safe, 10 is exposed).",
    )
    assert "nobody has checked" in verdict_notes(Verdict(), Verdict(checked=False))[0]
