"""Questions reach whoever is there, the first answer wins, and without anybody they wait."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from jupytui.config.paths import Paths
from jupytui.hosts.base import HostKey, SecretPrompt, UnknownKey
from jupytui.secret import Secret
from jupytui.tunnels.keeper.client import connect
from jupytui.tunnels.keeper.place import Place
from jupytui.tunnels.keeper.server import Keeper
from jupytui.tunnels.models import Address, TunnelState
from tests.tunnels.keeper.conftest import tunnel, until
from tests.tunnels.keeper.stand_in import LOCKED, PASSPHRASE


class Person:
    """Somebody at a front end; `answer` is set when they have made up their mind."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[SecretPrompt | UnknownKey] = asyncio.Queue()
        self.answer: asyncio.Future[Secret | None] = asyncio.get_running_loop().create_future()
        self.withdrawn = asyncio.Event()

    async def secret(self, prompt: SecretPrompt) -> Secret | None:
        self.asked.put_nowait(prompt)
        try:
            return await asyncio.shield(self.answer)
        except asyncio.CancelledError:
            self.withdrawn.set()
            raise

    async def trust(self, question: UnknownKey) -> bool:
        self.asked.put_nowait(question)
        return await self.answer is not None


async def test_a_tunnel_waits_for_a_person_and_asks_when_one_comes(paths: Paths, keeper: Keeper, echo: Address) -> None:
    async with connect(paths) as blind:
        await blind.add(tunnel(echo, host=LOCKED))
        await until(blind, lambda known: known["t"].state is TunnelState.ASKING)
        person = Person()
        async with connect(paths, person):
            assert isinstance(await person.asked.get(), SecretPrompt)
            person.answer.set_result(Secret(PASSPHRASE))
            await until(blind, lambda known: known["t"].state is TunnelState.UP)


async def test_the_first_answer_wins_and_the_other_question_is_withdrawn(
    paths: Paths, keeper: Keeper, echo: Address
) -> None:
    slow, quick = Person(), Person()
    async with connect(paths, slow) as one, connect(paths, quick):
        await one.add(tunnel(echo, host=LOCKED))
        await asyncio.gather(slow.asked.get(), quick.asked.get())
        quick.answer.set_result(Secret(PASSPHRASE))
        await until(one, lambda known: known["t"].state is TunnelState.UP)
        await slow.withdrawn.wait()


async def test_who_declines_leaves_the_question_to_the_others_and_who_goes_away_too(
    paths: Paths, keeper: Keeper, echo: Address
) -> None:
    declining, leaving, staying = Person(), Person(), Person()
    async with connect(paths, declining) as one, connect(paths, staying):
        async with connect(paths, leaving):
            await one.add(tunnel(echo, host=LOCKED))
            await asyncio.gather(*(person.asked.get() for person in (declining, leaving, staying)))
            declining.answer.set_result(None)
        staying.answer.set_result(Secret(PASSPHRASE))
        await until(one, lambda known: known["t"].state is TunnelState.UP)


async def test_an_unknown_key_is_vouched_for_by_a_person_and_by_nobody_else(
    paths: Paths, place: Place, keeper: Keeper
) -> None:
    question = UnknownKey("h", "10.0.0.1", HostKey("ED25519", "SHA256:abc"))
    assert not await keeper.questions.trust(question)
    person = Person()
    async with connect(paths, person):
        asking = asyncio.create_task(keeper.questions.trust(question))
        assert await person.asked.get() == question
        person.answer.set_result(Secret("yes"))
        assert await asking


async def test_an_answer_is_in_no_file_of_ours(paths: Paths, place: Place, keeper: Keeper, echo: Address) -> None:
    person = Person()
    async with connect(paths, person) as client:
        await client.add(tunnel(echo, host=LOCKED))
        person.answer.set_result(Secret("a wrong swordfish"))
        await until(client, lambda known: known["t"].state is TunnelState.FAILED)
        written = b""
        for path in Path(paths.state).rglob("*"):
            with suppress(OSError):
                written += path.read_bytes()
        assert b"tunnels" in written and b"swordfish" not in written
