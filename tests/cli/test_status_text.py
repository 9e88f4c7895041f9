from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from jupytui.cli.status_text import render_status
from jupytui.cli.table import Cell, Column, Long, cells_of, render
from jupytui.fleet.models import HostView, Trouble
from jupytui.hosts.base import HostState
from jupytui.jupyter.models import Health
from jupytui.ui.format import servers, states
from tests.cli.test_status_json import KERNEL, NOW, SERVER, UP

DOWN = HostView("lab", "bob@lab", HostState.UNREACHABLE, Trouble("lab does not answer."))


def test_hosts_servers_and_kernels_stand_below_each_other_in_columns() -> None:
    text = render_status([UP, DOWN], NOW + timedelta(hours=3))
    assert text.splitlines() == [
        "HOST / SERVER  DIRECTORY  STATE        WHERE              AUTH   TLS  VERSION  KERNELS  CPU   MEM  GPU  AGE",
        "gpu1                      ● up         alice@10.0.0.5:22                       1         9%   1/2  50%",
        "  lab :8888    ~a         ● up         user unit lab      token  –    2.21.1   1 idle    3%     5        3h",
        "    a.ipynb               ○ idle       python3                                           0%  4.0K        3h",
        "lab                       ✖ no answer  bob@lab",
    ]


def test_the_age_of_a_server_is_no_matter_of_its_hosts_clock() -> None:
    server = msgspec.structs.replace(SERVER, started_at=NOW + timedelta(hours=1), kernels=())
    view = msgspec.structs.replace(UP, ahead=2 * 3600.0, servers=(server,))
    assert render_status([view], NOW).splitlines()[-1].endswith(" 1h")


def test_a_server_is_told_in_the_words_of_the_screen() -> None:
    for server in (SERVER, msgspec.structs.replace(SERVER, health=Health.LOCKED, unit=None, bind="all")):
        line = render_status([msgspec.structs.replace(UP, servers=(server,))], NOW).splitlines()[2]
        assert servers.where(server) in line
        assert servers.auth(server) in line
        assert states.of_server(server.health).text in line


@pytest.mark.parametrize("width", range(1, 45))
def test_a_terminal_of_any_width_is_survived(width: int) -> None:
    assert "up" in "".join(render_status([UP, DOWN], NOW, width).split())


@pytest.mark.parametrize("width", [45, 60, 80, 120])
def test_nothing_wraps_and_no_host_address_port_or_state_is_cut(width: int) -> None:
    kernel = msgspec.structs.replace(KERNEL, path="a/very/long/path/to/some/notebook/日本語の名前.ipynb")
    server = msgspec.structs.replace(SERVER, kernels=(kernel,), bind="all", root_dir="/srv/" + "deep/" * 9)
    view = msgspec.structs.replace(UP, address="alice@gpu1.cluster.example.org:2222", servers=(server,))
    text = render_status([view, DOWN], NOW, width)
    assert max(map(cells_of, text.splitlines())) <= width
    for whole in ("gpu1 ", view.address, "lab :8888", "● up", "✖ no answer", "everyone", "の名前.ipynb"):
        assert whole in text


def test_what_is_piped_is_never_cut() -> None:
    path = "deep/" * 99 + "a.ipynb"
    kernel = msgspec.structs.replace(KERNEL, path=path)
    view = msgspec.structs.replace(UP, servers=(msgspec.structs.replace(SERVER, kernels=(kernel,)),))
    assert path in render_status([view], NOW, None)


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


def test_long_texts_are_cut_first_then_the_least_important_columns_go() -> None:
    columns = (Column("NAME"), Column("TEXT"), Column("LEAST", rank=2), Column("LESS", rank=1))
    row: list[Cell] = ["gpu1", Long("a text of some length, cut"), "least", "less"]
    assert render(columns, [row], 45).splitlines()[1] == "gpu1  a text of some length, cut  least  less"
    assert render(columns, [row], 42).splitlines()[1] == "gpu1  a text of some length,…  least  less"
    assert render(columns, [row], 38).splitlines()[1] == "gpu1  a text of some length, cut  less"
    assert render(columns, [row], 31).splitlines()[1] == "gpu1  a text of some length, c…"


def test_a_path_is_cut_in_front_where_it_tells_least_and_keeps_its_indent() -> None:
    path = "  /home/alice/projects/train.ipynb"
    assert render((Column("A"),), [[Long(path, front=True)]], 20).splitlines()[1] == "  …jects/train.ipynb"


def test_what_has_no_room_beside_the_rest_stands_whole_below() -> None:
    columns = (Column("TUNNEL"), Column("FROM"), Column("TROUBLE"))
    rows = [["gpu1-8888", "127.0.0.1:8888", "gpu1 does not answer. Is it awake?"], ["x", "127.0.0.1:9", ""]]
    assert render(columns, rows, 30).splitlines() == [
        "TUNNEL     FROM",
        "      TROUBLE",
        "gpu1-8888  127.0.0.1:8888",
        "      gpu1 does not answer. Is",
        "      it awake?",
        "x          127.0.0.1:9",
    ]
