"""Connected as root: nothing of another user's is run with root's rights, and none of their servers becomes root's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from jupytui.doctor.gather import Means, gather
from jupytui.errors import CommandError
from jupytui.fleet.models import HostView
from jupytui.hosts.base import Destination, Host, Nobody
from jupytui.hosts.limits import Gates
from jupytui.hosts.open import open_host
from jupytui.hosts.state import HostState
from jupytui.jupyter.launch.holder import check_restart, holder_of
from jupytui.jupyter.launch.lifecycle import restart, stop
from jupytui.jupyter.launch.shutdown import Target
from jupytui.jupyter.models import App, Server
from jupytui.jupyter.rights import REFUSED, SHELL
from jupytui.jupyter.settings.apply import apply
from jupytui.jupyter.settings.commit import commit
from jupytui.jupyter.settings.discover import Whose, look
from jupytui.jupyter.settings.edit import plan
from tests.jupyter.launch.conftest import Alice, python  # noqa: F401 - a fixture
from tests.lab.host import LabHost
from tests.lab.jupyter import VENV
from tests.lab.lab import Lab

CONFIG = "/home/alice/.jupyter/jupyter_server_config.json"
START = 'exec setsid "$1" "$2" --no-browser --port=8890 >jupyter.log 2>&1 </dev/null & echo $!'
READY = "until curl -sf http://127.0.0.1:8890/api >/dev/null; do sleep 0.1; done"
# A Python that is alice's, and tells who runs it before it does anything else.
OWN = r"""
set -e
set -- "$(readlink -f "$1")" "$("$1" -c 'import os; print(os.path.dirname(os.__file__))')"
version=$(basename "$2")
mkdir -p own/bin "own/lib/$version"
cp "$1" "own/bin/$version"; ln -s "$version" own/bin/python3
for each in "$2"/*; do ln -s "$each" "own/lib/$version"; done
rm "own/lib/$version/encodings"; cp -r "$2/encodings" "own/lib/$version/encodings"
{ echo 'import posix; f = posix.open("/home/alice/who", posix.O_WRONLY | posix.O_CREAT | posix.O_APPEND, 0o666)'
  echo 'posix.write(f, b"%d:%s;" % (posix.getuid(), posix.environ.get(b"SECRET", b""))); posix.close(f)'
} >"own/lib/$version/encodings/__init__.py"
cat "$2/encodings/__init__.py" >>"own/lib/$version/encodings/__init__.py"
printf 'import signal\nsignal.pause()\n' >jupyter-lab
"""


@pytest.fixture
async def root(lab: Lab, fresh_host: LabHost, python: str) -> AsyncIterator[Host]:  # noqa: F811
    """The host as root reaches it by SSH."""
    fresh_host.write("/root/.ssh/authorized_keys", (fresh_host.slot.directory / "id.pub").read_text())
    fresh_host.exec("echo SECRET=of-root >>/etc/environment")
    host = open_host(Destination(fresh_host.name, f"root@{fresh_host.name}", str(lab.ssh_config)), Nobody(), Gates())
    await host.connect()
    assert (await host.run("id -u")).stdout == b"0\n"
    yield host
    await host.close()


@pytest.fixture
async def hers(fresh_host: LabHost, python: str) -> Target:  # noqa: F811
    """A real server that alice started by hand."""
    config = {"ServerApp": {"ip": "127.0.0.1", "port_retries": 0}, "IdentityProvider": {"token": "t0ken"}}
    fresh_host.write(CONFIG, json.dumps(config), user="alice")
    pid = int(fresh_host.exec(START, f"{VENV}/bin/python", f"{VENV}/bin/jupyter-lab", user="alice").stdout)
    await asyncio.to_thread(fresh_host.exec, READY, timeout=90)
    return Target(f"{fresh_host.name}:8890", pid, 8890, None, None)


@pytest.fixture
def her_own(fresh_host: LabHost, python: str) -> int:  # noqa: F811
    """A process of alice's that looks like a server; its Python is alice's own."""
    fresh_host.exec(OWN, python, user="alice")
    pid = int(fresh_host.exec(START, "/home/alice/own/bin/python3", "/home/alice/jupyter-lab", user="alice").stdout)
    fresh_host.exec('until grep -q jupyter-lab "/proc/$1/cmdline"; do sleep 0.1; done', str(pid))
    fresh_host.exec("until [ -s who ]; do sleep 0.1; done; : >who", user="alice")
    return pid


async def test_root_restarts_no_server_of_another_user_and_says_who_can(
    root: Host, hers: Target, fresh_host: LabHost
) -> None:
    words = "alice started .*:8890; .* Connect as alice to restart it"
    with pytest.raises(CommandError, match=words):
        await check_restart(root, hers.pid, hers.title)
    with pytest.raises(CommandError, match=words):
        await restart(root, hers, Nobody())
    assert fresh_host.exec(READY, timeout=5).returncode == 0, "it was not ended"
    ended = await stop(root, hers, Nobody())
    assert ended.pid == hers.pid, "to end it is root's right"


async def test_root_takes_no_unit_of_its_own_for_that_of_another_user(
    root: Host, hers: Target, fresh_host: LabHost
) -> None:
    unit = f"[Service]\nExecStart={VENV}/bin/python {VENV}/bin/jupyter-lab --no-browser --port=8890\n"
    await stop(root, hers, Nobody())
    for user, home in (("alice", "/home/alice"), ("root", "/root")):
        fresh_host.write(f"{home}/.config/systemd/user/jupyter.service", unit, user=user, mode="644")
    fresh_host.exec("loginctl enable-linger alice; loginctl enable-linger root")
    started = "until systemctl --user daemon-reload 2>/dev/null; do sleep 0.1; done; systemctl --user start jupyter"
    fresh_host.exec(started, user="alice")
    fresh_host.exec("until systemctl --user daemon-reload 2>/dev/null; do sleep 0.1; done")
    await asyncio.to_thread(fresh_host.exec, READY, timeout=90)
    pid = int(fresh_host.exec("systemctl --user show --value -p MainPID jupyter", user="alice").stdout)
    holder = await holder_of(root, pid)
    assert (holder.unit, holder.other) == (None, "alice")


async def test_root_restarts_the_system_unit_that_runs_as_another_user(root: Host, fresh_host: LabHost) -> None:
    config = {"ServerApp": {"ip": "127.0.0.1", "port_retries": 0}, "IdentityProvider": {"token": "t0ken"}}
    fresh_host.write(CONFIG, json.dumps(config), user="alice")
    command = f"{VENV}/bin/python {VENV}/bin/jupyter-lab --no-browser --port=8890"
    unit = f"[Service]\nUser=alice\nWorkingDirectory=/home/alice\nExecStart={command}\n"
    fresh_host.write("/etc/systemd/system/lab.service", unit, mode="644")
    fresh_host.exec("systemctl daemon-reload; systemctl start lab")
    await asyncio.to_thread(fresh_host.exec, READY, timeout=90)
    pid = int(fresh_host.exec("systemctl show --value -p MainPID lab").stdout)
    back = await restart(root, Target("lab", pid, 8890, None, None), Alice())
    assert back.unit and back.unit.name == "lab.service"
    assert fresh_host.exec('stat -c %U "/proc/$1"', str(back.answer.pid)).stdout == "alice\n"


async def test_what_root_looks_at_is_run_with_the_rights_of_its_user(
    root: Host, her_own: int, fresh_host: LabHost
) -> None:
    whose = Whose(App.LAB, pid=her_own)
    with pytest.raises(CommandError):  # it has no Jupyter
        await look(root, whose)
    holder = await holder_of(root, her_own)
    assert not holder.python.startswith("/home")
    server = Server(id=f"{fresh_host.name}:8890", pid=her_own, app=App.LAB, port=8890)
    await gather(root, HostView(fresh_host.name, state=HostState.UP, servers=(server,)), Means({}))
    alice = fresh_host.exec("id -u", user="alice").stdout.strip()
    who = set(fresh_host.exec("cat /home/alice/who").stdout.split(";"))
    assert who == {f"{alice}:", ""}, "root's environment is not hers to see either"


async def test_root_edits_anothers_files_by_that_users_python_and_rights(
    root: Host, hers: Target, her_own: int, fresh_host: LabHost
) -> None:
    found = await look(root, Whose(App.LAB, pid=hers.pid))
    assert str(found.uid) == fresh_host.exec("id -u", user="alice").stdout.strip()
    edit = plan(found, {"ServerApp.port_retries": 7})
    done = await commit(root, Whose(App.LAB, pid=hers.pid), found.python, edit)
    assert fresh_host.exec('stat -c "%U %a" "$1"', CONFIG).stdout == "alice 600\n"
    await apply(root, "/home/alice/own/bin/python3", done.undo, backups=False)
    assert fresh_host.exec("cat /home/alice/who").stdout == f"{found.uid}:;"
    assert '"port_retries": 0' in fresh_host.exec('cat "$1"', CONFIG).stdout
    assert not fresh_host.exec("ls /root/.local/state/jupytui/edits 2>/dev/null", check=False).stdout


@pytest.mark.parametrize("without", [(), ("setpriv",), ("python3",), ("setpriv", "python3")])
async def test_one_way_to_drop_roots_rights_is_enough_and_without_any_nothing_is_run(
    root: Host, fresh_host: LabHost, without: tuple[str, ...]
) -> None:
    uid, groups = fresh_host.exec("id -u; id -G", user="alice").stdout.split("\n")[:2]
    fresh_host.exec("rm -f /usr/local/bin/python*; for each; do rm $(readlink -f /usr/bin/$each); done", *without)
    done = await root.run(SHELL + 'exec_as "$1" sh -c \'id -u; id -G; echo "$HOME$SECRET"\'', uid)
    if len(without) == 2:
        assert (done.status, done.stdout) == (REFUSED, b"")
    else:
        assert done.stdout.decode() == f"{uid}\n{groups}\n/home/alice\n", done.stderr
