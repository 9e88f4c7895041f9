"""Why a machine cannot be reached, in a sentence: the one place where asyncssh's and the system's errors are read."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence

import asyncssh

from jupytui.hosts.auth import Login
from jupytui.hosts.base import HostState, HostTrouble
from jupytui.hosts.known_hosts import Known, KnownKey, describe
from jupytui.hosts.ssh_config import Resolved
from jupytui.text import clean, clean_line

EXPECTED = (OSError, asyncssh.Error, ValueError)


def trouble(error: Exception, hop: Resolved, name: str, login: Login | None, detail: str) -> HostTrouble:
    """Return what to say for an error of EXPECTED that came while dialling `hop`, which the user calls `name`."""
    if isinstance(error, OSError):
        return _network(error, hop, name, detail)
    if isinstance(error, asyncssh.ChannelOpenError):
        return _tunnel(error, hop, name, detail)
    if isinstance(error, asyncssh.PermissionDenied) or "authentication failures" in str(error):
        return _refused(error, hop, name, login, detail)
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return HostTrouble(
            HostState.AUTH_FAILED,
            f"{name} and this program share no way to encrypt or to prove its identity.",
            "Look at KexAlgorithms, Ciphers and HostKeyAlgorithms in your ssh configuration, or update the server.",
            detail=detail,
        )
    return HostTrouble(
        HostState.UNREACHABLE,
        f"{name} ended the connection before we were logged in.",
        "Something other than an SSH server may answer there, or the server is overloaded.",
        detail=detail,
    )


def silent(hop: Resolved, name: str, seconds: float, login: Login | None) -> HostTrouble:
    """Return what to say when the login's clock ran out."""
    if login and login.connection and login.connection.get_extra_info("server_version"):
        return HostTrouble(
            HostState.UNREACHABLE,
            f"{name} answers on port {hop.port}, but its login hangs (no progress for {seconds:g} s).",
        )
    return HostTrouble(
        HostState.UNREACHABLE,
        f"{name} does not answer on port {hop.port} (no reply for {seconds:g} s).",
        "Is it awake?",
    )


def dropped(hop: Resolved, name: str, detail: str) -> HostTrouble:
    """Return what to say when the server hangs up before it says a word, again and again."""
    return HostTrouble(
        HostState.UNREACHABLE,
        f"{name} hangs up on port {hop.port} before it says a word.",
        "Its SSH server may be overloaded (MaxStartups), or may have banned this address for a while.",
        detail=detail,
    )


def _network(error: OSError, hop: Resolved, name: str, detail: str) -> HostTrouble:
    if isinstance(error, socket.gaierror):
        return HostTrouble(
            HostState.UNREACHABLE,
            f"No machine is called {hop.hostname}.",
            "Is the name right, and is the network (or VPN) that knows it up?",
            detail=detail,
        )
    if isinstance(error, ConnectionRefusedError):
        return HostTrouble(
            HostState.REFUSED,
            f"{name} is there, but refuses connections on port {hop.port}.",
            "Does its SSH server run, and on that port?",
            detail=detail,
        )
    if error.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}:
        message = f"There is no route to {name} ({hop.hostname})."
    elif isinstance(error, TimeoutError):
        message = f"{name} does not answer on port {hop.port}."
    else:
        message = f"{name} cannot be reached."
    return HostTrouble(HostState.UNREACHABLE, message, "Is it awake, and is the network up?", detail=detail)


def _tunnel(error: asyncssh.ChannelOpenError, hop: Resolved, name: str, detail: str) -> HostTrouble:
    said = clean_line(error.reason)
    if "refused" in said.lower():
        return _network(ConnectionRefusedError(), hop, name, detail)
    hint = f"The jump host says: {said}."
    return HostTrouble(HostState.UNREACHABLE, f"The jump host cannot reach {name}.", hint, detail=detail)


def _refused(error: Exception, hop: Resolved, name: str, login: Login | None, detail: str) -> HostTrouble:
    tried = f"tried: {', '.join(login.tried)}" if login and login.tried else "no key to try"
    detail = "\n".join(part for part in (detail, f"Keys {tried}") if part)
    if "authentication failures" in str(error):
        hint = (
            f"Too many keys were offered. Give {hop.alias} “IdentitiesOnly yes” and one IdentityFile in ~/.ssh/config."
        )
    elif login and login.declined:
        hint = "It asks for a password or a code, and none was given."
    else:
        hint = f"Does “ssh {hop.alias}” let you in? Is the right key in the agent or named in ~/.ssh/config?"
    return HostTrouble(HostState.AUTH_FAILED, f"{name} did not let {hop.user} in.", hint, detail=detail)


def changed(offered: asyncssh.SSHKey | None, known: Known, hop: Resolved, name: str, reason: str = "") -> HostTrouble:
    """Return what to say when the host shows a key that is not the known one, or one that was revoked."""
    vouched = [*known.keys, *known.authorities]
    stands = vouched or list(known.revoked)
    shown = f"{describe(offered).algorithm} {describe(offered).fingerprint}" if offered else clean_line(reason)
    marks = "\n".join(_known(key) for key in (*vouched, *known.revoked))
    detail = f"{hop.address}\nshown: {shown}\nknown:\n{marks}"
    if offered is None and "revoked" in reason.lower():
        message = f"{name} shows a host key that was revoked, so nothing was sent to it."
        hint = f"See {known.revoked[0].where}." if known.revoked else ""
    elif not vouched:
        message = f"{name} shows a key nobody vouched for, and another one was revoked, so nothing was sent to it."
        hint = f"It shows {shown}; revoked is {_known(stands[0])}." if stands else ""
    else:
        message = f"The host key of {name} changed, so nothing was sent to it: it may be another machine."
        hint = f"It shows {shown}; known is {_known(stands[0])}. If the change is right, remove that line."
    return HostTrouble(HostState.KEY_CHANGED, message, hint, detail=detail)


def unknown(offered: asyncssh.SSHKey, name: str, *, forbidden: bool) -> HostTrouble:
    """Return what to say when nobody vouched for a new host's key."""
    key = describe(offered)
    hint = (
        "Your ssh configuration says StrictHostKeyChecking yes: add the key to known_hosts yourself."
        if forbidden
        else "Compare it with what the host's owner says, then trust it."
    )
    message = f"{name} is new: its key is {key.algorithm} {key.fingerprint}, and nobody vouched for it."
    return HostTrouble(HostState.KEY_UNKNOWN, message, hint)


def detail_of(error: BaseException, hop: Resolved, login: Login | None, extra: Sequence[bytes] = ()) -> str:
    """Return what was tried and what came back, cleaned; no secret can be in it."""
    parts = [f"ssh {hop.address}", f"{type(error).__name__}: {error}"]
    parts += [login.banner] if login and login.banner else []
    parts += [clean(part).strip() for part in extra if part.strip()]
    return clean("\n".join(parts))


def _known(known: KnownKey) -> str:
    key = describe(known.key)
    return f"{key.algorithm} {key.fingerprint} ({known.where})"
