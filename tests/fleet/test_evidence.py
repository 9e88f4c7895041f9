"""What the command that gathers evidence prints, taken apart."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from jupytui.fleet.evidence import Place, gather, parse_evidence
from jupytui.hosts.local import LocalHost

RECORDING = Path(__file__).with_name("recordings") / "memory-events-made-by-hand.txt"
NONCE = "0123456789abcdef01234567"
FILE = b"""2026-11-21 10:00:00
[I 2026-11-21 09:59:59.999 ServerApp] old
[I 2026-11-21 09:59:59.999 ServerApp] older by a line, token=abc
Fatal Python error: Aborted
[I 2026-11-21 10:00:02.123 ServerApp] AsyncIOLoopKernelRestarter: restarting kernel (1/5), keep random ports
[W 10:00:03.123 NotebookApp] GET /?token=secret \x1b]52;c;aGk=\x07
"""


def answer(**sections: bytes) -> bytes:
    return b"".join(b"\n%b %b\n%b" % (NONCE.encode(), name.encode(), body) for name, body in sections.items())


def test_a_file_is_read_from_the_last_line_that_is_too_old_on() -> None:
    log = parse_evidence(answer(file=FILE), NONCE).log
    assert log[0] == "Fatal Python error: Aborted"
    assert "restarting kernel (1/5)" in log[1]


def test_nothing_foreign_and_no_secret_comes_out() -> None:
    text = "\n".join(parse_evidence(answer(file=FILE, journal=FILE, kernel=FILE), NONCE).log)
    assert "secret" not in text and "abc" not in text
    assert "\x1b" not in text and "\x07" not in text


def test_memory_events_made_by_hand_are_counted() -> None:
    assert parse_evidence(answer(events=RECORDING.read_bytes()), NONCE).events["oom_kill"] == 1
    v1 = b"oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"
    assert parse_evidence(answer(events=v1), NONCE).events["oom_kill"] == 3


def test_a_units_properties_are_told() -> None:
    unit = parse_evidence(answer(unit=b"Result=oom-kill\nExecMainStatus=9\n"), NONCE).unit
    assert unit == {"Result": "oom-kill", "ExecMainStatus": "9"}


@given(st.binary())
def test_garbage_is_survived(data: bytes) -> None:
    parse_evidence(data, NONCE)
    parse_evidence(answer(file=data, journal=data, kernel=data, events=data, unit=data), NONCE)


async def test_a_log_file_of_any_size_is_read_only_at_its_end(home: Path) -> None:
    path = home / "a log's $(name).txt"
    path.write_bytes(
        b"x" * 10**6 + b"\n[I 2026-11-21 10:00:02.123 ServerApp] KernelRestarter: restarting kernel (1/5)\n"
    )
    host = LocalHost()
    try:
        evidence = await gather(host, Place(pid=1, since=0, file=str(path)))
    finally:
        await host.close()
    assert "restarting kernel (1/5)" in evidence.log[-1]
    assert sum(map(len, evidence.log)) < 70_000
