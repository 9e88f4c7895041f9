"""The file follower's side of the conversation: every byte once, wherever the stream is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui.errors import CommandError
from jupytui.logs.events import Event, Marker
from jupytui.logs.file import FileTail

content = st.binary(max_size=600) | st.text("\0\nab", max_size=300).map(str.encode)


def say(tail: FileTail, words: str) -> bytes:
    """Speak as the script does, with the mark that it was given."""
    return b"\0" + _args(tail)[1].encode() + b" " + words.encode() + b"\n"


_begun: dict[int, tuple[str, ...]] = {}


def _args(tail: FileTail) -> tuple[str, ...]:
    return _begun[id(tail)]


def begin(tail: FileTail) -> tuple[str, ...]:
    _begun[id(tail)] = tail.begin(True)[1]
    return _begun[id(tail)]


def answer(tail: FileTail, file: str, whole: bytes) -> bytes:
    """What the script would print of a file that holds `whole`, for what the tail has asked."""
    *_, start, _id, offset, _lines, _most, _limit, _once = begin(tail)
    at = max(0, int(offset) - 64) if start == "resume" else 0
    return say(tail, f"at {file} {at} {len(whole)}") + whole[at:]


def data(events: list[Event]) -> bytes:
    return b"".join(event for event in events if isinstance(event, bytes))


@given(content, st.lists(st.integers(0, 800), max_size=8), st.lists(st.integers(1, 50), max_size=40))
def test_whatever_the_cuts_and_the_pieces_every_byte_comes_once(
    whole: bytes, cuts: list[int], sizes: list[int]
) -> None:
    tail, got = FileTail("/log"), b""
    for cut in [*cuts, 10_000]:
        stream = answer(tail, "1:2", whole)[:cut]
        for size in [*sizes, 10_000]:
            got += data(tail.feed(stream[:size]))
            stream = stream[size:]
        assert not tail.again
    assert got == whole


@given(content, content, st.integers(0, 700))
def test_a_text_that_was_replaced_meanwhile_is_read_from_its_start(old: bytes, new: bytes, cut: int) -> None:
    tail = FileTail("/log")
    tail.feed(answer(tail, "1:2", old)[: cut + 30])
    seen = int(begin(tail)[4])
    if len(new) < seen:
        return  # the script itself sees that
    events = tail.feed(answer(tail, "1:2", new))
    if tail.again:
        assert isinstance(events[-1], Marker)
        assert new[max(0, seen - 64) : seen] != old[max(0, seen - 64) : seen]
        assert data(tail.feed(answer(tail, "1:2", new))) == new
    else:
        assert new[max(0, seen - 64) : seen] == old[max(0, seen - 64) : seen]
        assert data(events) == new[seen:]


def test_history_begins_with_a_whole_line() -> None:
    tail = FileTail("/log")
    begin(tail)
    assert data(tail.feed(say(tail, "at 1:2 100 120") + b"end of a line\nwhole\n")) == b"whole\n"


def test_skipped_lines_are_counted_and_the_cut_one_is_left_out() -> None:
    tail = FileTail("/log")
    begin(tail)
    tail.feed(say(tail, "at 1:2 0 6") + b"one\ntw")
    events = tail.feed(say(tail, "skip 41") + say(tail, "at 1:2 900 914") + b"rest\nnext line\n")
    assert events == [Marker("skipped 42 lines: they came faster than they could be read"), b"next line\n"]


def test_rotation_truncation_and_waiting_are_said() -> None:
    tail = FileTail("/log")
    begin(tail)
    events = tail.feed(say(tail, "none") + say(tail, "at 1:2 0 4") + b"old\n")
    events += tail.feed(say(tail, "new rotated") + say(tail, "at 1:3 0 4") + b"new\n")
    events += tail.feed(say(tail, "new truncated") + say(tail, "at 1:3 0 5") + b"anew\n")
    assert events == [
        Marker("/log is not there yet: waiting for it"),
        b"old\n",
        Marker("the log was rotated: here the new file begins"),
        b"new\n",
        Marker("the log was emptied: here it begins anew"),
        b"anew\n",
    ]
    assert begin(tail)[2:5] == ("resume", "1:3", "5")


def test_a_file_that_shrank_while_it_was_read_out_leaves_no_gap() -> None:
    tail = FileTail("/log")
    begin(tail)
    tail.feed(say(tail, "at 1:2 0 100") + b"only ten..")
    tail.feed(say(tail, "at 1:2 100 120") + b"further down")
    assert tail.again
    assert begin(tail)[2:5] == ("resume", "1:2", "10")


def test_no_line_of_the_log_is_taken_for_the_scripts_words() -> None:
    tail = FileTail("/log")
    begin(tail)
    forged = b"\0" + b"0" * 16 + b" skip 5\n\0 new rotated\n"
    assert tail.feed(say(tail, "at 1:2 0 99") + forged) == [forged]


@pytest.mark.parametrize(("status", "words"), [(3, "may not be read"), (4, "directory"), (143, "status 143")])
def test_why_it_ended_is_said(status: int, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        FileTail("/log").ended("gpu1", status, b"")
