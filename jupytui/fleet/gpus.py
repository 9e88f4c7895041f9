"""GPUs, asked apart from everything else: nvidia-smi takes a second on some machines, and for ever on broken ones."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from jupytui.errors import JupytuiError
from jupytui.fleet.models import Gpu
from jupytui.hosts.base import Host
from jupytui.text import clean_line

_PAUSE = 6  # seconds between two questions
_SCRIPT = f"""while :; do
  printf 'gpus\\n'
  nvidia-smi --query-gpu=index,memory.used,memory.total,utilization.gpu,name --format=csv,noheader,nounits
  printf 'apps\\n'
  nvidia-smi --query-compute-apps=pid,used_memory --format=csv,noheader,nounits
  printf 'end\\n' || exit
  sleep {_PAUSE}
done 2>/dev/null"""
_MAX_ANSWER = 2**20
_MIB = 2**20


class Gpus(msgspec.Struct, frozen=True):
    """What nvidia-smi said last: the cards, and the bytes each process holds on all of them."""

    cards: tuple[Gpu, ...] = ()
    used: Mapping[int, int] = {}


class GpuWatch:
    """Keeps `latest` up to date in a process of its own on the host, for as long as the connection lasts."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._task: asyncio.Task[None] | None = None
        self._first: asyncio.Future[None] | None = None
        self.latest = Gpus()

    def start(self) -> None:
        """Begin, once."""
        if self._task is None:
            self._first = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._watch(), name=f"gpus of {self._host.name}")

    @property
    def waiting(self) -> list[asyncio.Future[None]]:
        """The first answer, while it is on its way; also done when it is certain that none comes."""
        return [self._first] if self._first and not self._first.done() else []

    async def stop(self) -> None:
        """End, and know nothing."""
        task, self._task, self._first = self._task, None, None
        self.latest = Gpus()
        if task:
            task.cancel()
            await asyncio.wait([task])

    async def _watch(self) -> None:
        try:
            await self._read_on()
        finally:
            self._has_answered()

    def _has_answered(self) -> None:
        for first in self.waiting:
            first.set_result(None)

    async def _read_on(self) -> None:
        # Whatever stops it, the next look says in which state the host is; this is only about GPUs.
        with suppress(JupytuiError, OSError):
            async with self._host.stream(_SCRIPT) as process:
                seen = b""
                while (data := await process.read()) and len(seen) < _MAX_ANSWER:
                    *answers, seen = (seen + data).split(b"\nend\n")
                    if answers:
                        self.latest = parse_gpus(answers[-1].decode("utf-8", "replace"))
                        self._has_answered()


def parse_gpus(text: str) -> Gpus:
    """Parse one answer of the script; "[N/A]" and the like are unknown. Never raises."""
    cards, _, apps = text.partition("apps")
    used: dict[int, int] = {}
    for words in map(_words, apps.split("\n")):
        if len(words) == 2 and (pid := _whole(words[0])):
            used[pid] = used.get(pid, 0) + (_whole(words[1]) or 0) * _MIB
    return Gpus(tuple(_card(words) for words in map(_words, cards.split("\n")) if len(words) == 5), used)


def _card(words: list[str]) -> Gpu:
    used, total = _whole(words[1]), _whole(words[2])
    return Gpu(
        index=_whole(words[0]) or 0,
        name=clean_line(words[4], 80),
        memory_used=None if used is None else used * _MIB,
        memory_total=None if total is None else total * _MIB,
        utilization=_whole(words[3]),
    )


def _words(line: str) -> list[str]:
    return [word.strip() for word in line.split(",", 4)]


def _whole(word: str) -> int | None:
    return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else None
