"""End-to-end tests run the program in a real terminal."""

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture(autouse=True, scope="session")
def tmux() -> None:
    """Skip where there is no tmux; in CI that is a failure."""
    if not shutil.which("tmux"):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("tmux is not installed")
