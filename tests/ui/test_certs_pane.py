"""The Certificates pane on certificates made by hand; tests/e2e/test_certs.py has real ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from rich.cells import cell_len
from textual.pilot import Pilot

from jupytui.actions.cert_sights import CertView
from jupytui.certs.models import Certificate, Trust
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.hosts.state import HostState
from jupytui.jupyter.models import App, Server
from jupytui.ui.format import certs
from jupytui.ui.format.certs import row_of
from jupytui.ui.format.look import Look
from jupytui.ui.panes.certs import CertificatesPane
from jupytui.ui.program import Program
from tests.ui import fleets
from tests.ui.program import SIZES, running, settled, text

LAB = Subject("gpu1", "gpu1:8888")


def certificate(days: float, *names: str, issuer: str = "jupytui authority of me on desk") -> Certificate:
    return Certificate(
        b"der", "", issuer, names or ("gpu1", "10.0.0.5", "localhost"), fleets.NOW - timedelta(days=400),
        fleets.NOW + timedelta(days=days, minutes=5), "ECDSA P-256", "AB:CD",
    )  # fmt: skip


def view(days: float = 396, **more: Any) -> CertView:
    shown = certificate(days)
    values: dict[str, Any] = {
        "file": (shown,), "served": shown, "matches": True, "trust": Trust.OURS, "path": "/home/alice/8888.pem",
    }  # fmt: skip
    return CertView(**(values | more))


def away() -> HostView:
    return replace(fleets.gpu1(), state=HostState.UNREACHABLE)


@asynccontextmanager
async def shown(
    home: Path, known: dict[Subject, CertView], size: tuple[int, int] = (120, 40), views: Iterable[HostView] = ()
) -> AsyncIterator[tuple[Program, Pilot[int], CertificatesPane]]:
    """Run the program with the pane shown and these certificates known; its hosts are away, so nothing is dialled."""
    async with running(home, size, list(views) or [away()]) as (program, pilot):
        await pilot.press("7", "7")  # of all hosts
        await settled(pilot)
        pane = program.main.pane
        assert isinstance(pane, CertificatesPane)
        for subject, cert in known.items():
            pane.take(subject, cert)
        await settled(pilot)
        yield program, pilot, pane


@pytest.mark.parametrize("size", [*SIZES, (30, 20), (200, 50)])
async def test_server_and_state_are_never_cut_away(tmp_path: Path, size: tuple[int, int]) -> None:
    async with shown(tmp_path, {LAB: view(6)}, size) as (program, pilot, _pane):
        seen = text(program)
        for words in ("lab :8888", "▲ 6 days", "notebook", "○ off"):
            assert words in seen
        assert all(cell_len(line) <= size[0] for line in seen.split("\n"))
        await pilot.press("G", "g", "s", "s", "s", "s")
        assert program.is_running


async def test_the_wide_layout_says_everything_of_a_certificate(tmp_path: Path) -> None:
    async with shown(tmp_path, {LAB: view()}) as (program, pilot, pane):
        lines = [" ".join(line.split()) for line in text(program).split("\n")]
        assert "SERVER HOST TLS LEFT FILE TRUSTED BY KEY ISSUER NAMES" in lines
        row = next(line for line in lines if "lab :8888" in line)
        assert "gpu1 ● on 396 days matches your authority ECDSA P-256 jupytui aut" in row
        pane.move_to(LAB)
        await pilot.press("enter")
        await settled(pilot)
        assert "SHA-256 AB:CD" in text(program)
        assert "/home/alice/8888.pem" in text(program)


async def test_a_server_without_tls_is_told_what_to_press(tmp_path: Path) -> None:
    async with shown(tmp_path, {LAB: view()}, (45, 24)) as (program, pilot, pane):
        pane.move_to(Subject("gpu1", "gpu1:8890"))
        await settled(pilot)
        said = " ".join(text(program).split())
        assert "c issues a certificate and turns TLS on" in said


async def test_where_no_server_runs_it_says_what_to_do(tmp_path: Path) -> None:
    bare = replace(fleets.gpu1(), servers=())
    async with shown(tmp_path, {}, views=[bare]) as (program, _pilot, _pane):
        assert "No Jupyter server runs on gpu1. n starts one; c then gives it a certificate" in text(program)


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_names_are_text(tmp_path: Path, size: tuple[int, int]) -> None:
    evil = certificate(3, *fleets.HOSTILE, issuer=fleets.HOSTILE[1])
    known = {LAB: view(served=evil, trouble=fleets.HOSTILE[4])}
    async with shown(tmp_path, known, size, [away(), fleets.hostile()]) as (program, pilot, _pane):
        await pilot.press("j", "g", "enter")
        await settled(pilot)
        assert program.is_running


LOOK = Look(fleets.NOW)
SERVER = Server(id="gpu1:8888", pid=1, app=App.LAB, port=8888, url="https://localhost:8888/")


@pytest.mark.parametrize(
    ("cert", "state", "tone"),
    [
        (None, "◐ looking", "dim"),
        (view(31), "● on", "good"),
        (view(29), "▲ 29 days", "warn"),
        (view(6), "▲ 6 days", "warn"),
        (view(0.5), "▲ 12 hours", "bad"),
        (view(-1), "✖ expired", "bad"),
        (view(matches=False), "▲ not the file", "warn"),
        (view(served=None, matches=None), "✖ no handshake", "bad"),
    ],
)
def test_what_must_be_done_is_seen_in_its_state(cert: CertView | None, state: str, tone: str) -> None:
    assert certs.state(row_of("gpu1", "gpu1", SERVER, cert, stale=False), LOOK) == (state, tone)


@pytest.mark.parametrize("size", SIZES)
async def test_who_trusts_a_certificate_is_said_at_every_width(tmp_path: Path, size: tuple[int, int]) -> None:
    async with shown(tmp_path, {LAB: view()}, size) as (program, pilot, pane):
        pane.move_to(LAB)
        await settled(pilot)
        assert "Machines that trust your authority trust it (K says how)." in " ".join(text(program).split())
