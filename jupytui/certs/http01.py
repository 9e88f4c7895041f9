"""http-01: the answer as a file below a web server's root, or from a responder of ours on the host's port 80.

Both are looked at on the host itself before the authority is told to look: failed validations count against its rate
limits (Let's Encrypt: 5 per name and hour).
"""

from __future__ import annotations

import asyncio
import posixpath
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from jupytui.certs.challenge import Challenge, ChallengeFailed
from jupytui.hosts.base import Host, Nobody, Process, Prompter
from jupytui.jupyter.access import Access
from jupytui.jupyter.http import ApiError, HttpClient
from jupytui.systemd.sudo import Root, become_root, run_as_root
from jupytui.text import clean_line

START_DEADLINE = 20.0
_RESPONDER = Path(__file__).with_name("respond.py")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")
_START = """\
LC_ALL=C; export LC_ALL
command -v python3 >/dev/null || { echo "no python"; exit 1; }
exec "$@"
"""
# The web server, often another user, must be able to read it: it is as public as can be.
_PUT = """\
LC_ALL=C; export LC_ALL
umask 022; set -C
mkdir -p -- "$1" && cat >"$1/.$2" && mv -f -- "$1/.$2" "$1/$2"
"""
_DROP = 'rm -f -- "$1/$2"; rmdir -- "$1" "${1%/*}" 2>/dev/null; :'


@dataclass(frozen=True, slots=True)
class Webroot:
    """A web server on `host` that serves files below `directory` on `port` answers."""

    host: Host
    directory: str
    root: Root | None = None  # how to write there, where the user may not
    port: int = 80
    kind: str = field(default="http-01", init=False)

    @asynccontextmanager
    async def answering(self, challenge: Challenge) -> AsyncIterator[None]:
        """See `Solver.answering`."""
        where = posixpath.join(self.directory, ".well-known/acme-challenge")
        token = _safe_token(challenge)
        try:
            await self._run(_PUT, where, token, stdin=challenge.answer.encode())
            await _refuse_unseen(self.host, self.port, challenge, f"{self.directory} may not be its root.")
            yield
        finally:
            await asyncio.shield(self._run(_DROP, where, token))

    async def _run(self, script: str, where: str, token: str, stdin: bytes = b"") -> None:
        if self.root:
            done = await run_as_root(self.host, self.root, script, where, token, stdin=stdin)
        else:
            done = await self.host.run(script, where, token, stdin=stdin)
        if done.status:
            raise ChallengeFailed(
                f"The answer could not be put into {where} on {self.host.name}.",
                "Is it there, and yours to write?",
                detail=clean_line(done.stderr),
            )


@dataclass(frozen=True, slots=True)
class Responder:
    """A small web server of ours on `host` answers; on a port below 1024 as root, by sudo. It ends with its stdin."""

    host: Host
    prompter: Prompter = field(default_factory=Nobody)
    port: int = 80
    kind: str = field(default="http-01", init=False)

    @asynccontextmanager
    async def answering(self, challenge: Challenge) -> AsyncIterator[None]:
        """See `Solver.answering`."""
        need = f"to answer on port {self.port}"
        root = await become_root(self.host, self.prompter, need) if self.port < 1024 else Root()
        argv = [*root.argv, "python3", "-I", "-c", _RESPONDER.read_text(), str(self.port), challenge.path]
        async with self.host.stream(_START, *argv, challenge.answer) as process:
            await process.write(root.stdin)
            await self._started(process)
            try:
                await _refuse_unseen(self.host, self.port, challenge, "Something there answers in its place.")
                yield
            finally:
                # It may be root's, and then no signal of ours reaches it: the end of its stdin does.
                await asyncio.shield(_ended(process))

    async def _started(self, process: Process) -> None:
        try:
            async with asyncio.timeout(START_DEADLINE):
                said = clean_line(await process.read(), 80)
        except TimeoutError:
            said = ""
        if said == "listening":
            return
        known = {
            "EADDRINUSE": ("it is taken by another program.", "If that is a web server, give its root directory."),
            "EACCES": ("only root may take it.", "Give a web server's root directory instead."),
            "no python": ("there is no python3.", "Give a web server's root directory instead."),
        }
        reason, hint = known.get(said, ("the responder did not start.", "Give a web server's root directory instead."))
        raise ChallengeFailed(
            f"Port {self.port} of {self.host.name} cannot be used: {reason}",
            hint,
            detail=said or clean_line(process.stderr),
        )


async def _ended(process: Process) -> None:
    with suppress(OSError):  # the link is gone, and its stdin with it
        await process.write_eof()
    await process.wait()


def _safe_token(challenge: Challenge) -> str:
    """Return the token, which becomes a file's name and was chosen by somebody else. Raises ChallengeFailed."""
    if not _TOKEN.fullmatch(challenge.token):
        raise ChallengeFailed("The authority's challenge is not base64url (RFC 8555, 8.3); it was not answered.")
    return challenge.token


async def _refuse_unseen(host: Host, port: int, challenge: Challenge, why: str) -> None:
    client = HttpClient(host, Access(port=port))
    try:
        reply = await client.request("GET", challenge.path, {"Host": challenge.name.encode()}, deadline=START_DEADLINE)
    except ApiError as error:
        raise ChallengeFailed(f"Nothing answers on port {port} of {host.name}.", error.message) from None
    finally:
        await client.close()
    # A redirect, to https as a rule, is followed by authorities; where it leads is theirs to see.
    if not 300 <= reply.status < 400 and (reply.status != 200 or reply.body.strip() != challenge.answer.encode()):
        raise ChallengeFailed(f"Port {port} of {host.name} does not show the answer (status {reply.status}).", why)
