"""Rights on a real host: as the user where that is enough, by sudo where it is not, and refusals explained."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from jupytui.hosts.base import Host
from jupytui.systemd import control
from jupytui.systemd.edit import Changed, Rejected, install, read
from jupytui.systemd.sudo import NotRoot, become_root, run_as_root
from jupytui.systemd.unit_file import UnitFile, render
from tests.jupyter.launch.conftest import Alice, reach
from tests.lab.host import LabHost
from tests.lab.lab import Lab

PATH = "/etc/systemd/system/nap.service"
TEXT = render(UnitFile("Nap", ("/usr/bin/sleep", "1000000"), user="alice"))


@pytest.fixture
async def far(lab: Lab, fresh_host: LabHost) -> AsyncIterator[Host]:
    host = await reach(lab, fresh_host)
    yield host
    await host.close()


async def test_a_system_unit_is_installed_changed_started_and_removed_by_sudo(far: Host, fresh_host: LabHost) -> None:
    alice = Alice(*["lab"] * 9)
    await install(far, alice, "system", PATH, before=None, after=TEXT)
    assert fresh_host.exec(f"stat -c '%a %U' {PATH}").stdout == "644 root\n"
    await control.start(far, alice, "system", "nap.service")
    assert fresh_host.exec("systemctl is-active nap").stdout == "active\n"
    await install(far, alice, "system", PATH, before=TEXT, after=TEXT + "# more\n")
    assert await read(far, PATH) == TEXT + "# more\n"
    await control.remove(far, alice, "system", "nap.service", PATH)
    assert not fresh_host.exec("pgrep -f '[s]leep 1000000'; ls /etc/systemd/system/nap*", check=False).stdout
    assert "lab" not in {prompt.text for prompt in alice.asked}


async def test_what_systemd_would_misread_or_somebody_else_has_changed_is_not_written(far: Host) -> None:
    alice = Alice("lab", "lab", "lab")
    with pytest.raises(Rejected, match="Unknown key"):
        await install(far, alice, "system", PATH, before=None, after=TEXT.replace("Restart=", "Restrat="))
    with pytest.raises(Changed):
        await install(far, alice, "system", PATH, before="other", after=TEXT)
    assert not alice.asked
    with pytest.raises(FileNotFoundError):
        await read(far, PATH)


async def test_the_password_is_asked_per_use_and_what_follows_it_is_the_commands_own(far: Host) -> None:
    alice = Alice("lab", "lab")
    for _ in range(2):
        root = await become_root(far, alice, "to test")
        assert "lab" not in repr(root)
        done = await run_as_root(far, root, 'id -u; cat; echo "$1"', "a b", stdin=b"line\nlast")
        assert done.stdout == b"0\nline\nlasta b\n"
    assert len(alice.asked) == 2


async def test_sudo_without_a_password_asks_nobody(far: Host, fresh_host: LabHost) -> None:
    fresh_host.write("/etc/sudoers.d/alice", "alice ALL=(ALL) NOPASSWD: ALL\n", mode="440")
    alice = Alice()
    done = await run_as_root(far, await become_root(far, alice, "to test"), "id -u; cat", stdin=b"x")
    assert done.stdout == b"0\nx"
    assert not alice.asked


async def test_who_may_not_use_sudo_is_told_so(far: Host, fresh_host: LabHost) -> None:
    fresh_host.exec("rm /etc/sudoers.d/alice")
    with pytest.raises(NotRoot, match="alice may not use sudo"):
        await control.stop(far, Alice("lab"), "system", "ssh.service")


async def test_nobody_to_ask_changes_nothing(far: Host, fresh_host: LabHost) -> None:
    with pytest.raises(NotRoot, match="no password was given"):
        await control.stop(far, Alice(), "system", "cron.service")


async def test_lingering_needs_no_root(far: Host, fresh_host: LabHost) -> None:
    await control.set_linger(far, True)
    assert fresh_host.exec("ls /var/lib/systemd/linger").stdout == "alice\n"
    await control.set_linger(far, False)
    assert fresh_host.exec("ls /var/lib/systemd/linger").stdout == ""


async def test_a_packages_unit_is_not_removed(far: Host) -> None:
    with pytest.raises(control.Refused, match="belongs to an installed package"):
        await control.remove(far, Alice(), "system", "ssh.service", "/lib/systemd/system/ssh.service")
