"""`jupytui completions SHELL`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

import shtab


def configure(parser: ArgumentParser) -> None:
    """Say which words follow."""
    parser.add_argument(
        "shell", choices=shtab.SUPPORTED_SHELLS, metavar="SHELL", help=" or ".join(shtab.SUPPORTED_SHELLS)
    )


def run(arguments: Namespace) -> int:
    """Print the script."""
    from jupytui.cli.parser import build_parser

    print(shtab.complete(build_parser(whole=True), arguments.shell))
    return 0
