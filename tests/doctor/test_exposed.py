"""Servers that other machines reach, or should: real sockets, real firewalls, real certificates, on one host."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
from collections.abc import Iterator

import pytest
import trustme

from tests.doctor.planted import HOME, KEY, TLS, config_of, examined, put_certificate, start_server, wait_for_ports
from tests.lab.host import LabHost
from tests.lab.lab import Lab

NAME = "dr2"
BOTH = f"{HOME}/both.pem"
DROP = (
    "nft add table inet t; nft add chain inet t in '{ type filter hook input priority 0; }'; "
    'nft add rule inet t in iifname eth0 tcp dport 8902 "$@"'
)
NO_LOGIN = {"token": "", "hashed_password": ""}
ARGV_SECRET = "a-token-that-everybody-sees"


@pytest.fixture(scope="module")
def machine(lab: Lab, installed: None, authority: trustme.CA) -> LabHost:
    """Servers with a fault each, by their ports; the last to start finds its port taken."""
    host = lab.host(NAME)
    host.exec("loginctl enable-linger alice")
    put_certificate(host, authority)
    everywhere: dict[str, object] = {"ip": "0.0.0.0", "port_retries": 0}
    tls = {"certfile": TLS, "keyfile": KEY}
    start_server(host, "open", {**config_of(port=8901, **everywhere), "IdentityProvider": NO_LOGIN})
    start_server(host, "clear", config_of(port=8902, **everywhere))
    start_server(host, "name", config_of(port=8903, allow_remote_access=False, **everywhere))
    start_server(host, "argv", config_of(port=8904, port_retries=0), f"--IdentityProvider.token={ARGV_SECRET}")
    start_server(host, "local", {**config_of(port=8906, port_retries=0), "IdentityProvider": NO_LOGIN})
    start_server(host, "tls", config_of(port=8908, trust_xheaders=True, **tls, **everywhere))
    start_server(host, "root", config_of(port=8905, port_retries=0), "--allow-root", user="root")
    host.exec('umask 077; cat "$1" "$2" >"$3"', TLS, KEY, BOTH, user="alice")
    start_server(host, "both", config_of(port=8909, certfile=BOTH, **everywhere))
    wait_for_ports(host, 8901, 8902, 8903, 8904, 8905, 8906, 8908, 8909)
    start_server(host, "drift", config_of(port=8904))
    wait_for_ports(host, 8907)
    return host


@pytest.fixture
def firewall(machine: LabHost) -> Iterator[LabHost]:
    yield machine
    machine.exec("nft flush ruleset")


@pytest.mark.parametrize(
    ("port", "cause", "evidence"),
    [
        ("8901", "exposure.open", "listens on all addresses, port 8901"),
        ("8902", "exposure.in-clear", "ServerApp.ip = '0.0.0.0'"),
        ("8903", "reach.host", "403"),
        ("8904", "exposure.argv", "IdentityProvider.token"),
        ("8906", "exposure.open-local", "listens on loopback"),
        ("8907", "health.port-drifted", "ServerApp.port = 8904"),
        ("8908", "exposure.xheaders", "trust_xheaders = True"),
    ],
)
async def test_who_gets_in_is_said_first(port: str, cause: str, evidence: str, machine: LabHost, lab: Lab) -> None:
    async with examined(lab.ssh_config, NAME, only=port) as seen:
        assert seen.first.id == cause, seen.diagnosis.findings
        assert evidence in "\n".join(seen.first.evidence)
        assert ARGV_SECRET not in repr(seen.diagnosis) + repr(seen.facts)
        ((_id, verdict),) = seen.diagnosis.verdicts
        assert verdict.endswith("safe") is (port in {"8907", "8908"}), verdict


async def test_a_server_of_roots_is_named_though_its_files_are_not_seen(machine: LabHost, lab: Lab) -> None:
    async with examined(lab.ssh_config, NAME) as seen:
        (found,) = [finding for finding in seen.diagnosis.findings if finding.id == "exposure.root"]
        assert "uid 0" in found.evidence[0]
        assert any("another user" in line for line in seen.diagnosis.skipped)


@pytest.mark.parametrize(("how", "cause"), [("drop", "reach.filtered"), ("reject", "reach.rejected")])
async def test_a_firewall_between_us_is_named(how: str, cause: str, firewall: LabHost, lab: Lab) -> None:
    firewall.exec(DROP, how)
    async with examined(lab.ssh_config, NAME, only="8902", seconds=2.0) as seen:
        assert seen.first.id == cause
        assert "listening" in seen.first.words
        through = seen.facts.servers[0].through
        assert through and through.proven, "on its own machine it works"


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("expired", "health.certificate-dates"),
        ("soon", "health.certificate-dates"),
        ("another key", "health.certificate-pair"),
        ("a passphrase", "health.certificate-pair"),
        ("no key", "health.certificate-pair"),
    ],
)
async def test_what_is_wrong_with_a_certificate_is_named_before_what_follows_from_it(
    fault: str, cause: str, machine: LabHost, authority: trustme.CA, lab: Lab
) -> None:
    other = authority.issue_cert("other").private_key_pem.bytes().decode()
    encrypted = subprocess.run(
        ["openssl", "pkey", "-aes128", "-passout", "pass:x"], input=other, capture_output=True, text=True, check=True
    ).stdout
    days = {"expired": -1, "soon": 5}.get(fault, 300)
    key = {"another key": other, "a passphrase": encrypted, "no key": "\n"}.get(fault, "")
    put_certificate(machine, authority, days=days, key=key)
    try:
        async with examined(lab.ssh_config, NAME, only="8908", seconds=4.0) as seen:
            assert seen.first.id == cause, seen.diagnosis.findings
            assert TLS in "\n".join(seen.first.evidence)
    finally:
        put_certificate(machine, authority)


@pytest.mark.parametrize(("name", "port"), [("open", "8901"), ("local", "8906")])
async def test_the_fix_of_an_open_server_is_shown_and_closes_it(
    name: str, port: str, machine: LabHost, lab: Lab
) -> None:
    path = f"{HOME}/config/{name}/jupyter_server_config.json"
    before = machine.exec('cat "$1"', path).stdout
    async with examined(lab.ssh_config, NAME, only=port) as seen:
        assert seen.first.fix and seen.first.fix.restart
        await seen.mend(seen.first)
    try:
        assert "token" not in json.loads(machine.exec('cat "$1"', path).stdout)["IdentityProvider"]
        machine.exec("kill $(ss -Hltnp \"sport = :$1\" | sed 's/.*pid=\\([0-9]*\\).*/\\1/')", port)
        machine.exec('while ss -Hltn | grep -q ":$1 "; do sleep 0.1; done', port)
        start_server(machine, name, json.loads(machine.exec('cat "$1"', path).stdout))
        wait_for_ports(machine, int(port))
        async with examined(lab.ssh_config, NAME, only=port) as after:
            assert "exposure.open" not in after.ids and "exposure.open-local" not in after.ids
    finally:
        machine.write(path, before, user="alice")


@pytest.mark.parametrize("kind", ["private key", "certificate file"])
async def test_a_key_that_others_read_is_closed_to_them_and_still_serves(
    kind: str, machine: LabHost, authority: trustme.CA, lab: Lab
) -> None:
    path, port = (KEY, "8908") if kind == "private key" else (BOTH, "8909")
    machine.exec('chmod 711 "$1"; chmod 644 "$2"', HOME, path)
    look = ('head -c 1 "$1"', path)
    assert machine.exec(*look, user="daemon").stdout
    async with examined(lab.ssh_config, NAME, only=port) as seen:
        assert seen.first.title == f"Others can read the {kind}"
        await seen.mend(seen.first)
    assert machine.exec(*look, user="daemon", check=False).returncode
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with socket.create_connection((machine.address, int(port)), 20.0) as plain:
        context.wrap_socket(plain, server_hostname=machine.address).close()
    async with examined(lab.ssh_config, NAME, only=port) as after:
        assert "exposure.readable" not in after.ids
