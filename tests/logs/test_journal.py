"""The journal follower's side of the conversation: every line once, in order."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui.errors import CommandError
from jupytui.logs.events import Event, Marker
from jupytui.logs.journal import JournalTail, record
from jupytui.logs.source import Journal

UNIT = Journal("lab.service", "user")


def line(number: int, time: int | None = None) -> bytes:
    return (
        json.dumps(
            {
                "__CURSOR": f"s=1;i={number}",
                "__REALTIME_TIMESTAMP": str(1795222021000000 + (number if time is None else time)),
                "MESSAGE": f"line {number}",
                "PRIORITY": "6",
            }
        ).encode()
        + b"\n"
    )


def numbers(events: list[Event]) -> list[int]:
    data = b"".join(event for event in events if isinstance(event, bytes))
    return [int(record(one).message.split()[1]) for one in data.splitlines()]


def wanted(tail: JournalTail) -> tuple[str, ...]:
    return tail.begin(True)[1]


@given(st.integers(0, 30), st.lists(st.integers(0, 3000), max_size=6), st.integers(1, 200))
def test_whatever_the_cuts_and_the_pieces_every_line_comes_once(count: int, cuts: list[int], size: int) -> None:
    tail, got, all_of_it = JournalTail(UNIT), list[int](), [line(number) for number in range(count)]
    for cut in [*cuts, 10**6]:
        cursors = [arg.partition("i=")[2] for arg in wanted(tail) if arg.startswith("--cursor=")]
        stream = b"".join(all_of_it[int(cursors[0]) if cursors else 0 :])[:cut]
        for start in range(0, len(stream), size):
            got += numbers(tail.feed(stream[start : start + size]))
    assert got == list(range(count))


def test_what_is_asked_for() -> None:
    assert wanted(JournalTail(UNIT, history=7)) == ("--user-unit=lab.service", "--lines=7", "--follow")
    old = Journal("lab.service", "system", boot="-1", since=datetime(2026, 1, 1, tzinfo=UTC))
    assert wanted(JournalTail(old)) == ("--unit=lab.service", "--since=@1767225600.000000", "--lines=1000", "--boot=-1")
    tail = JournalTail(UNIT)
    tail.begin(True)
    tail.feed(line(1))
    assert wanted(tail) == ("--user-unit=lab.service", "--cursor=s=1;i=1", "--lines=all", "--follow")


def test_lines_that_were_vacuumed_away_meanwhile_are_said_to_be_missing() -> None:
    tail = JournalTail(UNIT)
    tail.begin(True)
    tail.feed(line(1))
    tail.begin(True)
    events = tail.feed(line(5) + line(6))
    assert isinstance(events[0], Marker)
    assert numbers(events) == [5, 6]


def test_a_cursor_the_journal_does_not_know_is_replaced_by_the_time_without_doubles() -> None:
    tail = JournalTail(UNIT)
    tail.begin(True)
    tail.feed(line(1, 100) + line(2, 200) + line(3, 200))
    tail.begin(True)
    tail.ended("gpu1", 1, b"Failed to seek to cursor: Invalid argument\n")
    assert tail.again
    assert wanted(tail)[1:3] == ("--since=@1795222021.000200", "--lines=all")
    assert numbers(tail.feed(line(2, 200) + line(3, 200))) == []
    assert numbers(tail.feed(line(4, 200) + line(5, 300))) == [4, 5]
    assert wanted(tail)[1] == "--cursor=s=1;i=5"


def test_what_may_not_be_read_is_said_once() -> None:
    tail = JournalTail(Journal("lab.service", "system"))
    tail.begin(True)
    assert tail.silent(b"") == []
    hint = b"Hint: You are currently not seeing messages from other users and the system."
    assert len(tail.silent(hint)) == 1
    assert tail.silent(hint) == []


@pytest.mark.parametrize(("status", "words"), [(9, "has no journalctl"), (1, "No data available")])
def test_why_it_ended_is_said(status: int, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        JournalTail(UNIT).ended("gpu1", status, b"x\nFailed to add match: No data available\n")


def test_messages_of_every_sort_are_bytes() -> None:
    assert record(b'{"MESSAGE":"caf\\u00e9 \\ud800"}').message in {
        b"caf\xc3\xa9 ?",
        b'{"MESSAGE":"caf\\u00e9 \\ud800"}',
    }
    assert record(b'{"MESSAGE":[97,255]}').message == b"a\xff"
    assert record(b'{"MESSAGE":null}').message == b""
    assert record(b'{"MESSAGE":[[97],[98]]}').message == b"a b"
    assert record(b"-- No entries --").message == b"-- No entries --"
