"""What `jupytui passwd` says of a password as it is typed; tests/e2e/test_passwords.py has servers."""

from __future__ import annotations

from tests.cli.terminal import under_a_terminal

ASKS = """
import asyncio
from jupytui.cli.passwd import _from_terminal
try:
    asyncio.run(_from_terminal())
except Exception as error:
    print("ended:", error)
"""


def test_a_password_that_is_too_short_is_refused_before_anything_else_is_asked() -> None:
    with under_a_terminal(ASKS) as terminal:
        terminal.wait_for("New password: ")
        terminal.type("abc\n")
        assert "again" not in terminal.wait_for("ended: At least 8 characters. --generate makes one.")
