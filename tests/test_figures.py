"""Promises of the figures: short, coarse, never a zero for what is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui import figures


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "–"), (0, "0"), (512, "512"), (999, "999"), (1000, "1.0K"), (1288490188, "1.2G"), (31 * 2**30, "31G")],
)
def test_sizes(count: int | None, text: str) -> None:
    assert figures.size(count) == text


@given(st.integers(0, 2**60))
def test_a_size_never_needs_more_than_four_cells(count: int) -> None:
    assert len(figures.size(count)) <= 4


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (0, "now"), (59, "now"), (60, "1m"), (7200, "2h"), (5 * 86400, "5d")]
)
def test_ages(seconds: float | None, text: str) -> None:
    assert figures.age(seconds) == text


def test_words() -> None:
    assert figures.duration(41 * 60) == "41 minutes"
    assert figures.duration(86400) == "1 day"
    assert [figures.left(days) for days in (29.6, 2.4, 1.0, 0.04)] == ["30 days", "2 days", "24 hours", "1 hour"]
    assert figures.plural(1, "kernel") == "1 kernel"
    assert figures.plural(0, "kernel") == "0 kernels"


def test_a_moment_in_the_future_is_now() -> None:
    now = datetime.now(UTC)
    assert figures.seconds_since(now + timedelta(hours=1), now) == 0
    assert figures.seconds_since(None, now) is None
