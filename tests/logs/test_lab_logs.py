"""A log over a real link that is cut again and again: no gap, no double, in order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest

from jupytui.hosts.base import Destination, Host, HostTrouble, Nobody
from jupytui.hosts.limits import Gates
from jupytui.hosts.open import open_host
from jupytui.logs.boots import boots
from jupytui.logs.journal import record
from jupytui.logs.reader import LogReader
from jupytui.logs.source import Journal, LogFile
from tests.lab.host import LabHost
from tests.lab.lab import Lab
from tests.lab.proxy import Proxy
from tests.logs.following import Following

CUTS = 16
ROTATED = "the log was rotated: here the new file begins"
LOG = "/home/alice/cut/server.log"
# 200 lines a second: journald keeps 10 000 in 30 s. The file gets each line in two pieces and is rotated all the time.
WRITER = """
import os, pathlib, time
log, number = pathlib.Path("/home/alice/cut/server.log"), 0
log.parent.mkdir(exist_ok=True)
file = log.open("ab", buffering=0)
while not pathlib.Path("/home/alice/cut/stop").exists():
    number += 1
    print("line", number, flush=True)
    file.write(b"line")
    time.sleep(0.005)
    file.write(b" %d\\n" % number)
    if number % 300 == 0:
        for age in range(60, 0, -1):
            if os.path.exists(f"{log}.{age}"):
                os.rename(f"{log}.{age}", f"{log}.{age + 1}")
        file.close()
        os.rename(log, f"{log}.1")
        file = log.open("ab", buffering=0)
print("line end", flush=True)
file.write(b"line end\\n")
time.sleep(1000)
"""


class Link:
    """A host behind a proxy. Readers that lost it come back when it is said to be whole again."""

    def __init__(self, host: Host, proxy: Proxy) -> None:
        self.host, self.proxy = host, proxy
        self.whole = asyncio.Event()
        self.whole.set()
        self.lost = 0
        self.changed = asyncio.Condition()

    async def read_on(self, reader: LogReader, seen: Following) -> None:
        """Read as the pane does: whenever the link is back, go on."""
        while True:
            try:
                await seen.read(reader)
            except HostTrouble:
                async with self.changed:
                    self.lost += 1
                    self.changed.notify_all()
            await self.whole.wait()
            with suppress(HostTrouble):  # cut again meanwhile
                await self.host.connect()


@pytest.fixture
async def far(lab: Lab) -> AsyncIterator[LabHost]:
    host = await asyncio.to_thread(lab.host, "logs")
    await asyncio.to_thread(host.exec, 'loginctl enable-linger alice && systemctl start "user@$(id -u alice)"')
    yield host


@pytest.fixture
async def link(lab: Lab, far: LabHost, home: Path) -> AsyncIterator[Link]:
    async with Proxy(far.address, 22) as proxy:
        config = home / "ssh_config"
        block = lab.ssh_host("logs", "127.0.0.1") + f"  Port {proxy.port}\n  HostKeyAlias {far.address}\n"
        config.write_text(block)
        host = open_host(Destination("logs", "logs", str(config)), Nobody(), Gates())
        await host.connect()
        yield Link(host, proxy)
        await host.close()


def lines(data: bytes) -> list[bytes]:
    return data.splitlines()


def messages(data: bytes) -> list[bytes]:
    found = [record(line).message for line in data.splitlines()]
    return [message for message in found if message.startswith(b"line ")]


@pytest.mark.timeout(300)  # each wait has a deadline of its own
async def test_over_many_cuts_of_the_link_no_line_is_lost_or_doubled_or_out_of_order(link: Link, far: LabHost) -> None:
    chance = random.Random(7)
    unit = "systemd-run --user --unit=cut-writer --collect --quiet python3 -c"
    await link.host.run(f'rm -rf /home/alice/cut; exec {unit} "$1"', WRITER)
    file, journal = Following(), Following()
    async with AsyncExitStack() as stack:
        for seen, source in ((file, LogFile(LOG)), (journal, Journal("cut-writer.service", "user"))):
            task = asyncio.create_task(link.read_on(LogReader(link.host, source, history=10_000), seen))
            stack.callback(task.cancel)
        for cut in range(CUTS):
            more = chance.randrange(200, 4000)
            for seen in (file, journal):
                size = len(seen.data) + more
                await seen.until(lambda seen=seen, size=size: len(seen.data) > size, 20)  # type: ignore[misc]
            if cut == CUTS // 2:
                await half_open(link, far)
            else:
                await link.proxy.reset()
        await asyncio.to_thread(far.exec, "touch /home/alice/cut/stop")
        await file.until(lambda: b"line end\n" in file.data, 20)
        await journal.until(lambda: b'"line end"' in journal.data, 20)
    at_once = await link.host.run("journalctl -q -o json --user-unit=cut-writer")
    kept = messages(at_once.stdout)
    await asyncio.to_thread(far.exec, "systemctl --user stop cut-writer", user="alice")
    wanted = [b"line %d" % number for number in range(1, len(lines(file.data)))] + [b"line end"]
    assert lines(file.data) == wanted
    # Not always from the first: journald itself may lose what a unit says before it knows it.
    assert messages(journal.data) == wanted[-len(kept) :] == kept
    assert link.lost >= CUTS
    assert set(file.markers) <= {ROTATED, f"{LOG} is not there yet: waiting for it"}
    assert not journal.markers


@pytest.mark.parametrize("history", [0, 1000])
async def test_who_looks_before_a_unit_has_said_a_word_sees_its_first_lines(link: Link, history: int) -> None:
    seen, unit = Following(), f"newborn{history}"
    task = asyncio.create_task(seen.read(LogReader(link.host, Journal(f"{unit}.service", "user"), history=history)))
    waits = (
        'until pgrep -u alice -f "^journalctl .*--user-unit=$1.* --follow" >/dev/null; do sleep 0.1; done; sleep 0.3'
    )
    await link.host.run(waits, unit)  # and it has found nothing
    says = "for n in $(seq 60); do echo line $n; sleep 0.01; done"
    await link.host.run(f'exec systemd-run --user --wait --collect --quiet --unit={unit} sh -c "$1"', says)
    await seen.until(lambda: b'"line 60"' in seen.data, 20)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    kept = messages((await link.host.run(f"journalctl -q -o json --user-unit={unit}")).stdout)
    assert messages(seen.data) == kept


async def half_open(link: Link, far: LabHost) -> None:
    """Unplug the cable, until both readers know; then plug it in again."""
    before = link.lost
    link.whole.clear()
    await asyncio.to_thread(far.cut)
    try:
        async with asyncio.timeout(30), link.changed:
            await link.changed.wait_for(lambda: link.lost >= before + 2)
    finally:
        await asyncio.to_thread(far.heal)
        link.whole.set()


async def test_the_boots_are_listed_and_an_old_one_is_read_to_its_end(link: Link, far: LabHost) -> None:
    run = "systemd-run --user --wait --collect --quiet --unit=old-times echo hello from then"
    await asyncio.to_thread(far.exec, run, user="alice")
    (now, *_), seen = (await boots(link.host))[::-1], Following()
    assert now.index == 0
    assert now.first
    await seen.read(LogReader(link.host, Journal("old-times.service", "user", boot=now.id)))
    assert b"hello from then" in seen.data


async def test_a_system_journal_that_may_not_be_read_is_said_in_words(link: Link) -> None:
    seen = Following()
    reading = asyncio.create_task(seen.read(LogReader(link.host, Journal("systemd-logind.service", "system"))))
    await seen.until(lambda: bool(seen.markers))
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    assert "systemd-journal" in seen.markers[0]


async def test_what_journald_dropped_is_said(link: Link, far: LabHost) -> None:
    """The system's journal, read by one who may: alice's own does not hold journald's words about her."""
    await asyncio.to_thread(far.exec, "usermod -aG systemd-journal alice")
    await link.host.close()
    await link.host.connect()
    # Thrice, for it does not always say so (seen: of a unit's first flood, now and then, not a word).
    flood = "for i in 1 2 3; do seq 30000; sleep 2; echo after $i; done"
    limit = "-p LogRateLimitIntervalSec=1s -p LogRateLimitBurst=100"
    await asyncio.to_thread(far.exec, f'exec systemd-run --quiet --collect --unit=flood {limit} sh -c "$1"', flood)
    seen = Following()
    task = asyncio.create_task(seen.read(LogReader(link.host, Journal("flood.service", "system"), history=100_000)))
    await seen.until(lambda: b'"after 3"' in seen.data, 20)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    found = [record(line) for line in seen.data.splitlines()]
    assert any(one.dropped and one.message.startswith(b"Suppressed ") for one in found), [
        one.message for one in found if not one.message.isdigit()
    ]
