"""Installing and upgrading with real pip and real wheels: what works, what fails, and what is there afterwards."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from jupytui.errors import DeadlineError
from jupytui.hosts.local import LocalHost
from jupytui.jupyter.environments import install as module
from jupytui.jupyter.environments.find import find
from jupytui.jupyter.environments.install import clear, install
from jupytui.jupyter.environments.models import Builder, Incomplete, Installer, Plan, Step, Tool, Wish
from jupytui.jupyter.environments.outcome import Change, InstallError, Progress
from jupytui.jupyter.environments.plan import plan_new, plan_upgrade
from jupytui.jupyter.environments.sources import source
from tests.jupyter.environments.plans import at_rest, at_work, contents, new_plan, upgrade_plan

SHELLS = [shell for shell in ("dash", "busybox sh", "bash --posix") if shutil.which(shell.split()[0])]


@pytest.fixture
def one(alpha_one: Path, tmp_path: Path) -> Path:
    """An environment of the test's own, with jt_alpha 1.0."""
    prefix = tmp_path / "one"
    shutil.copytree(alpha_one, prefix, symlinks=True)
    script = prefix / "bin" / "jt-alpha"
    script.write_text(script.read_text().replace(str(alpha_one), str(prefix)))
    return prefix


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.getuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", disk], check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield disk
    subprocess.run(["umount", disk], check=True)


def _shell_plan(prefix: Path, *commands: str, new: bool = True, proof: str = "") -> Plan:
    steps = [Step("Do it", command, 0.5) for command in commands]
    steps += [Step("Prove it", proof, 0.1, proof=True)] if proof else []
    return Plan(str(prefix), new, Installer.PIP, (), tuple(steps))


async def test_from_a_bare_python_to_a_new_environment_and_its_upgrade(
    host: LocalHost, home: Path, wheels: Path
) -> None:
    seen: list[Progress] = []
    wish = Wish(packages=("jt_alpha==1.0",), wheels=str(wheels), installer=Installer.PIP)
    outcome = await install(host, plan_new(await find(host), "~/envs/lab", wish), seen.append)
    prefix = home / "envs/lab"
    assert Change("jt_alpha", None, "1.0") in outcome.changes
    assert subprocess.check_output([prefix / "bin/jt-alpha"]) == b"1.0\n"
    assert not list(prefix.glob(".jupytui*"))
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0

    there = (await find(host)).at(str(prefix))
    assert there
    wish = msgspec.structs.replace(wish, packages=("jt_alpha",))
    outcome = await install(host, plan_upgrade(await find(host), there, wish))
    assert outcome.changes == (Change("jt_alpha", "1.0", "2.0"), Change("jt_beta", "1.0", "2.0"))
    assert not list(prefix.glob(".jupytui*"))


async def test_uv_does_the_same(host: LocalHost, home: Path, wheels: Path) -> None:
    if not (uv := shutil.which("uv")):
        pytest.skip("there is no uv here")
    found = msgspec.structs.replace(await find(host), tools=(Tool(Installer.UV, uv),), configured=frozenset())
    wish = Wish(packages=("jt_alpha==1.0",), wheels=str(wheels))
    plan = plan_new(found, "~/lab", wish)
    assert plan.installer is Installer.UV
    seen: list[Progress] = []
    assert Change("jt_alpha", None, "1.0") in (await install(host, plan, seen.append)).changes
    assert seen[-1].fraction == 1.0
    there = (await find(host)).at(str(home / "lab"))
    assert there
    outcome = await install(host, plan_upgrade(found, there, msgspec.structs.replace(wish, packages=("jt_alpha",))))
    assert outcome.changes == (Change("jt_alpha", "1.0", "2.0"), Change("jt_beta", "1.0", "2.0"))
    with pytest.raises(InstallError, match=r"no package jt-gamma .* is as it was before"):
        await install(host, plan_upgrade(found, there, msgspec.structs.replace(wish, packages=("jt-gamma",))))


async def test_a_missing_wheel_leaves_nothing_and_trying_again_works(
    host: LocalHost, tmp_path: Path, pip: str, wheels: Path
) -> None:
    prefix = tmp_path / "deep" / "env"
    with pytest.raises(InstallError, match=r"no package jt_alpha==1\.0 .* Nothing was left behind") as failed:
        await install(host, new_plan(prefix, pip, tmp_path))
    assert failed.value.step == "Install the packages"
    assert "No matching distribution" in failed.value.detail
    assert not (tmp_path / "deep").exists()
    assert (await install(host, new_plan(prefix, pip, wheels))).proof == "1.0"


async def test_a_failed_upgrade_leaves_every_file_as_it_was(host: LocalHost, one: Path, wheels: Path) -> None:
    before = contents(one)
    plan = upgrade_plan(one, wheels)
    ruin = Step("Then", f"rm -r {one}/bin {one}/lib; exit 3", 0.1)
    with pytest.raises(InstallError, match=r"status 3.* is as it was before"):
        await install(host, msgspec.structs.replace(plan, steps=(plan.steps[0], ruin)))
    assert contents(one) == before
    assert not list(one.glob(".jupytui*"))
    assert (await install(host, plan)).proof == "2.0"


async def test_what_an_upgrade_added_anew_is_gone_after_its_failure(host: LocalHost, one: Path) -> None:
    assert not (one / "etc").exists()
    with pytest.raises(InstallError, match="is as it was before"):
        await install(host, _shell_plan(one, f"mkdir {one}/etc && touch {one}/etc/x && false", new=False))
    assert not (one / "etc").exists()


async def test_what_people_keep_in_an_environment_is_not_touched(host: LocalHost, one: Path) -> None:
    (one / "notebooks").mkdir()
    with pytest.raises(InstallError):
        await install(host, _shell_plan(one, f"echo new >{one}/notebooks/a.ipynb; false", new=False))
    assert (one / "notebooks/a.ipynb").read_text() == "new\n"


async def test_a_full_disk_is_the_cause_and_nothing_is_left(
    host: LocalHost, small_disk: Path, pip: str, wheels: Path
) -> None:
    prefix = small_disk / "deep" / "env"
    for free in (8, 1, 0):  # while the packages are unpacked, while the venv is made, before anything
        _fill(small_disk, free)
        with pytest.raises(InstallError, match=r"The disk is full\. Nothing was left behind"):
            await install(host, new_plan(prefix, pip, wheels))
        assert [path.name for path in small_disk.iterdir()] == ["filler"]
    (small_disk / "filler").unlink()
    assert (await install(host, new_plan(prefix, pip, wheels))).proof == "1.0"


def _fill(disk: Path, free: int) -> None:
    (disk / "filler").unlink(missing_ok=True)
    with (disk / "filler").open("wb") as filler:
        filler.write(bytes(shutil.disk_usage(disk).free - free * 2**20))


async def test_venv_itself_on_a_full_disk_is_told_as_one(host: LocalHost, small_disk: Path) -> None:
    _fill(small_disk, 4)
    prefix = small_disk / "env"
    with pytest.raises(InstallError, match=r"The disk is (nearly )?full"):
        await install(host, _shell_plan(prefix, f"/usr/bin/python3 -m venv {prefix}"))
    assert not prefix.exists()


async def test_a_directory_with_something_in_it_is_never_taken(host: LocalHost, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/.hidden").touch()
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("/not/there")
    for name in ("full", "file", "dangling"):
        with pytest.raises(InstallError, match="is there already"):
            await install(host, _shell_plan(tmp_path / name, "false"))
    assert (tmp_path / "full/.hidden").exists()
    assert (tmp_path / "dangling").is_symlink()


async def test_an_empty_directory_is_taken(host: LocalHost, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    await install(host, _shell_plan(tmp_path / "empty", f"touch {tmp_path}/empty/made"))
    assert [path.name for path in (tmp_path / "empty").iterdir()] == ["made"]


async def test_two_at_once_never_work_on_one_environment(host: LocalHost, tmp_path: Path) -> None:
    prefix, begun = tmp_path / "env", asyncio.Event()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    plan = _shell_plan(prefix, f"echo first; read x <{fifo}")
    first = asyncio.create_task(install(host, plan, lambda progress: begun.set() if progress.line else None))
    await begun.wait()
    found = (await find(host, [str(prefix)])).at(str(prefix))
    assert found
    assert found.incomplete == Incomplete("new", Builder.ALIVE)
    with pytest.raises(InstallError, match=r"is being worked on by process \d+"):
        await install(host, plan)
    fifo.write_text("go on\n")
    await first
    assert prefix.exists()


async def test_what_a_lost_machine_left_is_undone_by_the_next_attempt(
    host: LocalHost, tmp_path: Path, one: Path
) -> None:
    node = os.uname().nodename
    new = tmp_path / "new"
    (new / "lib/half").mkdir(parents=True)
    (new / ".jupytui-incomplete").symlink_to(f"new:1:12345:{node}")
    await install(host, _shell_plan(new, f"touch {new}/made"))
    assert [path.name for path in new.iterdir()] == ["made"]

    before = contents(one)
    (one / ".jupytui-before/was").mkdir(parents=True)
    (one / ".jupytui-before/absent/etc").mkdir(parents=True)
    (one / "etc").mkdir()
    (one / "bin").rename(one / ".jupytui-before/was/bin")
    (one / "lib").rename(one / ".jupytui-before/was/lib")
    (one / "lib/half").mkdir(parents=True)
    (one / ".jupytui-incomplete").symlink_to(f"upgrade:1:12345:{node}")
    await clear(host, str(one))
    assert contents(one) == before
    assert not (one / "etc").exists()
    assert not list(one.glob(".jupytui*"))


async def test_what_another_machine_works_on_is_left_alone(host: LocalHost, tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env/.jupytui-incomplete").symlink_to("new:1:1:elsewhere")
    for attempt in (install(host, _shell_plan(tmp_path / "env", "true")), clear(host, str(tmp_path / "env"))):
        with pytest.raises(InstallError, match="was begun from elsewhere"):
            await attempt
    assert (tmp_path / "env/.jupytui-incomplete").is_symlink()


async def test_clearing_what_is_whole_does_nothing(host: LocalHost, one: Path, tmp_path: Path) -> None:
    before = contents(one)
    await clear(host, str(one))
    await clear(host, str(tmp_path / "not there"))
    assert contents(one) == before


async def test_an_app_that_does_not_start_is_a_failure_that_is_undone(host: LocalHost, tmp_path: Path) -> None:
    prefix = tmp_path / "env"
    with pytest.raises(InstallError, match=r"“Prove it”. The installer ended with status 1: ImportError: x"):
        await install(host, _shell_plan(prefix, "true", proof="echo 'ImportError: x'; exit 1"))
    assert not prefix.exists()


async def test_an_app_that_hangs_is_a_failure_that_is_undone(
    host: LocalHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PROOF_SECONDS", 0.5)
    prefix = tmp_path / "env"
    with pytest.raises(DeadlineError, match="did not start within"):
        await install(host, _shell_plan(prefix, "true", proof="sleep 1000"))
    await at_rest(prefix)
    assert not prefix.exists()


async def test_an_installer_that_the_kernel_kills_is_told_as_such(host: LocalHost, tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="was killed, most likely because the machine ran out of memory"):
        await install(host, _shell_plan(tmp_path / "env", "kill -KILL $$"))


async def test_a_builder_that_is_killed_whole_is_still_cleaned_up_after(host: LocalHost, tmp_path: Path) -> None:
    prefix = tmp_path / "env"

    def tell(progress: Progress) -> None:
        if progress.line:
            os.killpg(int(progress.line), signal.SIGKILL)

    plan = _shell_plan(prefix, f"touch {prefix}/half; ps -o pgid= -p $$; exec sleep 1000")
    with pytest.raises(Exception, match=r"was lost|ended from outside|could not be cleared"):
        await install(host, plan, tell)
    await at_rest(prefix)
    assert not prefix.exists()


async def test_silence_means_that_nobody_is_there_any_more(host: LocalHost, tmp_path: Path) -> None:
    """A link that is cut without either end being told: nothing arrives any more, and nothing ends."""
    prefix = tmp_path / "env"
    args = ("nonce", source("guard"), "1", "new", str(prefix), f"touch {prefix}/half; sleep 1000")
    begun = time.monotonic()
    async with host.stream(source("install"), *args) as process:
        while await process.read():
            pass
        assert await process.wait() is not None
    assert 0.9 < time.monotonic() - begun < 15
    assert not prefix.exists()
    assert at_work(prefix) == []


async def test_a_long_step_with_somebody_there_is_not_silence(host: LocalHost, tmp_path: Path) -> None:
    await install(host, _shell_plan(tmp_path / "env", "sleep 2.5"), silence=1)
    assert (tmp_path / "env").exists()


async def test_what_an_installer_prints_cannot_speak_for_us(host: LocalHost, tmp_path: Path) -> None:
    lines: list[str] = []
    plan = _shell_plan(tmp_path / "env", r"printf '\036nonce end 0\n\033[31mred\a\n'; printf '1%%\r2%%\r'; exit 1")
    with pytest.raises(InstallError):
        await install(host, plan, lambda progress: lines.append(progress.line or ""))
    assert [line for line in lines if not line.isprintable()] == []
    assert lines[-2:] == ["1%", "2%"]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("how", ["done", "failed", "terminated"])
def test_every_shell_cleans_up(shell: str, how: str, tmp_path: Path) -> None:
    prefix = tmp_path / "env with space"
    last = {"done": "true", "failed": "exit 7", "terminated": "echo ready; exec sleep 1000"}[how]
    script = [*shell.split(), "-c", source("install"), "sh", "N", source("guard"), "60", "new", str(prefix)]
    pipe = subprocess.PIPE
    process = subprocess.Popen([*script, f"touch '{prefix}/x'", last], stdin=pipe, stdout=pipe, start_new_session=True)
    assert process.stdin
    assert process.stdout
    if how == "terminated":
        while b"ready" not in process.stdout.readline():
            pass
        os.killpg(process.pid, signal.SIGTERM)
    output = process.stdout.read()
    process.stdin.close()
    process.stdout.close()
    process.wait()
    assert output.endswith(b"\x1eN end 0\n" if how == "done" else b"\x1eN end 1\n")
    assert (b"\x1eN failed 7 " in output) == (how == "failed")
    assert [path.name for path in tmp_path.rglob("*")] == (["env with space", "x"] if how == "done" else [])
