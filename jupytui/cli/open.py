"""`jupytui open SERVER|HOST [--print] [--qr] [--kernel KERNEL | --path PATH]`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from jupytui.actions.address import page_of
from jupytui.actions.base import Context, perform
from jupytui.actions.open import OPEN, OPEN_NOTEBOOK
from jupytui.cli import say, tell
from jupytui.cli.configured import configured
from jupytui.cli.front import TerminalFront
from jupytui.cli.kernels import kernel_named
from jupytui.cli.lifecycle import running
from jupytui.cli.look import open_fleet, open_tunnels, run_until_done, say_unreached
from jupytui.config.model import Config
from jupytui.config.paths import Paths
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject

_PICTURE = "\x1b[38;5;16;48;5;231m{}\x1b[0m"  # dark on light, whatever the terminal's own colours are


def configure(parser: ArgumentParser) -> None:
    """Say which words follow."""
    parser.add_argument("server", metavar="SERVER", help="HOST, HOST:PORT or HOST:/socket")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--print", dest="printed", action="store_true", help="open nothing: print the address, with token")
    how.add_argument("--qr", action="store_true", help="open nothing: print the address, with token, as a picture")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--kernel", metavar="KERNEL", default="", help="that kernel's notebook: the start of its id, or its path"
    )
    what.add_argument("--path", metavar="PATH", default="", help="that file, below the directory the server shows")


def run(arguments: Namespace) -> int:
    """Open it. The tunnel stays. Raises UsageError with the candidates when the name fits none, or more than one."""
    paths, config = configured(arguments)
    return run_until_done(_open(paths, config, arguments))


async def _open(paths: Paths, config: Config, arguments: Namespace) -> int:
    name = arguments.server.partition(":")[0]
    async with open_fleet(config, [name]) as fleet, open_tunnels(paths) as tunnels:
        views = await fleet.look_once()
        if unreached := say_unreached(views):
            return unreached
        subject = _meant(views[0], arguments)
        front = TerminalFront(yes=False)
        context = Context(fleet, front, config, arguments.read_only, progress=tell, tunnels=tunnels)
        if arguments.printed or arguments.qr:
            await _give(context, subject, arguments)
        else:
            action = OPEN_NOTEBOOK if subject.kernel else OPEN
            say(await perform(action, context, [subject], {"path": arguments.path}) or "")
    return 0


def _meant(view: HostView, arguments: Namespace) -> Subject:
    server = running(view, arguments.server)
    kernel = kernel_named(view, server, arguments.kernel) if arguments.kernel else None
    return Subject(view.name, server.id, kernel)


async def _give(context: Context, subject: Subject, arguments: Namespace) -> None:
    page = await page_of(context, subject, arguments.path)
    for note in page.notes:
        say(note)
    if arguments.qr:
        from jupytui.ui.format.qr import qr

        print("\n".join(map(_PICTURE.format, qr(page.url.reveal()))))
    else:
        print(page.url.reveal())
