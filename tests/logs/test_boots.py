"""Boots as the journal lists them."""

from datetime import UTC, datetime

from jupytui.logs.boots import Boot, parse_boots

A, B = "2c7db56f890b471a830d482d4adbf382", "9d9b40705c5d47b6a2e69bbdb366c30a"


def test_systemd_251_and_later_list_them_as_json() -> None:
    output = f'[{{"index":0,"boot_id":"{A}","first_entry":1795222019848287,"last_entry":1795222021035444}}]\n'
    first, last = datetime(2026, 11, 21, 0, 46, 59, 848287, UTC), datetime(2026, 11, 21, 0, 47, 1, 35444, UTC)
    assert parse_boots(output.encode()) == (Boot(0, A, first, last),)


def test_older_ones_print_a_table() -> None:
    table = f"-1 {B} Thu 2026-11-19 10:00:00 UTC—Thu 2026-11-19 11:00:00 UTC\n 0 {A} Fri 2026-11-20 10:00:00 UTC—…\n"
    assert parse_boots(table.encode()) == (Boot(-1, B), Boot(0, A))
    assert parse_boots(b"") == ()
