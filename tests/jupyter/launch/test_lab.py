"""Real hosts: every way a server is let in and kept alive, reboots, sudo, no systemd, and kill -9 at every step."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jupytui.fleet.probe import Probe
from jupytui.hosts.base import Host
from jupytui.jupyter.client import JupyterApi
from jupytui.jupyter.launch.causes import LaunchFailed
from jupytui.jupyter.launch.ground import Unlaunchable
from jupytui.jupyter.launch.lifecycle import Mended, Way, restart, start_unit, stop
from jupytui.jupyter.launch.services import jupyter_services
from jupytui.jupyter.launch.shutdown import Target
from jupytui.jupyter.launch.spec import Keep, Spec
from jupytui.jupyter.launch.start import launch
from jupytui.jupyter.models import Health, Server, Unit
from jupytui.systemd import control
from jupytui.systemd.sudo import NotRoot
from tests.jupyter.launch.conftest import Alice, reach
from tests.lab.host import LabHost
from tests.lab.jupyter import PASSWORD, Recipe, start_jupyter
from tests.lab.lab import Lab

SEVEN = {
    "token": (Recipe("token", "user-unit", "a.ipynb", token="t0ken"), Way.UNIT),
    "password only": (Recipe("password", "nohup", "a.ipynb", password=PASSWORD, log="/home/alice/nohup.out"), Way.TERM),
    "TLS": (Recipe("tls", "nohup", "a.ipynb", token="t0ken", tls=True, log="/home/alice/nohup.out"), Way.API),
    "unix socket": (
        Recipe("sock", "nohup", "a.ipynb", token="t0ken", sock="/home/alice/j.sock", port=0, log="/home/alice/n.out"),
        Way.API,
    ),
    "system unit": (Recipe("system", "system-unit", "a.ipynb", token="t0ken"), Way.UNIT),
    "nohup": (Recipe("nohup", "nohup", "a.ipynb", token="t0ken", log="/home/alice/nohup.out"), Way.API),
    "tmux": (Recipe("tmux", "tmux", "a.ipynb", token="t0ken"), Way.API),
}


async def only_server(probe: Probe) -> Server:
    """Look until the one server there has answered."""
    async with asyncio.timeout(30):
        while True:
            view = await probe.look()
            # A power cut leaves the runtime files of what ran: they are stale.
            alive = [server for server in view.servers if server.health is not Health.STALE]
            if len(alive) == 1 and alive[0].version:
                return alive[0]


async def target(probe: Probe) -> Target:
    server = await only_server(probe)
    api: JupyterApi = probe.api(server.id)
    await api.close()
    return Target(server.id, server.pid, server.port, server.sock, api.access)


@pytest.mark.parametrize("name", SEVEN)
async def test_every_server_restarts_and_stops_with_proof(lab: Lab, fresh_host: LabHost, far: Host, name: str) -> None:
    recipe, way = SEVEN[name]
    start_jupyter(lab, fresh_host, dataclasses.replace(recipe, name=fresh_host.name))
    probe = Probe(far)
    meant = await target(probe)
    back = await restart(far, meant, Alice("lab"))
    assert back.answer.pid != meant.pid
    assert (back.answer.port, back.answer.sock) == (meant.port, meant.sock)
    assert not fresh_host.exec(f"ls /proc/{meant.pid}", check=False).stdout
    if recipe.keep == "tmux":
        assert back.was.startswith("/dev/pts/")
        assert back.log.endswith(f"/jupytui/servers/jupyter-{meant.port}.log")
    elif not back.unit:
        assert back.same_log
    again = await target(probe)
    assert again.pid == back.answer.pid
    ended = await stop(far, again, Alice("lab"))
    assert ended.way is way
    left = (await probe.look()).servers
    assert all(server.unit and server.health is Health.STALE for server in left), "its unit is shown as stopped"
    assert not fresh_host.exec(
        "ls /home/alice/.local/share/jupyter/runtime/jpserver-* /home/alice/j.sock", check=False
    ).stdout
    assert "8888" not in fresh_host.exec("ss -ltnH").stdout
    await probe.close()


@pytest.mark.parametrize(("keep", "answers"), [(Keep.USER_UNIT, ()), (Keep.SYSTEM_UNIT, ("lab",))])
async def test_a_unit_survives_a_reboot(
    lab: Lab, fresh_host: LabHost, far: Host, python: str, keep: Keep, answers: tuple[str, ...]
) -> None:
    alice = Alice(*answers)
    done = await launch(far, Spec(python, port=8888, keep=keep), alice)
    assert [prompt.kind for prompt in alice.asked] == ["password"] * len(answers)
    unit = Unit(done.plan.unit, keep.scope)
    assert "lab" not in fresh_host.exec("cat /proc/[0-9]*/cmdline", check=False).stdout.split("\0")
    await far.close()
    fresh_host.reboot()
    again = await reach(lab, fresh_host)
    probe = Probe(again)
    server = await only_server(probe)
    assert (server.unit, server.port) == (unit, 8888)
    service = (await jupyter_services(again, (server,))).get(f"{keep.scope}:{unit.name}")
    assert service
    assert (service.active, service.enabled, service.main_pid) == ("active", "enabled", server.pid)
    alice = Alice("lab", "lab", "lab")
    await stop(again, await target(probe), alice)
    back = await start_unit(again, unit, alice)
    assert back.answer.port == 8888
    await control.remove(again, alice, unit.scope, unit.name, done.plan.unit_path)
    assert not (await jupyter_services(again)).services
    assert not fresh_host.exec("ls /proc/$1", str(back.answer.pid), check=False).stdout
    await probe.close()
    await again.close()


async def test_a_wrong_sudo_password_is_asked_again_and_then_nothing_is_done(
    fresh_host: LabHost, far: Host, python: str
) -> None:
    alice = Alice("wrong", "worse", "worst")
    with pytest.raises(NotRoot, match="refused the password 3 times"):
        await launch(far, Spec(python, port=8888, keep=Keep.SYSTEM_UNIT), alice)
    assert [prompt.again for prompt in alice.asked] == [False, True, True]
    assert not fresh_host.exec("ls /etc/systemd/system/jupyter* /var/log/jupytui", check=False).stdout


async def test_without_systemd_a_process_is_kept_past_the_connection(
    lab: Lab, fresh_host: LabHost, far: Host, python: str
) -> None:
    fresh_host.exec("mv /run/systemd/system /run/systemd/away")
    with pytest.raises(Unlaunchable, match="no systemd"):
        await launch(far, Spec(python, port=8888), Alice())
    done = await launch(far, Spec(python, port=8888, keep=Keep.PROCESS), Alice())
    await far.close()
    again = await reach(lab, fresh_host)
    probe = Probe(again)
    server = await only_server(probe)
    assert (server.pid, server.unit) == (done.answer.pid, None)
    assert not (await jupyter_services(again)).systemd
    back = await restart(again, await target(probe), Alice())
    assert fresh_host.exec(f"cat {done.plan.pid_path}").stdout.split() == [str(back.answer.pid), back.answer.start]
    await stop(again, await target(probe), Alice())
    assert not fresh_host.exec(f"ls {done.plan.pid_path}", check=False).stdout
    await probe.close()
    await again.close()


LEFT = (
    "ls /home/alice/.config/systemd/user/*.service /home/alice/.config/systemd/user/*/*.service "
    "/home/alice/.local/state/jupytui/servers/* /var/lib/systemd/linger/* "
    "/home/alice/.local/share/jupyter/runtime/jpserver-* /etc/systemd/system/jupyter* /var/log/jupytui/*; "
    "pgrep -af 'jupyter-[l]ab|python -[I] -S'"
)


async def _at_rest(host: LabHost) -> str:
    """Wait until nothing of a launch is left, or a server with its unit is whole; return what is there."""
    for _ in range(300):
        left = host.exec(LEFT, check=False).stdout
        if not left:
            return ""
        await asyncio.sleep(0.1)
    return left


@pytest.mark.timeout(600)
@pytest.mark.parametrize("keep", [Keep.USER_UNIT, Keep.SYSTEM_UNIT])
async def test_killed_at_ten_moments_it_leaves_no_unit_no_file_and_no_process(
    lab: Lab, fresh_host: LabHost, python: str, keep: Keep
) -> None:
    for number in range(10):
        seconds = 0.1 + 0.28 * number
        command = [sys.executable, "-m", "tests.jupyter.launch.killed", python, "8888", keep, str(seconds)]
        command += [fresh_host.name, str(lab.ssh_config)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
        assert done.returncode == -signal.SIGKILL, done.stderr
        if "launched" in done.stdout:
            break
        if left := await _at_rest(fresh_host):
            # It had answered, and the word to keep it was on its way: then all of it is kept.
            assert "answer" in done.stdout, f"after {seconds} s: {done.stdout.split()}: {left}"
            _assert_whole(fresh_host, keep)
            break


def _assert_whole(host: LabHost, keep: Keep) -> None:
    scope, user = ("--user", "alice") if keep is Keep.USER_UNIT else ("--system", "root")
    for state in ("is-active", "is-enabled"):
        host.exec(f"systemctl {scope} {state} jupyter-8888", user=user)
    assert "127.0.0.1:8888" in host.listening()


async def test_a_link_cut_for_good_while_it_starts_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, lab: Lab, fresh_host: LabHost, far: Host, python: str
) -> None:
    monkeypatch.setattr("jupytui.jupyter.launch.start.LEASE", 5.0)

    def cut(step: str) -> None:
        if step == "wait":
            fresh_host.cut()

    task = asyncio.create_task(launch(far, Spec(python, port=8888), Alice(), cut))
    assert not await _at_rest_after(fresh_host)
    fresh_host.heal()
    task.cancel()
    await asyncio.wait([task])


async def _at_rest_after(host: LabHost) -> str:
    async with asyncio.timeout(30):
        while "jupyter-8888.service" not in host.exec(LEFT, check=False).stdout:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return await _at_rest(host)


async def test_a_full_disk_is_told_and_leaves_nothing_and_trying_again_works(
    fresh_host: LabHost, far: Host, python: str
) -> None:
    units = "/home/alice/.config/systemd/user"
    fresh_host.exec(f"mkdir -p {units}", user="alice")
    fresh_host.exec(f"mount -t tmpfs -o size=4k,uid=$(id -u alice) tmpfs {units}; head -c 4096 /dev/zero >{units}/x")
    with pytest.raises(LaunchFailed, match="disk is full"):
        await launch(far, Spec(python, port=8888), Alice())
    assert not fresh_host.exec(LEFT, check=False).stdout
    fresh_host.exec(f"umount {units}")
    assert (await launch(far, Spec(python, port=8888), Alice())).answer.port == 8888


async def test_a_unit_that_comes_back_and_answers_nobody_is_mended_and_started_once_more(
    monkeypatch: pytest.MonkeyPatch, fresh_host: LabHost, far: Host, python: str
) -> None:
    monkeypatch.setattr("jupytui.jupyter.launch.proof._LONGEST", 1.0)
    done = await launch(far, Spec(python, port=8888), Alice())
    config = "/home/alice/.jupyter/jupyter_server_config.py"
    fresh_host.exec(
        f"mkdir -p .jupyter; echo bad >bad.pem; echo \"c.ServerApp.certfile='$PWD/bad.pem'\" >{config}", user="alice"
    )

    async def mend() -> None:
        fresh_host.exec(f"rm {config}")

    probe = Probe(far)
    with pytest.raises(Mended, match="does not answer") as mended:
        await restart(far, await target(probe), Alice(), mend)
    server = await only_server(probe)
    assert (server.pid, server.port) == (mended.value.back.answer.pid, 8888)
    assert server.unit == Unit(done.plan.unit, "user")
    await probe.close()
