"""The Services pane on real units: by keys, in tmux. What systemd does is seen without a key being pressed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.program import run, screen, write_config
from tests.e2e.tmux import Tmux
from tests.lab.host import LabHost
from tests.lab.jupyter import Recipe, start_jupyter
from tests.lab.lab import Lab

START = 20.0
SEEN = 5.0  # the pane's period (2 s), and what a busy machine adds
ANSWER = 40.0  # a JupyterLab answers
USER, SYSTEM = "units", "sysunits"
BROKEN = "[Unit]\nDescription=A [/] broken lab\n[Service]\nExecStart=/no/such/jupyter-lab --port=9100\n"
PACKED = "[Unit]\nDescription=Packed Jupyter\n[Service]\nUser=alice\nExecStart=/bin/sleep 100 # jupyter-lab\n"
UNIT = "/home/alice/.config/systemd/user/jupyter.service"


@pytest.fixture(scope="module")
def user_host(lab: Lab) -> LabHost:
    """A host with a JupyterLab under a user unit, and a unit that cannot start."""
    host = lab.host(USER)
    start_jupyter(lab, host, Recipe(USER, "user-unit", "work.ipynb", token="t"))
    host.write("/home/alice/.config/systemd/user/broken.service", BROKEN, user="alice", mode="644")
    host.exec("systemctl --user daemon-reload; systemctl --user start broken", user="alice", check=False)
    return host


@contextmanager
def services(home: Path, lab: Lab, name: str, columns: int, rows: int) -> Iterator[Tmux]:
    """Run the program on one host, with the pane shown."""
    with screen(write_config(home, lab, [name]), columns, rows) as terminal:
        terminal.wait_until(re.compile(rf"{name} .*up"), START)
        terminal.send("4")
        terminal.wait_until(re.compile(r"jupyter .*● active"), START)
        yield terminal


@pytest.fixture(params=[(120, 40), (45, 30)], ids=["wide", "narrow"])
def terminal(home: Path, lab: Lab, user_host: LabHost, request: pytest.FixtureRequest) -> Iterator[Tmux]:
    with services(home, lab, USER, *request.param) as opened:
        yield opened


def on_jupyter(terminal: Tmux) -> None:
    """Put the cursor on jupyter.service; trouble, and so broken.service, is above it."""
    terminal.send("G")
    terminal.wait_until(re.compile(r"› +jupyter "), SEEN)


def test_a_unit_is_stopped_and_started_by_keys_and_its_state_is_seen(terminal: Tmux, user_host: LabHost) -> None:
    on_jupyter(terminal)
    terminal.wait_until(re.compile(r"R restart"), SEEN)
    terminal.send("S")
    if "work.ipynb" in terminal.wait_until(re.compile(r"will be lost|○ stopped"), START):
        terminal.send("y")
    terminal.wait_until(re.compile(r"jupyter .*○ stopped"), START)
    assert user_host.exec("systemctl --user is-active jupyter", user="alice", check=False).stdout == "inactive\n"
    on_jupyter(terminal)
    terminal.send("u")
    terminal.wait_until(re.compile(r"jupyter .*● active"), ANSWER)
    assert user_host.exec("systemctl --user is-active jupyter", user="alice", check=False).stdout == "active\n"


def test_what_somebody_else_does_to_a_unit_is_seen(terminal: Tmux, user_host: LabHost) -> None:
    user_host.exec("systemctl --user stop jupyter", user="alice")
    terminal.wait_until(re.compile(r"jupyter .*○ stopped"), SEEN)
    user_host.exec("systemctl --user start jupyter", user="alice")
    terminal.wait_until(re.compile(r"jupyter .*● active"), SEEN)


def test_it_writes_nothing_while_nothing_changes(home: Path, lab: Lab, user_host: LabHost) -> None:
    user_host.exec("systemctl --user stop jupyter", user="alice")
    with screen(write_config(home, lab, [USER], refresh=3600), 120, 40) as terminal:
        terminal.wait_until(re.compile(rf"{USER} .*up"), START)
        terminal.send("4")
        terminal.wait_until(re.compile(r"jupyter .*○ stopped"), START)
        written = terminal.wait_quiet(1.5)
        assert terminal.wait_quiet(10, 15) == written
        # It did look: what changes now is seen.
        user_host.exec("systemctl --user start jupyter", user="alice")
        terminal.wait_until(re.compile(r"jupyter .*● active"), SEEN)


def test_a_failed_unit_says_why(terminal: Tmux) -> None:
    terminal.send("g")
    shown = " ".join(terminal.wait_until(re.compile(r"› +broken .*✖ failed"), SEEN).split())
    assert "it could not be executed: its program is missing or not executable" in shown
    terminal.send("Enter")
    details = terminal.wait_until("broken.service on", START)
    assert "ExecStart=" in details or "not executable" in details


def test_a_change_is_shown_and_checked_before_it_is_made(
    home: Path, lab: Lab, user_host: LabHost, tmp_path: Path
) -> None:
    before = user_host.exec(f"cat {UNIT}").stdout
    with services(home, lab, USER, 120, 40) as terminal:
        on_jupyter(terminal)
        terminal.send("M")
        terminal.wait_until("Limits of jupyter.service", START)
        terminal.type("2G")
        terminal.send("Enter")
        terminal.type("150%")
        terminal.wait_until("150%", START)
        terminal.send("Enter")
        shown = terminal.wait_until("+MemoryMax=2G", START)
        assert "+CPUQuota=150%" in shown
        assert "systemd finds no fault with it." in shown
        assert user_host.exec(f"cat {UNIT}").stdout == before
        terminal.send("y")
        terminal.wait_until("jupyter.service is changed", START)
        after = user_host.exec(f"cat {UNIT}").stdout
        assert [line for line in after.split("\n") if line not in before.split("\n")] == [
            "MemoryMax=2G",
            "CPUQuota=150%",
        ]


def test_a_unit_is_removed_with_its_file_which_is_named_first(home: Path, lab: Lab, user_host: LabHost) -> None:
    path = "/home/alice/.config/systemd/user/aside.service"
    user_host.write(path, BROKEN, user="alice", mode="644")
    user_host.exec("systemctl --user daemon-reload; systemctl --user start aside", user="alice", check=False)
    with services(home, lab, USER, 45, 30) as terminal:
        terminal.send("g")
        terminal.wait_until(re.compile(r"› +aside .*✖ failed"), SEEN)
        terminal.send("x")
        terminal.wait_until("the unit's file is removed", START)
        assert user_host.exec(f"ls {path}").stdout
        terminal.send("y")
        terminal.wait_until(lambda text: "aside " not in text and "broken" in text, START)
    assert user_host.exec(f"ls {path}", check=False).returncode


def asked(user_host: LabHost, property: str, unit: str = "jupyter") -> str:
    """What systemd says of a user unit."""
    return user_host.exec(f"systemctl --user show -P {property} {unit}", user="alice").stdout.strip()


@pytest.mark.parametrize(("columns", "rows"), [(120, 40), (45, 30)], ids=["wide", "narrow"])
def test_starting_at_boot_lingering_and_reading_files_again_are_keys(
    home: Path, lab: Lab, user_host: LabHost, columns: int, rows: int
) -> None:
    with services(home, lab, USER, columns, rows) as terminal:
        on_jupyter(terminal)
        for key, seen, state in (("B", "starts no more", "disabled"), ("b", "starts at boot", "enabled")):
            terminal.send(key)
            terminal.wait_until(seen, START)
            assert asked(user_host, "UnitFileState") == state
        terminal.send("O")
        assert f"{USER}:8888" in terminal.wait_until("This will be lost", START)
        terminal.send("y")
        terminal.wait_until("end when you", START)
        assert not user_host.exec("ls /var/lib/systemd/linger").stdout
        terminal.send("L")
        terminal.wait_until("run on when", START)
        assert user_host.exec("ls /var/lib/systemd/linger").stdout == "alice\n"
        user_host.exec(f"echo '# {columns}' >>{UNIT}")
        assert asked(user_host, "NeedDaemonReload") == "yes"
        terminal.send("F5")
        terminal.wait_until("has read its unit", START)
        assert asked(user_host, "NeedDaemonReload") == "no"


def test_an_edit_is_typed_shown_with_the_drop_ins_that_win_and_installed(
    home: Path, lab: Lab, user_host: LabHost
) -> None:
    user_host.write(f"{UNIT}.d/10-more.conf", "[Service]\nEnvironment=A=1\n", user="alice", mode="644")
    user_host.exec("systemctl --user daemon-reload", user="alice")
    before = user_host.exec(f"cat {UNIT}").stdout
    with services(home, lab, USER, 45, 30) as terminal:
        on_jupyter(terminal)
        terminal.send("e")
        terminal.wait_until("Edit jupyter.service", START)
        terminal.type("# typed")
        terminal.send("Enter", "C-s")
        terminal.wait_until("+# typed", START)
        terminal.wait_until("These are read after it, and win:", START)
        assert user_host.exec(f"cat {UNIT}").stdout == before
        terminal.send("y")
        terminal.wait_until("jupyter.service is changed", START)
    assert user_host.exec(f"cat {UNIT}").stdout == f"# typed\n{before}"


def test_a_busy_kernel_ends_only_after_the_hosts_name_was_typed(home: Path, lab: Lab, user_host: LabHost) -> None:
    server = start_jupyter(lab, user_host, Recipe(USER, "user-unit", "work.ipynb", token="t"))
    server.execute("import time; time.sleep(1000)", until="busy")
    with services(home, lab, USER, 45, 30) as terminal:
        on_jupyter(terminal)
        terminal.wait_until("S stop", SEEN)
        terminal.send("S")
        shown = terminal.wait_until(f"Type {USER} to go ahead", START)
        assert "work.ipynb's kernel  busy" in shown
        terminal.type("y")
        terminal.send("Enter")
        terminal.wait_until("nothing was done", START)
        assert asked(user_host, "ActiveState") == "active"
        terminal.send("BSpace")
        terminal.type(USER)
        terminal.send("Enter")
        terminal.wait_until(re.compile(r"jupyter .*○ stopped"), START)
    assert asked(user_host, "ActiveState") == "inactive"


def test_the_log_of_a_unit_that_does_not_run_is_read(home: Path, lab: Lab, user_host: LabHost) -> None:
    user_host.exec("systemctl --user start jupyter", user="alice")  # a test before this one has stopped it
    config = write_config(home, lab, [USER])
    words = "Failed to locate executable /no/such/jupyter-lab"
    done = run(config, "logs", f"{USER}:broken")
    assert done.returncode == 0, done.stderr
    assert words in done.stdout
    assert "No server units:nothing runs" in run(config, "logs", f"{USER}:nothing").stderr
    with services(home, lab, USER, 120, 40) as terminal:
        terminal.send("g")
        terminal.wait_until(re.compile(r"› +broken "), SEEN)
        terminal.send("l")
        terminal.wait_until(words, START)
        shown = terminal.wait_until("● following", START)
        assert "broken.service" in shown
        terminal.send("Escape")
        terminal.wait_until(re.compile(r"› +broken "), START)


def test_a_packages_unit_is_changed_by_a_drop_in_and_never_removed(home: Path, lab: Lab) -> None:
    host = lab.host(USER)
    host.write("/usr/lib/systemd/system/packed.service", PACKED, mode="644")
    host.exec("systemctl daemon-reload")
    with screen(write_config(home, lab, [USER]), 120, 40) as terminal:
        terminal.wait_until(re.compile(rf"{USER} .*up"), START)
        terminal.send("4")
        terminal.wait_until("packed", START)
        terminal.send("G")
        # The last line follows the list by a moment.
        terminal.wait_until(lambda shown: re.search(r"› +packed ", shown) and "x remove" not in shown, SEEN)
        terminal.send("x")
        terminal.wait_until("packed.service is a package's", START)
        terminal.send("M")
        terminal.wait_until("Limits of packed.service", START)
        terminal.type("2G")
        terminal.send("Enter")
        terminal.wait_quiet()
        terminal.send("Enter")
        shown = " ".join(terminal.wait_until("+MemoryMax=2G", START).replace("│", " ").split())
        assert "systemd finds no fault with it." in shown
        assert "belongs to an installed package and stays as it is" in shown
        terminal.send("y")
        terminal.wait_until("wants alice's password", START)
        terminal.type("lab")
        terminal.send("Enter")
        terminal.wait_until("packed.service is changed", START)
    assert host.exec("systemctl show -P MemoryMax packed").stdout == f"{2 * 2**30}\n"
    assert host.exec("cat /usr/lib/systemd/system/packed.service").stdout == PACKED


def test_a_system_unit_is_stopped_with_the_password_that_is_asked_for_at_once(home: Path, lab: Lab) -> None:
    host = lab.host(SYSTEM)
    start_jupyter(lab, host, Recipe(SYSTEM, "system-unit", "work.ipynb", token="t"))
    with services(home, lab, SYSTEM, 120, 40) as terminal:
        on_jupyter(terminal)
        terminal.wait_until("R restart", SEEN)
        for password, seen in (("wrong", "The last answer was not accepted."), ("lab", "○ stopped")):
            if password == "wrong":
                terminal.send("S")
                terminal.wait_until("will be lost", START)
                terminal.send("y")
            terminal.wait_until("wants alice's password", START)
            terminal.type(password)
            terminal.send("Enter")
            terminal.wait_until(seen, START)
        assert b"wrong" not in terminal.output()
    assert host.exec("systemctl is-active jupyter", check=False).stdout == "inactive\n"
