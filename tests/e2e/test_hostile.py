"""What others call their notebooks is text: it runs nothing, draws nothing and reaches no clipboard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.program import screen, status, write_config
from tests.lab.jupyter import Recipe, start_jupyter
from tests.lab.lab import Lab

NAME = "[/] [@click=app.quit]x[/] \x1b]52;c;ZXZpbA==\x07\x1b[2J\u202e\x9b31m"
OUR_OWN = re.compile(
    rb"\x1b\[[0-9;?<>=]*[A-Za-z]|\x1b[=>78]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\|\x1b\(B"
)


@pytest.fixture(scope="module")
def host(lab: Lab, jupyters: object) -> str:
    """A host whose only notebook, file and kernel have the name."""
    recipe = Recipe("hostile", "nohup", f"{NAME}.ipynb", token="token-of-the-hostile-host", log="/home/alice/out")
    start_jupyter(lab, lab.host("hostile"), recipe)
    return "hostile"


@pytest.mark.parametrize("size", [(120, 40), (45, 30)], ids=["wide", "narrow"])
def test_a_hostile_name_is_shown_as_text(home: Path, lab: Lab, host: str, size: tuple[int, int]) -> None:
    with screen(write_config(home, lab, [host]), *size) as terminal:
        terminal.wait_until("8888", 20)
        for pane in "2.":
            terminal.send(pane)
            terminal.wait_until(re.compile(r"\[/\]|escape"), 20)
        terminal.send("Escape")
        terminal.wait_until("[@click" if size[0] > 100 else "[/]", 10)
        written = terminal.output()
        assert b"\x1b]52" not in written
        assert b"\xe2\x80\xae" not in written
        assert "\x9b".encode() not in written
        assert not re.search(rb"[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]", OUR_OWN.sub(b"", written))
        terminal.send("1")
        terminal.wait_until("hostile", 10)


def test_a_status_escapes_it(home: Path, lab: Lab, host: str) -> None:
    found = status(write_config(home, lab, [host]))[host]
    ((kernel,),) = [server["kernels"] for server in found["servers"]]
    assert "[@click=app.quit]" in kernel["path"]
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", kernel["path"])
