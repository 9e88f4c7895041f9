"""A server on this machine, as a process: it answers, or nothing of it is left."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from jupytui.hosts.local import LocalHost
from jupytui.jupyter.launch.causes import LaunchFailed
from jupytui.jupyter.launch.ground import Unlaunchable
from jupytui.jupyter.launch.lifecycle import Way, restart, stop
from jupytui.jupyter.launch.shutdown import Target
from jupytui.jupyter.launch.spec import Keep, Spec
from jupytui.jupyter.launch.start import Launched, launch
from jupytui.jupyter.models import Auth
from tests.jupyter.launch.conftest import Alice
from tests.jupyter.launch.living import at_rest, end_all, files, left_alone, runtime_files

ROOT = os.geteuid() == 0
KILL_POINTS = [round(0.12 * number, 2) for number in range(1, 25)]


def process(python: str, port: int, **more: object) -> Spec:
    return Spec(python, port=port, keep=Keep.PROCESS, allow_root=ROOT, **more)  # type: ignore[arg-type]


async def launched(host: LocalHost, spec: Spec) -> Launched:
    return await launch(host, spec, Alice())


async def test_a_process_answers_with_its_own_token_and_keeps_its_log_private(
    here: LocalHost, home: Path, python: str, port: int
) -> None:
    steps: list[str] = []
    done = await launch(here, process(python, port), Alice(), steps.append)
    assert (done.answer.port, done.answer.auth) == (port, Auth.TOKEN)
    assert steps == ["look", "log", "start", "wait", "answer"]
    log = Path(done.plan.log or "")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700
    pid, start = Path(done.plan.pid_path).read_text().split()
    assert (int(pid), start) == (done.answer.pid, done.answer.start)
    ended = await stop(here, Target("it", done.answer.pid, port), Alice())
    assert (ended.way, ended.ports) == (Way.TERM, (port,))
    await at_rest(home)
    assert not runtime_files(home)
    assert files(home) == [str(log.relative_to(home))]


async def test_no_secret_is_in_its_command_line_environment_or_log(
    here: LocalHost, home: Path, python: str, port: int
) -> None:
    done = await launched(here, process(python, port))
    runtime = (home / f".local/share/jupyter/runtime/jpserver-{done.answer.pid}.json").read_text()
    token = runtime.split('"token": "')[1].split('"')[0]
    assert len(token) > 20
    for name in ("cmdline", "environ"):
        assert token.encode() not in Path(f"/proc/{done.answer.pid}/{name}").read_bytes()
    assert b"TRAITLETS_APPLICATION_RAISE_CONFIG_FILE_ERROR=1" in Path(f"/proc/{done.answer.pid}/environ").read_bytes()
    await end_all(home)


@pytest.mark.parametrize(
    ("extra", "config", "cause"),
    [
        (("--ServerApp.certfile=/nowhere",), "", "certfile"),
        ((), "{ this is no JSON", "configuration file is broken"),
        (("--ServerApp.ip=192.0.2.1",), "", "address is not one of this machine"),
    ],
)
async def test_a_failure_is_told_with_its_cause_and_leaves_nothing(
    here: LocalHost, home: Path, python: str, port: int, extra: tuple[str, ...], config: str, cause: str
) -> None:
    if config:
        (home / ".jupyter").mkdir()
        (home / ".jupyter/jupyter_server_config.json").write_text(config)
    with pytest.raises(LaunchFailed) as failure:
        await launched(here, process(python, port, extra=extra))
    assert cause in failure.value.message
    assert failure.value.log
    await at_rest(home)
    assert not files(home)
    assert not runtime_files(home)


async def test_a_taken_port_is_named_with_its_holder_before_anything_is_done(
    here: LocalHost, home: Path, python: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Unlaunchable, match=f"taken by process {os.getpid()}"):
            await launched(here, process(python, taken.getsockname()[1]))
    assert not files(home)


async def test_after_a_failure_trying_again_works(here: LocalHost, home: Path, python: str, port: int) -> None:
    with pytest.raises(LaunchFailed):
        await launched(here, process(python, port, extra=("--ServerApp.certfile=/nowhere",)))
    assert (await launched(here, process(python, port))).answer.port == port
    await end_all(home)


async def test_a_file_that_an_earlier_process_of_that_pid_left_is_not_taken_for_its_own(
    here: LocalHost, home: Path, python: str, port: int
) -> None:
    runtime = home / ".local/share/jupyter/runtime"
    runtime.mkdir(parents=True, mode=0o700)
    last = int(Path("/proc/sys/kernel/ns_last_pid").read_text())
    for pid in range(last, last + 3000):  # whichever it gets, before the machine booted there was one like it
        left = {"pid": pid, "port": 1, "token": "old", "hostname": "localhost", "base_url": "/", "secure": False}
        (runtime / f"jpserver-{pid}.json").write_text(json.dumps(left))
    done = await launched(here, process(python, port))
    assert (runtime / f"jpserver-{done.answer.pid}.json").stat().st_size > 200  # it took over one of them
    assert (done.answer.port, done.answer.auth) == (port, Auth.TOKEN)
    await end_all(home)


async def test_on_a_unix_socket_it_answers_whatever_other_sockets_are_called(
    here: LocalHost, home: Path, python: str
) -> None:
    with socket.socket(socket.AF_UNIX) as odd:
        odd.bind(b"\0\xff\n1: 2 3 x 5 6 7 /\xff")
        odd.listen()
        spec = Spec(python, keep=Keep.PROCESS, allow_root=ROOT, extra=(f"--ServerApp.sock={home}/j.sock",))
        done = await launched(here, spec)
    assert (done.answer.port, done.answer.sock) == (None, f"{home}/j.sock")
    await end_all(home)


@pytest.mark.parametrize("step", ["look", "log", "start", "wait", "answer"])
async def test_cancelled_at_any_step_it_leaves_nothing(
    here: LocalHost, home: Path, python: str, port: int, step: str
) -> None:
    def cancel(reached: str) -> None:
        if reached == step:
            task.cancel()

    task = asyncio.create_task(launch(here, process(python, port), Alice(), cancel))
    await asyncio.wait([task])
    assert task.cancelled()
    await at_rest(home)
    assert not files(home)
    assert not runtime_files(home)


@pytest.mark.parametrize("seconds", KILL_POINTS)
async def test_killed_at_any_moment_it_leaves_nothing_or_a_whole_server(
    home: Path, python: str, port: int, seconds: float
) -> None:
    command = [sys.executable, "-m", "tests.jupyter.launch.killed", python, str(port), "process", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    assert done.returncode == -signal.SIGKILL, done.stderr
    if "launched" in done.stdout:
        assert f".local/state/jupytui/servers/jupyter-{port}.pid" in files(home)
        await end_all(home)
        return
    if server := await left_alone(home):
        # Killed between "commit" and its answer: then all of it must be there.
        assert "answer" in done.stdout
        assert f"{server} " in (home / f".local/state/jupytui/servers/jupyter-{port}.pid").read_text()
        await end_all(home)
        return
    assert not files(home)
    assert not runtime_files(home)


async def test_a_server_started_by_hand_comes_back_as_it_was_and_its_environment_is_not_shown(
    here: LocalHost, home: Path, python: str, port: int
) -> None:
    (home / "some where").mkdir()
    script = (
        'cd "$1" && JUPYTER_TOKEN=$2 ODD="a\nb=c" nohup "$3" -m jupyter_server --no-browser --ServerApp.port="$4" $5 '
        ">../out.log 2>&1 </dev/null & echo $!"
    )
    arguments = [str(home / "some where"), "s3cret-token", python, str(port), "--allow-root" if ROOT else ""]
    made = await here.run('exec setsid /bin/sh -c "$@" >/dev/null', script, "sh", *arguments)
    assert made.status == 0
    async with asyncio.timeout(30):
        while not runtime_files(home):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    pid = int(next(name for name in runtime_files(home)).split("-")[1].split(".")[0])
    before = {name: Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ")}
    back = await restart(here, Target("it", pid, port), Alice())
    after = {name: Path(f"/proc/{back.answer.pid}/{name}").read_bytes() for name in ("cmdline", "environ")}
    assert back.answer.pid != pid
    assert after == before
    assert Path(f"/proc/{back.answer.pid}/cwd").readlink() == home / "some where"
    assert back.same_log
    assert back.log == str(home / "out.log")
    await end_all(home)
    assert not any("s3cret-token" in path.read_text(errors="replace") for path in home.rglob("*.log"))


async def test_a_restart_goes_on_when_nobody_waits_for_it_any_more(
    here: LocalHost, home: Path, python: str, port: int
) -> None:
    done = await launched(here, process(python, port))
    old = done.answer.pid
    task = asyncio.create_task(restart(here, Target("it", old, port), Alice()))
    async with asyncio.timeout(30):
        while Path(f"/proc/{old}").exists():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    async with asyncio.timeout(30):
        while not [name for name in runtime_files(home) if name.endswith(".json")]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    (back,) = (name for name in runtime_files(home) if name.endswith(".json"))
    assert Path(done.plan.pid_path).read_text().split()[0] == back.removeprefix("jpserver-").removesuffix(".json")
    assert int(Path(done.plan.pid_path).read_text().split()[0]) != old
    await end_all(home)


async def test_servers_without_a_name_or_a_port_are_numbered(here: LocalHost, home: Path, python: str) -> None:
    spec = Spec(python, keep=Keep.PROCESS, allow_root=ROOT)
    first, second = await launched(here, spec), await launched(here, spec)
    assert (first.name, second.name) == ("jupyter-lab", "jupyter-lab-2")
    assert first.answer.port != second.answer.port
    await end_all(home)
