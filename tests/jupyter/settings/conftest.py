"""A real Jupyter, kept warm, in a virtual environment of its own that costs no installation."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from jupytui.hosts.local import LocalHost
from tests.jupyter.settings.trees import Tree
from tests.lab.jupyter import VENV

Reader = Callable[[Tree, Path], tuple[Any, Any]]
EXTENSIONS = {"ServerApp": {"jpserver_extensions": {"jupyterlab": True, "notebook": True}}}


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that has the lab's Jupyter, and whose etc/jupyter may be written."""
    if not (VENV / "complete").exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"no Jupyter in {VENV}: tests/run makes it")
    prefix = tmp_path_factory.mktemp("environment")
    site = next((VENV / "lib").glob("python*/site-packages"))
    here = prefix / "lib" / site.parent.name / "site-packages"
    here.mkdir(parents=True)
    (here / "lab.pth").write_text(f"{site}\n")
    (prefix / "bin").mkdir()
    (prefix / "bin/python").symlink_to((VENV / "bin/python").resolve())
    (prefix / "pyvenv.cfg").write_text((VENV / "pyvenv.cfg").read_text())
    enabled = prefix / "etc/jupyter/jupyter_server_config.d/both.json"
    enabled.parent.mkdir(parents=True)
    enabled.write_text(json.dumps(EXTENSIONS))
    (prefix / "share").symlink_to(VENV / "share")
    return prefix


@pytest.fixture(scope="module")
def reader(environment: Path) -> Iterator[Reader]:
    """Returns what look.py and ask.py say about a tree in a home directory."""
    programs = files("jupytui.jupyter.settings.on_host")
    sources = [programs.joinpath(f"{name}.py").read_text() for name in ("look", "ask")]
    warm = Path(__file__).with_name("warm.py")
    environ = {"PATH": os.environ["PATH"], "HOME": str(environment)}
    command: list[str | Path] = [environment / "bin/python", "-W", "ignore", warm]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ, text=True) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(sources) + "\n")

        def read(tree: Tree, home: Path) -> tuple[Any, Any]:
            assert process.stdin
            assert process.stdout
            environ = {name: value.replace("HOME", str(home)) for name, value in tree.environ.items()}
            wanted = vars(tree) | {"home": str(home), "environ": environ}
            process.stdin.write(json.dumps(wanted) + "\n")
            process.stdin.flush()
            looked, asked = json.loads(process.stdout.readline())
            return looked, asked

        yield read
        process.stdin.close()


@pytest.fixture
async def here(home: Path) -> AsyncIterator[LocalHost]:
    host = LocalHost()
    yield host
    await host.close()
