"""However an installation ends, what is there then is whole: as it was before, or as it was meant to be."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
from pathlib import Path

import pytest

from jupytui.hosts.local import LocalHost
from jupytui.jupyter.environments.install import install
from jupytui.jupyter.environments.models import Plan
from jupytui.jupyter.environments.outcome import Progress
from tests.jupyter.environments.plans import at_rest, contents, new_plan, upgrade_plan, versions

NEW = (
    "Prepare: begins",
    "Make the environment: begins",
    "Make the environment: made",
    "Install the packages: begins",
    "Processing", "Installing collected", "Successfully installed",
    "See that it starts: begins",
    "See that it starts: 1.0",
)  # fmt: skip
UPGRADE = (
    "Prepare: begins",
    "Install the packages: begins",
    "Processing",
    "Attempting uninstall: jt_beta",
    "Successfully uninstalled jt_beta",
    "Attempting uninstall: jt_alpha",
    "Successfully uninstalled jt_alpha",
    "Successfully installed",
    "See that it starts: begins",
    "See that it starts: 2.0",
)


@pytest.mark.parametrize("word", NEW)
async def test_a_new_environment_that_is_cancelled_is_wholly_gone(
    word: str, host: LocalHost, tmp_path: Path, pip: str, wheels: Path
) -> None:
    prefix = tmp_path / "deep" / "env"
    cut = await _cancelled_at(word, host, new_plan(prefix, pip, wheels))
    await at_rest(prefix)
    assert cut
    _gone_or_whole(tmp_path, prefix, word)
    if word == NEW[4]:
        assert (await install(host, new_plan(prefix, pip, wheels))).proof == "1.0", "trying again works"


@pytest.mark.parametrize("word", UPGRADE)
async def test_an_upgrade_that_is_cancelled_leaves_every_file_as_it_was(
    word: str, host: LocalHost, tmp_path: Path, alpha_one: Path, wheels: Path
) -> None:
    prefix, before = _copy(alpha_one, tmp_path)
    cut = await _cancelled_at(word, host, upgrade_plan(prefix, wheels))
    await at_rest(prefix)
    assert cut
    _as_before_or_whole(prefix, before, word)
    if word == UPGRADE[4]:
        assert (await install(host, upgrade_plan(prefix, wheels))).proof == "2.0", "trying again works"


@pytest.mark.parametrize("word", NEW)
async def test_a_new_environment_is_gone_when_jupytui_is_killed(
    word: str, tmp_path: Path, pip: str, wheels: Path
) -> None:
    prefix = tmp_path / "deep" / "env"
    await _killed_at(word, prefix, "new", pip, str(wheels))
    _gone_or_whole(tmp_path, prefix, word)


@pytest.mark.parametrize("word", UPGRADE)
async def test_an_upgrade_is_undone_when_jupytui_is_killed(
    word: str, tmp_path: Path, pip: str, alpha_one: Path, wheels: Path
) -> None:
    prefix, before = _copy(alpha_one, tmp_path)
    await _killed_at(word, prefix, "upgrade", pip, str(wheels))
    _as_before_or_whole(prefix, before, word)


async def _cancelled_at(word: str, host: LocalHost, plan: Plan) -> bool:
    def tell(progress: Progress) -> None:
        if word in f"{progress.step}: {progress.line or 'begins'}":
            task.cancel()

    task = asyncio.create_task(install(host, plan, tell))
    await asyncio.wait([task])
    return task.cancelled()


async def _killed_at(word: str, prefix: Path, kind: str, pip: str, wheels: str) -> None:
    arguments = ["-m", "tests.jupyter.environments.killed", str(prefix), kind, pip, wheels, word]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=Path(__file__).parents[3])
    assert await process.wait() == -signal.SIGKILL
    await at_rest(prefix)


def _copy(alpha_one: Path, tmp_path: Path) -> tuple[Path, dict[str, bytes]]:
    """A copy of jt_alpha 1.0, whose scripts name their new place."""
    prefix = tmp_path / "env"
    shutil.copytree(alpha_one, prefix, symlinks=True)
    script = prefix / "bin" / "jt-alpha"
    script.write_text(script.read_text().replace(str(alpha_one), str(prefix)))
    return prefix, contents(prefix)


def _gone_or_whole(tmp_path: Path, prefix: Path, word: str) -> None:
    """Only what was said to be over may be there: a cancel that comes later than `done` comes too late."""
    if not word.startswith("See that it starts: 1.0"):
        assert list(tmp_path.iterdir()) == []
    elif prefix.exists():
        assert versions(prefix) == {"jt_alpha": "1.0", "jt_beta": "1.0"}
        assert not list(prefix.glob(".jupytui*"))


def _as_before_or_whole(prefix: Path, before: dict[str, bytes], word: str) -> None:
    assert not list(prefix.glob(".jupytui*"))
    if word.startswith("See that it starts: 2.0") and versions(prefix)["jt_alpha"] == "2.0":
        assert versions(prefix)["jt_beta"] == "2.0"
    else:
        assert contents(prefix) == before
