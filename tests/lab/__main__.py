"""The lab by hand: `python -m tests.lab up h1 h2`; then `ssh -F $(python -m tests.lab config) h1`."""

from __future__ import annotations

import argparse
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from tests.lab.addresses import LABS
from tests.lab.jupyter import SIX, start_jupyters
from tests.lab.lab import Lab
from tests.lab.missing import missing
from tests.lab.slot import BY_HAND, LabError, Slot


def _arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("up", help="boot hosts").add_argument("names", nargs="+", metavar="NAME")
    verbs.add_parser("jupyters", help="boot six hosts, each with a Jupyter of its own kind")
    verbs.add_parser("down", help="stop all hosts and remove everything")
    verbs.add_parser("list", help="the hosts and their addresses")
    verbs.add_parser("config", help="the path of an ssh_config for the hosts")
    verbs.add_parser("check", help="say what the lab lacks on this machine; exit 1 if anything")
    for verb, text in (("cut", "unplug a host"), ("heal", "plug it in again"), ("reboot", "power-cycle it")):
        verbs.add_parser(verb, help=text).add_argument("names", nargs=1, metavar="NAME")
    run = verbs.add_parser("exec", help="run sh source as root in a host")
    run.add_argument("names", nargs=1, metavar="NAME")
    run.add_argument("script", nargs=argparse.REMAINDER)
    return parser.parse_args(argv)


def _list(lab: Lab) -> None:
    for host in lab.hosts:
        sys.stdout.write(f"{host.name}\t{host.address}\n")


def main() -> int:
    """Do what the command line says; the exit status."""
    wanted = _arguments()
    if lacks := missing():
        sys.stdout.write(f"{lacks}\n")
        return 1
    if wanted.verb == "check":
        return 0
    LABS.mkdir(exist_ok=True)
    with (LABS / f"{BY_HAND}.lock").open("w") as lock:
        if wanted.verb != "exec":
            fcntl.flock(lock, fcntl.LOCK_EX)
        return _do(wanted, Lab.open(Slot(BY_HAND)))


def _do(wanted: argparse.Namespace, lab: Lab) -> int:
    if wanted.verb == "exec":
        host = lab.existing(wanted.names[0])
        return subprocess.run(host.command(" ".join(wanted.script)), check=False).returncode
    if wanted.verb in {"cut", "heal", "reboot"}:
        getattr(lab.existing(wanted.names[0]), wanted.verb)()
        return 0
    verbs: dict[str, Callable[[], object]] = {
        "up": lambda: lab.up(*wanted.names),
        "jupyters": lambda: start_jupyters(lab, *SIX),
        "down": lab.down,
        "list": lambda: _list(lab),
        "config": lambda: sys.stdout.write(f"{lab.ssh_config}\n"),
    }
    verbs[wanted.verb]()
    return 0


if __name__ == "__main__":
    os.umask(0o022)
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(f"{error}")
