"""The name and the port: does a connection come about, and if not, who stands in the way."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket

from jupytui.hosts.local import LocalHost
from jupytui.reachability.models import Cause, FarLook, Fix
from jupytui.reachability.visit import Fails, Visit
from jupytui.text import clean_line

_MOST = 6  # addresses of one name that are tried
_NO_ROUTE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}


async def resolve(visit: Visit) -> str:
    """Find the addresses of the target's name, where the check is made from."""
    target = visit.wire.target
    if target.address:
        visit.addresses = (target.host,)
        return "It is an address."
    found = await addresses_of(target.host) if isinstance(visit.host, LocalHost) else await _remote(visit)
    if not found:
        visit.saw(f"{target.host} has no address")
        raise Fails(
            Cause.NO_NAME,
            f"No machine is called {target.host}, seen from {visit.host.name}.",
            Fix("Check the spelling, and that the name's DNS entry exists; a new one may take minutes to be seen."),
        )
    visit.addresses = found[:_MOST]
    visit.saw(f"{target.host} is {', '.join(visit.addresses)}")
    return f"{target.host} is {visit.addresses[0]}."


async def addresses_of(name: str) -> tuple[str, ...]:
    """Return where a name leads, seen from this machine; nothing when nowhere."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


async def _remote(visit: Visit) -> tuple[str, ...]:
    name = visit.wire.target.host
    done = await visit.host.run('if command -v getent >/dev/null; then getent ahosts "$1"; else echo "$1"; fi', name)
    words = [line.split()[0] for line in clean_lines(done.stdout) if line.split()]
    return tuple(dict.fromkeys(word for word in words if word == name or _is_address(word)))


def clean_lines(output: bytes) -> list[str]:
    """Return the lines of a command's output, cleaned."""
    return [clean_line(line, 400) for line in output.splitlines()[:1000]]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


async def connect(visit: Visit) -> str:
    """Open a connection to the first address that takes one, and close it."""
    failure: Exception = TimeoutError()
    for address in visit.addresses:
        try:
            async with asyncio.timeout(visit.wire.deadline / len(visit.addresses)):
                stream = await visit.wire.connect(address)
        except OSError as error:  # TimeoutError is one
            failure = error
            visit.saw(f"{_where(visit, address)}: {_said(error)}")
        else:
            await stream.close()
            visit.wire.address = address
            visit.saw(f"{_where(visit, address)}: connected")
            return f"{_where(visit, address)} takes connections."
    raise _refusal(visit, failure)


def _where(visit: Visit, address: str) -> str:
    return f"{f'[{address}]' if ':' in address else address}:{visit.wire.target.port}"


def _said(error: OSError) -> str:
    if isinstance(error, TimeoutError) and not error.errno:
        return "no answer"
    # asyncio's own words repeat the address; sshd's, for a connection it makes for us, are all there is.
    said = os.strerror(error.errno) if error.errno else clean_line(str(error))
    return (said or type(error).__name__).lower()


def _refusal(visit: Visit, error: Exception) -> Fails:
    target, far = visit.wire.target, visit.far
    where = f"{target.host} port {target.port}"
    if far and not far.listens:
        words = f"Nothing listens on {where}."
        return Fails(Cause.NOT_LISTENING, words, Fix("Start the server, or use the port it really has."))
    if far and (elsewhere := _elsewhere(visit, far)):
        return elsewhere
    return _silence(where, target.port, far) if _is_silence(error) else _answer(where, target.port, far, error)


def _elsewhere(visit: Visit, far: FarLook) -> Fails | None:
    """The server listens, but not where we knocked. `ip` of a real address lets Jupyter take any Host by default."""
    target, tried = visit.wire.target, set(visit.addresses)
    if far.bind in {"all", ""} or tried & set(far.bind.split(",")) or (far.bind == "loopback" and target.loopback):
        return None
    # "*" is both families; "0.0.0.0" has no IPv6, and "::" no IPv4 (measured on jupyter_server 2.21).
    everywhere = "*" if any(":" in address for address in tried) else "0.0.0.0"
    fix = Fix(
        "Let it listen on the machine's addresses, after it has a password; or leave it and use a tunnel.",
        {"ServerApp.ip": everywhere},
    )
    if far.bind == "loopback":
        words = f"The server listens on loopback only: nobody but {target.host} itself can connect."
        return Fails(Cause.LOOPBACK_ONLY, words, fix)
    words = f"The server listens on {far.bind} only, not on {target.host}."
    return Fails(Cause.OTHER_ADDRESS, words, fix, Fix(f"Use {far.bind} as the address."))


def _is_silence(error: Exception) -> bool:
    # sshd reports what happened to a connection it made for us in words only.
    return isinstance(error, TimeoutError) or "timed out" in str(error).lower()


def _silence(where: str, port: int, far: FarLook | None) -> Fails:
    if far:
        words = f"The server is listening, but port {port} is filtered between us: a firewall drops what we send."
    else:
        words = f"{where} does not answer at all: a firewall drops what we send, or the machine is off."
    return Fails(Cause.FILTERED, words, _open_port(port))


def _open_port(port: int) -> Fix:
    return Fix(
        f"Let port {port} through on the machine's firewall (ufw: “ufw allow {port}/tcp”; firewalld: “firewall-cmd "
        f"--permanent --add-port={port}/tcp” and --reload; a cloud: its security group), for your network only; "
        "or use a tunnel."
    )


def _answer(where: str, port: int, far: FarLook | None, error: Exception) -> Fails:
    said = str(error).lower()
    refused = isinstance(error, ConnectionRefusedError)
    no_route = isinstance(error, OSError) and (error.errno in _NO_ROUTE or "no route" in said or "unreachable" in said)
    if far and (refused or no_route):
        words = f"The server is listening, but a firewall rejects connections to port {port}."
        return Fails(Cause.REJECTED, words, _open_port(port))
    if refused:
        words = f"{where} refuses connections: nothing listens there, or a firewall rejects them."
        return Fails(Cause.REFUSED, words, Fix("Start the server (or the proxy), or name the port it listens on."))
    if isinstance(error, ConnectionResetError):
        return Fails(Cause.RESET, f"Something in between resets connections to {where}.", INSPECTION)
    if no_route:
        words = f"There is no way to {where}: no route, or a firewall that says so."
        return Fails(Cause.NO_ROUTE, words, Fix("Switch the machine on, or join its network (or VPN)."))
    return Fails(Cause.NO_ROUTE, f"{where} cannot be reached.", Fix("The evidence has the system's own words."))


INSPECTION = Fix(
    "A firewall, a proxy of your network or a virus scanner cuts the connection: try from another network, or use "
    "https or a tunnel, which they cannot look into."
)


def cut(visit: Visit, error: Exception) -> Fails:
    """Return what to say when a connection that came about ends before an answer does."""
    target = visit.wire.target
    where = f"{target.host} port {target.port}"
    visit.saw(f"connected to {where}, then: {_said(error) if isinstance(error, OSError) else 'closed, no answer'}")
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        words = f"{where} takes the connection, and then it is reset: by something in between, or by the server."
        if visit.far and visit.far.listens:
            words = f"The server is listening, but something between us resets connections to {where}."
        return Fails(Cause.RESET, words, INSPECTION)
    if isinstance(error, TimeoutError):
        words = f"{where} takes the connection and does not answer within {visit.wire.deadline:g} s."
        return Fails(Cause.SILENT, words, Fix("The server (or the proxy) hangs or is overloaded: its log may say why."))
    if isinstance(error, EOFError):
        words = f"{where} takes the connection and closes it without an answer."
        return Fails(Cause.CLOSED, words, Fix("Something else may listen there, or a proxy with nothing behind it."))
    return _answer(where, target.port, visit.far, error)
