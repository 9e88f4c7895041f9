"""What is done to tunnels reaches a keeper; its switchboard is a stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest

from jupytui.actions.base import Context
from jupytui.config.load import load_config
from jupytui.config.paths import Paths
from jupytui.hosts.base import Nobody, SecretPrompt
from jupytui.secret import Secret
from jupytui.tunnels import ports
from jupytui.tunnels.keeper.access import Tunnels
from jupytui.tunnels.keeper.server import Keeper
from jupytui.tunnels.models import Address
from tests.actions.front import ScriptedFront, context
from tests.tunnels.keeper.conftest import echo as echo  # noqa: PLC0414 - pytest finds it here
from tests.tunnels.keeper.conftest import keeper as keeper  # noqa: PLC0414 - pytest finds it here
from tests.tunnels.keeper.conftest import paths as paths  # noqa: PLC0414 - pytest finds it here
from tests.tunnels.keeper.conftest import place as place  # noqa: PLC0414 - pytest finds it here
from tests.tunnels.keeper.stand_in import PASSPHRASE


class Asked(Nobody):
    """Knows the passphrase, and who waited for it."""

    def __init__(self) -> None:
        self.waiting: list[set[str]] = []
        self.tunnels: Tunnels | None = None

    async def secret(self, prompt: SecretPrompt) -> Secret | None:
        assert self.tunnels
        self.waiting.append(set(self.tunnels.awaited))
        return Secret(PASSPHRASE)


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def front() -> ScriptedFront:
    return ScriptedFront()


@pytest.fixture
async def work(paths: Paths, keeper: Keeper, front: ScriptedFront, asked: Asked) -> AsyncIterator[Context]:
    async with Tunnels(paths, asked) as tunnels:
        asked.tunnels = tunnels
        yield replace(context(front, config=load_config(paths.hosts)), tunnels=tunnels)


def answers(to: Address, **more: str) -> Mapping[str, str]:
    return {"host": "local", "kind": "local", "to": str(to), "name": "t", **more}


def elsewhere() -> Mapping[str, str]:
    """What describes a tunnel to where nobody is; by itself it would listen at the very port it leads to."""
    return answers(Address("localhost", 1), local=str(ports.next_free(20000)))
