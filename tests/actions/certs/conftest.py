"""A server of this machine and a pair of certificate and key for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jupytui.actions.cert_install import Spot
from jupytui.actions.cert_sights import whose
from jupytui.certs import authority, leaf
from jupytui.certs.models import Pair
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Nobody
from jupytui.hosts.local import LocalHost
from jupytui.jupyter.access import Access
from tests.ui.fleets import local


@pytest.fixture
async def spot() -> AsyncIterator[Spot]:
    """A server of this machine; that it does not answer matters to nobody here."""
    host, server = LocalHost(), local().servers[0]
    yield Spot(Subject("local", server.id), server, host, Nobody(), Access(port=8888, tls=True), whose(server))
    await host.close()


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return leaf.issue(authority.load_or_make(tmp_path / "ca"), ["localhost"])
