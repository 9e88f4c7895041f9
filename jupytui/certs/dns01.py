"""dns-01: a TXT record that the person sets, awaited at the zone's own name servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupytui.certs.challenge import Challenge, ChallengeFailed

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

PATIENCE = 3600.0
INTERVAL = 5.0
QUERY_DEADLINE = 10.0


@dataclass(frozen=True, slots=True)
class Record:
    """What is to be set: a TXT record `name` with `value`."""

    name: str
    value: str


Show = Callable[[Record], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Dns:
    """`show` tells the person (or a program) which record to set, `done` that it may go.

    The record is looked for every `interval` seconds for up to `patience`, at `servers` ("address" or "address#port")
    or, by default, at every name server of the zone: a resolver in between would keep its earlier "there is none" for
    as long as the zone says.
    """

    show: Show
    done: Show | None = None
    servers: Sequence[str] = ()
    patience: float = PATIENCE
    interval: float = INTERVAL
    kind: str = field(default="dns-01", init=False)

    @asynccontextmanager
    async def answering(self, challenge: Challenge) -> AsyncIterator[None]:
        """See `Solver.answering`."""
        record = Record(challenge.record, challenge.value)
        await self.show(record)
        try:
            await self._seen(record)
            yield
        finally:
            if self.done:
                await asyncio.shield(self.done(record))

    async def _seen(self, record: Record) -> None:
        try:
            async with asyncio.timeout(self.patience):
                await self._until_everywhere(record)
        except TimeoutError:
            raise ChallengeFailed(
                f"The record {record.name} was not seen within {self.patience / 60:.0f} min.",
                "Set it at your DNS provider (TXT, the value without quotes), and try again.",
            ) from None

    async def _until_everywhere(self, record: Record) -> None:
        while not await self._everywhere(record):  # noqa: ASYNC110 - no name server tells us when it has it
            await asyncio.sleep(self.interval)

    async def _everywhere(self, record: Record) -> bool:
        servers = [_server(one) for one in self.servers] or await authoritative(record.name)
        answers = await asyncio.gather(*(_texts(record.name, address, port) for address, port in servers))
        return bool(answers) and all(record.value in texts for texts in answers)


def _server(text: str) -> tuple[str, int]:
    address, _, port = text.partition("#")
    return address, int(port or 53)


async def authoritative(name: str) -> list[tuple[str, int]]:
    """Return the addresses of the name servers that answer for `name`, where a CNAME may lead elsewhere.

    [] while the system's resolver cannot tell.
    """
    import dns.asyncresolver
    import dns.exception

    resolver = dns.asyncresolver.Resolver()
    try:
        async with asyncio.timeout(QUERY_DEADLINE):
            target = await resolver.canonical_name(name)
            zone = await dns.asyncresolver.zone_for_name(target, resolver=resolver)
            servers = [str(one.target) for one in await resolver.resolve(zone, "NS")]
            found = await asyncio.gather(*(_address(resolver, server) for server in servers))
    except (dns.exception.DNSException, TimeoutError, OSError):
        return []
    return [(address, 53) for address in found if address]


async def _address(resolver: Resolver, name: str) -> str:
    import dns.exception

    try:
        return next(iter((await resolver.resolve_name(name)).addresses()), "")
    except dns.exception.DNSException:
        return ""


async def _texts(name: str, address: str, port: int) -> frozenset[str]:
    """Return the values of the TXT records of `name` at one server; none when it does not answer."""
    import dns.asyncquery
    import dns.exception
    import dns.message
    import dns.rdatatype

    query = dns.message.make_query(name, "TXT")
    try:
        reply, _ = await dns.asyncquery.udp_with_fallback(query, address, timeout=QUERY_DEADLINE, port=port)
    except (dns.exception.DNSException, OSError):
        return frozenset()
    rows = [row for answer in reply.answer if answer.rdtype == dns.rdatatype.TXT for row in answer]
    return frozenset(b"".join(row.strings).decode("ascii", "replace") for row in rows)
