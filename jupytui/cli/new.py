"""`jupytui new HOST [--env DIR|NAME] [--root DIR] [--port N] [--app …] [--keep …]`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from jupytui.actions.base import Context, perform
from jupytui.actions.launch import APPS, KEEPS, NEW
from jupytui.cli import FAILED, tell
from jupytui.cli.configured import configured
from jupytui.cli.front import TerminalFront
from jupytui.cli.look import open_fleet, run_until_done, say_unreached
from jupytui.config.model import Config
from jupytui.fleet.subject import Subject


def configure(parser: ArgumentParser) -> None:
    """Say which words follow."""
    parser.add_argument("name", metavar="HOST", help="where")
    parser.add_argument("--env", metavar="DIR|NAME", default="", help="the environment to run it from")
    parser.add_argument("--root", metavar="DIR", default="~", help="the directory it shows (~)")
    parser.add_argument("--port", metavar="N", default="", help="that port or none (the first free one from 8888 on)")
    parser.add_argument("--address", metavar="IP", default="", help="where it listens (this machine alone)")
    parser.add_argument("--app", choices=APPS, default=APPS[0], help="which program serves (lab)")
    parser.add_argument("--keep", choices=KEEPS, default=KEEPS[0], help="what keeps it alive (user-unit)")
    parser.add_argument("--name", metavar="NAME", dest="called", default="", help="of its unit and its log")
    parser.add_argument("--memory-max", metavar="SIZE", default="", help="8G, 50%%: units only")
    parser.add_argument("--cpu-quota", metavar="SHARE", default="", help="400%% is four CPUs: units only")
    parser.add_argument("--harden", action="store_true", help="take away what Jupyter does not need: units only")
    parser.add_argument("--options", metavar="OPTIONS", default="", help="more options for Jupyter, in one word")


def run(arguments: Namespace) -> int:
    """Start a server; where it answers is the last line."""
    _paths, config = configured(arguments)
    return run_until_done(_new(config, arguments))


async def _new(config: Config, arguments: Namespace) -> int:
    async with open_fleet(config, [arguments.name]) as fleet:
        if unreached := say_unreached(await fleet.look_once()):
            return unreached
        context = Context(fleet, TerminalFront(yes=False), config, arguments.read_only, progress=tell)
        done = await perform(NEW, context, [Subject(arguments.name)], answers(arguments))
    print(done)
    return 0 if done is not None else FAILED


def answers(arguments: Namespace) -> dict[str, str]:
    """Return the form's answers."""
    return {
        "environment": arguments.env,
        "app": arguments.app,
        "root_dir": arguments.root,
        "port": arguments.port,
        "address": arguments.address,
        "keep": arguments.keep,
        "name": arguments.called,
        "memory_max": arguments.memory_max,
        "cpu_quota": arguments.cpu_quota,
        "harden": "yes" if arguments.harden else "no",
        "extra": arguments.options,
    }
