"""The words of the command line. A new command is one line in `COMMANDS` and one module with `configure` and `run`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from typing import Any

from jupytui import __doc__ as description
from jupytui import __version__

COMMANDS = {
    "status": "one look at the fleet, then exit",
    "open": "open a server in the browser, by a tunnel if need be",
    "new": "start a server that stays alive; installs Jupyter first where there is none",
    "start": "start a server whose unit is stopped",
    "stop": "stop a server, and prove that it is gone",
    "restart": "restart a server, and prove that it is back",
    "logs": "print a server's log, and follow it",
    "env": "list environments, install or upgrade Jupyter",
    "kernels": "list, interrupt, restart or shut down kernels",
    "passwd": "change how a server lets people in, and prove it",
    "tunnel": "list, add, remove tunnels, bring them up or take them down",
    "cert": "certificates: list, issue, renew, import, order by ACME; TLS on and off",
    "share": "let others reach a server, by ngrok, a URL made elsewhere or the network; with a proof",
    "config": "hosts.toml; what a server is configured with, from where; change it, undo that",
    "doctor": "what is wrong: can it be reached, who gets in, what will break; with evidence and fixes",
    "completions": "print a completion script for a shell",
}

EPILOG = """\
Without a command the full-screen program starts.
exit status: 0 done, 1 the action failed, 2 wrong use or configuration, 3 some host could not be reached
"""


class _Parser(argparse.ArgumentParser):
    """A parser that learns its arguments when they are first needed, so that `--version` imports no command."""

    def __init__(
        self, *, prog: str, fill: Callable[[argparse.ArgumentParser], None] | None = None, **texts: str
    ) -> None:
        shape = argparse.RawDescriptionHelpFormatter
        super().__init__(prog, allow_abbrev=False, formatter_class=shape, **texts)  # type: ignore[arg-type]
        self._fill = fill
        self._mixed = fill is not None

    def fill(self) -> None:
        """Learn the arguments."""
        fill, self._fill = self._fill, None
        if fill:
            fill(self)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as ArgumentParser does; in a command, options may stand between and behind the names."""
        self.fill()
        if self._mixed:
            self._mixed = False  # it comes back here for its two passes
            return self.parse_known_intermixed_args(args, namespace)
        return super().parse_known_args(args, namespace)


def build_parser(*, whole: bool = False) -> argparse.ArgumentParser:
    """Return the parser; its result has `run`, to be called with the result. `whole` fills in every command at once."""
    parser = _Parser(prog="jupytui", description=description, epilog=EPILOG, usage="%(prog)s [OPTION…] [COMMAND …]")
    _add_options(parser)
    parser.set_defaults(run=_run("screen"), config=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog="jupytui")
    for name, text in COMMANDS.items():
        command: _Parser = commands.add_parser(name, help=text, description=_sentence(text), fill=_filling(name))
        if whole:
            command.fill()
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", metavar="NAME", nargs="+", action="extend", default=[], help="only these hosts")
    _add_config(parser)
    parser.add_argument("--no-mouse", dest="mouse", action="store_false", help="leave the mouse to the terminal")
    parser.add_argument("--read-only", action="store_true", help="leave out every action that changes something")
    parser.add_argument("--version", action="version", version=f"jupytui {__version__}")


def _add_config(parser: argparse.ArgumentParser) -> None:
    text = "hosts.toml, or the directory that holds it (or set JUPYTUI_CONFIG)"
    parser.add_argument("--config", metavar="PATH", default=argparse.SUPPRESS, help=text)


def _filling(name: str) -> Callable[[argparse.ArgumentParser], None]:
    def fill(parser: argparse.ArgumentParser) -> None:
        import_module(f"jupytui.cli.{name}").configure(parser)
        _add_config(parser)
        parser.set_defaults(run=_run(name))

    return fill


def _run(name: str) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        status: int = import_module(f"jupytui.cli.{name}").run(arguments)
        return status

    return run


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
