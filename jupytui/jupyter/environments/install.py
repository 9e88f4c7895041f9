"""Run a plan on its host: live, cancellable at any moment, and never with something half-made left behind."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from jupytui.errors import DeadlineError
from jupytui.hosts.base import Host, HostState, HostTrouble, Process
from jupytui.jupyter.environments.models import Installer, Plan
from jupytui.jupyter.environments.outcome import Outcome, Progress, Tell
from jupytui.jupyter.environments.run import Run
from jupytui.jupyter.environments.sources import source

SILENCE = 60  # seconds without a word from us after which the far side takes us for gone
PROOF_SECONDS = 90.0


def _nobody(_: Progress) -> None:
    pass


async def install(host: Host, plan: Plan, tell: Tell = _nobody, *, silence: int = SILENCE) -> Outcome:
    """Run `plan` and return what it changed; `tell` hears of every step and line.

    Whatever ends it early (a failure, cancelling, a killed jupytui, a cut link, that one `silence` seconds after), the
    host by itself removes a new environment and puts an existing one back. Raises InstallError, DeadlineError and
    HostTrouble.
    """
    return await _execute(host, "new" if plan.new else "upgrade", plan, tell, silence)


async def clear(host: Host, prefix: str) -> None:
    """Undo what an attempt that was cut off with its machine left in `prefix`; nothing to undo is fine.

    Raises InstallError (somebody is still at work there) and HostTrouble.
    """
    await _execute(host, "clear", Plan(prefix, False, Installer.PIP, (), ()), _nobody, SILENCE)


async def _execute(host: Host, what: str, plan: Plan, tell: Tell, silence: int) -> Outcome:
    run = Run(plan, secrets.token_hex(8), tell)
    args = (run.nonce, source("guard"), str(silence), what, plan.prefix, *plan.commands)
    try:
        async with host.stream(source("install"), *args) as process, _beating(process, silence / 6):
            await _follow(process, run)
            if await process.wait() is None:
                raise _cut(host)
    except OSError:
        raise _cut(host) from None
    return run.outcome(host.name)


def _cut(host: Host) -> HostTrouble:
    return HostTrouble(
        HostState.DOWN,
        f"The connection to {host.name} was lost in the middle.",
        f"What was begun there is finished by now or undoes itself within {SILENCE} seconds; then try again.",
    )


@asynccontextmanager
async def _beating(process: Process, seconds: float) -> AsyncIterator[None]:
    """Say every so often that somebody is still there."""

    async def beat() -> None:
        with suppress(OSError, HostTrouble):  # whoever reads finds out, too
            while True:
                await asyncio.sleep(seconds)
                await process.write(b"\n")

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _follow(process: Process, run: Run) -> None:
    """Feed `run` with lines until the end, or until the proof has taken too long."""
    rest = b""
    while True:
        try:
            async with asyncio.timeout(PROOF_SECONDS if run.step and run.step.proof else None):
                data = await process.read()
        except TimeoutError:
            raise DeadlineError(
                f"What was installed in {run.plan.prefix} did not start within {PROOF_SECONDS:g} seconds.",
                "It was undone.",
            ) from None
        *lines, rest = re.split(rb"[\r\n]+", rest + data)
        for line in lines if data else [*lines, rest]:
            run.feed(line)
        rest = rest[-65536:]
        if not data:
            return
