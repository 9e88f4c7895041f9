"""Whether the server a tunnel was made for answers behind it, or another one, or none."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass

from jupytui.errors import JupytuiError
from jupytui.hosts.base import Host
from jupytui.jupyter.access import Access
from jupytui.jupyter.client import JupyterApi
from jupytui.jupyter.http import ApiError, NotHttpError
from jupytui.tunnels.models import Address, Behind, Trouble, TunnelState

SAME_START = 1.5  # seconds: a process' start is counted in hundredths, but whoever wrote it down may have rounded

# Field 22 of /proc/PID/stat is the start in clock ticks since the boot; the name in field 2 may hold anything.
_STARTED = b'getconf CLK_TCK; sed "s/.*) //" /proc/%d/stat 2>/dev/null | cut -d" " -f20'

# The command line and the working directory of our own process that holds the socket with the inode that `%b` prints;
# nothing for somebody else's. proc(5): state 0A listens; the inode is field 10 of net/tcp, 7 of net/unix.
_RUNS = b"""
for inode in $(%b); do
    ls -l /proc/[0-9]*/fd 2>/dev/null | awk -v socket="socket:[$inode]" '
        /^\\/proc/ { split($0, part, "/") }
        $NF == socket { print part[3]; exit }' | while read -r pid; do
        cat "/proc/$pid/cmdline"; readlink "/proc/$pid/cwd"
    done
done
"""
_TCP = """awk '$4 == "0A" && $2 ~ /:%04X$/ { print $10 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null"""
_UNIX = """awk -v path=%s '$8 == path { print $7 }' /proc/net/unix"""


@dataclass(frozen=True, slots=True)
class Health:
    """UP, WRONG_SERVER or NO_SERVER, and why."""

    state: TunnelState
    trouble: Trouble | None = None


WELL = Health(TunnelState.UP)


async def check(near: Host, behind: Behind, to: Address, there: Host | None) -> Health:
    """Ask the server at `to`, as seen from `near`; `there` is its machine, where its process can be looked up."""
    try:
        version = await _version(near, behind, to)
    except ApiError as error:
        return _silent(to, error)
    if behind.version and version and version != behind.version:
        return _wrong(to, f"a Jupyter of version {version} answers, not {behind.version}")
    if there and behind.pid and await _replaced(there, behind, to):
        return _wrong(to, f"its process {behind.pid} is gone, and something else answers")
    return WELL


async def _version(near: Host, behind: Behind, to: Address) -> str | None:
    access = Access(to.host, to.port or None, to.path or None, tls=behind.secure, base_url=behind.base_url)
    api = JupyterApi(near, access)
    try:
        return await api.version()
    finally:
        await api.close()


def _silent(to: Address, error: ApiError) -> Health:
    if error.status is not None and error.status != 404:
        return WELL  # /api needs no credentials, but a proxy or a hub before it may: somebody is there
    if error.status == 404 or isinstance(error, NotHttpError):
        return _wrong(to, "what answers is no Jupyter")
    return Health(TunnelState.NO_SERVER, Trouble(f"Nothing answers at {to}.", error.hint))


def _wrong(to: Address, what: str) -> Health:
    hint = "Its port may have been taken by another server: look which one you want, and tunnel to that."
    return Health(TunnelState.WRONG_SERVER, Trouble(f"Behind {to} is another server: {what}.", hint))


async def _replaced(there: Host, behind: Behind, to: Address) -> bool:
    """Whether the process the tunnel was made for has gone, and none that runs the same is in its place.

    False where that cannot be known.
    """
    assert behind.pid
    try:
        now = await started(there, behind.pid)
        if now is None and not await _has_proc(there):
            return False
        same = now is not None and (behind.started is None or abs(now - behind.started) <= SAME_START)
        return not same and (behind.runs is None or await runs(there, to) != behind.runs)
    except JupytuiError:
        return False


async def runs(there: Host, to: Address) -> str | None:
    """Return a digest of what the process that listens at `to` runs, and where.

    None when it is not ours, or without /proc. Raises HostTrouble, DeadlineError.
    """
    inode = _UNIX % shlex.quote(to.path) if to.path else _TCP % to.port
    found = await (await there.shell()).ask(_RUNS % inode.encode())
    return hashlib.sha256(found).hexdigest() if found else None


async def started(there: Host, pid: int) -> float | None:
    """Return when process `pid` of `there` began, in seconds since its boot; None without it, or without /proc.

    Raises HostTrouble, DeadlineError.
    """
    try:
        ticks, *rest = (await (await there.shell()).ask(_STARTED % pid)).split()
        return int(rest[0]) / int(ticks) if rest else None
    except ValueError:
        return None


async def _has_proc(there: Host) -> bool:
    return b"y" in await (await there.shell()).ask(b"[ -r /proc/1/stat ] && echo y")
