"""`jupytui env ls|install|upgrade HOST [PACKAGE…] [--env DIR|NAME] [--with …] [--json]`."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace

import msgspec

from jupytui.actions.base import Context, perform
from jupytui.actions.environments import INSTALL, INSTALLERS, UPGRADE, USUAL_PLACE, look
from jupytui.cli import FAILED, say, tell
from jupytui.cli.configured import configured
from jupytui.cli.front import TerminalFront
from jupytui.cli.look import open_fleet, run_until_done, say_unreached
from jupytui.cli.table import Cell, Column, Long, render, room
from jupytui.config.model import Config
from jupytui.errors import UsageError
from jupytui.fleet.subject import Subject
from jupytui.jupyter.environments.models import Environment, Environments, Kind

VERBS = {"install": INSTALL, "upgrade": UPGRADE}

COLUMNS = (
    Column("ENVIRONMENT"),
    Column("KIND", rank=2),
    Column("PYTHON", rank=1),
    Column("LAB"),
    Column("NOTEBOOK", rank=4),
    Column("SERVER", rank=3),
    Column("IPYKERNEL", rank=5),
    Column("NOTE", sentence=True),
)


def configure(parser: ArgumentParser) -> None:
    """Say which words follow."""
    parser.add_argument("verb", choices=("ls", *VERBS), help="list them; install Jupyter; upgrade it")
    parser.add_argument("name", metavar="HOST", help="where")
    parser.add_argument("packages", metavar="PACKAGE", nargs="*", default=[], help="instead of Jupyter itself")
    parser.add_argument("--env", metavar="DIR|NAME", default="", help=f"the environment (install: {USUAL_PLACE})")
    parser.add_argument("--with", choices=INSTALLERS, default="", dest="installer", help="what installs (what suits)")
    parser.add_argument("--json", action="store_true", help="ls: one JSON document instead of text")


def run(arguments: Namespace) -> int:
    """List environments or change one. Raises UsageError for an upgrade of nothing in particular."""
    if arguments.verb == "upgrade" and not arguments.env:
        raise UsageError("Name the environment by --env.", f"`jupytui env ls {arguments.name}` lists them.")
    _paths, config = configured(arguments)
    return run_until_done(_env(config, arguments))


async def _env(config: Config, arguments: Namespace) -> int:
    async with open_fleet(config, [arguments.name]) as fleet:
        if unreached := say_unreached(await fleet.look_once()):
            return unreached
        if arguments.verb == "ls":
            found, _ = await look(fleet, arguments.name, arguments.env)
            _print(found, arguments.json)
            return 0
        context = Context(fleet, TerminalFront(yes=False), config, arguments.read_only, progress=tell)
        answers = {
            "where": arguments.env,
            "installer": arguments.installer,
            "packages": " ".join(arguments.packages),
        }
        done = await perform(VERBS[arguments.verb], context, [Subject(arguments.name)], answers)
    say(done or "nothing was done.")
    return 0 if done else FAILED


def _print(found: Environments, as_json: bool) -> None:
    if as_json:
        document = {"home": found.home, "environments": msgspec.to_builtins(found.environments)}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    elif found.environments:
        print(render(COLUMNS, [_row(environment) for environment in found.environments], room()))
    if found.truncated:
        say("there are more than could be looked at in time.")


def _row(environment: Environment) -> tuple[Cell, ...]:
    where = environment.python if environment.kind is Kind.SYSTEM else environment.prefix
    versions = (environment.jupyterlab, environment.notebook, environment.jupyter_server, environment.ipykernel)
    return (
        Long(where or environment.prefix, least=30, front=True),
        environment.kind,
        environment.version or "",
        *(version or "" for version in versions),
        _note(environment),
    )


def _note(environment: Environment) -> str:
    if environment.incomplete:
        return "never finished" if environment.incomplete.what == "new" else "an upgrade was cut short"
    if environment.broken:
        return "broken: its Python is gone"
    return "the system's own" if environment.managed else "" if environment.writable else "not ours to change"
