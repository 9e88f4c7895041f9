"""The program itself, as a user starts it: with a hosts.toml that names hosts of the lab."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.e2e.tmux import Tmux
from tests.lab.lab import Lab

JUPYTUI = [sys.executable, "-m", "jupytui"]


def write_config(home: Path, lab: Lab, hosts: Sequence[str], *, refresh: float = 1, local: bool = False) -> Path:
    """Write a hosts.toml with these hosts of the lab's ssh_config and return its path."""
    path = home / "hosts.toml"
    tables = [f"[settings]\nrefresh = {refresh}\nssh_config = {json.dumps(str(lab.ssh_config))}\n"]
    tables += [] if local else ["[hosts.local]\nwatch = false\n"]
    tables += [f"[hosts.{host}]\n" for host in hosts]
    path.write_text("".join(tables))
    return path


def run(config: Path, *args: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run `jupytui ARGS` without a terminal."""
    return subprocess.run(
        [*JUPYTUI, "--config", str(config), *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def status(config: Path, *hosts: str) -> dict[str, Any]:
    """Return `jupytui status --json` by host."""
    done = run(config, "status", *hosts, "--json")
    assert done.returncode in {0, 3}, done.stderr
    return {host["name"]: host for host in json.loads(done.stdout)["hosts"]}


def screen(config: Path, columns: int = 120, rows: int = 40) -> Tmux:
    """Return the full-screen program, to be entered, in a terminal of that size."""
    return Tmux([*JUPYTUI, "--config", str(config)], columns, rows)
