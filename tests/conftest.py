"""What holds for every test: a home of its own, and nothing left behind."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

pytest_plugins = ["tests.lab.fixtures", "tests.lab.in_ci"]

LAB_FIXTURES = {"lab", "jupyters", "fresh_host"}
FOREIGN = ("JUPYTER_", "JUPYTUI_", "XDG_", "SSH_", "NGROK_", "TEXTUAL", "TMUX")


def pytest_configure() -> None:
    # A shell has what it begins in the background ignore ctrl+c, and children inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if LAB_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.lab)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home directory, with a path short enough for unix sockets; nothing of the developer's is seen.

    OpenSSH takes the home from the password database whatever HOME says: hand it files by `-F` and the like.
    """
    for name in os.environ:
        if name.startswith(FOREIGN) or name in {"DISPLAY", "BROWSER", "COLORTERM", "NO_COLOR", "COLUMNS", "LINES"}:
            monkeypatch.delenv(name)
    with tempfile.TemporaryDirectory(prefix="jt") as directory:
        path = Path(directory).resolve()
        monkeypatch.setenv("HOME", str(path))
        for kind, place in (
            ("CONFIG_HOME", ".config"),
            ("DATA_HOME", ".local/share"),
            ("STATE_HOME", ".local/state"),
            ("CACHE_HOME", ".cache"),
            ("RUNTIME_DIR", "run"),
        ):
            monkeypatch.setenv(f"XDG_{kind}", str(path / place))
        (path / "run").mkdir(mode=0o700)
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        yield path


def _children() -> dict[int, str]:
    """The child processes of this one: command lines by pid; those of the lab, which outlive a test, left out."""
    found = {}
    for thread in Path("/proc/self/task").iterdir():
        try:
            pids = (thread / "children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):  # the thread has ended
            continue
        for pid in pids:
            directory = Path("/proc") / pid
            try:
                command = (directory / "cmdline").read_text().replace("\0", " ").strip()
                owner = (directory / "cgroup").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if "jupytui-lab-" not in owner and "tests.lab.undertaker" not in command:
                found[int(pid)] = command or "(ended, not waited for)"
    return found


@pytest.fixture(autouse=True)
def no_child_left(home: Path) -> Iterator[None]:
    """Fail a test that leaves a child process behind, a zombie included."""
    before = _children()
    yield
    left = {pid: command for pid, command in _children().items() if pid not in before}
    assert not left, f"child processes were left: {left}"


@pytest.fixture
async def no_task_left() -> AsyncIterator[None]:
    """Fail a test that leaves an asyncio task behind which does not end by itself within a second."""
    yield
    if left := asyncio.all_tasks() - {asyncio.current_task()}:
        _, left = await asyncio.wait(left, timeout=1)
    assert not left, f"tasks were left: {left}"


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest, no_child_left: None) -> None:
    """Set up first and so torn down last: by then the test's other fixtures have cleaned up after themselves."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("no_task_left")
