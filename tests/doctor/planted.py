"""A look at hosts of the lab with everything the doctor has, and servers with faults of their own in one host."""

from __future__ import annotations

import datetime
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from jupytui.actions.base import Context
from jupytui.config.model import Config
from jupytui.doctor.gather import Means, gather
from jupytui.doctor.models import Diagnosis, Finding, HostFacts
from jupytui.doctor.repair import carry_out, prepare
from jupytui.doctor.rules import diagnose
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Destination, Host, Nobody
from tests.actions.front import ScriptedFront
from tests.lab.host import LabHost
from tests.lab.jupyter import VENV

SECONDS = 20.0  # for a question to a server; a busy machine takes its time
HOME = "/home/alice"
CONFIG = f"{HOME}/.jupyter/jupyter_server_config.json"
RUNTIME = f"{HOME}/.local/share/jupyter/runtime"
TLS = f"{HOME}/tls.pem"
KEY = f"{HOME}/tls.key"
DOMAIN = "lab.example"


@dataclass(frozen=True, slots=True)
class Seen:
    """A host as the doctor saw it."""

    host: Host
    facts: HostFacts
    diagnosis: Diagnosis

    @property
    def first(self) -> Finding:
        assert self.diagnosis.findings, "nothing was found"
        return self.diagnosis.findings[0]

    @property
    def ids(self) -> Sequence[str]:
        return [finding.id for finding in self.diagnosis.findings]

    async def mend(self, finding: Finding) -> None:
        """Carry out a fix as the action does."""
        assert finding.fix
        facts = next((each for each in self.facts.servers if each.server.id == finding.server), None)
        await carry_out(self.host, prepare(finding.fix, facts), facts, Nobody())


@asynccontextmanager
async def examined(
    ssh_config: Path, name: str, *, asks: bool = False, only: str = "", seconds: float = SECONDS
) -> AsyncIterator[Seen]:
    """Look at a host; `only` is the port of the one server that is meant."""
    async with Fleet(Store(), lambda _host: Nobody(), refresh=3600) as fleet:
        fleet.add(Destination(name, name, str(ssh_config)))
        (view,) = await fleet.look_once()
        ids = [server.id for server in view.servers if server.pid]
        access = {}
        for id_ in ids:
            try:
                access[id_] = fleet.api(Subject(name, id_)).access
            except Exception as error:  # what has gone has none
                assert "does not answer" in str(error), error
        means = Means(access, asks=asks, seconds=seconds)
        facts = await gather(fleet.host(name), view, means, f"{name}:{only}" if only else "")
        yield Seen(fleet.host(name), facts, diagnose(facts))


@asynccontextmanager
async def watched(ssh_config: Path, name: str, front: ScriptedFront) -> AsyncIterator[Context]:
    """A host as the program has it while a pane is shown: looked at whenever an action wants that."""
    async with Fleet(Store(), lambda _host: Nobody(), refresh=3600) as fleet:
        fleet.add(Destination(name, name, str(ssh_config)))
        fleet.start()
        await fleet.refresh([name])
        yield Context(fleet, front, Config(Path("hosts.toml")))


def put_certificate(host: LabHost, authority: trustme.CA, *, days: int = 300, key: str = "") -> None:
    """Write a certificate of the machine that ends in `days`, and its key or another one."""
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    leaf = authority.issue_cert("localhost", DOMAIN, host.address, not_after=ends)
    host.write(TLS, "".join(part.bytes().decode() for part in leaf.cert_chain_pems), user="alice")
    host.write(KEY, key or leaf.private_key_pem.bytes().decode(), user="alice")


def config_of(**server_app: object) -> Mapping[str, Mapping[str, object]]:
    return {"ServerApp": server_app, "IdentityProvider": {"token": "a-token-of-the-lab"}}


def start_server(host: LabHost, name: str, config: Mapping[str, object], *options: str, user: str = "alice") -> None:
    """Begin to start a server with a configuration directory of its own."""
    home = HOME if user == "alice" else "/root"
    directory = f"{home}/config/{name}"
    host.write(f"{directory}/jupyter_server_config.json", json.dumps(config), user=user)
    command = (
        'export JUPYTER_CONFIG_DIR="$1"; shift; mkdir -p work; cd work; '
        f'setsid {VENV}/bin/jupyter-server --no-browser "$@" >"$JUPYTER_CONFIG_DIR/log" 2>&1 </dev/null &'
    )
    host.exec(command, directory, *options, user=user)


def wait_for_ports(host: LabHost, *ports: int) -> None:
    wanted = " ".join(map(str, ports))
    host.exec(
        "for port in $1; do until ss -Hltn | grep -q \":$port \"; do sleep 0.1; done; done", wanted, timeout=120
    )  # fmt: skip
