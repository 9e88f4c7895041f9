"""`jupytui doctor [SERVER|HOST…] [--json]`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jupytui.actions.base import Context
from jupytui.cli import FAILED, UNREACHED, tell
from jupytui.cli.configured import configured
from jupytui.cli.front import TerminalFront
from jupytui.cli.lifecycle import running
from jupytui.cli.look import open_fleet, run_until_done
from jupytui.config.model import Config
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import HostState

if TYPE_CHECKING:
    from jupytui.actions.doctor import Examined
    from jupytui.doctor.models import Diagnosis


def configure(parser: ArgumentParser) -> None:
    """Say which words follow."""
    text = "only these hosts, or servers (HOST:PORT)"
    parser.add_argument("names", metavar="SERVER|HOST", nargs="*", default=[], help=text)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")


def run(arguments: Namespace) -> int:
    """Look and print what is wrong; returns 1 for findings that are a warning or worse, 3 for a host not reached."""
    _paths, config = configured(arguments)
    return run_until_done(_doctor(config, arguments))


async def _doctor(config: Config, arguments: Namespace) -> int:
    from jupytui.actions.doctor import examine

    names = [*arguments.names, *arguments.host]
    async with open_fleet(config, list(dict.fromkeys(name.partition(":")[0] for name in names))) as fleet:
        views = await fleet.look_once()
        context = Context(fleet, TerminalFront(yes=False), config, progress=tell if sys.stderr.isatty() else _quiet)
        examined = await examine(context, _subjects(views, names))
    _print(examined.diagnosis, as_json=arguments.json)
    return _status(examined)


def _quiet(text: str, fraction: float | None = None) -> None:
    pass


def _subjects(views: Sequence[HostView], names: Sequence[str]) -> Sequence[Subject]:
    """Return what is meant. Raises UsageError with the candidates for a server that does not run."""
    if not names:
        return [Subject(view.name) for view in views]
    by_name = {view.name: view for view in views}
    meant = [(by_name[name.partition(":")[0]], name) for name in dict.fromkeys(names)]
    return [_subject(view, name) for view, name in meant]


def _subject(view: HostView, name: str) -> Subject:
    if ":" not in name or view.state is not HostState.UP:
        return Subject(view.name)
    return Subject(view.name, running(view, name).id)


def _print(diagnosis: Diagnosis, *, as_json: bool) -> None:
    from jupytui.doctor.export import as_json as encoded
    from jupytui.doctor.export import as_text

    if as_json:
        sys.stdout.write(encoded(diagnosis, datetime.now(UTC)).decode())
    else:
        print(as_text(diagnosis))


def _status(examined: Examined) -> int:
    from jupytui.doctor.models import Severity

    if not all(facts.up for facts in examined.facts):
        return UNREACHED
    bad = examined.diagnosis.worst in {Severity.CRITICAL, Severity.WARNING}
    return FAILED if bad or any(facts.skipped for facts in examined.facts) else 0
