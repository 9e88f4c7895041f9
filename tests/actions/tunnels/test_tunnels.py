"""Tunnels are made, brought up, taken down and looked at by actions."""

from __future__ import annotations

import os
import socket
from dataclasses import replace

import pytest

from jupytui.actions.base import Context, Refused, perform, why_not
from jupytui.actions.table import BY_ID
from jupytui.actions.tunnel_words import all_tunnels
from jupytui.actions.way import there_already
from jupytui.errors import JupytuiError, UsageError, WrongAnswer
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import App, Server
from jupytui.tunnels import ports
from jupytui.tunnels.models import Address
from tests.actions.front import ScriptedFront, context
from tests.actions.tunnels.conftest import Asked, answers
from tests.tunnels.keeper.conftest import says_back


async def test_a_tunnel_is_made_and_carries(work: Context, echo: Address) -> None:
    said = await perform(BY_ID["tunnel.add"], work, (), answers(echo))
    status = work.tunnels.status("t")
    assert status
    assert said == f"t is up: {status.local} leads to {echo} on local."
    assert await says_back(status.local)
    assert work.config.tunnels == ()


async def test_a_port_that_is_taken_is_named_with_its_holder_and_the_next_free_one(
    work: Context, front: ScriptedFront, echo: Address
) -> None:
    with pytest.raises(WrongAnswer) as refused:
        await perform(BY_ID["tunnel.add"], work, (), answers(echo, local=str(echo.port)))
    assert refused.value.field == "local"
    assert f"Port {echo.port} is taken by " in refused.value.message
    assert f"(process {os.getpid()});" in refused.value.message
    assert refused.value.message.endswith(" is free.")


async def test_a_port_that_another_tunnel_has_is_said_to_be_that_tunnels(work: Context, echo: Address) -> None:
    await perform(BY_ID["tunnel.add"], work, (), answers(echo))
    status = work.tunnels.status("t")
    assert status
    assert status.local
    with pytest.raises(WrongAnswer, match=f"Port {status.local.port} is taken by tunnel t; "):
        await perform(BY_ID["tunnel.add"], work, (), answers(echo, name="u", local=str(status.local.port)))


async def test_a_new_try_says_what_came_of_it(work: Context, echo: Address) -> None:
    await perform(BY_ID["tunnel.add"], work, (), answers(echo))
    said = await BY_ID["tunnel.retry"].run(work, [Subject("local", tunnel="t")], {})
    assert said.startswith("t is up: ")


async def test_without_a_port_the_same_is_taken_and_else_the_next(work: Context) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        to = Address("localhost", busy.getsockname()[1])
        await perform(BY_ID["tunnel.add"], work, (), answers(to))
        first = work.tunnels.status("t")
        await perform(BY_ID["tunnel.down"], work, [Subject("local", tunnel="t")])
        await perform(BY_ID["tunnel.add"], work, (), answers(to, name="u"))
        other = work.tunnels.status("u")
    assert first
    assert other
    assert first.local
    assert first.local.port > to.port
    assert other.local != first.local, "that port is promised to a tunnel that is down"


async def test_the_same_once_more_is_no_mistake_and_another_of_its_name_is(work: Context, echo: Address) -> None:
    await perform(BY_ID["tunnel.add"], work, (), answers(echo))
    await perform(BY_ID["tunnel.add"], work, (), answers(echo))
    assert len(all_tunnels(work)) == 1
    with pytest.raises(WrongAnswer, match="another tunnel t already") as refused:
        await perform(BY_ID["tunnel.add"], work, (), answers(Address("localhost", 1)))
    assert refused.value.field == "name"


@pytest.mark.parametrize(
    ("more", "field"),
    [({"to": "no port"}, "to"), ({"to": ""}, "to"), ({"local": "70000"}, "local"), ({"name": "-x"}, "name")],
)
async def test_a_wrong_answer_says_where(work: Context, more: dict[str, str], field: str) -> None:
    with pytest.raises(WrongAnswer) as wrong:
        await perform(BY_ID["tunnel.add"], work, (), {**answers(Address("localhost", 1)), **more})
    assert wrong.value.field == field


async def test_a_host_that_is_not_listed_is_refused(work: Context, echo: Address) -> None:
    with pytest.raises(UsageError, match="no host 'elsewhere'"):
        await perform(BY_ID["tunnel.add"], work, (), answers(echo, host="elsewhere"))


async def test_what_its_host_asks_meanwhile_is_awaited(work: Context, asked: Asked, echo: Address) -> None:
    said = await perform(BY_ID["tunnel.add"], work, (), answers(echo, host="locked"))
    assert said
    assert said.startswith("t is up")
    assert asked.waiting == [{"locked"}]
    assert work.tunnels.awaited == set()


async def test_who_uses_it_is_named_before_it_ends_and_no_is_no(
    work: Context, front: ScriptedFront, echo: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    await perform(BY_ID["tunnel.add"], work, (), answers(echo))
    status = work.tunnels.status("t")
    assert status
    monkeypatch.setattr(work.tunnels, "statuses", lambda: (replace(status, open_connections=2),))
    front.yes = False
    assert await perform(BY_ID["tunnel.down"], work, [Subject("local", tunnel="t")]) is None
    (question,) = front.confirmed
    assert [(loss.what, loss.how) for loss in question.losses] == [("t", "2 open connections through it will break")]
    assert question.runs == "jupytui tunnel down t"
    assert await says_back(status.local)


async def test_nothing_is_changed_in_read_only_mode_and_what_makes_no_sense_is_refused(
    work: Context, echo: Address
) -> None:
    await perform(BY_ID["tunnel.add"], work, (), answers(echo))
    subject = [Subject("local", tunnel="t")]
    with pytest.raises(Refused, match="up already"):
        await perform(BY_ID["tunnel.up"], work, subject)
    assert why_not(BY_ID["tunnel.up"], work, [Subject("local", tunnel="gone")]) == "The tunnel gone is gone."
    work.read_only = True
    for verb in ("add", "up", "down", "remove", "retry", "keep"):
        with pytest.raises(Refused, match="read-only"):
            await perform(BY_ID[f"tunnel.{verb}"], work, subject)
    assert await perform(BY_ID["tunnel.copy"], work, subject)


async def test_in_read_only_mode_the_way_is_a_tunnel_that_is_up_or_none(work: Context, echo: Address) -> None:
    subject = Subject("local", f"local:{echo.port}")
    server = Server(f"local:{echo.port}", 1, App.LAB, port=echo.port, bind="loopback")
    work.fleet.store.apply(HostView("local", servers=(server,)))
    with pytest.raises(Refused, match=f"No tunnel to local:{echo.port} is up, and with --read-only none is made"):
        await there_already(work, subject)
    assert not all_tunnels(work)
    await perform(BY_ID["tunnel.add"], work, (), answers(echo))
    assert await says_back(await there_already(work, subject))


async def test_its_address_is_copied_as_a_browser_wants_it(work: Context, front: ScriptedFront, echo: Address) -> None:
    await perform(BY_ID["tunnel.add"], work, (), answers(echo))
    status = work.tunnels.status("t")
    assert status
    assert status.local
    await perform(BY_ID["tunnel.copy"], work, [Subject("local", tunnel="t")])
    assert front.copied == [f"http://localhost:{status.local.port}/"]


async def test_without_a_keeper_to_be_had_it_is_said(front: ScriptedFront) -> None:
    with pytest.raises(JupytuiError, match="no tunnels here"):
        await perform(BY_ID["tunnel.add"], context(front), (), answers(Address("localhost", 1)))


async def test_a_port_that_was_chosen_and_is_lost_to_somebody_faster_is_chosen_anew(
    work: Context, echo: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as faster:
        port = faster.getsockname()[1]
        free = ports.is_free
        answered: list[int] = []

        def is_free(one: int) -> bool:
            answered.append(one)
            return len(answered) <= 2 or free(one)  # it was free when it was chosen, and looked at once more

        monkeypatch.setattr(ports, "is_free", is_free)
        await perform(BY_ID["tunnel.add"], work, (), answers(Address("localhost", port)))
    status = work.tunnels.status("t")
    assert answered[:2] == [port, port]
    assert status
    assert status.local
    assert status.local.port > port
