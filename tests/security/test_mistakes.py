"""What a mistake of ours leaves behind says where it happened, and nothing that was in memory."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupytui.config.log import LOG, MAX_BYTES, log_to
from tests.security.marks import marker

SECRET = marker("typed")


@pytest.fixture
def logs(home: Path) -> Iterator[Path]:
    root, raised = logging.getLogger(), logging.raiseExceptions
    before = list(root.handlers)
    yield home / "logs"
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
        handler.close()
    logging.raiseExceptions = raised


def stumble(answer: str) -> None:
    try:
        int(answer)
    except ValueError as error:
        raise RuntimeError(f"not understood: {answer}") from error


def log_a_mistake() -> None:
    try:
        stumble(SECRET)
    except RuntimeError:
        logging.getLogger("jupytui.test").exception("something was not foreseen")


def test_a_logged_mistake_holds_its_frames_and_no_message(logs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log_to(logs)
    assert not logs.exists(), "made when there is something to write"
    log_a_mistake()
    text = (logs / LOG).read_text()
    assert "in stumble" in text and "ValueError" in text
    assert SECRET not in text
    assert (logs.stat().st_mode & 0o777, (logs / LOG).stat().st_mode & 0o777) == (0o700, 0o600)
    assert SECRET not in "".join(capfd.readouterr())


async def test_an_exception_that_nobody_was_there_for_is_not_quoted(logs: Path) -> None:
    async def work() -> None:
        stumble(SECRET)

    log_to(logs)
    task = asyncio.create_task(work())
    await asyncio.wait([task])
    del task
    gc.collect()
    asyncio.get_running_loop().call_soon(stumble, SECRET)
    await asyncio.sleep(0)
    text = (logs / LOG).read_text()
    assert text.count("in stumble") == 4, "each with its cause"
    assert SECRET not in text


def test_a_mistake_that_cannot_be_logged_is_not_printed(logs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    logs.write_text("a file in place of the directory")
    log_to(logs)
    log_a_mistake()
    assert capfd.readouterr() == ("", "")


def test_the_log_stays_small(logs: Path) -> None:
    log_to(logs)
    for _ in range(3):
        logging.getLogger("jupytui.test").warning("x" * (MAX_BYTES // 2))
    assert {file.name for file in logs.iterdir()} == {LOG, f"{LOG}.1"}
    assert all(file.stat().st_size <= MAX_BYTES and not file.stat().st_mode & 0o077 for file in logs.iterdir())
