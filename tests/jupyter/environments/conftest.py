"""Real environments and real wheels, small ones."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jupytui.hosts.local import LocalHost
from tests.jupyter.environments.wheels import make_wheel

PYTHON = "/usr/bin/python3"
MANY = {f"jt_beta/data/{number}.txt": b"x" * 100 for number in range(3000)}  # so that installing takes a moment


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of wheels: jt_alpha 1.0 and 2.0, which start as `jt-alpha`, and need jt_beta, which is large."""
    directory = tmp_path_factory.mktemp("wheels")
    for version in ("1.0", "2.0"):
        make_wheel(directory, "jt_alpha", version, requires=[f"jt_beta=={version}"], program="jt-alpha")
        make_wheel(directory, "jt_beta", version, files=MANY)
    return directory


@pytest.fixture(scope="session")
def pip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python with pip, in an environment of its own (ensurepip takes seconds, so once)."""
    prefix = tmp_path_factory.mktemp("pip") / "env"
    subprocess.run([PYTHON, "-m", "venv", prefix], check=True)
    return f"{prefix}/bin/python"


@pytest.fixture(scope="session")
def alpha_one(pip: str, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with jt_alpha 1.0 and pip, to be copied, never changed."""
    prefix = tmp_path_factory.mktemp("alpha") / "env"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", prefix], check=True)
    source = Path(pip).parents[1]
    for package in (source / "lib").glob("python3*/site-packages/pip*"):
        shutil.copytree(package, prefix / package.relative_to(source))
    command = [
        f"{prefix}/bin/python",
        "-m",
        "pip",
        "install",
        "--no-index",
        "--find-links",
        str(wheels),
        "jt_alpha==1.0",
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return prefix


@pytest.fixture
async def host(home: Path) -> AsyncIterator[LocalHost]:
    """This machine, with the test's own home."""
    host = LocalHost()
    yield host
    await host.close()
