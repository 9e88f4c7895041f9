"""`jupytui config path|check`."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from jupytui import figures
from jupytui.config.model import Config
from jupytui.config.paths import find_paths


def configure(parser: ArgumentParser) -> None:
    """Say which words follow."""
    parser.add_argument("verb", choices=("path", "check"), help="print where hosts.toml is; say whether it is right")


def run(arguments: Namespace) -> int:
    """Do it. Raises ConfigError when hosts.toml is wrong."""
    if arguments.verb == "path":
        print(find_paths(arguments.config).hosts)
    else:
        from jupytui.cli.configured import configured

        print(_summary(configured(arguments)[1]))
    return 0


def _summary(config: Config) -> str:
    if config.source is None:
        return f"{config.path} is not there: this machine alone, with default settings."
    counts = (
        figures.plural(len(config.hosts), "host"),
        figures.plural(len(config.keys), "key"),
        figures.plural(len(config.tunnels), "tunnel"),
    )
    return f"{config.path} is right: {', '.join(counts)}."
