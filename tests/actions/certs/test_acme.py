"""What the certificate actions ask before, while and after an authority is asked by ACME: a real Pebble."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator

import pytest

from jupytui.actions.base import Confirmation, Context
from jupytui.actions.cert_install import Spot
from jupytui.actions.cert_sources import DNS, OTHER, by_acme
from jupytui.certs import private
from jupytui.certs.acme_account import TermsNotAgreed
from jupytui.certs.dns01 import Record
from jupytui.errors import JupytuiError, WrongAnswer
from tests.actions.front import ScriptedFront, context
from tests.certs.pebble import Pebble, running


class Setting(ScriptedFront):
    """A person who does as they are told: sets the record that is shown. Stands for one at a DNS provider."""

    def __init__(self, pebble: Pebble) -> None:
        super().__init__()
        self._pebble = pebble

    async def confirm(self, question: Confirmation) -> bool:
        if "TXT" in question.runs:
            name, _type, value = question.runs.split()
            await self._pebble.set_record(Record(name, value))
        return await super().confirm(question)


@pytest.fixture(scope="module")
def pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    if not (shutil.which("pebble") and shutil.which("pebble-challtestsrv")):
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("pebble is not installed")
    with running(tmp_path_factory.mktemp("pebble") / "it") as it:
        yield it


def order(pebble: Pebble) -> dict[str, str]:
    return {
        "service": OTHER, "url": pebble.url, "ca": pebble.ca_file, "email": "", "names": "a.example.org",
        "way": DNS, "webroot": "", "dns_servers": pebble.dns,
    }  # fmt: skip


async def test_terms_are_agreed_to_and_the_record_is_shown_copied_and_awaited(spot: Spot, pebble: Pebble) -> None:
    front = Setting(pebble)
    got = await by_acme(context(front), spot, order(pebble), None)
    assert got
    assert (got[0].leaf.names, got[1].challenge) == (("a.example.org",), "dns-01")
    terms, record = front.confirmed
    assert terms.runs.startswith(("http", "data:"))
    assert record.runs.startswith("_acme-challenge.a.example.org  TXT  ")
    assert record.runs.endswith(front.copied[0])


async def test_terms_not_agreed_to_end_it(spot: Spot, pebble: Pebble) -> None:
    for answers in (order(pebble), {**order(pebble), "agreed": ""}):
        front = ScriptedFront(yes=False)
        with pytest.raises(TermsNotAgreed):
            await by_acme(context(front), spot, answers, None)
    assert not front.confirmed  # a command line without --agree-terms is not asked


async def test_waiting_for_a_record_can_be_stopped_and_leaves_nothing(spot: Spot, pebble: Pebble) -> None:
    waiting = asyncio.Event()
    known: Context = context(ScriptedFront())
    known.progress = lambda text, fraction=None: waiting.set() if "DNS" in text else None
    ordering = asyncio.ensure_future(by_acme(known, spot, order(pebble), None))
    async with asyncio.timeout(60):
        await waiting.wait()
    ordering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ordering
    assert [path.name for path in private.default_directory().iterdir()] == ["acme"]


async def test_another_authority_needs_its_url(spot: Spot, pebble: Pebble) -> None:
    with pytest.raises(WrongAnswer) as wrong:
        await by_acme(context(ScriptedFront()), spot, {**order(pebble), "url": ""}, None)
    assert wrong.value.field == "url"
    assert isinstance(wrong.value, JupytuiError)
