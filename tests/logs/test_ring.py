"""The ring: the same lines whatever the pieces, bounded whatever comes."""

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui.logs.block import Kind
from jupytui.logs.events import Marker
from jupytui.logs.level import Level
from jupytui.logs.ring import LONGEST, Ring

lines = st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=60)


def texts(ring: Ring) -> list[str]:
    return [entry.text for entry in ring.entries(ring.first, ring.end)]


@given(lines, st.lists(st.integers(0, 2000)))
def test_however_the_bytes_are_cut_the_lines_are_the_same(content: list[bytes], cuts: list[int]) -> None:
    data = b"".join(line + b"\n" for line in content)
    whole, pieces = Ring(), Ring()
    whole.feed([data])
    at = 0
    for cut in sorted(cuts):
        pieces.feed([data[at:cut]])
        at = max(at, cut)
    pieces.feed([data[at:]])
    assert texts(pieces) == texts(whole)
    assert whole.end == len(content)
    assert [entry.number for entry in whole.entries(0, whole.end)] == list(range(whole.end))


@given(st.lists(st.integers(0, 300), max_size=200), st.integers(1, 5000))
def test_it_is_bounded_and_numbers_never_change(sizes: list[int], most: int) -> None:
    ring = Ring(max_bytes=most, max_lines=50)
    for number, size in enumerate(sizes):
        ring.feed([b"%d " % number + b"x" * size + b"\n"])
    assert ring.end == len(sizes)
    for entry in ring.entries(ring.first, ring.end):
        assert entry.text.startswith(f"{entry.number} ")
    with pytest.raises(IndexError):
        ring[ring.end]


def test_the_oldest_go_first_and_are_counted() -> None:
    ring = Ring(max_bytes=2**20)
    for number in range(100_000):
        ring.feed([b"line %d, and some words to make it longer\n" % number])
    assert ring.size <= 2**20
    assert ring.end == 100_000
    assert ring[ring.first].text.startswith(f"line {ring.first},")
    assert ring[ring.end - 1].text.startswith("line 99999,")


def test_empty_lines_by_the_million_are_bounded_too() -> None:
    ring = Ring(max_lines=100_000)
    for _ in range(20):
        ring.feed([b"\n" * 100_000])
    assert len(ring) <= 105_000
    assert ring[ring.end - 1].text == ""


def test_newlines_before_a_long_line_do_not_hang_it() -> None:
    ring = Ring()
    ring.feed([b"\n" * 5000 + b"x" * 60_000 + b"\n" * 5000, b"x" * 70_000 + b"\n" * 9000])
    assert ring.end == 19_000
    assert ring[5000].text.startswith("xxx")


@pytest.mark.parametrize("byte", [b"x", b"\0", b"\xff", b"\x1b", b"\r"])
def test_a_line_of_100_mb_takes_neither_memory_nor_time(byte: bytes) -> None:
    ring, piece = Ring(), byte * 2**18
    ring.feed([b"before\n"])
    tracemalloc.start()
    start = time.perf_counter()
    for _ in range(400):
        ring.feed([piece])
    ring.feed([b"\nafter\n"])
    shown = texts(ring)
    taken, most = time.perf_counter() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (shown[0], shown[2], len(shown)) == ("before", "after", 3)
    assert most < 4 * LONGEST
    assert taken < 1


def test_a_line_without_an_end_is_partial_until_it_has_one() -> None:
    ring = Ring()
    ring.feed([b"one\ntw"])
    partial = ring.partial
    assert partial
    assert (ring.end, partial.number, partial.text) == (1, 1, "tw")
    ring.feed([b"o\n"])
    assert (texts(ring), ring.partial) == (["one", "two"], None)


def test_a_marker_ends_the_line_it_falls_into() -> None:
    ring = Ring()
    ring.feed([b"one\ntw", Marker("the log was rotated"), b"three\n"])
    assert [(entry.text, entry.marker) for entry in ring.entries(0, 9)] == [
        ("one", False),
        ("tw", False),
        ("the log was rotated", True),
        ("three", False),
    ]


def test_lines_of_a_traceback_keep_the_level_of_its_head_across_blocks() -> None:
    ring = Ring()
    ring.feed([b"filler\n" * 1020])
    ring.feed([b"[E 2026-11-20 10:11:12.345 ServerApp] no\n" + b"    at some place\n" * 50])
    last = ring[ring.end - 1]
    assert len({ring.block(number) for number in range(ring.first, ring.end)}) > 1
    assert (last.level, last.continued) == (Level.ERROR, True)


def test_the_journals_lines_are_decoded_when_looked_at() -> None:
    ring = Ring(Kind.JOURNAL)
    ring.feed(
        [
            b'{"__REALTIME_TIMESTAMP":"1795222021035235","MESSAGE":"[W 2026-11-20 10:11:12.345 X] a","PRIORITY":"6"}\n'
            b'{"__REALTIME_TIMESTAMP":"1795222021035236","MESSAGE":[98,97,100,255,27],"PRIORITY":"3"}\n'
            b'{"__REALTIME_TIMESTAMP":"1795222021035237","MESSAGE":null}\n'
            b'{"MESSAGE":["a","b"],"PRIORITY":["6","3"]}\n'
            b'{"MESSAGE":"Suppressed 9 messages from x","MESSAGE_ID":"a596d6fe7bfa4994828e72309e95d61e"}\n'
            b"not json\n"
        ]
    )
    found = list(ring.entries(0, 9))
    assert [entry.text for entry in found[1:]] == ["bad��", "", "a b", "Suppressed 9 messages from x", "not json"]
    assert [entry.level for entry in found[:3]] == [Level.WARNING, Level.ERROR, Level.UNKNOWN]
    assert [entry.marker for entry in found] == [False, False, False, False, True, False]
    assert found[0].time
    assert found[0].time.isoformat() == "2026-11-21T00:47:01.035235+00:00"
