from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import HostState
from jupytui.jupyter.models import App, Auth, Cause, Death, Health, KernelState, Server, Tls
from jupytui.jupyter.passwords.standing import Standing
from jupytui.jupyter.settings.door import Hash
from jupytui.systemd.units import Service
from jupytui.ui.format import detail, empty, fleet, kernels, passwords, servers, services, states
from jupytui.ui.format.fleet import FleetRow, HostRow, ServerRow
from jupytui.ui.format.glyphs import ASCII
from jupytui.ui.format.line import Line, Span, cells, cut, cut_line, length, merge, pad, plain, wrap
from jupytui.ui.format.look import Look
from jupytui.ui.format.table import Column, Table, beside, flow
from tests.ui import fleets
from tests.ui.fleets import NOW

LOOK = Look(NOW, "/home/me")
WIDTHS = (27, 42, 60, 69, 77, 90, 117, 150, 197)


def text(line: Line) -> str:
    return "".join(span.text for span in line)


def fleet_rows() -> list[FleetRow]:
    rows: list[FleetRow] = []
    for view in fleets.everything():
        rows.append(HostRow(Subject(view.name), view, False))
        rows += [ServerRow(Subject(view.name, server.id), view, server) for server in view.servers]
    return rows


def kernel_rows() -> list[kernels.KernelRow]:
    return [
        kernels.row_of(Subject(view.name, server.id, kernel.id), kernel, False)
        for view in fleets.everything()
        for server in view.servers
        for kernel in server.kernels
    ]


@given(st.text(alphabet=st.sampled_from("ab 数😀é["), max_size=40), st.integers(1, 30))
def test_a_cut_text_fits_and_one_that_fits_is_not_cut(words: str, width: int) -> None:
    assert cells(cut(words, width)) <= width
    assert cells(pad(words, width)) == width
    if cells(words) <= width:
        assert cut(words, width) == words
    else:
        assert cut(words, width).endswith("…")


@given(st.text(alphabet=st.sampled_from("ab 数😀"), max_size=80), st.integers(2, 30))
def test_wrapped_text_fits_and_loses_only_blanks(words: str, width: int) -> None:
    lines = wrap(words, width)
    assert all(cells(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(words.split())


def test_neighbours_of_one_style_become_one_span_and_blanks_join_them() -> None:
    spans = [Span("a"), Span("  ", "dim"), Span("b"), Span("c", "good"), Span("")]
    assert merge(spans) == (Span("a  b"), Span("c", "good"))


@pytest.mark.parametrize("width", WIDTHS)
def test_every_row_fits_its_width_whatever_it_is_called(width: int) -> None:
    for row in fleet_rows():
        assert length(fleet.table(width + 3).row(row, LOOK, width)) <= width
        assert all(length(line) <= width for line in detail.lines(row, LOOK, width))
    for kernel_row in kernel_rows():
        assert length(kernels.table(width + 3).row(kernel_row, LOOK, width)) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_numbers_of_a_column_end_in_one_cell(width: int) -> None:
    table = kernels.table(width + 3)
    end = text(table.header(width)).index("RAM") + 3
    for row in kernel_rows():
        line = table.row(row, LOOK, width)
        assert text(cut_line((*line, Span("~")), end + 1))[:-1].endswith(("G", "M"))


def test_the_less_important_columns_go_first_and_state_never() -> None:
    titles = [text(fleet.table(width + 3).header(width)).split() for width in (117, 77, 42, 27)]
    assert "TLS" in titles[0]
    assert "TLS" not in titles[1]
    assert "KERNELS" in titles[1]
    assert titles[2][-3:] == ["STATE", "CPU", "MEM"]
    assert titles[3][-1] == "STATE"


def test_a_long_text_runs_on_over_empty_cells_and_stops_before_full_ones() -> None:
    table = Table(
        (
            Column("A", 4, lambda row, _look: plain(row[0])),
            Column("B", 4, lambda row, _look: plain(row[1])),
            Column("C", 4, lambda row, _look: plain(row[2]), right=True),
        )
    )
    assert text(table.row(("long words here", "", ""), LOOK, 16)) == "long words here"
    assert text(table.row(("long words here", "", "9"), LOOK, 16)) == "long words he… 9"
    assert text(table.row(("long words here", "b", "9"), LOOK, 16)) == "long… b        9"


def test_a_firm_text_starts_further_left_if_that_saves_it() -> None:
    table = Table(
        (Column("A", 10, lambda row, _look: plain(row[0])), Column("B", 4, lambda row, _look: plain(row[1]), firm=True))
    )
    assert text(table.row(("ab", "trouble!"), LOOK, 16)) == "ab      trouble!"
    assert text(table.row(("abcdefghij", "trouble!"), LOOK, 16)) == "abcdefghij  tro…"


def test_stale_rows_are_dim_in_one_style_and_tell_their_age() -> None:
    view = fleets.stale()
    old = replace(view, state=HostState.CONNECTING, error=None)
    host = fleet.WIDE.row(HostRow(Subject("gpu2"), old, False), LOOK, 117)
    assert [span.style for span in host] == ["dim"]
    assert "5m ago" in text(host)
    server = fleet.WIDE.row(ServerRow(Subject("gpu2", view.servers[0].id), view, view.servers[0]), LOOK, 117)
    assert [span.style for span in server] == ["dim"]
    assert "no answer 5m" in text(fleet.NARROW.row(HostRow(Subject("gpu2"), view, False), LOOK, 42))


def test_ages_are_right_on_a_host_whose_clock_is_not() -> None:
    view = replace(fleets.gpu1(), ahead=2 * 86_400.0)
    server = replace(view.servers[0], started_at=NOW + timedelta(days=1))  # by that clock: a day ago
    assert text(fleet.WIDE.row(ServerRow(Subject("gpu1", server.id), view, server), LOOK, 150)).rstrip().endswith(" 1d")
    service = Service("lab.service", "user", active="active", sub="running", main_pid=7, since=NOW + timedelta(days=1))
    service_row = services.row_of("gpu1", "gpu1", service, ahead=view.ahead)
    assert " 1d " in text(services.table(150).row(service_row, LOOK, 150)) + " "
    standing = Standing(Auth.PASSWORD, Hash.ARGON2, changed_at=NOW + timedelta(days=1))
    row = passwords.row_of("gpu1", server, standing, ahead=view.ahead)
    assert " 1d " in text(passwords.table(150).row(row, LOOK, 150)) + " "
    assert "Files changed 1 day ago" in "\n".join(passwords.details(row, LOOK))


def test_figures_of_a_host_that_is_up_but_was_not_seen_for_long_are_dim_too() -> None:
    view = replace(fleets.gpu1(), seen_at=NOW - timedelta(minutes=2))
    assert "dim" in {span.style for span in fleet.WIDE.row(HostRow(Subject("gpu1"), view, False), LOOK, 117)}
    assert "2m ago" in text(fleet.WIDE.row(HostRow(Subject("gpu1"), view, False), LOOK, 117))


def test_unknown_is_a_dash_and_never_zero() -> None:
    bare = HostView("new", "new", HostState.UP, seen_at=NOW, servers=(Server("new:1", 1, App.SERVER),))
    server = text(fleet.WIDE.row(ServerRow(Subject("new", "new:1"), bare, bare.servers[0]), LOOK, 117))
    assert server.split()[-5:] == ["none", "–", "–", "–", "–"]
    locked = fleets.locked()
    line = text(fleet.WIDE.row(ServerRow(Subject("pi", "pi:8888"), locked, locked.servers[0]), LOOK, 117))
    assert "● locked" in line
    assert "1 ?" in line


def test_every_state_has_a_glyph_and_a_word() -> None:
    spans = [*map(states.of_host, HostState), *map(states.of_server, Health), *map(states.of_kernel, KernelState)]
    for span in spans:
        glyph, _blank, word = span.text.partition(" ")
        assert glyph in set("●◐○▲✖?")
        assert word.replace(" ", "").isalpha()
        assert span.text.translate(ASCII).isascii()


def test_trouble_is_told_in_words_and_in_full_below() -> None:
    changed = HostRow(Subject("lab-pi"), fleets.changed_key())
    assert "✖ key changed, not connected: press enter to see both keys" in text(fleet.WIDE.row(changed, LOOK, 117))
    assert text(fleet.NARROW.row(changed, LOOK, 42)).endswith("✖ key changed")
    said = " ".join(text(line) for line in detail.lines(changed, LOOK, 42))
    assert changed.view.error is not None
    assert said == f"{changed.view.error.message} {changed.view.error.hint}"
    asking = HostRow(Subject("hpc"), fleets.waiting())
    assert "◐ asks for a code: press enter" in text(fleet.WIDE.row(asking, LOOK, 117))
    assert "◐ asks for a code" in text(fleet.NARROW.row(asking, LOOK, 42))


@pytest.mark.parametrize("waiting", ["asks for a password", "asks for a key's passphrase", "has an unknown key"])
def test_what_a_host_asks_for_is_not_cut_at_45_columns(waiting: str) -> None:
    view = replace(fleets.waiting(), waiting=waiting)
    assert waiting in text(fleet.NARROW.row(HostRow(Subject("hpc"), view), LOOK, 42))


@pytest.mark.parametrize(
    ("not_after", "shown", "style"),
    [
        (timedelta(days=27, hours=1), "27 days", ""),
        (timedelta(days=1, hours=1), "25 hours", "warn"),
        (timedelta(hours=-1), "expired", "bad"),
    ],
)
def test_a_certificate_is_told_by_what_is_left_of_it(not_after: timedelta, shown: str, style: str) -> None:
    server = Server("a:1", 1, App.LAB, tls=Tls(not_after=NOW + not_after))
    assert servers.tls(server, LOOK) == Span(shown, style)


def test_home_directories_are_tildes() -> None:
    server = Server("a:1", 1, App.LAB, root_dir="/home/alice/work")
    assert servers.directory(server, HostView("a", "alice@a:22"), LOOK) == "~/work"
    assert servers.directory(server, HostView("a", "bob@a:22"), LOOK) == "~alice/work"
    mine = replace(server, root_dir="/home/me")
    assert servers.directory(mine, HostView("local", "local"), LOOK) == "~"
    assert servers.directory(replace(server, root_dir="/home/mean"), HostView("local", "local"), LOOK) == "~mean"
    assert servers.directory(replace(server, root_dir="/srv/data"), HostView("a", "a:22"), LOOK) == "/srv/data"


def test_a_servers_share_is_of_the_whole_machine_with_its_kernels() -> None:
    view = fleets.gpu1()
    assert servers.cpu(view.servers[0], view.system) == pytest.approx((3 + 612) / 8)
    assert servers.memory(view.servers[0]) == int(0.2 * fleets.G) + 30 * fleets.G + int(1.1 * fleets.G)
    assert servers.cpu(view.servers[0], None) is None
    assert servers.memory(Server("a:1", 1, App.LAB)) is None


def test_who_can_reach_a_server_is_said_when_it_is_more_than_its_machine() -> None:
    server = fleets.gpu1().servers[1]
    assert servers.where(server) == "everyone, process"
    assert servers.where(replace(server, bind="10.0.0.5")) == "10.0.0.5, process"
    assert servers.where(fleets.local().servers[0]) == "user unit jupyter"
    assert servers.auth(replace(server, auth=Auth.BOTH)) == "token+pw"


def test_first_start_says_what_to_do() -> None:
    here = replace(fleets.local(), servers=())
    assert empty.fleet([here], 14) == (
        "No Jupyter server runs here. n starts one · a adds a host · "
        "i picks from your ssh config (14 hosts) · ? help"
    )  # fmt: skip
    assert "ssh config" not in empty.fleet([here], 0)
    assert empty.fleet([replace(here, state=HostState.CONNECTING)], 14) == ""
    assert empty.fleet([fleets.local()], 14) == ""
    assert empty.fleet([], 3).startswith("No host is watched.")


def test_no_kernels_is_said_of_what_is_known_only() -> None:
    none = replace(fleets.gpu1(), servers=())
    assert empty.kernels([none], Subject("gpu1")).startswith("No kernel runs on gpu1.")
    assert "not known" in empty.kernels([fleets.changed_key()], Subject("lab-pi"))
    assert empty.kernels([], Subject("gpu7")) == "gpu7 is not in the fleet any more. 1 shows the fleet."
    assert "does not run any more" in empty.kernels([none], Subject("gpu1", "gpu1:1"))
    closed = replace(fleets.locked(), servers=(replace(fleets.locked().servers[0], kernels=()),))
    assert "pi:8888 may have some" in empty.kernels([closed], Subject("pi"))


def test_items_flow_beside_each_other_in_equal_columns() -> None:
    lines = [text(line) for line in flow([plain("one"), plain("three"), plain("five")], 16)]
    assert [line.rstrip() for line in lines] == ["one      three", "five"]
    assert text(beside(plain("left side"), plain("right"), 12)) == "left…  right"


def test_cut_lines_keep_their_styles() -> None:
    assert cut_line((Span("good", "good"), Span(" and more")), 8) == (Span("good", "good"), Span(" an…"))


def test_how_a_kernel_died_stands_over_the_figures_to_its_right_and_its_evidence_below() -> None:
    death = Death(Cause.MEMORY, "killed: out of memory (cgroup)", NOW, ("oom_kill 1",), 2, 5)
    row = kernels.row_of(Subject("h", "h:8888", "k"), fleets.kernel("fit.ipynb", died=death), False)
    shown = text(kernels.table(120).row(row, LOOK, 120))
    assert "✖ restarted 2/5, killed: out of memory (cgroup)" in shown
    assert "11802" not in shown
    assert "✖ restarted" in text(kernels.table(45).row(row, LOOK, 45))
    told = "✖ restarted 2/5, killed: out of memory (cgroup), a moment ago. Now it is idle."
    assert kernels.story(row, LOOK) == [told, "oom_kill 1"]


def test_a_servers_death_and_those_of_its_kernels_are_in_its_detail() -> None:
    death = Death(Cause.KILLED, "killed by SIGKILL", NOW, ("status=9/KILL",))
    view = fleets.local()
    kernel = fleets.kernel("fit.ipynb", died=replace(death, restarts=1, limit=5))
    server = replace(view.servers[0], died=death, kernels=(kernel,))
    told = "\n".join(map(text, detail.lines(ServerRow(Subject("local", server.id), view, server), LOOK, 100)))
    assert "It ended a moment ago, and runs again: killed by SIGKILL." in told
    assert "status=9/KILL" in told
    assert "✖ fit.ipynb restarted 1/5, killed by SIGKILL" in told
