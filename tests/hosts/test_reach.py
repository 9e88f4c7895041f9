"""The way to a host: jump hosts, proxies, shells that end at once, and what each failure is called."""

from __future__ import annotations

import asyncio
import shutil
import socket
from pathlib import Path

import asyncssh
import pytest

from jupytui.errors import CommandError
from jupytui.hosts.base import HostState, HostTrouble
from jupytui.hosts.limits import Gates
from tests.hosts.account import Account, Person, free_port, lets_in, trouble
from tests.hosts.processes import until
from tests.hosts.server import Serve, pump
from tests.hosts.sshd import Sshd


async def test_a_banner_disturbs_nobody_and_is_in_the_detail_of_a_failure(account: Account, serve: Serve) -> None:
    await serve(keys=[account.key], banner="Property of \x1b]0;ACME\x07\n")
    await lets_in(account)
    account.new_key("id")
    error = await trouble(account)
    assert "Property of \N{REPLACEMENT CHARACTER}]0;ACME" in error.detail


async def test_a_login_shell_that_ends_at_once_is_no_shell(account: Account, serve: Serve) -> None:
    await serve(keys=[account.key], shell="/bin/false")
    host = account.open("box")
    await host.connect()
    shell = await host.shell()
    for attempt in (lambda: shell.ask(b"true"), lambda: host.run("true")):
        with pytest.raises(HostTrouble) as caught:
            await attempt()
        assert caught.value.state is HostState.NO_SHELL
    await host.close()


async def test_a_host_that_opens_no_session_is_no_shell_and_only_the_user_can_help(
    sshd: Sshd, account: Account
) -> None:
    sshd.start("MaxSessions 0")
    host = account.open("box")
    await host.connect()
    for attempt in (host.shell, lambda: host.run("true")):
        with pytest.raises(HostTrouble) as caught:
            await attempt()
        assert (caught.value.state, caught.value.retry) == (HostState.NO_SHELL, False)
        assert "MaxSessions 0" in caught.value.hint
    await host.close()


async def test_a_host_that_opens_one_session_only_has_a_shell_and_says_what_it_refuses(
    sshd: Sshd, account: Account
) -> None:
    sshd.start("MaxSessions 1")
    host = account.open("box")
    await host.connect()
    shell = await host.shell()
    with pytest.raises(CommandError, match="no further session"):
        await host.run("true")
    assert await shell.ask(b"echo here") == b"here\n"
    await host.close()


async def test_what_startup_files_print_is_no_answer(account: Account, serve: Serve, tmp_path: Path) -> None:
    shell = tmp_path / "noisy"
    shell.write_text('#!/bin/sh\nhead -c 300000 /dev/urandom\necho hello; echo oops >&2\nexec /bin/sh "$@"\n')
    shell.chmod(0o755)
    await serve(keys=[account.key], shell=str(shell))
    host = account.open("box")
    await host.connect()
    assert await (await host.shell()).ask(b"echo asked") == b"asked\n"
    done = await host.run("echo ran; echo err >&2")
    assert (done.stdout, done.stderr) == (b"ran\n", b"err\n")
    async with host.stream("echo streamed") as process:
        assert await process.read() == b"streamed\n"
    await host.close()


async def test_every_hop_is_checked_and_asked_on_its_own(account: Account, serve: Serve) -> None:
    outer = await serve("outer", password="one")
    middle = await serve("middle", password="two", lines=("ProxyJump outer",))
    inner = await serve("inner", keys=[account.key], lines=("ProxyJump middle",))
    person = Person(["one", "two"])
    await lets_in(account, person, "inner")
    assert [prompt.host for prompt in person.asked] == ["outer", "middle"]
    assert [len(server.connections) for server in (outer, middle, inner)] == [1, 1, 1]


async def test_a_jump_host_whose_key_changed_gets_nothing_and_leads_nowhere(account: Account, serve: Serve) -> None:
    bastion = await serve("bastion", password="one", known=False)
    account.know(bastion.port, asyncssh.generate_private_key("ssh-ed25519"))
    inner = await serve("inner", keys=[account.key], lines=("ProxyJump bastion",))
    error = await trouble(account, Person(["one"]), "inner")
    assert error.state is HostState.KEY_CHANGED
    assert error.message.startswith("The host key of bastion")
    assert not bastion.offers
    assert not inner.connections


async def test_hosts_behind_one_jump_host_share_the_way_to_it(account: Account, serve: Serve) -> None:
    bastion = await serve("bastion", password="one")
    names = [f"inner{number}" for number in range(5)]
    for name in names:
        await serve(name, keys=[account.key], lines=("ProxyJump bastion",))
    gates, person = Gates(), Person(["one"])
    hosts = [account.open(name, person, gates) for name in names]
    await asyncio.gather(*(host.connect() for host in hosts))
    assert len(person.asked) == len(bastion.connections) == 1
    for host in hosts:
        assert (await host.run("echo in")).stdout == b"in\n"
        await host.close()
    await bastion.connections[0].wait_closed()


async def test_what_a_jump_host_cannot_reach_is_refused_or_unreachable(account: Account, sshd: Sshd) -> None:
    sshd.start()
    account.add_host("refused", free_port(), "ProxyJump box")
    assert (await trouble(account, name="refused")).state is HostState.REFUSED
    account.add_host("nowhere", 22, "ProxyJump box")
    account.config.write_text(
        account.config.read_text().replace("Host nowhere\n", "Host nowhere\n  HostName no.invalid\n")
    )
    error = await trouble(account, name="nowhere")
    assert error.state is HostState.UNREACHABLE
    assert "The jump host cannot reach nowhere" in error.message


@pytest.mark.skipif(not shutil.which("nc"), reason="no nc here")
async def test_a_proxy_command_carries_the_connection_and_its_words_explain_its_failure(
    account: Account, serve: Serve
) -> None:
    server = await serve(keys=[account.key], known=True)
    account.know(22, server.host_keys[0])
    account.add_host("good", server.port, "ProxyCommand sh -c 'echo noise >&2; exec nc %h %p'")
    await lets_in(account, name="good")
    account.add_host("bad", server.port, "ProxyCommand sh -c 'echo no such \x1b[2Jtunnel >&2; exit 1'")
    error = await trouble(account, name="bad")
    assert error.state is HostState.UNREACHABLE
    assert "no such \N{REPLACEMENT CHARACTER}[2Jtunnel" in error.detail


async def test_too_many_keys_are_an_authentication_failure_that_names_the_cure(account: Account, sshd: Sshd) -> None:
    sshd.start("MaxAuthTries 2")
    names = [f"other{number}" for number in range(4)]
    for name in names:
        account.new_key(name)
    account.add_host("many", sshd.port, *(f"IdentityFile {account.directory / name}" for name in names))
    error = await trouble(account, name="many")
    assert error.state is HostState.AUTH_FAILED
    assert "IdentitiesOnly" in error.hint


async def test_a_lost_host_is_dialled_again_over_the_jump_host_that_is_still_there(
    account: Account, serve: Serve
) -> None:
    bastion = await serve("bastion", password="one")
    inner = await serve("inner", keys=[account.key], lines=("ProxyJump bastion",))
    person = Person(["one"])
    host = account.open("inner", person)
    await host.connect()
    inner.connections[0].abort()
    await until(lambda: not host.connected)
    await host.connect()
    assert len(person.asked) == len(bastion.connections) == 1
    await host.close()


async def test_a_port_where_nobody_listens_is_refused(account: Account) -> None:
    account.add_host("box", free_port())
    error = await trouble(account)
    assert error.state is HostState.REFUSED
    assert error.retry


async def test_a_name_that_nobody_knows_is_unreachable(account: Account) -> None:
    account.add_host("box", 22, "HostName no-such-machine.invalid")
    account.config.write_text(account.config.read_text().replace("HostName 127.0.0.1\n", "", 1))
    error = await trouble(account)
    assert error.state is HostState.UNREACHABLE
    assert "No machine is called no-such-machine.invalid" in error.message


async def test_a_server_that_says_nothing_is_unreachable_after_the_configured_time(account: Account) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        account.add_host("box", silent.getsockname()[1], "ConnectTimeout 1")
        error = await trouble(account)
    assert error.state is HostState.UNREACHABLE
    assert "no reply for 1 s" in error.message


async def test_a_server_that_hangs_up_before_it_speaks_is_dialled_again_within_the_attempt(
    account: Account, serve: Serve
) -> None:
    server = await serve("real", keys=[account.key])
    hangups = 2

    async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal hangups
        if hangups:
            hangups -= 1
            writer.write(b"Exceeded MaxStartups\r\n")
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.wait(
            [asyncio.create_task(pump(reader, far_writer)), asyncio.create_task(pump(far_reader, writer))],
            return_when=asyncio.FIRST_COMPLETED,
        )
        writer.close()
        far_writer.close()

    async with await asyncio.start_server(busy, "127.0.0.1", 0) as front:
        port = front.sockets[0].getsockname()[1]
        account.know(port, server.host_keys[0])
        account.add_host("box", port)
        await lets_in(account)
    assert hangups == 0


async def test_a_cancelled_connect_leaves_nothing_behind(account: Account, serve: Serve) -> None:
    server = await serve(password="right")
    host = account.open("box", Person(["right"], pause=1000))
    task = asyncio.create_task(host.connect())
    await until(lambda: bool(server.connections))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.connections[0].wait_closed()
    assert not host.connected
    await host.close()


async def test_many_callers_share_one_attempt(account: Account, serve: Serve) -> None:
    server = await serve(keys=[account.key])
    host = account.open("box")
    await asyncio.gather(*(host.connect() for _ in range(5)))
    assert len(server.connections) == 1
    await host.close()


async def test_a_broken_configuration_names_the_line(account: Account) -> None:
    account.config.write_text("Host box\n  Nonsense yes\n")
    error = await trouble(account)
    assert "line 2" in error.hint + error.detail


@pytest.mark.parametrize("name", ["-oProxyCommand=touch x", "me@-oProxyCommand=x", ""])
async def test_a_name_is_never_taken_for_an_option(account: Account, name: str) -> None:
    assert "not a name" in (await trouble(account, name=name)).message if name else True
