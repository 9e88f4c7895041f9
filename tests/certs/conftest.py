"""An authority, Pebble, a Jupyter with TLS in the lab, and what every test of this room holds to."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from jupytui.certs import authority
from jupytui.certs.authority import Authority
from jupytui.hosts.base import Host
from jupytui.hosts.local import LocalHost
from tests.certs.pebble import Pebble, running
from tests.jupyter.launch.conftest import reach
from tests.lab.jupyter import VENV, JupyterServer, Recipe, start_jupyter
from tests.lab.lab import Lab


@pytest.fixture
def careless() -> Iterator[None]:
    """The most careless umask: what is private must be so by our own doing."""
    former = os.umask(0)
    yield
    os.umask(former)


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return authority.load_or_make(tmp_path / "certs")


@pytest.fixture
async def here(home: Path) -> AsyncIterator[Host]:
    host = LocalHost()
    yield host
    await host.close()


def needs(*programs: str) -> None:
    """Skip where a program is not installed; in CI that is a failure."""
    if lacking := [program for program in programs if not shutil.which(program)]:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"not installed: {', '.join(lacking)}")


@pytest.fixture(scope="module")
def pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    needs("pebble", "pebble-challtestsrv")
    with running(tmp_path_factory.mktemp("pebble") / "it", nonce_reject=15) as it:
        yield it


@pytest.fixture(scope="package")
def secured(lab: Lab) -> JupyterServer:
    """A JupyterLab with TLS on all addresses of its host `ct`, a notebook open in it."""
    needs(f"{VENV}/bin/jupyter-lab")
    recipe = Recipe("ct", "user-unit", "swap.ipynb", token="token-of-the-ct-host", tls=True, ip="0.0.0.0")
    return start_jupyter(lab, lab.host("ct"), recipe)


@pytest.fixture
async def far(lab: Lab, secured: JupyterServer) -> AsyncIterator[Host]:
    """The host of `secured`, as alice reaches it by SSH."""
    host = await reach(lab, secured.host)
    yield host
    await host.close()
