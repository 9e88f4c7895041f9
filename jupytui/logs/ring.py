"""The last lines of a log, bounded in bytes and lines, by number; nothing is decoded before it is looked at."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from operator import attrgetter

from jupytui.logs.block import LINES, SIZE, Block, Kind, Lines, warmed_up
from jupytui.logs.entry import Entry, entry
from jupytui.logs.events import Event, Marker
from jupytui.logs.level import START, Grade

LONGEST = 2**18  # bytes of one line that are kept
_AT_HAND = 8  # blocks whose lines stay split


class Ring:
    """What `LogReader.follow` yields goes into `feed`; a view takes entries out by number, `first` <= n < `end`.

    Numbers never change: the oldest lines go when `max_bytes` or `max_lines` is passed, and `first` rises with that.
    Of a line longer than 256 KiB the beginning is kept. `version` changes with every feed.
    """

    def __init__(self, kind: Kind = Kind.TEXT, *, max_bytes: int = 32 * 2**20, max_lines: int = 2_000_000) -> None:
        self._kind = kind
        self._max_bytes, self._max_lines = max_bytes, max_lines
        self._blocks: list[Block] = []
        self._bytes = 0
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._split: OrderedDict[int, tuple[Block, Lines]] = OrderedDict()
        self.end = 0
        self.version = 0

    @property
    def first(self) -> int:
        """The number of the oldest line kept; so many lines were dropped before it."""
        return self._blocks[0].first if self._blocks else self.end

    def __len__(self) -> int:
        return self.end - self.first

    @property
    def size(self) -> int:
        """Bytes kept."""
        return self._bytes + min(self._pending_size, LONGEST)

    def feed(self, events: Iterable[Event]) -> None:
        """Take a batch in."""
        for event in events:
            if isinstance(event, Marker):
                self.break_line()
                self._add(event.text.replace("\n", " ").encode() + b"\n", 1, Kind.MARKER)
            else:
                self._take(event)
        self._drop()
        self.version += 1

    def break_line(self) -> None:
        """Make an entry of the line that has no end yet: nothing more will come of it."""
        if self._pending_size:
            self._add(self._line(), 1, self._kind)

    def _take(self, data: bytes) -> None:
        end = data.rfind(b"\n") + 1
        if not end:
            self._hold(data)
            return
        start = 0
        if self._pending_size:
            start = data.find(b"\n") + 1
            self._hold(data[: start - 1])
            self._add(self._line(), 1, self._kind)
        if start < end:
            self._add_all(data[start:end] if start or end < len(data) else data)
        if end < len(data):
            self._hold(data[end:])

    def _hold(self, data: bytes) -> None:
        if self._pending_size < LONGEST:
            self._pending.append(data[: LONGEST - self._pending_size])
        self._pending_size += len(data)

    def _line(self) -> bytes:
        line = b"".join([*self._pending, b"\n"])
        self._pending, self._pending_size = [], 0
        return line

    def _add_all(self, data: bytes) -> None:
        """Add whole lines, in blocks of a size that can be worked out without a pause."""
        start = 0
        while start < len(data):
            end = data.rfind(b"\n", start, start + SIZE) + 1 or data.find(b"\n", start) + 1
            while (count := data.count(b"\n", start, end)) > LINES:
                half = (start + end) // 2
                end = data.rfind(b"\n", start, half) + 1 or data.find(b"\n", half) + 1
            self._add(data[start:end], count, self._kind)
            start = end

    def _add(self, data: bytes, count: int, kind: Kind) -> None:
        last = self._blocks[-1] if self._blocks else None
        if last and last.kind is kind and len(last.data) + len(data) <= SIZE and last.count + count <= LINES:
            self._blocks[-1] = Block(last.first, last.data + data, last.count + count, kind)
        else:
            self._blocks.append(Block(self.end, data, count, kind))
        self._bytes += len(data)
        self.end += count

    def _drop(self) -> None:
        gone = 0
        while gone < len(self._blocks) - 1 and self._too_much(gone):
            self._bytes -= len(self._blocks[gone].data)
            gone += 1
        if gone:
            del self._blocks[:gone]

    def _too_much(self, gone: int) -> bool:
        return self._bytes > self._max_bytes or self.end - self._blocks[gone].first > self._max_lines

    def block(self, number: int) -> int:
        """Return the index of the block that holds line `number`. Raises IndexError."""
        if not self.first <= number < self.end:
            raise IndexError(number)
        return bisect_right(self._blocks, number, key=attrgetter("first")) - 1

    def at(self, index: int) -> tuple[Block, Lines]:
        """Return a block with its lines, graded."""
        block = self._blocks[index]
        lines = self._lines(block)
        if not block.grades:
            block.grade(lines, self._before(index))
        return block, lines

    def peek(self, index: int) -> Block:
        """Return a block as it is."""
        return self._blocks[index]

    def _before(self, index: int) -> Grade:
        if not index:
            return START
        block = self._blocks[index - 1]
        return block.after if block.grades else warmed_up(self._lines(block))

    def _lines(self, block: Block) -> Lines:
        known = self._split.get(block.first)
        if known and known[0] is block:
            self._split.move_to_end(block.first)
            return known[1]
        lines = block.lines()
        self._split[block.first] = (block, lines)
        self._split.move_to_end(block.first)
        while len(self._split) > _AT_HAND:
            self._split.popitem(last=False)
        return lines

    def __getitem__(self, number: int) -> Entry:
        block, lines = self.at(self.block(number))
        index = number - block.first
        return entry(number, lines.raws[index], block.grades[index], lines.time(index), lines.is_marked(index))

    def entries(self, start: int, end: int) -> Iterator[Entry]:
        """Yield the entries of the numbers in [start, end) that are kept."""
        return (self[number] for number in range(max(start, self.first), min(end, self.end)))

    @property
    def partial(self) -> Entry | None:
        """The line that has no end yet, with the number it will have."""
        if not self._pending_size or self._kind is not Kind.TEXT:
            return None
        return entry(self.end, b"".join(self._pending), 0)
