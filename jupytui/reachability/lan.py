"""Other machines of the local network: at which addresses they reach a host, and whether its port answers."""

from __future__ import annotations

import ipaddress
import re

from jupytui.hosts.base import Host
from jupytui.jupyter.models import Server
from jupytui.reachability.check import DEADLINE, Check
from jupytui.reachability.models import FarLook, Part, Report
from jupytui.reachability.network import clean_lines

# Networks inside the machine: containers', virtual machines' and their bridges.
_INSIDE = re.compile(r"lo\d*$|docker|veth|br-|virbr|lxc|lxd|cni|flannel|podman|cali|vmnet|vboxnet|bridge\d")
_ASK = "ip -o addr show up 2>/dev/null || /sbin/ip -o addr show up 2>/dev/null || /sbin/ifconfig"


async def addresses(host: Host) -> tuple[str, ...]:
    """Return the addresses under which others can reach `host`, IPv4 first. Raises HostTrouble, DeadlineError."""
    done = await host.run(_ASK)
    return parse_addresses("\n".join(clean_lines(done.stdout)))


def parse_addresses(text: str) -> tuple[str, ...]:
    """Return the usable addresses in the output of `ip -o addr` or ifconfig.

    Left out: loopback, link-local, and those that will not be there tomorrow (IPv6 privacy addresses, RFC 8981).
    """
    found: dict[str, int] = {}
    device = ""
    for line in text.splitlines():
        if named := re.match(r"(?:\d+: )?([\w.@-]+?)(?:@[\w.]+)?(?::| +inet)", line):
            device = named[1]
        spelled = re.search(r"\binet6? ([0-9a-fA-F.:]+)", line)
        if spelled and not _INSIDE.match(device) and not re.search(r"\b(temporary|deprecated|tentative)\b", line):
            found |= _usable(spelled[1])
    return tuple(sorted(found, key=lambda address: found[address]))


def _usable(text: str) -> dict[str, int]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return {}
    if address.is_loopback or address.is_link_local or address.is_unspecified:
        return {}
    return {str(address): address.version}


def url_at(address: str, server: Server) -> str:
    """Return the URL to hand on: that of `server` at one of its machine's addresses, without a token."""
    host = f"[{address}]" if ":" in address else address
    return f"{'https' if server.tls else 'http'}://{host}:{server.port}{server.base_url}"


def far_look(server: Server) -> FarLook:
    """Return what the machine's own look says of a server's port: its real bind, from the listening sockets."""
    return FarLook(server.bind is not None, server.bind or "")


async def reach(server: Server, address: str, seen_from: Host, deadline: float = DEADLINE) -> Report:
    """Return whether `server` can be connected to at `address` of its machine, from the host `seen_from`.

    What the far side says of its port and what is seen from here together tell a firewall from a wrong bind.
    """
    return await Check(
        url_at(address, server), seen_from, far=far_look(server), deadline=deadline, until=Part.CONNECT
    ).report()
