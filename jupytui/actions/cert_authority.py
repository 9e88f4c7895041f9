"""The user's own authority: made, exported with what each system needs to trust it; and the timer that renews."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jupytui.actions.base import Answers, Context, Field, Form, Refused, Subjects
from jupytui.actions.cert_sources import split

if TYPE_CHECKING:
    from jupytui.certs.instructions import Instruction

CA_NAME = "jupytui-ca.crt"


async def make_form(_context: Context, _subjects: Subjects) -> Form | None:
    """Ask what it may vouch for. Raises Refused where there is one already."""
    from jupytui.certs import authority, private

    if found := await asyncio.to_thread(authority.load, private.default_directory()):
        raise Refused(f"You have one: {found.certificate.subject}.", "K exports it for browsers to trust.")
    help_ = "lab.example 10.0.0.0/8: it can then vouch for nothing else; empty: for all"
    field = Field("permitted", "Only for these domains and networks", "", help_)
    return Form("Your own authority", (field,), submit="Make")


async def make(_context: Context, _subjects: Subjects, answers: Answers) -> str:
    """Make it; a sentence about it. Raises CertificateError."""
    from jupytui.certs import authority, private

    permitted = split(answers.get("permitted", ""))
    ours = await asyncio.to_thread(authority.load_or_make, private.default_directory(), permitted)
    limits = f" It vouches only for {', '.join(ours.permitted)}." if ours.permitted else ""
    return f"“{ours.certificate.subject}” is made, its key in {ours.path}.{limits} K exports it for browsers to trust."


async def export_form(_context: Context, _subjects: Subjects) -> Form | None:
    """Ask where to. Raises Refused where there is none."""
    from jupytui.certs import authority, private

    if await asyncio.to_thread(authority.load, private.default_directory()) is None:
        raise Refused("You have no authority yet.", "C makes one.")
    field = Field("path", "Write its certificate to", str(Path.home() / CA_NAME), "on this machine; its key stays")
    return Form("Export your authority", (field,), submit="Export")


async def export_authority(context: Context, _subjects: Subjects, answers: Answers) -> str:
    """Write it, and show how each system trusts it, to be copied. Raises as `export`."""
    path, steps = await asyncio.to_thread(export, answers["path"])
    text = "\n\n".join(map(told, steps))
    field = Field("steps", f"{path} is written. To trust it:", text, "on each machine that has a browser", lines=True)
    if await context.front.fill(Form("Trust your authority", (field,), submit="Copy")):
        return (await context.front.copy(text)).partition(":")[0] + "."
    return f"{path} is written."


def export(text: str) -> tuple[Path, tuple[Instruction, ...]]:
    """Write the authority's certificate; return where, and how to trust it.

    Raises Refused, ConfigError, CertificateError.
    """
    from jupytui.certs import authority, private
    from jupytui.certs.instructions import instructions

    ours = authority.load(private.default_directory())
    path = Path(text).expanduser().absolute()
    if ours is None:
        raise Refused("You have no authority yet.", "`jupytui cert ca` or C makes one.")
    try:
        ours.export(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from None
    return path, instructions(path)


def told(instruction: Instruction) -> str:
    """Return the steps for one system as lines."""
    lines = (*instruction.steps, *(f"  (to undo: {step})" for step in instruction.undo))
    return "\n".join([f"{instruction.system}:", *(f"  {line}" for line in lines)])


async def timer_on(context: Context, _subjects: Subjects, _answers: Answers) -> str:
    """Have this machine's systemd renew what is due. Raises CommandError, edit.Rejected."""
    from jupytui.certs import timer
    from jupytui.hosts.base import Nobody
    from jupytui.hosts.local import LocalHost

    argv = [sys.executable, "-P", "-m", "jupytui", "--config", str(context.config.path)]
    host = LocalHost()
    try:
        await timer.schedule(host, Nobody(), argv)
    finally:
        await host.close()
    return (
        f"{timer.NAME}.timer of this machine renews what is due, twice a day while you are logged in; with lingering"
        " (L on this machine) always. It can ask nobody: hosts must let it in by a key."
    )


async def timer_off(_context: Context, _subjects: Subjects, _answers: Answers) -> str:
    """Remove the timer. Raises CommandError."""
    from jupytui.certs import timer
    from jupytui.hosts.base import Nobody
    from jupytui.hosts.local import LocalHost

    host = LocalHost()
    try:
        await timer.unschedule(host, Nobody())
    finally:
        await host.close()
    return f"{timer.NAME}.timer is removed: nothing is renewed by itself."
