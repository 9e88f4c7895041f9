"""What would be run, and what is refused with something better to do."""

from __future__ import annotations

import re

import msgspec
import pytest

from jupytui.errors import JupytuiError
from jupytui.jupyter.environments.choose import choices
from jupytui.jupyter.environments.models import (
    Builder,
    Environment,
    Environments,
    Incomplete,
    Installer,
    Kind,
    Tool,
    Wish,
)
from jupytui.jupyter.environments.plan import plan_new, plan_upgrade

SYSTEM = Environment("/usr", Kind.SYSTEM, "/usr/bin/python3.11", "3.11", managed=True, has_venv=True, makes_venvs=True)
OLD = Environment(
    "/home/a/.pyenv/versions/3.8.1", Kind.PYENV, "/p/bin/python", "3.8.1", has_venv=True, makes_venvs=True
)
VENV = Environment("/e", Kind.VENV, "/e/bin/python", "3.11.2", writable=True, has_pip=True)
CONDA = Environment("/c", Kind.CONDA, "/c/bin/python", "3.12.1", writable=True, has_pip=True, jupyterlab="4.0")
UV = Tool(Installer.UV, "/home/a/.local/bin/uv")


def _found(*environments: Environment, tools: tuple[Tool, ...] = (), pip: bool = False) -> Environments:
    configured = frozenset({Installer.PIP} if pip else ())
    return Environments("/home/a", "Linux", ("debian",), 2**34, tools, configured, environments)


def test_a_bare_host_gets_a_venv() -> None:
    plan = plan_new(_found(SYSTEM), "~/lab")
    assert plan.prefix == "/home/a/lab"
    assert plan.commands == (
        "/usr/bin/python3.11 -m venv /home/a/lab",
        "/home/a/lab/bin/python -m pip install jupyterlab ipykernel",
        "/home/a/lab/bin/jupyter-lab --version",
    )


def test_uv_is_taken_where_it_is_unless_only_pip_knows_the_index() -> None:
    assert plan_new(_found(SYSTEM, tools=(UV,)), "/x").commands == (
        "/home/a/.local/bin/uv venv --allow-existing --python /usr/bin/python3.11 /x",
        "/home/a/.local/bin/uv pip install --python /x/bin/python --compile-bytecode jupyterlab ipykernel pip",
        "/x/bin/jupyter-lab --version",
    )
    assert plan_new(_found(SYSTEM, tools=(UV,), pip=True), "/x").installer is Installer.PIP
    assert plan_new(_found(tools=(UV,)), "/x").commands[0] == "/home/a/.local/bin/uv venv --allow-existing /x"


def test_a_host_with_conda_alone_gets_a_conda_environment() -> None:
    plan = plan_new(_found(tools=(Tool(Installer.CONDA, "/c/bin/conda"),)), "/x", Wish(packages=("notebook>=7,<8",)))
    assert plan.commands == (
        "mkdir /x/conda-meta && : >/x/conda-meta/history",
        "/c/bin/conda install --yes --prefix /x --override-channels --channel conda-forge"
        " 'python>=3.10' 'notebook>=7,<8'",
        "/x/bin/jupyter-notebook --version",
    )


def test_a_directory_of_wheels_is_the_only_index() -> None:
    commands = plan_new(_found(SYSTEM), "/x", Wish(wheels="/my wheels", packages=("jupyterlab==4.5",))).commands
    assert commands[1] == "/x/bin/python -m pip install --no-index --find-links '/my wheels' jupyterlab==4.5"


def test_an_upgrade_upgrades_what_is_there() -> None:
    there = msgspec.structs.replace(VENV, jupyter_server="2.0", notebook="7.0")
    assert plan_upgrade(_found(), there).commands == (
        "/e/bin/python -m pip install --upgrade notebook jupyter_server",
        "/e/bin/jupyter-notebook --version",
    )
    assert plan_upgrade(_found(tools=(UV,)), there, Wish(packages=("notebook==7.1",))).commands[0] == (
        "/home/a/.local/bin/uv pip install --python /e/bin/python --compile-bytecode"
        " --upgrade-package=notebook notebook==7.1"
    )


def test_conda_updates_what_it_has_and_installs_the_rest() -> None:
    found = _found(tools=(Tool(Installer.CONDA, "/b/conda"), Tool(Installer.MAMBA, "/b/mamba")))
    assert plan_upgrade(found, CONDA, Wish(packages=("jupyterlab", "notebook"))).commands[:2] == (
        "/b/mamba update --yes --prefix /c jupyterlab",
        "/b/mamba install --yes --prefix /c notebook",
    )


def test_the_choice_is_shown_with_reasons_and_can_be_overridden() -> None:
    found = _found(SYSTEM, tools=(UV,))
    assert [(c.installer, c.why_not) for c in choices(found, None, Wish())] == [
        (Installer.UV, ""),
        (Installer.PIP, ""),
        (Installer.MAMBA, "mamba is not there"),
        (Installer.MICROMAMBA, "micromamba is not there"),
        (Installer.CONDA, "conda is not there"),
    ]
    assert plan_new(found, "/x", Wish(installer=Installer.PIP)).installer is Installer.PIP
    with pytest.raises(JupytuiError, match="conda cannot be used: conda is not there"):
        plan_new(found, "/x", Wish(installer=Installer.CONDA))


@pytest.mark.parametrize(
    ("environment", "message", "hint"),
    [
        (SYSTEM, "belongs to the system", "Make a new environment"),
        (msgspec.structs.replace(VENV, managed=True), "belongs to the system", "Make a new environment"),
        (msgspec.structs.replace(VENV, kind=Kind.PIPX, prefix="/p/lab"), "pipx", "pipx upgrade .*lab"),
        (msgspec.structs.replace(VENV, kind=Kind.UV_TOOL, prefix="/p/lab"), "uv tool", "uv tool upgrade lab"),
        (msgspec.structs.replace(VENV, broken=True), "its Python is gone", "make a new one"),
        (msgspec.structs.replace(VENV, writable=False), "belongs to somebody else", "of your own"),
        (msgspec.structs.replace(VENV, has_pip=False), "has no pip, and the host has no uv", "-m ensurepip"),
        (msgspec.structs.replace(VENV, incomplete=Incomplete("new", Builder.DEAD)), "never finished", "anew"),
    ],
)  # fmt: skip
def test_what_must_not_be_changed_is_refused_with_what_to_do(environment: Environment, message: str, hint: str) -> None:
    with pytest.raises(JupytuiError, match=message) as refused:
        plan_upgrade(_found(), environment)
    assert re.search(hint, refused.value.hint)


def test_a_host_without_the_venv_module_is_told_the_exact_package() -> None:
    lacking = msgspec.structs.replace(SYSTEM, makes_venvs=False)
    with pytest.raises(JupytuiError, match=r"Python 3\.11 there cannot") as refused:
        plan_new(_found(lacking), "/x")
    assert "apt install python3.11-venv" in refused.value.hint
    assert plan_new(_found(lacking, tools=(UV,)), "/x").installer is Installer.UV


def test_a_new_enough_system_python_is_the_base_and_an_old_one_is_noted() -> None:
    assert plan_new(_found(OLD, SYSTEM), "/x").commands[0].startswith("/usr/bin/python3.11 ")
    assert plan_new(_found(OLD, SYSTEM), "/x", Wish(python="/p/bin/python")).commands[0].startswith("/p/bin/python ")
    assert "old JupyterLab" in plan_new(_found(OLD), "/x").notes[0]


@pytest.mark.parametrize("prefix", ["", "/", "~", "~/", "env", "/a/../b", "/a\nb", "/home/a", "/e"])
def test_only_a_directory_that_can_be_one_is_taken(prefix: str) -> None:
    with pytest.raises(JupytuiError):
        plan_new(_found(SYSTEM, VENV), prefix)


@pytest.mark.parametrize(
    "package", ["", "--pre", "-r x", "a b", "a;b", "$(x)", "git+https://x", "a==1\n", "a=1", "../a"]
)
def test_a_package_is_never_an_option_or_a_command(package: str) -> None:
    with pytest.raises(JupytuiError, match="is not a package"):
        plan_new(_found(SYSTEM), "/x", Wish(packages=(package,)))


@pytest.mark.parametrize("package", ["jupyterlab", "jupyterlab==4.5.0", "a[b,c]>=1,<2", "a~=1.0", "a==1.*", "a!=2"])
def test_requirements_pass(package: str) -> None:
    assert plan_new(_found(SYSTEM), "/x", Wish(packages=(package,))).packages == (package,)
