"""The lab as pytest fixtures. Every test that uses one is marked `lab`; those of one file run one after the other."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.lab.host import LabHost
from tests.lab.jupyter import LOCK, SIX, VENV, WHEELS, JupyterServer, start_jupyters
from tests.lab.lab import Lab
from tests.lab.missing import missing
from tests.lab.session import own_lab

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The lab of this test run, empty at first. Hosts boot when asked for and stay; everything goes at the end."""
    if lacks := missing():
        _cannot(lacks)
    with own_lab() as opened:
        yield opened


def _cannot(reason: str) -> NoReturn:
    """Where everything must run, as in CI, what cannot run is a failure."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


@pytest.fixture
def fresh_host(lab: Lab) -> Iterator[LabHost]:
    """A host for this test alone, to be broken at will."""
    name = f"fresh{next(_numbers)}"
    yield lab.host(name)
    lab.remove(name)


@pytest.fixture(scope="session")
def jupyters(lab: Lab) -> dict[str, JupyterServer]:
    """Six hosts, each with a JupyterLab of its own kind and a notebook open in it, by the names of `SIX`.

    They are shared by all tests: a test that stops or kills something starts a Jupyter of its own for that.
    """
    if not (VENV / "complete").exists():
        _cannot(f"the lab's Jupyter is not installed in {VENV}: tests/run does it")
    return start_jupyters(lab, *SIX)


@pytest.fixture(scope="session")
def jupyter_wheels(lab: Lab) -> Path:
    """The wheels of the lab's Jupyter, downloaded once (60 MB), in a directory that all hosts see."""
    if not (WHEELS / "complete").exists():
        if not (VENV / "complete").exists():
            _cannot(f"the lab's Jupyter is not installed in {VENV}: tests/run does it")
        download = ["-m", "pip", "download", "-q", "--only-binary", ":all:", "-r", str(LOCK), "-d", str(WHEELS)]
        subprocess.run([VENV / "bin/python", *download], check=True)
        (WHEELS / "complete").touch()
    return WHEELS
