"""Tunnels and what hosts.toml says of them."""

from __future__ import annotations

import os
from pathlib import Path

from jupytui.actions.base import Context, perform
from jupytui.actions.table import BY_ID
from jupytui.actions.tunnel_words import all_tunnels
from jupytui.actions.tunnels import bring_up
from jupytui.actions.way import leading
from jupytui.config.load import load_config
from jupytui.config.paths import Paths
from jupytui.fleet.subject import Subject
from jupytui.tunnels import ports
from jupytui.tunnels.models import Address, Behind, Tunnel, TunnelState
from tests.actions.tunnels.conftest import answers, elsewhere
from tests.tunnels.keeper.conftest import says_back


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
