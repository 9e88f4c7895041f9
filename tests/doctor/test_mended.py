"""Fixes carried out as pane 9 does it, the restart included; that they work is seen from outside."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import trustme

from jupytui.actions.base import perform
from jupytui.actions.doctor import examine, mend
from jupytui.actions.table import BY_ID
from jupytui.certs import authority as our_authority
from jupytui.certs.private import default_directory
from jupytui.fleet.subject import Subject
from jupytui.jupyter.launch.causes import LaunchFailed
from tests.actions.front import ScriptedFront
from tests.doctor.outside import Browser
from tests.doctor.planted import (
    DOMAIN,
    HOME,
    KEY,
    SECONDS,
    TLS,
    config_of,
    examined,
    put_certificate,
    start_server,
    wait_for_ports,
    watched,
)
from tests.lab.host import LabHost
from tests.lab.jupyter import HASHED_PASSWORD
from tests.lab.lab import Lab

NAME = "dr3"
EVIL = "https://evil.example"
FORGED = "203.0.113.9"
NGINX = """
pid /run/nginx-of-the-test.pid; error_log /run/nginx-of-the-test.log; events {{}}
http {{ access_log off; server {{
    listen {address}:443 ssl; server_name {domain}; ssl_certificate {tls}; ssl_certificate_key {key};
    location / {{
        proxy_pass https://127.0.0.1:{port}; proxy_http_version 1.1;
        proxy_set_header Host $http_host; proxy_set_header X-Real-Ip $remote_addr; proxy_set_header X-Scheme $scheme;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
    }}
}} }}
"""


@pytest.fixture(scope="module")
def machine(lab: Lab, installed: None, authority: trustme.CA) -> LabHost:
    """A host for servers with a fault each, by their ports."""
    host = lab.host(NAME)
    host.exec("loginctl enable-linger alice")
    put_certificate(host, authority)
    return host


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


def start(host: LabHost, port: int, server_app: Mapping[str, object], *, lands: int = 0) -> None:
    """Start a server with a token and a password; `lands` is where it comes to listen, if not at its `port`."""
    config = config_of(port=port, **server_app)
    login = {**config["IdentityProvider"], "hashed_password": HASHED_PASSWORD}
    start_server(host, str(port), {**config, "IdentityProvider": login})
    wait_for_ports(host, lands or port)


def with_tls(**more: object) -> Mapping[str, object]:
    return {"ip": "0.0.0.0", "port_retries": 0, "certfile": TLS, "keyfile": KEY, **more}


def config_file(port: int) -> str:
    return f"{HOME}/config/{port}/jupyter_server_config.json"


async def mended(lab: Lab, port: int, cause: str, becomes: int = 0) -> str:
    """Have the doctor name `cause` first and put it right, all agreed to; what it says then.

    A second doctor, who comes after that, finds nothing wrong with the server, at the port that it `becomes`.
    """
    front = ScriptedFront()
    async with watched(lab.ssh_config, NAME, front) as context:
        found = await examine(context, [Subject(NAME, f"{NAME}:{port}")])
        first = found.diagnosis.findings[0]
        assert first.id == cause, found.diagnosis.findings
        said = await mend(context, found, first)
    assert [question.title for question in front.confirmed][1:] == [f"Restart {NAME}:{port} now"]
    assert front.confirmed[0].runs.startswith("---"), "what is changed is shown first"
    async with examined(lab.ssh_config, NAME, only=str(becomes or port)) as after:
        ((id_, _verdict),) = after.diagnosis.verdicts
        assert (id_, after.diagnosis.findings) == (f"{NAME}:{becomes or port}", ())
        through = after.facts.servers[0].through
        assert through and through.proven, "a tunnel's end gets in, websockets included"
    return said


async def test_a_server_that_takes_requests_of_every_page_takes_those_of_its_own_alone(
    machine: LabHost, ca_file: Path, lab: Lab
) -> None:
    start(machine, 8911, with_tls(allow_origin_pat=".*"))
    browser = Browser(f"https://{machine.address}:8911", ca_file)
    browser.sign_in()
    assert browser.as_page_of(EVIL) == (200, 101)
    assert "every page: put right." in await mended(lab, 8911, "exposure.origin")
    browser.sign_in()
    assert browser.as_page_of(EVIL) == (404, 403)
    assert browser.as_page_of(browser.origin) == (200, 101)


@contextmanager
def held(host: LabHost, port: int) -> Iterator[None]:
    """A port that something else has, until this is left."""
    hold = 'setsid python3 -m http.server --bind 127.0.0.1 "$1" >/dev/null 2>&1 </dev/null & echo $!'
    holder = host.exec(hold, str(port), user="alice").stdout.strip()
    wait_for_ports(host, port)
    try:
        yield
    finally:
        host.exec('kill "$1"; while ss -Hltn | grep -q ":$2 "; do sleep 0.1; done', holder, str(port))


def listening_at(host: LabHost, *ports: int) -> set[str]:
    return {place for place in host.listening() if int(place.rpartition(":")[2]) in ports}


async def test_a_server_that_drifted_is_back_on_its_port_and_is_looked_for_there(machine: LabHost, lab: Lab) -> None:
    with held(machine, 8921):
        start(machine, 8921, {"ip": "127.0.0.1"}, lands=8922)
    said = await mended(lab, 8922, "health.port-drifted", becomes=8921)
    assert "On another port: put right." in said
    assert f"it is {NAME}:8921 now" in said
    assert listening_at(machine, 8921, 8922) == {"127.0.0.1:8921"}


async def test_a_server_that_a_fix_keeps_down_comes_back_as_it_was(machine: LabHost, lab: Lab) -> None:
    with held(machine, 8931):
        start(machine, 8931, {"ip": "127.0.0.1"}, lands=8932)
        before = machine.exec('cat "$1"', config_file(8931)).stdout
        with pytest.raises(LaunchFailed, match="port is taken") as failed:
            await mended(lab, 8932, "health.port-drifted")
    assert "Its files are as they were, and it was started once more." in failed.value.hint
    assert machine.exec('cat "$1"', config_file(8931)).stdout == before
    async with examined(lab.ssh_config, NAME, only="8932") as after:
        assert after.ids == ["health.port-drifted"]


def in_clear(host: LabHost, port: int) -> str:
    """What somebody on the network gets to read of the login page."""
    return requests.get(f"http://{host.address}:{port}/login", timeout=SECONDS).text


async def test_a_server_in_clear_answers_nobody_on_the_network_and_tunnels_as_before(
    machine: LabHost, lab: Lab
) -> None:
    start(machine, 8941, {"ip": "0.0.0.0"})
    assert "password" in in_clear(machine, 8941)
    assert "Unencrypted: put right." in await mended(lab, 8941, "exposure.in-clear")
    assert listening_at(machine, 8941) == {"127.0.0.1:8941"}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((machine.address, 8941), SECONDS)


async def test_a_server_in_clear_that_gets_a_certificate_as_the_fix_says_speaks_tls_alone(
    machine: LabHost, tmp_path: Path, lab: Lab
) -> None:
    start(machine, 8951, {"ip": "0.0.0.0"})
    async with examined(lab.ssh_config, NAME, only="8951") as seen:
        assert seen.first.id == "exposure.in-clear"
        assert seen.first.fix and "Turn TLS on (pane 7)" in seen.first.fix.words
    async with watched(lab.ssh_config, NAME, ScriptedFront()) as context:
        names = {"names": f"localhost {machine.address}"}
        await perform(BY_ID["cert.issue"], context, [Subject(NAME, f"{NAME}:8951")], names)
    ours = our_authority.load(default_directory())
    assert ours
    (tmp_path / "ours.pem").write_bytes(ours.pem())
    browser = Browser(f"https://{machine.address}:8951", tmp_path / "ours.pem")
    browser.sign_in()
    assert browser.as_page_of(browser.origin) == (200, 101)
    with pytest.raises(requests.ConnectionError):
        in_clear(machine, 8951)
    async with examined(lab.ssh_config, NAME, only="8951") as after:
        assert after.diagnosis.findings == ()


def proxied(host: LabHost, port: int) -> None:
    """Have an nginx of the host speak TLS for a server, as its name; it says who asks."""
    sites = NGINX.format(address=host.address, domain=DOMAIN, tls=TLS, key=KEY, port=port)
    host.write("/etc/nginx-of-the-test.conf", sites)
    host.exec("nginx -e /run/nginx-of-the-test.log -c /etc/nginx-of-the-test.conf >/dev/null 2>&1")
    wait_for_ports(host, 443)


def logged(host: LabHost, port: int, path: str) -> str:
    """The line of a server's log on a request that was refused."""
    look = 'until grep -F " $2 " "$1"; do sleep 0.1; done'
    return host.exec(look, f"{HOME}/config/{port}/log", f"/{path}").stdout


async def test_a_server_that_believes_every_header_believes_those_of_its_proxy_alone(
    machine: LabHost, ca_file: Path, lab: Lab
) -> None:
    start(machine, 8961, with_tls(trust_xheaders=True, local_hostnames=["localhost", DOMAIN]))
    proxied(machine, 8961)
    forged = {"X-Real-Ip": FORGED, "X-Scheme": "http"}
    direct = Browser(f"https://{machine.address}:8961", ca_file)
    direct.ask("api/contents/direct", forged)
    assert f"@{FORGED}" in logged(machine, 8961, "api/contents/direct")
    assert "put right." in await mended(lab, 8961, "exposure.xheaders")
    assert listening_at(machine, 8961) == {"127.0.0.1:8961"}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((machine.address, 8961), SECONDS)
    browser = Browser(f"https://{DOMAIN}", ca_file, machine.address)
    assert "secure" in browser.sign_in().headers["Set-Cookie"].lower()
    assert browser.as_page_of(browser.origin) == (200, 101)
    assert browser.as_page_of(EVIL) == (404, 403)
    Browser(f"https://{DOMAIN}", ca_file, machine.address).ask("api/contents/proxied", forged)
    with socket.create_connection((machine.address, 443), SECONDS) as ours:
        assert f"@{ours.getsockname()[0]})" in logged(machine, 8961, "api/contents/proxied")


# What the check of the way there offers


async def test_a_server_that_refuses_its_machines_address_takes_it(machine: LabHost, ca_file: Path, lab: Lab) -> None:
    start(machine, 8971, with_tls(allow_remote_access=False))
    browser = Browser(f"https://{machine.address}:8971", ca_file)
    assert browser.ask("login").status_code == 403
    assert "Host refused: put right." in await mended(lab, 8971, "reach.host")
    browser.sign_in()
    assert browser.as_page_of(browser.origin) == (200, 101)


async def test_a_server_that_refuses_localhost_takes_it_beside_the_names_it_took(machine: LabHost, lab: Lab) -> None:
    start(machine, 8981, {"ip": "127.0.0.1", "local_hostnames": [DOMAIN, "lab2.example"]})
    assert "Host refused: put right." in await mended(lab, 8981, "reach.host")
    names = ("localhost", DOMAIN, "lab2.example", "evil.example")
    ask = 'for name in "$@"; do curl -s -o /dev/null -w "%{http_code} " -H "Host: $name" 127.0.0.1:8981/login; done'
    assert machine.exec(ask, *names).stdout.split() == ["200", "200", "200", "403"]


async def test_a_server_on_another_address_of_its_machine_is_reached_at_all_of_them(
    machine: LabHost, ca_file: Path, lab: Lab
) -> None:
    (other,) = machine.add_addresses(1)
    start(machine, 8991, with_tls(ip=other))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((machine.address, 8991), SECONDS)
    assert "put right." in await mended(lab, 8991, "reach.other-address")
    browser = Browser(f"https://{machine.address}:8991", ca_file)
    browser.sign_in()
    assert browser.as_page_of(browser.origin) == (200, 101)
    socket.create_connection((other, 8991), SECONDS).close()
    assert json.loads(machine.exec('cat "$1"', config_file(8991)).stdout)["ServerApp"]["ip"] == "0.0.0.0"


async def test_a_server_that_asked_nobody_is_called_put_right_when_it_was_seen_to_ask(
    machine: LabHost, lab: Lab
) -> None:
    start_server(machine, "8995", {"ServerApp": {"port": 8995, "port_retries": 0}, "IdentityProvider": {"token": ""}})
    wait_for_ports(machine, 8995)
    assert "Open to its machine: put right." in await mended(lab, 8995, "exposure.open-local")
