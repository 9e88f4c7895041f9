"""From a bare booted host to a JupyterLab, over SSH, and with failures in the middle."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from jupytui.errors import JupytuiError
from jupytui.hosts.base import Destination, Host, HostTrouble, Nobody
from jupytui.hosts.limits import Gates
from jupytui.hosts.open import open_host
from jupytui.jupyter.environments.find import find
from jupytui.jupyter.environments.install import install
from jupytui.jupyter.environments.models import Step, Wish
from jupytui.jupyter.environments.outcome import InstallError, Progress
from jupytui.jupyter.environments.plan import plan_new, plan_upgrade
from tests.lab.host import LabHost
from tests.lab.jupyter import LOCK
from tests.lab.lab import Lab

PREFIX = "/home/alice/envs/lab"
_OURS = "envs/lab|sleep|pip"
TINY = Wish(packages=("jt_alpha==1.0",), wheels="/home/alice/wheels")


@pytest.fixture
async def far(lab: Lab, fresh_host: LabHost) -> AsyncIterator[Host]:
    """A bare booted host, as alice reaches it by SSH."""
    host = open_host(Destination(fresh_host.name, fresh_host.name, str(lab.ssh_config)), Nobody(), Gates())
    await host.connect()
    yield host
    await host.close()


@pytest.fixture
async def tiny(far: Host, wheels: Path) -> Host:
    """That host, with a directory of small wheels."""
    await far.run("mkdir /home/alice/wheels")
    for wheel in wheels.iterdir():
        await far.write(f"/home/alice/wheels/{wheel.name}", wheel.read_bytes())
    return far


@pytest.mark.timeout(600)
async def test_a_bare_host_gets_a_jupyterlab_that_starts(far: Host, fresh_host: LabHost, jupyter_wheels: Path) -> None:
    """With a directory of wheels as pip's index, as an administrator would configure it."""
    fresh_host.write(
        "/etc/pip.conf", f"[global]\nno-index = true\nfind-links = {jupyter_wheels}\nextra-index-url =\n", mode="644"
    )
    found = await find(far)
    assert not [e for e in found.environments if e.prefix.startswith("/home/alice")]
    seen: list[Progress] = []
    outcome = await install(far, plan_new(found, "~/envs/lab"), seen.append)
    expected = next(line for line in LOCK.read_text().splitlines() if line.startswith("jupyterlab=="))
    assert outcome.proof == expected.partition("==")[2]
    there = (await find(far)).at(PREFIX)
    assert there
    assert there.has_jupyter
    assert there.jupyterlab == outcome.proof
    assert there.ipykernel
    assert [spec.name for spec in there.kernelspecs] == ["python3"]
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert len(set(fractions)) > 50
    assert (await install(far, plan_upgrade(found, there))).changes == ()


async def test_a_cut_link_leaves_nothing_and_trying_again_works(tiny: Host, fresh_host: LabHost) -> None:
    """The link is cut so that neither end is told."""

    plan = plan_new(await find(tiny), PREFIX, TINY)
    long = msgspec.structs.replace(plan, steps=(*plan.steps, Step("Wait", "echo waiting; sleep 1000", 0.1)))
    with pytest.raises(HostTrouble, match="was lost in the middle") as lost:
        await install(tiny, long, lambda p: fresh_host.cut() if p.line == "waiting" else None, silence=5)
    assert "undoes itself" in lost.value.hint
    await _at_rest(fresh_host)
    fresh_host.heal()
    await _reachable(fresh_host)
    await tiny.connect()
    await install(tiny, plan)
    assert fresh_host.exec(f"{PREFIX}/bin/jt-alpha").stdout == "1.0\n"


@pytest.mark.parametrize("word", ["Make the environment", "Processing", "Installing collected"])
async def test_a_cancelled_installation_over_ssh_leaves_nothing(tiny: Host, fresh_host: LabHost, word: str) -> None:
    def tell(progress: Progress) -> None:
        if word in f"{progress.step} {progress.line}":
            task.cancel()

    task = asyncio.create_task(install(tiny, plan_new(await find(tiny), PREFIX, TINY), tell))
    await asyncio.wait([task])
    assert task.cancelled()
    await _at_rest(fresh_host)


async def _reachable(host: LabHost) -> None:
    """Wait until this machine has found `host` again: the kernel remembers for a moment that nobody answered."""
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection(host.address, 22)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return await writer.wait_closed()


async def _at_rest(host: LabHost) -> None:
    """Wait until nothing of an installation runs in `host`, and then see that nothing of it is there."""
    async with asyncio.timeout(20):
        while [p for p in host.processes() if p.user == "alice" and re.search(_OURS, p.command)]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert host.exec("ls -A /home/alice/envs", check=False).stdout == ""


async def test_a_full_disk_over_ssh_leaves_nothing_and_trying_again_works(tiny: Host, fresh_host: LabHost) -> None:
    fresh_host.exec("mkdir /home/alice/disk && mount -t tmpfs -o size=8m,mode=777 none /home/alice/disk")
    with pytest.raises(InstallError, match=r"The disk is (nearly )?full.* Nothing was left behind"):
        await install(tiny, plan_new(await find(tiny), "~/disk/deep/env", TINY))
    assert fresh_host.exec("ls -A /home/alice/disk").stdout == ""
    fresh_host.exec("mount -o remount,size=80m /home/alice/disk")
    await install(tiny, plan_new(await find(tiny), "~/disk/deep/env", TINY))
    assert fresh_host.exec("/home/alice/disk/deep/env/bin/jt-alpha").stdout == "1.0\n"


async def test_a_host_without_the_venv_module_is_told_the_exact_package(far: Host, fresh_host: LabHost) -> None:
    fresh_host.exec("mount -t tmpfs none /usr/lib/python3.*/ensurepip")
    found = await find(far)
    if found.tools:
        pytest.skip("this machine has uv or conda where its hosts see it")
    with pytest.raises(JupytuiError, match="its venv module is incomplete") as refused:
        plan_new(found, "~/lab")
    version = fresh_host.exec(
        "/usr/bin/python3 -c 'import sys; print(\"%d.%d\" % sys.version_info[:2])'"
    ).stdout.strip()
    assert f"apt install python{version}-venv" in refused.value.hint


async def test_a_place_that_belongs_to_somebody_else_is_told_as_such(tiny: Host) -> None:
    with pytest.raises(InstallError, match="may not write there"):
        await install(tiny, plan_new(await find(tiny), "/usr/share/lab", TINY))
