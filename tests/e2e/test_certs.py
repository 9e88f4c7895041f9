"""Certificates as a person meets them: a plain JupyterLab gets one, keeps its process when it is renewed, loses it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupytui.actions.base import Context, perform
from jupytui.actions.cert_sights import secured
from jupytui.actions.table import BY_ID
from jupytui.certs import authority, leaf, pem
from jupytui.config.model import Config
from jupytui.errors import JupytuiError
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Destination, Host, Nobody
from jupytui.jupyter.models import Health
from jupytui.jupyter.settings import commit
from jupytui.jupyter.settings.discover import Answer, Whose, ask
from tests.actions.front import ScriptedFront
from tests.e2e.program import run, screen, write_config
from tests.e2e.tmux import Tmux
from tests.lab.host import LabHost
from tests.lab.jupyter import Recipe, start_jupyter
from tests.lab.lab import Lab

NAME = "cpplain"
START = 30.0
DONE = 90.0  # Jupyter reads its configuration three times and starts once
CONFIG = "/home/alice/.jupyter/jupyter_server_config.json"
HANDSHAKE = (
    "openssl s_client -connect 127.0.0.1:8888 -servername localhost </dev/null 2>/dev/null"
    " | openssl x509 -noout -enddate -serial"
)


@pytest.fixture(scope="module")
def plain(lab: Lab) -> LabHost:
    """A host with a JupyterLab without TLS, a notebook open in it."""
    host = lab.host(NAME)
    start_jupyter(lab, host, Recipe(NAME, "user-unit", "plain.ipynb", token="token-of-the-plain-host"))
    return host


@pytest.fixture
def config(home: Path, lab: Lab) -> Path:
    return write_config(home, lab, [NAME])


@pytest.fixture
def terminal(config: Path, plain: LabHost) -> Iterator[Tmux]:
    """The program with the pane shown."""
    with screen(config, 120, 40) as opened:
        opened.wait_until(re.compile(rf"{NAME} .*up"), START)
        opened.send("7")
        opened.wait_until(re.compile(r"› +lab :8888 .*○ off"), START)
        yield opened


def pid(host: LabHost) -> str:
    return host.exec("systemctl --user show -P MainPID jupyter", user="alice").stdout


def agree(terminal: Tmux, seen: str) -> str:
    """Go ahead with what is asked, by a key, or by the host's name where a kernel is busy."""
    asked = terminal.wait_until(seen, DONE)
    if f"Type {NAME}" in asked:
        terminal.type(NAME)
        terminal.send("Enter")
    else:
        terminal.send("y")
    return asked


def test_a_plain_server_gets_a_certificate_is_renewed_without_a_restart_and_goes_back(
    terminal: Tmux, plain: LabHost, config: Path
) -> None:
    before = plain.exec(f"cat {CONFIG}").stdout
    terminal.send("c")
    form = terminal.wait_until("Issue a certificate for", START)
    assert NAME in form and "localhost" in form
    terminal.send("Enter")
    asked = agree(terminal, "Turn TLS on for")
    assert "plain.ipynb" in asked
    assert "certfile" in asked
    assert "https://localhost:8888/" in asked
    row = re.compile(r"› +lab :8888 .*● on +397 days +matches +your authority")
    terminal.wait_until(row, DONE)
    assert "token-of-the-plain-host" not in terminal.output().decode()

    process, shown = pid(plain), plain.exec(HANDSHAKE).stdout
    terminal.send("w")
    terminal.wait_until("is renewed", DONE)
    terminal.wait_until(row, DONE)
    assert pid(plain) == process
    assert plain.exec(HANDSHAKE).stdout != shown

    (listed,) = json.loads(run(config, "cert", "ls", "--json").stdout)["servers"]
    assert (listed["tls"], listed["matches"], listed["trusted_by"]) == (True, True, "ours")
    assert listed["key_type"] == "ECDSA P-256"
    idle = run(config, "cert", "renew", "--due")
    assert (idle.returncode, idle.stdout) == (0, "")
    assert "nothing is due" in idle.stderr
    refused_pair(config, plain, listed["file"])

    terminal.send("X")
    agree(terminal, "Turn TLS off for")
    terminal.wait_until(re.compile(r"› +lab :8888 .*○ off"), DONE)
    assert json.loads(plain.exec(f"cat {CONFIG}").stdout) == json.loads(before)
    assert pid(plain) != process


def refused_pair(config: Path, host: LabHost, path: str) -> None:
    """A key that belongs to another certificate is refused, in words, before the server's file is touched."""
    directory = config.parent / "pair"
    directory.mkdir()
    pairs = [leaf.issue(authority.load_or_make(directory / "ca"), ["localhost"]) for _ in range(2)]
    (directory / "cert.pem").write_bytes(pem.chain_pem(pairs[0].chain))
    (directory / "key.pem").write_text(pairs[1].key.reveal())
    before = host.exec(f"sha256sum {path}").stdout
    done = run(
        config, "cert", "import", NAME, "--cert", f"{directory}/cert.pem", "--key", f"{directory}/key.pem", "--restart"
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "The key does not belong to the certificate." in done.stderr
    assert host.exec(f"sha256sum {path}").stdout == before


def test_without_a_terminal_nothing_changes_unless_the_restart_is_said(config: Path, plain: LabHost) -> None:
    files = f"cat {CONFIG}; sha256sum /home/alice/.jupyter/certs/*"
    process, before = pid(plain), plain.exec(files, check=False).stdout
    acme = ("--names", "lab.example.org", "--webroot", "/srv", "--directory", "https://127.0.0.1:9/nobody")
    for verb in (("issue", NAME), ("acme", NAME, *acme)):
        done = run(config, "cert", *verb)
        assert done.returncode == 2, done.stderr
        assert "--restart" in done.stderr
        assert "certfile" in done.stderr
    assert (pid(plain), plain.exec(files, check=False).stdout) == (process, before)


SPOIL = "echo spoiled >/home/alice/.jupyter/certs/8888.pem"


async def test_a_server_that_shows_no_certificate_is_taken_back_to_where_it_was(lab: Lab, plain: LabHost) -> None:
    """The file that was put on the host is spoiled meanwhile, as a full disk might."""
    before = plain.exec(f"cat {CONFIG}").stdout

    def progress(text: str, fraction: float | None = None) -> None:
        if text == "changing its configuration" and fraction is None:
            plain.exec(SPOIL, user="alice")

    async with Fleet(Store(), lambda _host: Nobody()) as fleet:
        fleet.add(Destination(NAME, NAME, str(lab.ssh_config)))
        (view,) = await fleet.look_once()
        subject = Subject(NAME, view.servers[0].id)
        known = Context(fleet, ScriptedFront(), Config(Path("hosts.toml")), progress=progress)
        with pytest.raises(JupytuiError) as failed:
            await perform(BY_ID["cert.issue"], known, [subject], {"names": "localhost"})
        assert "as it was" in failed.value.message
        (view,) = await fleet.look_once()
        assert not secured(view.servers[0])
        assert view.servers[0].health is Health.OK
    assert plain.exec(f"cat {CONFIG}").stdout == before


async def test_stopped_while_tls_is_turned_on_nothing_is_left(
    lab: Lab, plain: LabHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = f"cat {CONFIG}; sha256sum /home/alice/.jupyter/certs/*"
    before, written = plain.exec(files, check=False).stdout, []

    async def stopped(host: Host, whose: Whose) -> Answer:
        written.append(plain.exec(files).stdout)
        working.cancel()
        return await ask(host, whose)

    monkeypatch.setattr(commit, "ask", stopped)
    async with Fleet(Store(), lambda _host: Nobody()) as fleet:
        fleet.add(Destination(NAME, NAME, str(lab.ssh_config)))
        (view,) = await fleet.look_once()
        known = Context(fleet, ScriptedFront(), Config(Path("hosts.toml")))
        subject = Subject(NAME, view.servers[0].id)
        working = asyncio.ensure_future(perform(BY_ID["cert.issue"], known, [subject], {"names": "localhost"}))
        with pytest.raises(asyncio.CancelledError):
            await working
    assert "certfile" in written[0]
    assert plain.exec(files, check=False).stdout == before


async def test_root_turns_tls_on_and_renews_for_a_server_of_alices(lab: Lab) -> None:
    host = lab.host("cproot")
    start_jupyter(lab, host, Recipe("cproot", "system-unit", "plain.ipynb", token="token-of-the-root-host"))
    host.exec("umask 077; mkdir -p /root/.ssh; cp /home/alice/.ssh/authorized_keys /root/.ssh/")
    file = "/home/alice/.jupyter/certs/8888.pem"
    who = f"stat -c '%a %U:%G' {file} {CONFIG}"
    async with Fleet(Store(), lambda _host: Nobody()) as fleet:
        fleet.add(Destination("cproot", "root@cproot", str(lab.ssh_config)))
        (view,) = await fleet.look_once()
        known, subject = Context(fleet, ScriptedFront(), Config(Path("hosts.toml"))), Subject("cproot", "cproot:8888")
        assert [server.id for server in view.servers] == ["cproot:8888"]
        said = await perform(BY_ID["cert.issue"], known, [subject], {"names": "localhost"})
        assert "proven by a handshake" in (said or "")
        before = host.exec(who).stdout
        assert before.startswith("600 alice:alice\n")
        await fleet.look_once()
        for verb, answers in (("cert.issue", {"names": "localhost"}), ("cert.renew", {})):
            assert "without a restart" in (await perform(BY_ID[verb], known, [subject], answers) or "")
            assert host.exec(who).stdout == before
