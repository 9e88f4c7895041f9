"""Every Python of a host: real environments, and directories laid out as conda, pyenv and others lay theirs out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jupytui.hosts.local import LocalHost
from jupytui.jupyter.environments.find import find, parse
from jupytui.jupyter.environments.models import Builder, Environments, Incomplete, Installer, Kind
from jupytui.jupyter.environments.sources import source
from tests.jupyter.environments.conftest import PYTHON
from tests.jupyter.environments.wheels import make_wheel

SHELLS = [
    shell for shell in ("dash", "busybox sh", "bash --posix", "zsh --emulate sh") if shutil.which(shell.split()[0])
]


def _file(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _program(path: Path) -> Path:
    _file(path, "#!/bin/sh\nexit 9\n").chmod(0o755)
    return path


def _package(prefix: Path, dist: str, python: str = "3.11") -> None:
    _file(prefix / f"lib/python{python}/site-packages/{dist}.dist-info/METADATA", "Name: x\n")


def _venv(prefix: Path, version: str = "version = 3.11.2", home: str = "/usr/bin") -> Path:
    _file(prefix / "pyvenv.cfg", f"home = {home}\ninclude-system-site-packages = false\n{version}\n")
    _program(prefix / "bin/python")
    (prefix / "lib/python3.11/site-packages").mkdir(parents=True)
    return prefix


def _whole(prefix: Path, python: str) -> Path:
    """A Python under a prefix of its own."""
    _program(prefix / "bin/python")
    _file(prefix / f"lib/python{python}/os.py")
    _file(prefix / f"lib/python{python}/venv/__init__.py")
    _file(prefix / f"lib/python{python}/ensurepip/__init__.py")
    return prefix


def _run(shell: str, home: Path, *known: str, seconds: int = 10) -> Environments:
    command = [*shell.split(), "-c", source("find"), "find", str(seconds), *known]
    environ = {"PATH": os.environ["PATH"], "HOME": str(home)}
    done = subprocess.run(command, env=environ, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return parse(done.stdout)


async def test_a_real_venv_is_told_with_versions_and_kernels(host: LocalHost, home: Path) -> None:
    prefix = home / "lab"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", prefix], check=True)
    _package(prefix, "jupyterlab-4.5.1", python=_minor(prefix))
    _package(prefix, "jupyterlab_server-9.9.9", python=_minor(prefix))
    _package(prefix, "jupyter_server-2.17.0", python=_minor(prefix))
    _file(
        prefix / "share/jupyter/kernels/python3/kernel.json",
        '{"argv": ["python"],\n "display_name": "Py [3]",\n"language": "python"}',
    )
    there = (await find(host)).at(str(prefix))
    assert there
    expected = subprocess.check_output([PYTHON, "-c", "import platform; print(platform.python_version())"], text=True)
    assert (there.kind, there.version, there.python) == (Kind.VENV, expected.strip(), f"{prefix}/bin/python")
    assert (there.jupyterlab, there.jupyter_server, there.notebook) == ("4.5.1", "2.17.0", None)
    assert (there.has_pip, there.managed, there.writable, there.has_jupyter) == (False, False, True, True)
    assert [(s.name, s.display_name, s.language, s.command) for s in there.kernelspecs] == [
        ("python3", "Py [3]", "python", "python")
    ]


def _minor(prefix: Path) -> str:
    return next(prefix.glob("lib/python3.*")).name.removeprefix("python")


async def test_what_pip_installed_and_removed_is_told_as_it_is(host: LocalHost, home: Path, pip: str) -> None:
    prefix = home / "lab"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", prefix], check=True)
    make_wheel(home, "ipykernel", "6.1")
    command = [pip, "-m", "pip", "--python", f"{prefix}/bin/python"]
    subprocess.run([*command, "install", "-q", "--no-index", "--find-links", home, "ipykernel"], check=True)
    there = (await find(host)).at(str(prefix))
    assert there
    assert there.ipykernel == "6.1"
    next(prefix.glob("lib/*/site-packages/ipykernel-*/METADATA")).unlink()  # as a killed removal leaves it
    there = (await find(host)).at(str(prefix))
    assert there
    assert there.ipykernel is None


async def test_the_system_python_is_told_with_its_marker(host: LocalHost) -> None:
    system = next(e for e in (await find(host)).environments if e.kind is Kind.SYSTEM and e.prefix == "/usr")
    library = Path(f"/usr/lib/python{system.version}")
    assert system.python == f"/usr/bin/python{system.version}"
    assert system.managed == (library / "EXTERNALLY-MANAGED").exists()
    assert system.makes_venvs == (library / "ensurepip").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_what_a_process_runs_from_comes_first_wherever_it_lies(shell: str, home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    for prefix in (home / "jupyter", elsewhere):
        subprocess.run([PYTHON, "-m", "venv", "--without-pip", prefix], check=True)
    with subprocess.Popen([elsewhere / "bin/python", "-c", "input()"], stdin=subprocess.PIPE) as server:
        found = _run(shell, home, f"pid:{server.pid}", "pid:999999999")
    assert [e.prefix for e in found.environments][:1] == [str(elsewhere)]
    assert found.at(str(home / "jupyter"))


@pytest.mark.parametrize("shell", SHELLS)
def test_every_kind_is_found_where_its_maker_puts_it(shell: str, home: Path) -> None:
    conda = _whole(home / "miniforge3", "3.12")
    _file(conda / "conda-meta/python-3.12.4-h1_0_cpython.json")
    (conda / "lib/python3.1").symlink_to("python3.12")
    _program(conda / "condabin/conda")
    _program(conda / "condabin/mamba")
    inner = conda / "envs/torch"
    _file(inner / "conda-meta/history")
    _program(inner / "bin/python")
    _package(inner, "notebook-7.2.0")
    far = home / "far/away/deep/env"
    _file(far / "conda-meta/history")
    _file(home / ".conda/environments.txt", f"{far}\n{conda}\n/not/there\n")
    _whole(home / ".pyenv/versions/3.10.13", "3.10")
    managed = _whole(home / ".local/share/uv/python/cpython-3.13.1-linux-x86_64-gnu", "3.13")
    _file(managed / "lib/python3.13/EXTERNALLY-MANAGED")
    _venv(home / ".local/share/uv/tools/jupyterlab", "uv = 0.9\nversion_info = 3.11.9", str(managed / "bin"))
    _venv(home / ".local/share/pipx/venvs/notebook")
    _venv(home / ".cache/pypoetry/virtualenvs/thing-py3.11")
    _venv(home / ".virtualenvs/old", "version_info = 3.11.9.final.0")
    _venv(home / "project/.venv")
    _venv(home / "work/project/.venv")
    _venv(home / "envs/lab")
    gone = _venv(home / "with space")
    (gone / "bin/python").unlink()
    (gone / "bin/python").symlink_to("/not/there")
    found = _run(shell, home)
    mine = {e.prefix.removeprefix(f"{home}/"): e for e in found.environments if e.prefix.startswith(str(home))}
    assert {name: (e.kind, e.version) for name, e in mine.items()} == {
        "miniforge3": (Kind.CONDA, "3.12.4"),
        "miniforge3/envs/torch": (Kind.CONDA, "3.11"),
        "far/away/deep/env": (Kind.CONDA, None),
        ".pyenv/versions/3.10.13": (Kind.PYENV, "3.10.13"),
        ".local/share/uv/python/cpython-3.13.1-linux-x86_64-gnu": (Kind.UV, "3.13.1"),
        ".local/share/uv/tools/jupyterlab": (Kind.UV_TOOL, "3.11.9"),
        ".local/share/pipx/venvs/notebook": (Kind.PIPX, "3.11.2"),
        ".cache/pypoetry/virtualenvs/thing-py3.11": (Kind.VENV, "3.11.2"),
        ".virtualenvs/old": (Kind.VENV, "3.11.9"),
        "project/.venv": (Kind.VENV, "3.11.2"),
        "work/project/.venv": (Kind.VENV, "3.11.2"),
        "envs/lab": (Kind.VENV, "3.11.2"),
        "with space": (Kind.VENV, "3.11.2"),
    }
    assert mine["miniforge3/envs/torch"].notebook == "7.2.0"
    assert mine[".local/share/uv/python/cpython-3.13.1-linux-x86_64-gnu"].managed
    assert mine["with space"].broken
    assert found.tool(Installer.CONDA) == f"{conda}/condabin/conda"
    assert found.tool(Installer.MAMBA) == f"{conda}/condabin/mamba"
    assert not found.truncated


def test_no_python_is_started(home: Path) -> None:
    trap = _file(home / "lab/bin/python", f"#!/bin/sh\ntouch '{home}/started'\n")
    trap.chmod(0o755)
    _file(home / "lab/pyvenv.cfg", "home = /usr/bin\n")
    assert _run("sh", home).at(str(home / "lab"))
    assert not (home / "started").exists()


def test_the_environment_of_a_running_server_is_found_wherever_it_is(home: Path, tmp_path: Path) -> None:
    odd = _venv(tmp_path / "a [b] *" / "env")
    assert _run("sh", home, str(odd / "bin/python3.11")).at(str(odd.resolve()))
    assert _run("sh", home, str(odd)).at(str(odd.resolve()))
    assert _run("sh", home, "/not/there/bin/python", "", "-x", "/").environments == _run("sh", home).environments


def test_one_environment_by_two_ways_is_one(home: Path) -> None:
    real = _venv(home / "lab")
    (home / "alias").symlink_to(real)
    found = _run("sh", home, str(home / "alias/bin/python"), str(real))
    assert [e.prefix for e in found.environments].count(str(real)) == 1
    assert not found.at(str(home / "alias"))


def test_hostile_names_and_texts_stay_one_harmless_line_each(home: Path) -> None:
    _venv(home / "evil\x1b]52;c;x\x07\u202e$(touch x)`touch y`")
    _venv(home / "two\nenv\t/usr/lines")
    _file(home / ".local/share/jupyter/kernels/bad/kernel.json", '{"argv": 3')
    _file(home / ".local/share/jupyter/kernels/esc/kernel.json", '{"argv": [], "display_name": "a\\u001b[31m\\nb"}')
    found = _run("sh", home)
    mine = [e.prefix for e in found.environments if e.prefix.startswith(str(home))]
    assert len(mine) == 1
    assert mine[0].isprintable()
    assert [(s.name, s.display_name.isprintable()) for s in found.kernelspecs if str(home) in s.directory] == [
        ("bad", True),
        ("esc", True),
    ]
    assert not list(home.glob("[xy]"))


def test_an_incomplete_environment_is_told_with_who_is_behind_it(home: Path) -> None:
    started = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()[19]
    node = os.uname().nodename
    owners = {
        "alive": (f"new:{os.getpid()}:{started}:{node}", Incomplete("new", Builder.ALIVE)),
        "dead": (f"upgrade:{os.getpid()}:{int(started) + 1}:{node}", Incomplete("upgrade", Builder.DEAD)),
        "away": (f"new:1:1:not-{node}", Incomplete("new", Builder.ELSEWHERE)),
    }
    for name, (owner, _) in owners.items():
        (home / name).mkdir()
        (home / name / ".jupytui-incomplete").symlink_to(owner)
    found = _run("sh", home)
    for name, (_, expected) in owners.items():
        there = found.at(str(home / name))
        assert there
        assert there.incomplete == expected
        assert not there.usable


def test_it_is_bounded_in_time_and_says_so(home: Path) -> None:
    for number in range(40):
        _venv(home / f"env{number}")
    found = _run("sh", home, seconds=0)
    assert found.truncated
    assert not _run("sh", home).truncated


@pytest.mark.parametrize("shell", SHELLS)
def test_a_hundred_environments_take_less_than_a_second(shell: str, home: Path) -> None:
    for number in range(100):
        env = _venv(home / f"env{number}")
        _package(env, "jupyterlab-4.5.1")
        _file(env / "share/jupyter/kernels/python3/kernel.json", '{\n "argv": ["python"]\n}\n' * 5)
    begun = time.perf_counter()
    found = _run(shell, home)
    took = time.perf_counter() - begun
    sys.stderr.write(f"{shell}: {took * 1000:.0f} ms\n")
    assert len([e for e in found.environments if e.jupyterlab]) >= 100
    assert took < 1.0


def test_half_an_answer_is_no_error() -> None:
    found = parse(
        b"home\t/h\nfree\tx\ntool\tnope\t/x\ntool\nenv\nenv\t/e\nflag\ndist\tjupyterlab\ncfg\thome\nspec\t/k/a"
    )
    assert found.home == "/h"
    assert found.truncated
    assert found.free is None
    assert [e.prefix for e in found.environments] == ["/e"]
    assert parse(b"").environments == ()
    assert parse(os.urandom(10_000)).truncated
