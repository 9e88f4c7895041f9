"""End a server, bring it back, start one whose unit is stopped: each with proof.

Never by `jupyter server stop`, which fails on servers with a password alone and leaves them running
(jupyter_server#1008). SIGTERM ends Jupyter cleanly, kernels included; so does POST /api/shutdown with a token, or with
the cookie of somebody who signed in: the one way to end a server whose process is another user's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from jupytui.errors import CommandError, JupytuiError
from jupytui.hosts.base import Host, HostTrouble, Prompter
from jupytui.jupyter.http import ApiError
from jupytui.jupyter.launch.causes import LaunchFailed, explain
from jupytui.jupyter.launch.holder import Holder, NotThere, holder_of, main_process
from jupytui.jupyter.launch.proof import Answer, prove
from jupytui.jupyter.launch.shutdown import Target, shut_down, sign_in_and_shut_down
from jupytui.jupyter.launch.talk import Talk, talk, words
from jupytui.jupyter.models import Unit
from jupytui.systemd import control

STOP_SECONDS = 30.0
START_SECONDS = 60.0
_MOST = 16384  # characters of a log
_ASKED_SECONDS = 900.0  # somebody may have to type a password first


class Way(StrEnum):
    """How a server is ended."""

    UNIT = "unit"
    API = "api"
    COOKIE = "cookie"
    TERM = "term"
    KILL = "kill"


class Ended(msgspec.Struct, frozen=True):
    """Proof that a server has ended: its process, its sockets and its runtime file are gone."""

    way: Way
    pid: int
    ports: tuple[int, ...] = ()
    unit: Unit | None = None


class Back(msgspec.Struct, frozen=True):
    """A server that answers again. For one without a unit `log` is where its output goes now, `was` where it went."""

    answer: Answer
    unit: Unit | None = None
    log: str = ""
    was: str = ""

    @property
    def same_log(self) -> bool:
        """Whether its output goes where it went."""
        return self.log == self.was


class StillThere(JupytuiError):
    """It was asked to end and has not."""


class Mended(LaunchFailed):
    """It did not come back as it was to; what was in its way was taken back, and `back` is the server since then."""

    def __init__(self, failure: JupytuiError, back: Back) -> None:
        log = failure.log if isinstance(failure, LaunchFailed) else ""
        super().__init__(failure.message, failure.hint, detail=failure.detail, log=log)
        self.back = back


def way_for(target: Target, holder: Holder, *, kill: bool = False) -> Way:
    """Return how `target` is best ended."""
    if kill:
        return Way.KILL
    if holder.unit:
        return Way.UNIT
    if target.access and target.access.token:
        return Way.API
    return Way.TERM if holder.own or not target.access else Way.COOKIE


async def stop(host: Host, target: Target, prompter: Prompter, *, kill: bool = False) -> Ended:
    """End a server and prove it. With `kill` it gets no time to end its kernels.

    Another user's is asked to end itself, by who knows its password. Raises NotThere, StillThere, CommandError,
    ApiError, NotRoot, HostTrouble.
    """
    holder = await holder_of(host, target.pid)
    way = way_for(target, holder, kill=kill)
    if way in {Way.TERM, Way.KILL} and not holder.own:
        raise CommandError(f"{target.title} belongs to another user.", "Only that user, or root, can end it.")
    try:
        proof = await _end(host, target, holder, way, prompter)
    except ApiError:
        if not holder.own:
            raise
        way = Way.TERM
        proof = await _end(host, target, holder, way, prompter)
    return Ended(
        way, target.pid, tuple(port for port in proof.get("ports") or () if isinstance(port, int)), holder.unit
    )


async def _end(host: Host, target: Target, holder: Holder, way: Way, prompter: Prompter) -> Mapping[str, Any]:
    acts: dict[Way, Callable[[], Awaitable[None]]] = {
        Way.API: lambda: shut_down(host, target),
        Way.COOKIE: lambda: sign_in_and_shut_down(host, target, prompter),
        Way.UNIT: lambda: control.stop(host, prompter, *_scope_and_name(holder)),
    }
    job = _job(target, holder, "stop", way)
    async with talk(host, holder.python, "lifecycle", job) as talking:
        await _heard(talking, "began", target)
        if way in acts:
            await acts[way]()
        proof = await _heard(talking, "proof", target)
    return _checked(proof["proof"], target)


def _scope_and_name(holder: Holder) -> tuple[str, str]:
    assert holder.unit
    return holder.unit.scope, holder.unit.name


def _check_gone(proof: Any, target: Target) -> None:
    if not isinstance(proof, Mapping) or proof.get("gone") is not True:
        raise StillThere(f"{target.title} may still run (pid {target.pid}).", "Look again.")


def _checked(proof: Any, target: Target) -> Mapping[str, Any]:
    _check_gone(proof, target)
    if proof.get("ports_held") or proof.get("runtime_left"):
        raise StillThere(f"{target.title} has ended, but something it started still holds its socket.", "Look again.")
    return dict(proof)


def _job(target: Target, holder: Holder, mode: str, way: Way) -> dict[str, Any]:
    return {
        "mode": mode,
        "pid": holder.pid,
        "start": holder.start,
        "how": way.value,
        "seconds": STOP_SECONDS if way not in {Way.UNIT, Way.COOKIE} else _ASKED_SECONDS,
        "start_seconds": START_SECONDS,
        "sock": target.sock or "",
        "directories": [],
        "state": holder.servers,
        "log": f"{holder.servers}/jupyter-{target.port or holder.pid}.log",
    }


async def _heard(talking: Talk, key: str, target: Target) -> dict[str, Any]:
    while (event := await talking.hear()) is not None:
        if isinstance(facts := event.get("failed"), Mapping):
            raise _failure(facts, target)
        if key in event:
            return event
    raise await talking.broken()


def _failure(facts: Mapping[str, Any], target: Target) -> JupytuiError:
    if facts.get("kind") == "alive":
        return StillThere(
            f"{target.title} was asked to end, and still runs (pid {target.pid}).",
            "Killing it ends it at once; its kernels get no chance to save anything.",
        )
    if facts.get("kind") == "unseen":
        return CommandError(
            f"The command line and environment of {target.title} cannot be read.", "Stop it, and start it anew."
        )
    if facts.get("kind") == "os":
        return CommandError(f"{target.title} cannot be ended: {words(facts.get('text'))}.")
    failure = explain(facts, target.title)
    return LaunchFailed(
        failure.message.replace("did not start", "did not come back"),
        failure.hint,
        detail=failure.detail,
        log=failure.log,
    )


Mend = Callable[[], Awaitable[None]]


async def restart(host: Host, target: Target, prompter: Prompter, mend: Mend | None = None) -> Back:
    """Bring a server back and prove it: by its unit, else with its own command line, environment and directory.

    Once its process was told to end, the host goes on without us. `mend` takes back what may keep it from starting or
    answering: if it does not come back it is called, and the server started once more. Raises as `stop`, LaunchFailed,
    and Mended when it came back only then.
    """
    holder = await holder_of(host, target.pid)
    holder.check_restart(target.title)
    if holder.unit:
        return await _restart_unit(host, target, holder, prompter, mend)
    if not holder.own:
        raise CommandError(f"{target.title} belongs to another user.", "Only that user, or root, can restart it.")
    job = _job(target, holder, "restart", Way.TERM) | {"again": mend is not None}
    async with talk(host, holder.python, "lifecycle", job) as talking:
        await _heard(talking, "began", target)
        # What still holds its socket is no reason to leave: it is being started, and shows whether it can be.
        _check_gone((await _heard(talking, "proof", target))["proof"], target)
        try:
            return await _back(host, talking, target)
        except HostTrouble:
            raise
        except JupytuiError as failure:
            if mend is None:
                raise
            await mend()
            raise Mended(failure, await _back_again(host, talking, target, failure)) from None


async def _back(host: Host, talking: Talk, target: Target) -> Back:
    ready = (await _heard(talking, "ready", target))["ready"]
    return Back(await prove(host, ready), None, words(ready.get("log"), 4096), words(ready.get("was"), 4096))


async def _back_again(host: Host, talking: Talk, target: Target, failure: JupytuiError) -> Back:
    try:
        await talking.say("again")
    except OSError:
        raise failure from None  # what was to start it has ended
    return await _back(host, talking, target)


async def _restart_unit(host: Host, target: Target, holder: Holder, prompter: Prompter, mend: Mend | None) -> Back:
    assert holder.unit
    try:
        await control.restart(host, prompter, *_scope_and_name(holder))
        return Back(await _answer_of(host, holder.unit, target, before=target.pid), holder.unit)
    except HostTrouble:
        raise
    except JupytuiError as failure:
        if mend is None:
            raise
        await mend()
        if (await main_process(host, *_scope_and_name(holder)))[0] == target.pid:
            raise
        raise Mended(failure, await _once_more(host, holder.unit, prompter)) from None


async def _once_more(host: Host, unit: Unit, prompter: Prompter) -> Back:
    """Not by a start: systemd may have begun one more by itself, before what was in its way was taken back."""
    await control.restart(host, prompter, unit.scope, unit.name)
    return Back(await _answer_of(host, unit, Target(unit.name, 0)), unit)


async def start_unit(host: Host, unit: Unit, prompter: Prompter) -> Back:
    """Start a stopped unit and prove that its server answers. Raises CommandError, LaunchFailed, NotRoot."""
    await control.start(host, prompter, unit.scope, unit.name)
    return Back(await _answer_of(host, unit, Target(unit.name, 0)), unit)


async def _answer_of(host: Host, unit: Unit, target: Target, before: int = 0) -> Answer:
    pid, _command = await main_process(host, unit.scope, unit.name)
    if not pid or pid == before:
        raise await why_down(host, unit, target.title)
    try:
        holder = await holder_of(host, pid, jupyter=False)
        async with talk(host, holder.python, "lifecycle", _job(target, holder, "watch", Way.UNIT)) as talking:
            ready = (await _heard(talking, "ready", target))["ready"]
    except (NotThere, LaunchFailed) as failure:
        raise await why_down(host, unit, target.title) from failure
    try:
        return await prove(host, ready)
    except LaunchFailed as failure:
        if (await main_process(host, unit.scope, unit.name))[0] == pid:
            raise  # it runs: its log says nothing of why it answers nobody
        raise await why_down(host, unit, target.title) from failure


_LAST = r"""
LC_ALL=C; export LC_ALL
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
systemctl "--$1" --no-ask-password show -p Result -p ExecMainCode -p ExecMainStatus -- "$2"
echo --
file=$(systemctl "--$1" --no-ask-password cat -- "$2" | sed -n 's/^Standard[A-Za-z]*=append://p' | tail -n 1)
if [ -r "$file" ]; then tail -n "$4" -- "$file"; else journalctl --no-pager -o cat -n "$4" "$3$2"; fi
"""


async def why_down(host: Host, unit: Unit, title: str, lines: int = 60) -> LaunchFailed:
    """Return why a unit's server does not run, by how it ended and its log's last `lines`. Raises HostTrouble."""
    which = "--user-unit=" if unit.scope == "user" else "--unit="
    done = await asyncio.shield(host.run(_LAST, unit.scope, unit.name, which, str(lines)))
    state, _, log = done.stdout.decode("utf-8", "replace").partition("--\n")
    fields = dict(line.split("=", 1) for line in state.split("\n") if "=" in line)
    status = fields.get("ExecMainStatus", "")
    code = {"1": "exited", "2": "killed", "3": "dumped"}.get(fields.get("ExecMainCode", ""), "")
    facts = {
        "kind": "ended",
        "code": code,
        "status": int(status) if status.isdecimal() else 0,
        "result": fields.get("Result", ""),
        "log": log[-_MOST:],
    }
    return explain(facts, title)
