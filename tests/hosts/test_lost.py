"""When the connection goes away, and what a real sshd's limits do to many commands at once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jupytui.hosts.base import Host, HostState, HostTrouble
from jupytui.hosts.limits import Gates
from tests.hosts.account import Account
from tests.hosts.processes import a_nap
from tests.hosts.sshd import Sshd


async def session_of(host: Host) -> int:
    """Return the pid of the sshd process that holds the host's connection."""
    shell = await host.shell()
    return int(await shell.ask(b"echo $PPID"))


async def test_everything_under_way_ends_when_the_connection_is_lost(box: Host, sshd: Sshd) -> None:
    pid = await session_of(box)
    tcp = await box.open_tcp("127.0.0.1", sshd.port)
    await tcp.read()
    shell = await box.shell()
    resident = int(await shell.ask(b"echo $$"))
    running = asyncio.create_task(box.run(a_nap()))
    asking = asyncio.create_task(shell.ask(a_nap().encode()))
    async with box.stream("echo begun; exec sleep 1000") as process:
        await process.read()
        os.kill(pid, signal.SIGKILL)
        assert await process.read() == b""
        assert await process.wait() is None
    for task in (running, asking):
        with pytest.raises(HostTrouble) as caught:
            await task
        assert caught.value.state is HostState.DOWN
    with pytest.raises(OSError, match="lost"):
        await tcp.read()
    assert not box.connected
    with pytest.raises(HostTrouble):
        await box.run("true")
    await box.connect()
    assert await (await box.shell()).ask(b"echo back") == b"back\n"
    os.killpg(resident, signal.SIGKILL)  # it would finish the question it was at before it sees the end of its stdin


async def test_a_hung_host_is_found_out_by_keepalive(box: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupytui.hosts.dial.KEEPALIVE_INTERVAL", 0.2)
    await box.close()
    await box.connect()
    shell = await box.shell()
    pid = await session_of(box)
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(HostTrouble) as caught:
            await shell.ask(b"echo", deadline=30)
        assert caught.value.state is HostState.DOWN
        assert "keepalive" in caught.value.detail
        assert not box.connected
    finally:
        os.kill(pid, signal.SIGKILL)


async def test_forty_commands_at_once_all_run_within_the_ten_sessions_of_a_default_sshd(box: Host) -> None:
    await box.shell()
    done = await asyncio.gather(*(box.run('echo "$1"', str(number)) for number in range(40)))
    assert [one.stdout for one in done] == [b"%d\n" % number for number in range(40)]


async def test_forty_hosts_on_one_sshd_all_get_in_though_it_drops_the_eleventh(sshd: Sshd, account: Account) -> None:
    sshd.start()
    gates = Gates()
    hosts = [account.open("box", gates=gates) for _ in range(40)]
    await asyncio.gather(*(host.connect() for host in hosts))
    assert all(host.connected for host in hosts)
    await asyncio.gather(*(host.close() for host in hosts))
    assert "drop connection" not in (sshd.directory / "log").read_text()


@pytest.mark.parametrize("shell", ["/usr/bin/fish", "/usr/bin/zsh", "/bin/csh", "/usr/bin/tcsh", "/bin/bash"])
async def test_any_login_shell_will_do(sshd: Sshd, account: Account, shell: str) -> None:
    if not Path(shell).exists():
        pytest.skip(f"no {shell} here")
    sshd.start(f'ForceCommand {shell} -c "$SSH_ORIGINAL_COMMAND"')
    host = account.open("box")
    await host.connect()
    text = "it's \\ \"x\" $HOME `y` !! \\' \\\\ \n end\n"
    done = await host.run('printf %s "$1"; cat', text, stdin=b"\\'!\n")
    assert done.stdout == text.encode() + b"\\'!\n"
    assert await (await host.shell()).ask(b'echo "it\'s"') == b"it's\n"
    await host.close()


def test_asyncssh_is_not_imported_before_a_host_is_dialled() -> None:
    program = (
        "import sys, jupytui.hosts.open as o, jupytui.hosts.base as b, jupytui.hosts.limits as l\n"
        "o.open_host(b.Destination('x', 'x'), b.Nobody(), l.Gates())\n"
        "assert not {'asyncssh', 'cryptography'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
