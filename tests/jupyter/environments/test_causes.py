"""Why an installer failed. The recordings are of pip 23.0.1, venv of 3.11.2 and uv 0.13.8; `handmade` ones are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupytui.jupyter.environments.causes import cause
from jupytui.jupyter.environments.progress import Meter

RECORDINGS = Path(__file__).with_name("recordings")
SAID = {
    "disk-full": "The disk is full.",
    "missing": "There is no package",
    "missing-version": "There is no package jt",
    "no-answer": "The package index does not answer.",
    "no-name": "The package index cannot be found",
    "python-too-old": "This Python is too old",
    "no-compiler": "has no ready-made wheel for this machine",
    "damaged": "A package that was fetched is damaged",
    "hash": "A package that was fetched is damaged",
    "conflict": "The packages contradict each other",
    "managed": "This Python belongs to the system",
    "permission": "This user may not write there.",
    "no-ensurepip": "This Python cannot make environments",
    "no-pip": "This environment has no pip.",
}
CASES = [
    (file.stem, said)
    for file in sorted(RECORDINGS.glob("*.txt"))
    for what, said in SAID.items()
    if file.stem.removeprefix("handmade-").partition("-")[2] == what and file.stem != "venv-disk-full"
]


def _lines(name: str) -> list[str]:
    return (RECORDINGS / f"{name}.txt").read_text().splitlines()


@pytest.mark.parametrize(("name", "said"), CASES)
def test_a_failure_is_told_in_words_with_a_hint(name: str, said: str) -> None:
    why = cause(_lines(name), 1)
    assert said in why.message
    assert why.hint
    assert "None" not in why.message + why.hint
    assert "{" not in why.message + why.hint


def test_what_is_missing_is_named() -> None:
    for name, package in (("pip-missing", "jupyterlab"), ("uv-missing", "jupyterlab"), ("pip-no-compiler", "jt_c")):
        assert package in cause(_lines(name), 1).message
    assert "jupyterlabb" in cause(_lines("handmade-micromamba-missing"), 1).message
    assert "apt install python3.11-venv" in cause(_lines("venv-no-ensurepip"), 1).hint


def test_a_full_disk_is_seen_even_if_the_installer_does_not_say_so() -> None:
    assert cause(_lines("venv-disk-full"), 1, free=0).message == "The disk is full."
    assert "nearly full (5.0M free)" in cause(_lines("venv-disk-full"), 1, free=5 * 2**20).message
    assert "disk" not in cause(_lines("venv-disk-full"), 1, free=2**30).message


def test_a_kill_is_told_as_one_and_the_unknown_by_its_last_line() -> None:
    assert "out of memory" in cause(["Processing a"], 137).message
    assert cause(["Who knows.", ""], 3).message == "The installer ended with status 3: Who knows."
    assert cause([], 3).message == "The installer ended with status 3."


@pytest.mark.parametrize("name", ["pip-warning", "handmade-conda-good"])
def test_progress_never_falls_and_ends_at_one(name: str) -> None:
    meter, seen = Meter(), [0.0]
    for line in _lines(name):
        meter.feed(line)
        seen.append(meter.fraction or 0.0)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(set(seen)) > 3
