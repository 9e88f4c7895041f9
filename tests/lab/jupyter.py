"""Real JupyterLabs in hosts of the lab: one each, with a notebook open on a running kernel."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.host import LabHost
from tests.lab.lab import Lab
from tests.lab.slot import LabError

LOCK = Path(__file__).with_name("jupyter.lock")
VENV = Path("/opt/jupytui-lab") / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
WHEELS = VENV.with_name(f"{VENV.name}-wheels")
IN_HOST = Path(__file__).with_name("in_host")
START_DEADLINE = 60.0

PASSWORD = "correct horse"
HASHED_PASSWORD = (  # of PASSWORD, by jupyter_server.auth.passwd
    "argon2:$argon2id$v=19$m=10240,t=10,p=8$VPhwakjZny8oNN9SOAMtYw$U08QRtucKgFv9xVfwCVvNOcT1Vn6WtPDpUnAmWM+Rtw"
)
NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a Jupyter is set up and kept alive: `keep` is user-unit, system-unit, nohup or tmux.

    `log` is a path in the host, or "" for wherever that way of keeping it alive sends its output.
    """

    name: str
    keep: str
    notebook: str
    token: str = ""
    password: str = ""
    ip: str = "127.0.0.1"
    port: int = 8888
    sock: str = ""
    base_url: str = "/"
    tls: bool = False
    log: str = ""
    server_app: dict[str, object] = field(default_factory=dict)  # more of `c.ServerApp`


SIX = (
    Recipe("token", "user-unit", "analysis.ipynb", token="token-of-the-token-host"),
    Recipe("password", "system-unit", "reports/weekly.ipynb", password=PASSWORD, log="/var/log/jupyter.log"),
    Recipe("tls", "user-unit", "training.ipynb", token="token-of-the-tls-host", tls=True),
    Recipe(
        "socket", "user-unit", "cleaning.ipynb", token="token-of-the-socket-host",
        sock="/home/alice/jupyter.sock", port=0, log="/home/alice/logs/jupyter.log",
    ),
    Recipe(
        "ipv6", "nohup", "plots.ipynb", token="token-of-the-ipv6-host",
        ip="::1", port=8889, log="/home/alice/nohup.out",
    ),
    Recipe("base", "tmux", "eda.ipynb", token="token-of-the-base-host", base_url="/team/jupyter/", port=9000),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class JupyterServer:
    """A Jupyter that runs in `host`; `kernel_id` is that of the notebook that is open in it."""

    host: LabHost
    recipe: Recipe
    kernel_id: str = ""
    root_dir: str = "/home/alice/work"
    runtime_dir: str = "/home/alice/.local/share/jupyter/runtime"

    @property
    def pid(self) -> int:
        """The server's PID in its host."""
        pids = self.host.exec('basename -s .json "$1"/jpserver-*.json', self.runtime_dir).stdout.split()
        return int(pids[0].removeprefix("jpserver-"))

    @property
    def kernel_file(self) -> str:
        return f"{self.runtime_dir}/kernel-{self.kernel_id}.json"

    @property
    def kernel_pid(self) -> int:
        """The kernel's PID in its host."""
        return int(self.host.exec('pgrep -f -- "$1"', self.kernel_file.replace("[", "\\[")).stdout.split()[0])

    def api(self, method: str, path: str, body: object = None, *, wait: float = 0.0) -> Any:
        """Ask the server from within its host, signed in; what it answered. `path` is below base_url ("api/kernels").

        Counts as activity as any request does. Raises LabError for a status of 400 and above.
        """
        wanted = {"server": asdict(self.recipe), "method": method, "path": path, "body": body, "wait": wait}
        status, answer = json.loads(self._python("ask.py", input=json.dumps(wanted)))
        if status >= 400:
            raise LabError(f"{method} {path} was answered with {status}: {answer}")
        return answer

    def execute(self, code: str, *, until: str = "idle") -> str:
        """Run code in the kernel, past the server; what it printed until it is done, or has begun (`until="busy"`)."""
        return self._python("execute.py", self.kernel_file, until, input=code)

    @contextlib.contextmanager
    def attached(self) -> Iterator[None]:
        """Be a client of the kernel, as a browser's tab is. For servers with a token."""
        wanted = json.dumps({"server": asdict(self.recipe), "kernel": self.kernel_id})
        script = f'exec {VENV}/bin/python -c "$1" "$2"'
        with self.host.spawn(script, (IN_HOST / "attach.py").read_text(), wanted, user="alice") as tab:
            assert tab.stdin
            assert tab.stdout
            if tab.stdout.readline() != b"attached\n":
                raise LabError(tab.communicate()[1].decode())
            yield
            tab.stdin.close()

    def _python(self, script: str, *args: str, input: str) -> str:
        source = (IN_HOST / script).read_text()
        run = f'exec {VENV}/bin/python -c "$@"'
        return self.host.exec(run, source, *args, user="alice", input=input, timeout=START_DEADLINE + 30).stdout


def start_jupyters(lab: Lab, *recipes: Recipe) -> dict[str, JupyterServer]:
    """Boot a host for each recipe, named like it, and start its Jupyter; all at once. By the recipes' names."""
    hosts = lab.up(*(recipe.name for recipe in recipes))
    with ThreadPoolExecutor(len(recipes)) as pool:
        servers = list(pool.map(lambda host, recipe: start_jupyter(lab, host, recipe), hosts, recipes))
    return {server.recipe.name: server for server in servers}


def start_jupyter(lab: Lab, host: LabHost, recipe: Recipe) -> JupyterServer:
    """Start a Jupyter in `host` and open its notebook; returns when its kernel is idle. Raises LabError."""
    server = JupyterServer(host, recipe)
    _configure(server)
    KEEP[recipe.keep](lab, server)
    session = {
        "path": recipe.notebook,
        "name": Path(recipe.notebook).name,
        "type": "notebook",
        "kernel": {"name": "python3"},
    }
    opened = server.api("POST", "api/sessions", session, wait=START_DEADLINE)
    server = JupyterServer(host, recipe, opened["kernel"]["id"])
    server.execute("pass")  # until somebody talks to it, the server calls its kernel "starting"
    return server


def _configure(server: JupyterServer) -> None:
    host, recipe = server.host, server.recipe
    if recipe.tls:
        host.exec(SELF_SIGNED, user="alice")
    config = json.dumps(_config(server), indent=2)
    host.write("/home/alice/.jupyter/jupyter_server_config.json", config, user="alice")
    host.write(f"{server.root_dir}/{recipe.notebook}", json.dumps(NOTEBOOK), user="alice", mode="644")


def _config(server: JupyterServer) -> dict[str, dict[str, object]]:
    recipe = server.recipe
    app: dict[str, object] = {"root_dir": server.root_dir, "base_url": recipe.base_url}
    if recipe.sock:
        app["sock"] = recipe.sock
    else:
        app |= {"ip": recipe.ip, "port": recipe.port, "port_retries": 0}
    if recipe.tls:
        app["certfile"] = "/home/alice/.jupyter/jupyter.pem"
    login: dict[str, object] = {"token": recipe.token, "hashed_password": HASHED_PASSWORD if recipe.password else ""}
    return {"ServerApp": app | recipe.server_app, "IdentityProvider": login}


SELF_SIGNED = """
mkdir -p .jupyter && cd .jupyter && umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout jupyter.pem -out chain.pem 2>&1
cat chain.pem >>jupyter.pem
rm chain.pem
"""

UNIT = """[Unit]
Description=JupyterLab

[Service]
{section}ExecStart={command}
Restart=on-failure
{log}

[Install]
WantedBy={target}
"""


def _user_unit(lab: Lab, server: JupyterServer) -> None:
    path = "/home/alice/.config/systemd/user/jupyter.service"
    server.host.write(path, _unit(server.recipe, "", "default.target"), user="alice", mode="644")
    server.host.exec('mkdir -p "$(dirname "$1")"', server.recipe.log or "/tmp", user="alice")
    server.host.exec("loginctl enable-linger alice; systemctl start user@$(id -u alice).service")
    server.host.exec("systemctl --user daemon-reload; systemctl --user enable --now --quiet jupyter", user="alice")


def _system_unit(lab: Lab, server: JupyterServer) -> None:
    unit = _unit(server.recipe, "User=alice\n", "multi-user.target")
    server.host.write("/etc/systemd/system/jupyter.service", unit, mode="644")
    server.host.exec("systemctl daemon-reload; systemctl enable --now --quiet jupyter")


def _unit(recipe: Recipe, section: str, target: str) -> str:
    log = f"StandardOutput=append:{recipe.log}\nStandardError=append:{recipe.log}" if recipe.log else ""
    return UNIT.format(section=section, command=f"{VENV}/bin/jupyter-lab --no-browser", target=target, log=log)


def _nohup(lab: Lab, server: JupyterServer) -> None:
    log = server.recipe.log
    _by_ssh(lab, server, f"nohup {VENV}/bin/jupyter-lab --no-browser >{log} 2>&1 </dev/null &")


def _tmux(lab: Lab, server: JupyterServer) -> None:
    _by_ssh(lab, server, f"tmux new-session -d -s jupyter '{VENV}/bin/jupyter-lab --no-browser'")


def _by_ssh(lab: Lab, server: JupyterServer, command: str) -> None:
    done = lab.ssh(server.host.name, command)
    if done.returncode:
        raise LabError(f"{command}: {done.stderr}")


KEEP = {"user-unit": _user_unit, "system-unit": _system_unit, "nohup": _nohup, "tmux": _tmux}
