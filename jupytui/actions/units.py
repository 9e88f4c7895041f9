"""Change a unit's file: by hand, by limits, by hardening. The difference and systemd's own verdict come first."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from jupytui.actions.base import Action, Answers, Confirmation, Context, Field, Form, Refused, Subjects
from jupytui.actions.services import Words, service_action, service_meant
from jupytui.errors import CommandError
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Host
from jupytui.systemd.settings import setting, with_settings
from jupytui.text import clean

if TYPE_CHECKING:
    from jupytui.systemd.units import Service
    from jupytui.systemd.verify import Verdict

Change = Callable[[Context, "Service", str], Awaitable[str | None]]  # the new text; None: the person left it
LIMITS = ("MemoryMax", "CPUQuota")
_BY_HAND = "systemctl edit {} on its host makes one."


async def unit_text(host: Host, service: Service) -> str:
    """Return the text of a unit's own file. Raises Refused where it has none, CommandError, HostTrouble."""
    text = await _text(host, service.fragment) if service.fragment else None
    if text is None:
        raise Refused(f"{service.name} has no file of its own.")
    return text


async def _text(host: Host, path: str) -> str | None:
    """Return what is in a file, None where it is not there."""
    from jupytui.systemd.edit import read

    try:
        return await read(host, path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CommandError(f"{path} on {host.name} cannot be read.", detail=str(error)) from error


def _changing(change: Change) -> Callable[[Context, Subjects, Answers], Awaitable[str]]:
    async def run(context: Context, subjects: Subjects, answers: Answers) -> str:
        service = await service_meant(context, subjects[0], answers)
        host = context.fleet.host(subjects[0].host or "")
        if service.changed_in is None:
            raise Refused(f"{service.name} has no file that could be changed.", _BY_HAND.format(service.name))
        before = await _text(host, service.changed_in)
        after = await change(context, service, before or "")
        if after is None:
            return ""
        if after == (before or ""):
            return f"Nothing changes in {service.name}."
        return await _put(context, subjects[0], service, before, after)

    return run


async def _put(context: Context, subject: Subject, service: Service, before: str | None, after: str) -> str:
    """Show the difference and what systemd says of it, and put it in place when that is wanted."""
    from jupytui.systemd.control import command_line
    from jupytui.systemd.edit import difference, install
    from jupytui.systemd.verify import verify

    name, path = subject.host or "", service.changed_in or ""
    host = context.fleet.host(name)
    context.progress("systemd-analyze verify")
    # Sections that come twice are one: so a drop-in is checked with what it adds to.
    base = await unit_text(host, service) + "\n" if service.packaged else ""
    old = await verify(host, service.scope, service.name, base + (before or ""))
    new = await verify(host, service.scope, service.name, base + after)
    notes = (difference(before or "", after, path), *verdict_notes(old, new), *_drop_ins(service))
    runs = command_line(service.scope, "daemon-reload")
    if not await context.front.confirm(Confirmation(f"Change {service.name} on {name}", (), runs, notes=notes)):
        return ""
    prompter = context.fleet.prompter(name)
    await install(host, prompter, service.scope, path, before=before, after=after, force=True)
    await context.fleet.refresh([name])
    then = " It holds from its next restart on." if service.running else ""
    return f"{service.name} is changed, and systemd has read it.{then}"


def verdict_notes(old: Verdict, new: Verdict) -> tuple[str, ...]:
    """Return what systemd says of the new text, compared with the old one."""
    if not new.checked:
        return ("This host has no systemd-analyze: nobody has checked the new text.",)
    said = "\n".join(new.complaints)
    notes = [f"systemd finds fault with it:\n{said}" if said else "systemd finds no fault with it."]
    if new.score is not None:
        was = f"{old.score} {old.level} → " if old.score not in {None, new.score} else ""
        notes.append(f"Exposure: {was}{new.score} {new.level} (0 is safe, 10 is exposed).")
    return tuple(notes)


def _drop_ins(service: Service) -> tuple[str, ...]:
    if service.packaged:
        return (f"{service.fragment} belongs to an installed package and stays as it is: this is read after it.",)
    return (f"These are read after it, and win: {', '.join(service.drop_ins)}",) if service.drop_ins else ()


async def _edit(context: Context, service: Service, text: str) -> str | None:
    if clean(text, 2**20) != text:
        raise Refused(f"{service.changed_in} holds bytes that no screen can show.", "Edit it on its host.")
    field = Field("text", service.changed_in or "", text or "[Service]\n", lines=True)
    answers = await context.front.fill(Form(f"Edit {service.name}", (field,), submit="Check"))
    return answers["text"] if answers else None


_SIZE = re.compile(r"infinity|[0-9]{1,18}[KMGT]?|[0-9]{1,3}(\.[0-9]{1,2})?%")
_SHARE = re.compile(r"[0-9]{1,6}(\.[0-9]{1,2})?%")


def check_memory(text: str) -> str | None:
    """Return what is wrong with a MemoryMax as it is typed."""
    return None if not text.strip() or _SIZE.fullmatch(text.strip()) else "8G, 512M, 50% or infinity."


def check_cpu(text: str) -> str | None:
    """Return what is wrong with a CPUQuota as it is typed."""
    return None if not text.strip() or _SHARE.fullmatch(text.strip()) else "200% is two CPUs."


async def _limit(context: Context, service: Service, text: str) -> str | None:
    memory, cpu = (setting(text, key) for key in LIMITS)
    fields = (
        Field(
            "MemoryMax", "Memory limit", memory, "8G, 50%; empty: none. What passes it is killed.", check=check_memory
        ),
        Field("CPUQuota", "CPU limit", cpu, "400% is four CPUs; empty: none", check=check_cpu),
    )
    answers = await context.front.fill(Form(f"Limits of {service.name}", fields, submit="Check"))
    if answers is None:
        return None
    wanted = [(key, answers[key].strip()) for key in LIMITS]
    return with_settings(text, [pair for pair in wanted if pair[1] != setting(text, pair[0])])


async def _harden(context: Context, service: Service, text: str) -> str | None:
    from jupytui.systemd.hardening import missing

    options = missing(service.scope, text)
    if not options:
        raise Refused(f"{service.name} has every setting that spares GPUs, compilers and files already.")
    every = f"All {len(options)} of them"
    by_words = {f"{option.key}={option.value}: {option.reason}": option for option in options}
    field = Field("settings", "Settings that spare GPUs, compilers and files", choices=(every, *by_words), many=True)
    answers = await context.front.fill(Form(f"Harden {service.name}", (field,), submit="Check"))
    if answers is None:
        return None
    picked = answers["settings"].split("\n")
    chosen = options if every in picked else [by_words[words] for words in picked if words in by_words]
    return with_settings(text, [(option.key, option.value) for option in chosen])


def _action(words: Words, change: Change) -> Action:
    return service_action(words, lambda service: bool(service.changed_in), _changing(change), asks=True)


EDIT = ("edit", "e", "Edit service", "Edits its file; the difference is shown and checked first.")
LIMIT = ("limit", "M", "Limit service", "Sets memory and CPU limits: MemoryMax and CPUQuota in its file.")
HARDEN = ("harden", "H", "Harden service", "Offers settings that take away what Jupyter does not need.")

ACTIONS = (_action(EDIT, _edit), _action(LIMIT, _limit), _action(HARDEN, _harden))
