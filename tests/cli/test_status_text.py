from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from jupytui.cli.status_text import render_status
from jupytui.cli.table import Column, cells_of, render
from jupytui.fleet.models import HostView, Trouble
from jupytui.hosts.base import HostState
from tests.cli.test_status_json import KERNEL, NOW, SERVER, UP

DOWN = HostView("lab", "bob@lab", HostState.UNREACHABLE, Trouble("lab does not answer."))


def test_hosts_servers_and_kernels_stand_below_each_other_in_columns() -> None:
    text = render_status([UP, DOWN], NOW + timedelta(hours=3))
    assert text.splitlines() == [
        "HOST / SERVER / KERNEL  STATE          WHERE                  AUTH   KERNELS  CPU   MEM  GPU  AGE",
        "gpu1                    ● up           alice@10.0.0.5:22             1         9%   1/2  50%",
        "  lab :8888  /home/a    ● ok           user unit lab.service  token  1 idle    3%     5        3h",
        "    a.ipynb             ○ idle         python3                                 0%  4.0K        3h",
        "lab                     ✖ unreachable  bob@lab",
    ]


@pytest.mark.parametrize("width", [45, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal_where_that_can_be(width: int) -> None:
    kernel = msgspec.structs.replace(KERNEL, path="a/very/long/path/to/some/notebook/日本語の名前.ipynb")
    view = msgspec.structs.replace(UP, servers=(msgspec.structs.replace(SERVER, kernels=(kernel,)),))
    lines = render_status([view], NOW, width).splitlines()
    assert max(map(cells_of, lines)) <= max(width, 80)
    assert any("…" in line for line in lines)


def test_foreign_text_is_cleaned_and_stays_on_its_line() -> None:
    kernel = msgspec.structs.replace(KERNEL, path="a\x1b[2J\nb\x9b1m.ipynb")
    view = msgspec.structs.replace(UP, servers=(msgspec.structs.replace(SERVER, kernels=(kernel,)),))
    text = render_status([view], NOW)
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert len(text.splitlines()) == 4


def test_figures_stand_right_and_empty_columns_go() -> None:
    columns = (Column("A"), Column("NONE"), Column("N", right=True))
    assert render(columns, [["x", "", "1"], ["yy", "", "10"]]) == "A    N\nx    1\nyy  10"
