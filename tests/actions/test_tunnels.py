"""What is done to tunnels reaches a keeper; its switchboard is a stand-in."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from jupytui.actions import browser
from jupytui.actions.base import Context, Refused, perform, why_not
from jupytui.actions.table import BY_ID
from jupytui.actions.tunnel_words import all_tunnels
from jupytui.actions.tunnels import bring_up
from jupytui.actions.way import leading, there_already
from jupytui.config.load import load_config
from jupytui.config.paths import Paths
from jupytui.errors import JupytuiError, UsageError, WrongAnswer
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Nobody, SecretPrompt
from jupytui.jupyter.models import App, Server
from jupytui.secret import Secret
from jupytui.tunnels import ports
from jupytui.tunnels.keeper.access import Tunnels
from jupytui.tunnels.keeper.server import Keeper
from jupytui.tunnels.models import Address, Behind, Status, Tunnel, TunnelKind, TunnelState
from tests.actions.front import ScriptedFront, context
from tests.tunnels.keeper.conftest import echo as echo  # noqa: PLC0414 - pytest finds it here
from tests.tunnels.keeper.conftest import keeper as keeper  # noqa: PLC0414 - pytest finds it here
from tests.tunnels.keeper.conftest import paths as paths  # noqa: PLC0414 - pytest finds it here
from tests.tunnels.keeper.conftest import place as place  # noqa: PLC0414 - pytest finds it here
from tests.tunnels.keeper.conftest import says_back
from tests.tunnels.keeper.stand_in import PASSPHRASE


class Asked(Nobody):
    """Knows the passphrase, and who waited for it."""

    def __init__(self) -> None:
        self.waiting: list[set[str]] = []
        self.tunnels: Tunnels | None = None

    async def secret(self, prompt: SecretPrompt) -> Secret | None:
        assert self.tunnels
        self.waiting.append(set(self.tunnels.awaited))
        return Secret(PASSPHRASE)


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def front() -> ScriptedFront:
    return ScriptedFront()


@pytest.fixture
async def work(paths: Paths, keeper: Keeper, front: ScriptedFront, asked: Asked) -> AsyncIterator[Context]:
    async with Tunnels(paths, asked) as tunnels:
        asked.tunnels = tunnels
        yield replace(context(front, config=load_config(paths.hosts)), tunnels=tunnels)


def answers(to: Address, **more: str) -> Mapping[str, str]:
    return {"host": "local", "kind": "local", "to": str(to), "name": "t", **more}


def elsewhere() -> Mapping[str, str]:
    """What describes a tunnel to where nobody is; by itself it would listen at the very port it leads to."""
    return answers(Address("localhost", 1), local=str(ports.next_free(20000)))


async def test_a_tunnel_is_made_and_carries(work: Context, echo: Address) -> None:
    said = await perform(BY_ID["tunnel.add"], work, (), answers(echo))
    status = work.tunnels.status("t")
    assert status
    assert said == f"t is up: {status.local} leads to {echo} on local."
    assert await says_back(status.local)
    assert work.config.tunnels == ()


async def test_one_to_be_kept_is_in_hosts_toml_until_it_is_removed(work: Context, paths: Paths, echo: Address) -> None:
    before = paths.hosts.read_text()
    await perform(BY_ID["tunnel.add"], work, (), answers(echo, keep="yes"))
    assert [(entry.name, entry.up) for entry in load_config(paths.hosts).tunnels] == [("t", True)]
    subject = [Subject("local", tunnel="t")]
    await perform(BY_ID["tunnel.unkeep"], work, subject)
    assert not load_config(paths.hosts).tunnels[0].up
    await perform(BY_ID["tunnel.keep"], work, subject)
    assert load_config(paths.hosts).tunnels[0].up
    assert await perform(BY_ID["tunnel.remove"], work, subject)
    assert paths.hosts.read_text() == before
    assert all_tunnels(work) == ()


async def test_a_tunnel_listens_at_a_unix_socket_of_this_machine(
    paths: Paths, work: Context, echo: Address, home: Path
) -> None:
    path = home / "t.sock"
    said = await perform(BY_ID["tunnel.add"], work, (), answers(echo, local=str(path), keep="yes"))
    assert said
    assert f"{path} leads to {echo}" in said
    assert path.stat().st_mode & 0o777 == 0o600
    assert await says_back(Address(path=str(path)))
    (entry,) = load_config(paths.hosts).tunnels
    assert entry.local == str(path)
    subject = [Subject("local", tunnel="t")]
    await perform(BY_ID["tunnel.down"], work, subject)
    await perform(BY_ID["tunnel.up"], work, subject)
    assert await says_back(Address(path=str(path)))


async def test_what_only_hosts_toml_names_is_brought_up_from_there(paths: Paths, work: Context, echo: Address) -> None:
    paths.hosts.write_text(f'{paths.hosts.read_text()}[tunnels.listed]\nhost = "local"\nto = "{echo}"\n')
    work.config = load_config(paths.hosts)
    (status,) = all_tunnels(work)
    assert (status.tunnel.name, status.state, status.since) == ("listed", TunnelState.DOWN, 0)
    await perform(BY_ID["tunnel.up"], work, [Subject("local", tunnel="listed")])
    (status,) = all_tunnels(work)
    assert await says_back(status.local)


async def test_an_edit_of_hosts_toml_counts_when_a_tunnel_is_brought_up_again(
    paths: Paths, work: Context, echo: Address
) -> None:
    subject, before = [Subject("local", tunnel="t")], paths.hosts.read_text()
    await perform(BY_ID["tunnel.add"], work, (), elsewhere())
    await perform(BY_ID["tunnel.down"], work, subject)
    paths.hosts.write_text(f'{before}[tunnels.t]\nhost = "local"\nto = "{echo}"\n')
    await perform(BY_ID["tunnel.up"], work, subject)
    status = work.tunnels.status("t")
    assert status
    assert await says_back(status.local)
    work.config = load_config(paths.hosts)
    await perform(BY_ID["tunnel.down"], work, subject)
    paths.hosts.write_text(f'{before}[tunnels.t]\nhost = "local"\nto = "{Address("localhost", 2)}"\n')
    work.config = load_config(paths.hosts)
    assert [status.tunnel.to for status in all_tunnels(work)] == [Address("localhost", 2)]


async def test_a_tunnel_that_is_listed_as_it_is_keeps_what_it_knows_of_its_server(
    paths: Paths, work: Context, echo: Address
) -> None:
    subject = [Subject("local", tunnel="t")]
    made = Tunnel("t", "local", local=Address("127.0.0.1", ports.next_free(echo.port)), to=echo, behind=Behind(pid=7))
    await bring_up(work, made)
    await perform(BY_ID["tunnel.keep"], work, subject)
    await perform(BY_ID["tunnel.down"], work, subject)
    await perform(BY_ID["tunnel.up"], work, subject)
    status = work.tunnels.status("t")
    assert status
    assert status.tunnel == made


async def test_a_new_try_is_made_as_hosts_toml_says_by_now(paths: Paths, work: Context, echo: Address) -> None:
    await perform(BY_ID["tunnel.add"], work, (), elsewhere())
    paths.hosts.write_text(f'{paths.hosts.read_text()}[tunnels.t]\nhost = "local"\nto = "{echo}"\n')
    await BY_ID["tunnel.retry"].run(work, [Subject("local", tunnel="t")], {})
    status = work.tunnels.status("t")
    assert status
    assert await says_back(status.local)


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


async def test_what_hosts_toml_wants_up_comes_up_with_jupytui_unless_it_was_taken_down(
    paths: Paths, work: Context, echo: Address
) -> None:
    wanted = f'host = "local"\nto = "{echo}"\nup = true\n'
    other = f'[tunnels.other]\nhost = "local"\nto = "{echo}"\n'
    taken = f"[tunnels.taken]\nlocal = {echo.port}\n{wanted}"
    paths.hosts.write_text(f"{paths.hosts.read_text()}[tunnels.wanted]\n{wanted}{other}{taken}")
    config = load_config(paths.hosts)
    (why,) = await work.tunnels.bring_listed(config)
    assert why.startswith("taken: ")
    assert {status.tunnel.name for status in work.tunnels.statuses()} == {"wanted"}
    status = work.tunnels.status("wanted")
    assert status
    assert await says_back(status.local)
    await perform(BY_ID["tunnel.down"], work, [Subject("local", tunnel="wanted")])
    await work.tunnels.bring_listed(config)
    assert [(one.tunnel.name, one.state) for one in work.tunnels.statuses()] == [("wanted", TunnelState.DOWN)]


async def test_a_tunnel_at_work_does_not_lead_where_its_entry_says_by_now(
    paths: Paths, work: Context, echo: Address
) -> None:
    await perform(BY_ID["tunnel.add"], work, (), answers(echo))
    elsewhere = Address("localhost", 9)
    paths.hosts.write_text(f'{paths.hosts.read_text()}[tunnels.t]\nhost = "local"\nto = "{elsewhere}"\nlocal = 9\n')
    work.config = load_config(paths.hosts)
    assert list(leading(work, "local", elsewhere)) == []
    assert [tunnel.name for tunnel in leading(work, "local", echo)] == ["t"]
    await perform(BY_ID["tunnel.down"], work, [Subject("local", tunnel="t")])
    assert [tunnel.name for tunnel in leading(work, "local", elsewhere)] == ["t"]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a browser was told to open."""
    urls: list[str] = []

    async def launch(_browser: tuple[str, ...], url: Secret) -> None:
        urls.append(url.reveal())

    monkeypatch.setattr(browser, "command", lambda: ("browser",))
    monkeypatch.setattr(browser, "launch", launch)
    return urls


def shared(url: str) -> Status:
    state = TunnelState.UP if url else TunnelState.DOWN
    return Status(Tunnel("share", "local", TunnelKind.PUBLIC, to=Address("localhost", 8888)), state, 1.0, url=url)


async def test_what_is_behind_a_tunnel_is_opened_though_nobody_knows_a_server_there(
    work: Context, front: ScriptedFront, opened: list[str], echo: Address
) -> None:
    subject = [Subject("local", tunnel="t")]
    await perform(BY_ID["tunnel.add"], work, (), answers(echo))
    status = work.tunnels.status("t")
    assert status
    assert status.local
    said = await perform(BY_ID["tunnel.open"], work, subject)
    assert opened == [f"http://localhost:{status.local.port}/"]
    assert said == f"Opened {opened[0]}."
    assert front.copied == []
    await perform(BY_ID["tunnel.down"], work, subject)
    with pytest.raises(Refused, match="t does not listen: bring it up first"):
        await perform(BY_ID["tunnel.open"], work, subject)


async def test_a_share_is_opened_at_its_address(
    work: Context, front: ScriptedFront, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work.tunnels, "statuses", lambda: (shared("https://lab.example.org"),))
    subject = [Subject("local", tunnel="share")]
    await perform(BY_ID["tunnel.open"], work, subject)
    assert opened == ["https://lab.example.org"]
    monkeypatch.setattr(browser, "command", lambda: None)
    await perform(BY_ID["tunnel.open"], work, subject)
    (page,) = front.offered
    assert (page.bare, page.notes) == ("https://lab.example.org", ())


@pytest.mark.parametrize("verb", ["open", "copy"])
async def test_a_share_that_is_down_leaves_the_clipboard_as_it_is(
    work: Context, front: ScriptedFront, opened: list[str], monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(work.tunnels, "statuses", lambda: (shared(""),))
    with pytest.raises(Refused, match="share has no address just now"):
        await perform(BY_ID[f"tunnel.{verb}"], work, [Subject("local", tunnel="share")])
    assert (opened, front.copied) == ([], [])


async def test_what_is_kept_says_what_brings_it_up_until_the_login_service_is_installed(
    work: Context, echo: Address, home: Path
) -> None:
    subject = [Subject("local", tunnel="t")]
    said = await perform(BY_ID["tunnel.add"], work, (), answers(echo, keep="yes"))
    assert said
    assert "`jupytui tunnel install`" in said
    await perform(BY_ID["tunnel.unkeep"], work, subject)
    said = await perform(BY_ID["tunnel.keep"], work, subject)
    assert said
    assert "`jupytui tunnel install`" in said
    units = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "systemd" / "user"
    units.mkdir(parents=True)
    (units / "jupytui-tunnels.service").touch()
    await perform(BY_ID["tunnel.unkeep"], work, subject)
    said = await perform(BY_ID["tunnel.keep"], work, subject)
    assert said == "t is in hosts.toml, to be up after a login."
