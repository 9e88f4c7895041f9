"""`jupytui config`: hosts.toml, and what the Jupyter of a server is configured with."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from jupytui import figures
from jupytui.config.model import Config
from jupytui.config.paths import find_paths
from jupytui.errors import UsageError

# By verb, the names that follow it.
VERBS = {
    "path": "",
    "check": "[SERVER]",
    "show": "SERVER",
    "set": "SERVER KEY VALUE",
    "unset": "SERVER KEY",
    "preset": "[NAME SERVER]",
    "migrate": "SERVER",
    "undo": "SERVER",
}
HELP = """path: where hosts.toml is. check: whether it is right; with a SERVER, whether what its Jupyter reads is.
show: what Jupyter applies, and from where. set, unset: one setting (VALUE - is read from stdin). preset: a set of
them; alone, lists what there is. migrate: legacy names. undo: the last change"""


def configure(parser: ArgumentParser) -> None:
    """Say which words follow."""
    parser.add_argument("verb", choices=tuple(VERBS), help=HELP)
    text = "what the verb is about: SERVER, KEY, VALUE"
    parser.add_argument("names", metavar="NAME", nargs="*", default=[], help=text)
    parser.add_argument("--json", action="store_true", help="show, check SERVER: one JSON document instead of text")
    parser.add_argument("--restart", action="store_true", help="consent to a restart of the server, kernels and all")
    text = "preset: what it asks for, as domain=lab.example.org"
    parser.add_argument("--input", metavar="NAME=VALUE", dest="inputs", action="append", default=[], help=text)


def run(arguments: Namespace) -> int:
    """Do it. Raises ConfigError when hosts.toml is wrong, UsageError for other names than the verb takes."""
    wanted = VERBS[arguments.verb]
    if len(arguments.names) not in {len(wanted.split()), 0 if wanted.startswith("[") else len(wanted.split())}:
        raise UsageError(f"It is: jupytui config {arguments.verb} {wanted}".rstrip() + ".")
    if arguments.names:
        from jupytui.cli.config_server import run as run_server

        return run_server(arguments)
    print(_about(arguments))
    return 0


def _about(arguments: Namespace) -> str:
    if arguments.verb == "path":
        return str(find_paths(arguments.config).hosts)
    if arguments.verb == "preset":
        from jupytui.cli.config_server import presets

        return presets()
    from jupytui.cli.configured import configured

    _paths, config = configured(arguments)
    _check(config)
    return _summary(config)


def _check(config: Config) -> None:
    from jupytui.config.check import check_config
    from jupytui.ui.styles.theme import check_theme

    check_config(config)
    check_theme(config)


def _summary(config: Config) -> str:
    if config.source is None:
        return f"{config.path} is not there: this machine alone, with default settings."
    counts = (
        figures.plural(len(config.hosts), "host"),
        figures.plural(len(config.keys), "key"),
        figures.plural(len(config.tunnels), "tunnel"),
    )
    return f"{config.path} is right: {', '.join(counts)}."
