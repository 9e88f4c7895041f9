"""The table of vulnerable releases: in order, sourced, and right about lines that were mended one by one."""

from __future__ import annotations

import re

import pytest

from jupytui.doctor.vulnerable import LAB, NOTEBOOK, SERVER, TABLE, is_affected, order, vulnerabilities


@pytest.mark.parametrize("flaw", TABLE, ids=lambda flaw: f"{flaw.package} {flaw.id}")
def test_every_entry_names_its_source_and_the_release_that_mended_it(flaw: object) -> None:
    from jupytui.doctor.vulnerable import Vulnerability

    assert isinstance(flaw, Vulnerability)
    assert re.fullmatch(r"CVE-20\d\d-\d{4,6}|GHSA(-[0-9a-z]{4}){3}", flaw.id)
    assert re.match(r"https://(github\.com|www\.cve\.org)/", flaw.source)
    assert flaw.words.endswith(".") and flaw.package in {SERVER, LAB, NOTEBOOK}
    numbers = [order(fixed) for fixed in flaw.fixed]
    assert numbers and all(numbers) and numbers == sorted(numbers)
    assert not is_affected(flaw.fixed[-1], flaw)
    assert not flaw.since or order(flaw.since) < numbers[0]


def test_no_entry_is_there_twice() -> None:
    keys = [(flaw.package, flaw.id) for flaw in TABLE]
    assert len(keys) == len(set(keys))


def ids(**versions: str) -> set[str]:
    return {flaw.id for flaw in vulnerabilities(versions)}


@pytest.mark.parametrize(
    ("version", "affected"),
    [("2.17.0", True), ("2.18.0", False), ("2.18.0rc1", True), ("2.7.0", True), ("1.24.0", True), ("2.21.1", False)],
)
def test_sessions_that_outlive_a_password_are_of_releases_before_2_18(version: str, affected: bool) -> None:
    assert ("CVE-2026-40934" in ids(jupyter_server=version)) is affected
    assert ("CVE-2026-40110" in ids(jupyter_server=version)) is affected


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ("3.6.7", True), ("3.6.8", False), ("3.7.0", False), ("4.0.0", True), ("4.2.4", True), ("4.2.5", False),
        ("4.3.0", False),
    ],
)  # fmt: skip
def test_a_flaw_that_was_mended_in_two_lines_is_gone_in_both(version: str, affected: bool) -> None:
    assert ("CVE-2024-43805" in ids(jupyterlab=version)) is affected


@pytest.mark.parametrize(
    ("version", "affected"), [("4.5.9", True), ("4.5.10", False), ("4.6.1", True), ("4.6.2", False), ("3.6.8", False)]
)
def test_lines_of_one_major_release_are_told_apart(version: str, affected: bool) -> None:
    assert ("CVE-2026-73415" in ids(jupyterlab=version)) is affected


def test_what_is_current_has_no_known_flaw_and_what_is_no_version_is_left_alone() -> None:
    assert ids(jupyter_server="2.21.1", jupyterlab="4.6.6", notebook="7.6.5") == set()
    assert ids(jupyter_server="", jupyterlab="unknown", notebook="\x1b]52;") == set()
    assert "CVE-2021-32798" in ids(notebook="6.4.0") and "CVE-2021-32798" not in ids(notebook="5.7.11")
