"""`jupytui config show|check|set|unset|preset|migrate|undo` of a server: data on stdout, never a secret."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from jupytui import figures
from jupytui.actions.base import Context, perform
from jupytui.actions.presets import PRESET
from jupytui.actions.settings import EDIT, LEFT, MIGRATE, REMOVE, UNDO
from jupytui.cli import FAILED, say, tell
from jupytui.cli.configured import configured
from jupytui.cli.front import TerminalFront
from jupytui.cli.lifecycle import running
from jupytui.cli.look import open_fleet, run_until_done, say_unreached
from jupytui.cli.table import Column, Long, render, room
from jupytui.config.model import Config
from jupytui.errors import UsageError
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import Health, Server
from jupytui.jupyter.settings.findings import Finding, Kind
from jupytui.jupyter.settings.models import Entry, plain
from jupytui.jupyter.settings.overview import Item, Overview, is_secret, overview
from jupytui.jupyter.settings.presets import PRESETS

ACTIONS = {"set": EDIT, "unset": REMOVE, "preset": PRESET, "migrate": MIGRATE, "undo": UNDO}
STDIN = "-"

COLUMNS = (Column("SETTING"), Column("VALUE"), Column("STATE"), Column("WHERE"))
FAULTS = (Column("FINDING"), Column("WHERE"), Column("WHAT", sentence=True))
PRESET_COLUMNS = (Column("PRESET"), Column("WHAT FOR"), Column("INPUTS"))


def presets() -> str:
    """Return the table of presets."""
    rows = [
        (preset.id, Long(preset.summary), " ".join(f"{each.name}={each.default}" for each in preset.inputs))
        for preset in PRESETS
    ]
    return render(PRESET_COLUMNS, rows, room())


def run(arguments: Namespace) -> int:
    """Do it. Raises UsageError with the candidates when no one server is meant, and for wrong keys and values."""
    _paths, config = configured(arguments)
    return run_until_done(_config(config, arguments))


async def _config(config: Config, arguments: Namespace) -> int:
    wanted = arguments.names[-1 if arguments.verb == "preset" else 0]
    name = wanted.partition(":")[0]
    async with open_fleet(config, [name]) as fleet:
        views = await fleet.look_once()
        if unreached := say_unreached(views):
            return unreached
        if arguments.verb in ACTIONS:
            id_ = _meant(views[0], wanted, arguments.verb)
            context = Context(fleet, _front(arguments), config, progress=tell)
            return await _act(context, Subject(name, id_), arguments)
        return await _tell(fleet, name, running(views[0], wanted), arguments)


def _meant(view: HostView, wanted: str, verb: str) -> str:
    """Return the id of the server meant; what keeps one from running can be undone by the name that it had."""
    try:
        return running(view, wanted).id
    except UsageError:
        fits = any(server.health is not Health.STALE and wanted == view.name for server in view.servers)
        if verb != "undo" or fits:
            raise
        return wanted


def _front(arguments: Namespace) -> TerminalFront:
    return TerminalFront(yes=arguments.restart)


async def _act(context: Context, subject: Subject, arguments: Namespace) -> int:
    context.read_only = arguments.read_only
    answers = _answers(arguments) | {"restart": "yes" if arguments.restart else "no"}
    done = await perform(ACTIONS[arguments.verb], context, [subject], answers)
    say(done or LEFT)
    return 0 if done and done != LEFT else FAILED


def _answers(arguments: Namespace) -> dict[str, str]:
    """Return what a form would ask for. Raises UsageError."""
    _server, *names = arguments.names if arguments.verb != "preset" else reversed(arguments.names)
    if arguments.verb == "preset":
        return {"preset": names[0], **_inputs(arguments.inputs)}
    answers = dict(zip(("key", "value"), names, strict=False))
    if answers.get("value") == STDIN:
        return answers | {"value": sys.stdin.readline().rstrip("\n")}
    if "value" in answers and is_secret(answers["key"].rpartition(".")[2]):
        raise UsageError("A secret on the command line is seen by everybody.", "Give - as its value: stdin is read.")
    return answers


def _inputs(texts: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    known = {each.name for preset in PRESETS for each in preset.inputs}
    if wrong := next((name for name, _, _ in pairs if name not in known), None):
        raise UsageError(f"No preset asks for {wrong}.", "`jupytui config preset` lists what they ask for.")
    return {name: value for name, _, value in pairs}


async def _tell(fleet: Fleet, name: str, server: Server, arguments: Namespace) -> int:
    seen = await overview(fleet.host(name), server)
    if seen.trouble:
        say(f"{seen.unheard} What follows is by the files alone.")
    if arguments.json:
        sys.stdout.write(json.dumps(document(server, seen), indent=2) + "\n")
    elif arguments.verb == "show":
        _print_items(server, seen)
    elif seen.findings:
        rows = [(each.kind, each.where, each.words) for each in seen.findings]
        print(render(FAULTS, rows, room()))
    if seen.newer(server.started_at):
        say(f"files are newer than {server.id}: they count after its next restart.")
    if arguments.verb == "check":
        wrong = len(seen.wrong) + bool(seen.trouble)
        say(f"{server.id}: {figures.plural(wrong, 'thing') if wrong else 'nothing'} wrong.")
        return FAILED if wrong else 0
    return FAILED if seen.trouble else 0


def _print_items(server: Server, seen: Overview) -> None:
    items = seen.items(server.started_at)
    if items:
        rows = [(each.key, Long(each.text), each.state, Long(each.entry.where, front=True)) for each in items]
        print(render(COLUMNS, rows, room()))
    for finding in seen.wrong:
        if finding.kind is not Kind.LOSES:
            say(f"{finding.words} {finding.where}")


def document(server: Server, seen: Overview) -> dict[str, Any]:
    """Return what --json prints; unknown is null, and so is every secret."""
    return {
        "server": server.id,
        "version": seen.answer.version if seen.answer else None,
        "pending": bool(seen.newer(server.started_at)),
        "settings": [_setting(item) for item in seen.items(server.started_at)],
        "findings": [_finding(each) for each in seen.findings],
        "files": [
            {"path": each.path, "mode": None if each.mode is None else f"{each.mode:04o}", "mtime": each.mtime}
            for each in seen.found.files
        ],
        "error": {"message": seen.trouble.message, "hint": seen.trouble.hint} if seen.trouble else None,
    }


def _setting(item: Item) -> dict[str, Any]:
    return {
        "key": item.key,
        "value": None if is_secret(item.trait) else _plain(item),
        "secret": is_secret(item.trait),
        "set": bool(plain(item.value)) if item.entry.certain else None,
        "state": item.state,
        "written_as": item.entry.key,
        **_place(item.entry),
        "loses_to": {"written_as": item.winner.key, **_place(item.winner)} if item.winner else None,
    }


def _plain(item: Item) -> Any:
    """What JSON knows as it is, secrets within it masked; anything else as text."""
    if isinstance(item.value, bool | int | float | str | None):
        return item.value
    return item.text


def _place(entry: Entry) -> dict[str, Any]:
    return {"origin": entry.origin, "file": entry.path or None, "line": entry.line or None}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "words": finding.words,
        "where": finding.where,
        "key": finding.key or None,
        "suggestion": finding.suggestion or None,
    }
