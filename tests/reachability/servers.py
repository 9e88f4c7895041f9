"""Real JupyterLabs and a real nginx on this machine's loopback, and the certificates between them."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from ssl import SSLContext

import pytest

from jupytui.reachability.check import trusting
from jupytui.reachability.models import Cause, Part, Report
from tests.lab.jupyter import HASHED_PASSWORD, VENV

DOMAIN = "lab.example"
START_DEADLINE = 200.0  # several start at once, on a busy machine


def needs() -> None:
    """Skip where the parts are missing; where everything must run, as in CI, fail."""
    if not (VENV / "complete").exists() or not Path("/usr/sbin/nginx").exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("needs the lab's Jupyter and nginx: tests/run")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_DEADLINE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        else:
            return


class Jupyter:
    """A JupyterLab with the lab's password; `settings` are those of its configuration file."""

    def __init__(self, home: Path, settings: Mapping[str, object], hashed: str = HASHED_PASSWORD) -> None:
        self.home, self.port = home, free_port()
        self._log = home / "log"
        (home / "work").mkdir(parents=True)
        self.settings: dict[str, object] = {
            "ServerApp.port": self.port,
            "ServerApp.port_retries": 0,
            "ServerApp.root_dir": str(home / "work"),
            "IdentityProvider.hashed_password": hashed,
            "IdentityProvider.token": "",
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to start; `ready` must follow."""
        config: dict[str, dict[str, object]] = {}
        for key, value in self.settings.items():
            section, _, name = key.partition(".")
            config.setdefault(section, {})[name] = value
        (self.home / "jupyter_server_config.json").write_text(json.dumps(config))
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "JUPYTER_CONFIG_DIR": str(self.home)}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [VENV / "bin/jupyter-lab", "--no-browser", "--allow-root"], env=env, cwd=self.home,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def ready(self) -> None:
        assert self._process
        wait_for(self.port, self._process, self._log)

    def apply(self, settings: Mapping[str, object]) -> None:
        """Write settings into its configuration and restart it, as the action will."""
        assert settings
        self.settings |= settings
        self.stop()
        self.start()
        self.ready()

    def stop(self) -> None:
        if self._process:
            self._process.kill()  # there is nothing to save, and ending in order takes a second
            self._process.wait()


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def stand_in(answer: Answer) -> AsyncIterator[str]:
    """A stand-in for a server: `answer` is what it does with each connection. Its address, as "127.0.0.1:PORT"."""
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        serving.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await answer(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.gather(*serving)


FORWARDED = "proxy_set_header X-Forwarded-Proto $scheme;"
UPGRADE = 'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'
PASSED = "proxy_set_header Host $http_host;"
REWRITTEN = "proxy_set_header Host localhost;"
ALL = f"{PASSED} {FORWARDED} {UPGRADE}"


class Nginx:
    """One nginx with many sites, each on a port of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._sites: list[str] = []
        self._ports: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None

    def site(self, body: str, certificate: Path | None) -> int:
        """Add a site: `body` is what its server block holds; the port it listens on."""
        port = free_port()
        tls = f"ssl_certificate {certificate}; ssl_certificate_key {certificate};" if certificate else ""
        listen = f"listen 127.0.0.1:{port}{' ssl' if certificate else ''};"
        self._sites.append(f"server {{ server_name {DOMAIN}; {listen} {tls} {body} }}")
        self._ports.append(port)
        return port

    def proxy(self, to: int, headers: str, certificate: Path, *, path: str = "/", rest: str = "") -> int:
        """Add a site that passes `path` on to a port of this machine."""
        return self.site(f"location {path} {{ proxy_pass http://127.0.0.1:{to}{rest}; {headers} }}", certificate)

    def start(self) -> None:
        self.home.mkdir()
        temporary = " ".join(
            f"{kind}_temp_path {self.home}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.home / "nginx.conf").write_text(
            f"daemon off; pid {self.home}/pid; error_log {self.home}/log; worker_processes 1; master_process off;"
            f"events {{}} http {{ access_log off; {temporary} proxy_read_timeout 1s; {' '.join(self._sites)} }}"
        )
        log = self.home / "log"
        with (self.home / "out").open("wb") as out:
            argv: list[str | Path] = ["/usr/sbin/nginx", "-p", self.home, "-c", self.home / "nginx.conf", "-e", log]
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait_for(self._ports[-1], self._process, log)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()


def context(authority: Path) -> SSLContext:
    return trusting(str(authority))


def failed(report: Report) -> tuple[Part, Cause | None]:
    """The step that failed and why; each failure has evidence and a way out."""
    assert report.failed, report
    assert report.failed.fixes and report.failed.evidence
    return report.failed.part, report.failed.cause
