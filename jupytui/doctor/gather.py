"""Asks a host for everything the rules need. Nothing is changed on it, and no server counts it as activity.

What cannot be seen is said and left out; only what the host itself cannot give ends it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from jupytui.certs.check import check
from jupytui.certs.inspect import MAX_FILE, NoHandshake, Place, Sight, served
from jupytui.certs.models import Certificate
from jupytui.certs.pem import read_certificates
from jupytui.doctor.models import Disk, HostFacts, PathFact, Plight, ServerFacts, TlsFacts
from jupytui.doctor.units import down_units
from jupytui.errors import CommandError, JupytuiError
from jupytui.fleet.models import HostView
from jupytui.hosts.base import Host
from jupytui.hosts.local import LocalHost
from jupytui.hosts.state import HostState
from jupytui.jupyter.access import Access
from jupytui.jupyter.launch.services import jupyter_services, server_of
from jupytui.jupyter.models import Health, Server
from jupytui.jupyter.rights import SHELL
from jupytui.jupyter.settings.discover import Whose, ask, look
from jupytui.reachability import lan
from jupytui.reachability.check import Check
from jupytui.reachability.models import Expected
from jupytui.systemd.units import Services
from jupytui.text import clean_line

SECONDS = 5.0  # for one question of a check
_RUN = (
    SHELL
    + r"""
python=$(usable_python "$1" "$2") || { echo "there is no Python of root's" >&2; exit 98; }
[ -x "$python" ] || python=$(command -v python3) || exit 97
exec "$python" -I -S -c "$3"
"""
)
_UNSEEN = {Health.STALE, Health.UNREADABLE}

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Means:
    """How to look: `access` by server id (what lets us in, where we hold it), and whether Jupyter itself is asked.

    `here` is the machine the checks from outside are made from; `asks` costs 2 s a server and tells typos, and .py
    files that fail when they are run.
    """

    access: Mapping[str, Access] = field(default_factory=dict)
    here: Host | None = None
    asks: bool = True
    told: Told = lambda _text: None
    seconds: float = SECONDS


async def gather(host: Host, view: HostView, means: Means, only: str = "") -> HostFacts:
    """Return what is known of a host and its servers (of one, `only`). Raises HostTrouble, DeadlineError."""
    if view.state is not HostState.UP:
        return HostFacts(view)
    wanted = [server for server in view.servers if only in {"", server.id}]
    stale = [server for server in wanted if server.health is Health.STALE]
    means.told(f"{view.name}: units")
    services, skipped = await _services(host, view)
    units = [unit for unit in (services.services if services else ()) if not only or server_of(unit, wanted)]
    down = await down_units(host, units, wanted)
    # What is started again and again is gone before anything could be asked of it.
    brief = [server_of(unit.service, wanted) for unit in down if unit.plight is Plight.LOOPS]
    alive = [server for server in wanted if server.health is not Health.STALE and server not in brief]
    known = await asyncio.gather(*(_configuration(host, server, means) for server in alive))
    means.told(f"{view.name}: files")
    known, gone, missed = await _examined(host, known, stale)
    known = [_with_service(facts, services) for facts in known]
    known = await asyncio.gather(*(_reached(host, view, facts, means) for facts in known))
    return HostFacts(view, tuple(known), gone, services, down, tuple(filter(None, (skipped, missed))))


async def _services(host: Host, view: HostView) -> tuple[Services | None, str]:
    try:
        return await jupyter_services(host, view.servers), ""
    except CommandError as error:
        return None, error.message


def _with_service(facts: ServerFacts, services: Services | None) -> ServerFacts:
    owned = [service for service in services.services if server_of(service, [facts.server])] if services else []
    linger = services.linger if services and services.systemd else None
    return replace(facts, service=owned[0] if owned else None, linger=linger)


async def _configuration(host: Host, server: Server, means: Means) -> ServerFacts:
    if server.health in _UNSEEN:
        return ServerFacts(server, unseen=f"{server.id} belongs to another user: its configuration is not seen.")
    means.told(f"{server.id}: configuration")
    whose = Whose(server.app, pid=server.pid)
    try:
        found = await look(host, whose)
        answer = await ask(host, whose, traits=True) if means.asks else None
    except JupytuiError as error:
        if host.connected:
            return ServerFacts(server, unseen=f"{server.id}: {error.message}")
        raise
    return ServerFacts(server, answer.corrected(found) if answer else found, answer)


# Files


@cache
def _source() -> str:
    return files("jupytui.doctor.on_host").joinpath("examine.py").read_text("utf-8")


async def _examined(
    host: Host, known: Iterable[ServerFacts], stale: Sequence[Server]
) -> tuple[list[ServerFacts], tuple[tuple[Server, tuple[str, ...]], ...], str]:
    known = list(known)
    job = {"servers": [_job(facts) for facts in known], "stale": [server.pid for server in stale]}
    seen = min((facts.found for facts in known if facts.found), key=lambda found: found.uid, default=None)
    whose = (str(seen.uid), seen.python) if seen else ("0", "")
    done = await host.run(_RUN, *whose, _source(), stdin=msgspec.json.encode(job))
    try:
        told = msgspec.json.decode(done.stdout)
        examined = [_with_files(facts, each) for facts, each in zip(known, told["servers"], strict=True)]
        gone = tuple((server, tuple(map(str, paths))) for server, paths in zip(stale, told["stale"], strict=True))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return known, (), f"The files of {host.name} could not be looked at: {clean_line(done.stderr, 200)}"
    return examined, gone, ""


def _job(facts: ServerFacts) -> dict[str, Any]:
    keys = (("ServerApp.certfile", "certificate file"), ("ServerApp.keyfile", "private key"))
    paths = [{"path": path, "kind": kind} for key, kind in keys if isinstance(path := facts.value(key), str) and path]
    prefix = facts.found.prefix if facts.found else ""
    return {"pid": facts.server.pid, "root_dir": facts.server.root_dir, "paths": paths, "prefix": prefix}


def _with_files(facts: ServerFacts, told: dict[str, Any]) -> ServerFacts:
    return replace(
        facts,
        uid=told["uid"],
        root_exists=told["root_exists"],
        paths=tuple(PathFact(**each) for each in told["paths"]),
        disks=tuple(Disk(**each) for each in told["disks"]),
        versions={clean_line(name, 40): clean_line(version, 40) for name, version in told["versions"].items()},
    )


# Certificates, and the way there


async def _reached(host: Host, view: HostView, facts: ServerFacts, means: Means) -> ServerFacts:
    server, access = facts.server, means.access.get(facts.server.id)
    if server.health in _UNSEEN or server.sock or access is None or not access.port:
        return facts
    means.told(f"{server.id}: the way there")
    tls = await _tls(host, facts, access, means)
    if tls and tls.sight.served is None:
        return replace(facts, tls=tls)  # every question would wait in vain
    context = await asyncio.to_thread(_trusting, tls)
    expected = Expected(server.version, server.started_at if server.pid else None)
    through = await Check(
        _url(access, access.address), host, token=access.token, context=context, in_clear=True,
        expected=replace(expected, started=None), posts=False, deadline=means.seconds,
    ).report()  # fmt: skip
    facts = replace(facts, tls=tls, through=through)
    if not facts.exposed or isinstance(host, LocalHost):
        return facts
    address = _address(view.address)
    addresses = await lan.addresses(host)
    direct = await Check(
        _url(access, address), means.here or LocalHost(), context=context, far=lan.far_look(server),
        deadline=means.seconds,
    ).report()  # fmt: skip
    return replace(facts, direct=direct, addresses=addresses)


def _url(access: Access, address: str) -> str:
    where = "localhost" if address in {"127.0.0.1", "::1", "0.0.0.0", "::", ""} else address
    where = f"[{where}]" if ":" in where else where
    return f"{'https' if access.tls else 'http'}://{where}:{access.port}{access.base_url}"


def _address(shown: str) -> str:
    """Return the machine of "user@10.0.0.5:22" or "user@[::1]:22"."""
    return shown.rpartition("@")[2].rpartition(":")[0].strip("[]") or shown


async def _tls(host: Host, facts: ServerFacts, access: Access, means: Means) -> TlsFacts | None:
    certfile, keyfile = (facts.value(f"ServerApp.{name}") for name in ("certfile", "keyfile"))
    if not isinstance(certfile, str) or not certfile.startswith("/"):
        return None
    place = Place(certfile, keyfile if isinstance(keyfile, str) and keyfile else None)
    certificates = await _bytes(host, place.certfile)
    key = await _bytes(host, place.keyfile) if place.two_files and place.keyfile else certificates
    verdict = await asyncio.to_thread(check, certificates, key or b"\n")
    try:
        shown, trouble = await served(host, access, means.seconds), ""
    except NoHandshake as error:
        shown, trouble = None, error.message
    return TlsFacts(place, Sight(_certificates(certificates), shown, trouble), verdict.faults)


def _certificates(data: bytes) -> tuple[Certificate, ...]:
    try:
        return read_certificates(data)
    except ValueError:
        return ()


async def _bytes(host: Host, path: str) -> bytes:
    try:
        return await host.read(path, MAX_FILE)
    except (OSError, CommandError):
        return b""


def _trusting(tls: TlsFacts | None) -> ssl.SSLContext:
    """Trust what is meant to be shown: who else trusts it is another question than whether all else works."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    shown: Iterable[Certificate | None] = (*tls.sight.file, tls.sight.served) if tls else ()
    for certificate in shown:
        if certificate:
            context.load_verify_locations(cadata=certificate.der)
    return context
