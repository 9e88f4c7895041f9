"""Real servers of several releases, each in a home and an environment of its own that cost no installation."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from jupytui.hosts.base import Host, Nobody
from jupytui.jupyter.access import Access
from jupytui.jupyter.http import HttpClient
from jupytui.jupyter.launch.shutdown import Target
from jupytui.jupyter.login import WrongPassword, sign_in
from jupytui.jupyter.models import App
from jupytui.jupyter.passwords.carry_out import Outcome, carry_out
from jupytui.jupyter.passwords.plan import Wish, prepare
from jupytui.jupyter.passwords.proof import Step
from jupytui.jupyter.settings.discover import Whose
from jupytui.secret import Secret
from tests.lab.old_servers import venv_of

VERSIONS = ("2.7", "2.17", "current")
OLD, NEW = "old correct horse", "new battery staple"
OLD_HASH = (  # of OLD, by jupyter_server.auth.passwd
    "argon2:$argon2id$v=19$m=10240,t=10,p=8$8TSjLT1FPYpASgHOF0jDjQ$PzSFskGg5gFkJPrx8IErhrHHMkcTJbkS2aE9dlv1Qy4"
)
# The five ways in which a password comes to be: by what Jupyter writes itself, and by where people put it.
SETUPS = ("official", "py", "json", "venv", "none")


@dataclass(frozen=True, slots=True)
class Ground:
    """A home directory and an environment, with a server's configuration in them."""

    home: Path
    prefix: Path
    port: int

    @property
    def environ(self) -> dict[str, str]:
        return {"HOME": str(self.home), "PATH": os.environ["PATH"]}

    @property
    def command(self) -> list[str]:
        options = [f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0", "--no-browser", "--allow-root"]
        return [str(self.prefix / "bin/python"), "-m", "jupyter_server", "--ServerApp.ip=127.0.0.1", *options]

    @property
    def runtime(self) -> Path:
        return self.home / ".local/share/jupyter/runtime"


def lay(place: Path, version: str, port: int) -> Ground:
    """Make a home and an environment that has that release."""
    venv = venv_of(version)
    site = next((venv / "lib").glob("python*/site-packages"))
    prefix, home = place / "env", place / "home"
    here = prefix / "lib" / site.parent.name / "site-packages"
    for directory in (here, prefix / "bin", home):
        directory.mkdir(parents=True)
    (here / "lab.pth").write_text(f"{site}\n")
    (prefix / "bin/python").symlink_to((venv / "bin/python").resolve())
    (prefix / "pyvenv.cfg").write_text((venv / "pyvenv.cfg").read_text())
    return Ground(home, prefix, port)


def configure(ground: Ground, setup: str) -> None:
    """Give it the password OLD in one of `SETUPS`."""
    user = ground.home / ".jupyter"
    if setup == "official":
        python = str(ground.prefix / "bin/python")
        run = f"""
import getpass
getpass.getpass = lambda *_: {OLD!r}  # a terminal it would be asked on
from jupyter_server.serverapp import main
main(argv=["password"])
"""
        subprocess.run([python, "-W", "ignore", "-c", run], env=ground.environ, check=True, capture_output=True)
    elif setup == "py":
        _write(user / "jupyter_server_config.py", f"# mine\nc.ServerApp.password = '{OLD_HASH}'\n")
    elif setup == "json":
        value = {"PasswordIdentityProvider": {"hashed_password": OLD_HASH}, "ServerApp": {"open_browser": False}}
        _write(user / "jupyter_server_config.json", json.dumps(value))
    elif setup == "venv":
        value = {"IdentityProvider": {"hashed_password": OLD_HASH}}
        _write(ground.prefix / "etc/jupyter/jupyter_server_config.json", json.dumps(value))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


class Living:
    """A server of `ground` that runs, whichever process it is by now."""

    def __init__(self, ground: Ground, **environ: str) -> None:
        self.ground = ground
        with (ground.home / "log").open("ab") as log:
            self._first = subprocess.Popen(
                ground.command, cwd=ground.home, env=ground.environ | environ, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=log, start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        """The process that wrote a runtime file and lives; 0 if none does."""
        for path in self.ground.runtime.glob("jpserver-*.json"):
            pid = int(path.stem.removeprefix("jpserver-"))
            with suppress(OSError):
                mine = f"--ServerApp.port={self.ground.port}\0" in Path(f"/proc/{pid}/cmdline").read_text()
                if mine and path.read_text():
                    return pid
        return 0

    @property
    def token(self) -> Secret:
        return Secret(json.loads((self.ground.runtime / f"jpserver-{self.pid}.json").read_text())["token"])

    @property
    def access(self) -> Access:
        return Access(port=self.ground.port, token=self.token)

    @property
    def target(self) -> Target:
        return Target("here", self.pid, self.ground.port, None, self.access)

    @property
    def whose(self) -> Whose:
        return Whose(App.SERVER, self.pid)

    async def answers(self) -> None:
        """Wait until it does."""
        async with asyncio.timeout(60):
            while not (self.pid and await self._listens()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.ground.port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    async def end(self) -> None:
        """End whatever runs in its home."""
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if f"HOME={self.ground.home}\0".encode() in (entry / "environ").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)
        await asyncio.to_thread(self._first.wait)


@asynccontextmanager
async def living(ground: Ground, **environ: str) -> AsyncIterator[Living]:
    server = Living(ground, **environ)
    try:
        await server.answers()
        yield server
    finally:
        await server.end()


async def lets_in(host: Host, access: Access, password: str) -> bool:
    """Whether a password opens the server."""
    client = HttpClient(host, access)
    try:
        await sign_in(client, Secret(password))
    except WrongPassword:
        return False
    finally:
        await client.close()
    return True


async def status(host: Host, access: Access, headers: dict[str, bytes]) -> int:
    """What the server says to these credentials."""
    client = HttpClient(host, access)
    try:
        return (await client.request("GET", "/api/status", headers, deadline=30.0)).status
    finally:
        await client.close()


async def change(
    host: Host, server: Living, wish: Wish, *, consent: bool = True, target: Target | None = None
) -> Outcome:
    """Carry out `wish` on the server as it is now, or as `target` says."""
    plan = await prepare(host, server.whose, wish)
    told: list[Step] = []
    outcome = await carry_out(host, target or server.target, plan, Nobody(), told.append, consent=consent)
    assert tuple(told) == outcome.steps
    return outcome
