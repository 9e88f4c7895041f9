"""What the doctor is tried on."""

from __future__ import annotations

import os

import pytest
import trustme

from tests.lab.jupyter import VENV


@pytest.fixture(scope="session")
def installed() -> None:
    """Skip where the lab has no Jupyter; in CI that is a failure."""
    if not (VENV / "complete").exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"no Jupyter in {VENV}: tests/run makes it")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()
