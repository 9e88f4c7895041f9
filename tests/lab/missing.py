"""What the lab needs of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.lab.slot import LabError, cgroup2

PACKAGES = Path(__file__).with_name("packages.txt")


def missing() -> str:
    """Say what the lab lacks here, in a sentence; "" when it can run."""
    if not sys.platform.startswith("linux"):
        return "the lab of booted hosts needs Linux"
    if os.geteuid() != 0:
        return "the lab of booted hosts needs root"
    rows = (line.split() for line in PACKAGES.read_text().splitlines())
    if lacking := [package for package, file in rows if not Path(file).exists()]:
        return f"the lab needs these Debian packages: {' '.join(lacking)}"
    return _forbidden()


def _forbidden() -> str:
    try:
        where = cgroup2()
    except LabError as error:
        return f"the lab cannot run: {error}"
    if not os.access(where / "cgroup.procs", os.W_OK):
        return f"the lab cannot run: {where} is read-only"
    if subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "true"], check=False).returncode:
        return "the lab cannot run: this machine allows no new namespaces"
    return ""
