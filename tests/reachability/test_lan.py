"""The local network: what a host's own look and a knock from here say together. On hosts of the lab, with nft."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from jupytui.hosts.base import Destination, Host, Nobody
from jupytui.hosts.limits import Gates
from jupytui.hosts.local import LocalHost
from jupytui.hosts.open import open_host
from jupytui.jupyter.models import App, Server
from jupytui.reachability import lan
from jupytui.reachability.check import Check
from jupytui.reachability.models import Cause, FarLook, Part
from tests.lab.host import LabHost
from tests.lab.lab import Lab

RULES = (
    "nft add table inet t; nft add chain inet t in '{ type filter hook input priority 0; }'; "
    'nft add rule inet t in tcp dport 8888 "$@"'
)
ALL = FarLook(True, "all")


@pytest.fixture(scope="module")
def machine(lab: Lab) -> Iterator[LabHost]:
    """A host with something that listens on port 8888 of all its addresses, and on 8889 of loopback."""
    host = lab.host("rc1")
    for port, address in ((8888, "0.0.0.0"), (8889, "127.0.0.1")):
        host.exec(f"systemd-run -q --unit=web{port} python3 -m http.server --bind {address} {port}")
    host.exec('until [ "$(ss -Hltn | grep -c :888)" = 2 ]; do sleep 0.1; done')
    yield host
    lab.remove("rc1")


@pytest.fixture
def firewall(machine: LabHost) -> Iterator[LabHost]:
    """`machine`, whose rules are forgotten after the test."""
    yield machine
    machine.exec("nft flush ruleset")


@pytest.fixture
async def gpu(lab: Lab, machine: LabHost) -> AsyncIterator[Host]:
    """Another host of the lab, over SSH."""
    lab.host("rc2")
    host = open_host(Destination("gpu1", ssh="rc2", ssh_config=str(lab.ssh_config)), Nobody(), Gates())
    await host.connect()
    yield host
    await host.close()


def server(bind: str | None = "all", port: int = 8888) -> Server:
    return Server(id=f"rc1:{port}", pid=1, app=App.LAB, port=port, bind=bind)


async def cause(host: LabHost, of: Server, deadline: float = 30.0) -> Cause | None:
    report = await lan.reach(of, host.address, LocalHost(), deadline)
    assert [step.part for step in report.steps] == [Part.NAME, Part.CONNECT]
    return report.failed.cause if report.failed else None


async def test_a_port_that_answers_is_reachable(machine: LabHost) -> None:
    assert await cause(machine, server()) is None


async def test_a_server_on_loopback_is_told_from_one_that_is_gone(machine: LabHost) -> None:
    report = await lan.reach(server("loopback", 8889), machine.address, LocalHost())
    assert report.failed and report.failed.cause is Cause.LOOPBACK_ONLY
    assert report.failed.fixes[0].settings == {"ServerApp.ip": "0.0.0.0"}
    assert await cause(machine, server(None, 8890)) is Cause.NOT_LISTENING


async def test_a_dropping_firewall_is_silence_and_named_as_a_filter_between_us(firewall: LabHost) -> None:
    firewall.exec(RULES, "drop")
    report = await lan.reach(server(), firewall.address, LocalHost(), 2.0)
    assert report.failed and report.failed.cause is Cause.FILTERED
    assert "listening, but port 8888 is filtered between us" in report.failed.words


@pytest.mark.parametrize("how", ["reject", "reject with tcp reset", "reject with icmp admin-prohibited"])
async def test_a_rejecting_firewall_is_told_from_a_closed_port(firewall: LabHost, how: str) -> None:
    firewall.exec(RULES, *how.split())
    assert await cause(firewall, server()) is Cause.REJECTED


async def test_a_connection_that_is_reset_once_it_carries_data_is_no_refusal(firewall: LabHost) -> None:
    firewall.exec(RULES, *["tcp", "flags", "&", "psh", "==", "psh", "reject", "with", "tcp", "reset"])
    report = await Check(f"http://{firewall.address}:8888/", LocalHost(), far=ALL, deadline=30.0).report()
    assert report.failed and (report.failed.part, report.failed.cause) == (Part.HTTP, Cause.RESET)
    assert "something between us" in report.failed.words


async def test_the_same_is_seen_from_another_host(firewall: LabHost, gpu: Host) -> None:
    url = f"http://{firewall.address}:8888/"
    report = await Check(url, gpu, deadline=30.0).report()
    assert report.seen_from == "gpu1"
    assert report.failed and report.failed.cause is Cause.PROXY_NO_ROUTE  # it answers, and is no Jupyter
    firewall.exec(RULES, "reject")
    report = await Check(url, gpu, far=ALL, deadline=30.0).report()
    assert report.failed and report.failed.cause is Cause.REJECTED
    firewall.exec("nft flush ruleset")
    firewall.exec(RULES, "drop")
    report = await Check(url, gpu, far=ALL, deadline=2.0).report()
    assert report.failed and report.failed.cause is Cause.FILTERED
    report = await Check("http://no-such-machine.invalid/", gpu, deadline=30.0).report()
    assert report.failed and report.failed.cause is Cause.NO_NAME


async def test_the_addresses_of_a_host_are_those_that_others_can_use(machine: LabHost, lab: Lab) -> None:
    machine.exec("ip link add docker0 type bridge && ip addr add 172.17.0.1/16 dev docker0 && ip link set docker0 up")
    host = open_host(Destination("rc1", ssh="rc1", ssh_config=str(lab.ssh_config)), Nobody(), Gates())
    await host.connect()
    try:
        assert await lan.addresses(host) == (machine.address,)
    finally:
        await host.close()


IP = """\
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever
2: eth0    inet 10.1.2.3/24 brd 10.1.2.255 scope global eth0\\       valid_lft forever
2: eth0    inet6 2001:db8::2/64 scope global temporary dynamic \\       valid_lft 600sec
2: eth0    inet6 2001:db8::1/64 scope global dynamic mngtmpaddr \\       valid_lft 600sec
2: eth0    inet6 fe80::1/64 scope link \\       valid_lft forever
3: docker0    inet 172.17.0.1/16 scope global docker0\\       valid_lft forever
4: veth12@if3    inet 172.18.0.1/16 scope global veth12\\       valid_lft forever
5: br-0a1b    inet 172.19.0.1/16 scope global br-0a1b\\       valid_lft forever
6: tailscale0    inet 100.64.0.7/32 scope global tailscale0\\       valid_lft forever
"""
IFCONFIG = """\
lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384
\tinet 127.0.0.1 netmask 0xff000000
en0: flags=8863<UP,BROADCAST> mtu 1500
\tinet6 fe80::1%en0 prefixlen 64 secured scopeid 0x6
\tinet 192.168.1.7 netmask 0xffffff00 broadcast 192.168.1.255
bridge100: flags=8863<UP> mtu 1500
\tinet 192.168.64.1 netmask 0xffffff00
"""


def test_addresses_inside_the_machine_and_those_of_today_only_are_left_out() -> None:
    assert lan.parse_addresses(IP) == ("10.1.2.3", "100.64.0.7", "2001:db8::1")
    assert lan.parse_addresses(IFCONFIG) == ("192.168.1.7",)
    assert lan.parse_addresses("garbage\ninet 999.1.1.1\n\x00") == ()


def test_the_url_to_hand_on_has_no_token() -> None:
    assert lan.url_at("10.1.2.3", server()) == "http://10.1.2.3:8888/"
    assert lan.url_at("2001:db8::1", server()) == "http://[2001:db8::1]:8888/"
