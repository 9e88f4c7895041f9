"""What is imported when: the program paints before it imports what it only needs to reach another machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jupytui

ROOT = Path(jupytui.__file__).parent
HEAVY = {
    "textual",
    "rich",
    "asyncssh",
    "httpcore2",
    "cryptography",
    "pyngrok",
    "keyring",
    "acme",
    "josepy",
    "requests",
    "dns",
    "tomlkit",
    "shtab",
    "segno",
}
LOOK = "; import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"


def _loaded(code: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", code + LOOK], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def _modules() -> list[str]:
    names = (".".join(path.relative_to(ROOT.parent).with_suffix("").parts) for path in ROOT.rglob("*.py"))
    return sorted(name.removesuffix(".__init__") for name in names)


def test_no_screen_is_imported_by_anything_but_the_screen() -> None:
    # What is sent to hosts is never imported.
    here = [name for name in _modules() if ".on_host." not in name]
    headless = [name for name in here if not name.startswith(("jupytui.ui", "jupytui.__main__"))]
    assert "jupytui.fleet.fleet" in headless
    assert not _loaded(f"import {', '.join(headless)}") & {"textual", "rich"}


def test_nothing_heavy_is_imported_before_the_first_picture() -> None:
    first = (
        "jupytui.cli.screen",
        "jupytui.cli.parser",
        "jupytui.config.options",
        "jupytui.actions.table",
        "jupytui.fleet.fleet",
        "jupytui.fleet.store",
    )
    assert not _loaded(f"import {', '.join(first)}") & HEAVY


def test_the_version_is_told_without_importing_any_command() -> None:
    loaded = _loaded("from jupytui.cli import main; main(['--version'])")
    assert not loaded & (HEAVY | {"msgspec", "tomllib", "platformdirs", "asyncio"})
