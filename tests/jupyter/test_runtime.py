from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui.jupyter.runtime import base_path, is_stale, parse_runtime_file
from jupytui.secret import Secret

REAL = {
    "base_url": "/team/", "hostname": "0.0.0.0", "password": False, "pid": 7, "port": 8888, "root_dir": "/home/a",
    "secure": True, "sock": "", "token": "abc", "url": "https://box:8888/team/", "version": "2.21.1",
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def test_a_real_file_is_read() -> None:
    file = parse_runtime_file("/r/jpserver-7.json", 12, json.dumps(REAL).encode())
    assert file
    assert (file.pid, file.port, file.base_url, file.secure, file.sock) == (7, 8888, "/team/", True, None)
    assert file.token == Secret("abc")


def test_its_token_is_never_shown() -> None:
    file = parse_runtime_file("/r/jpserver-7.json", 12, json.dumps(REAL | {"token": "hunter2"}).encode())
    assert "hunter2" not in f"{file!r} {file}"


@given(st.dictionaries(st.sampled_from(sorted(REAL)), JSON))
def test_wrong_types_are_unknown_and_never_an_error(fields: dict[str, object]) -> None:
    file = parse_runtime_file("/r/jpserver-7.json", 12, json.dumps(REAL | fields).encode())
    assert file
    assert file.port is None or 0 < file.port < 65536
    assert file.base_url.startswith("/") and file.base_url.endswith("/") and file.base_url.isprintable()


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"[" * 16000, b'{"a":' * 3000, b"\xff\xfe", b" " * 20000 + b"{}"])
def test_what_is_not_a_runtime_file_is_none(text: bytes) -> None:
    assert parse_runtime_file("/r/jpserver-7.json", 12, text) is None


@given(st.binary(max_size=400))
def test_no_content_makes_it_raise(text: bytes) -> None:
    parse_runtime_file("/r/nbserver-7.json", 12, text)


def test_only_runtime_files_count_as_such() -> None:
    for name in ("kernel-7.json", "jpserver-7-open.html", "jpserver-x.json"):
        assert parse_runtime_file(f"/r/{name}", 12, json.dumps(REAL).encode()) is None


def test_a_base_path_cannot_break_out_of_the_request_line() -> None:
    assert base_path("/a b\r\nHost: x/?q#f") == "/abHost:x/qf/"
    assert base_path("") == base_path("///") == "/"


def test_staleness() -> None:
    file = parse_runtime_file("/r/jpserver-7.json", 1000, json.dumps(REAL).encode())
    assert file
    assert is_stale(file, None, False, frozenset())
    assert not is_stale(file, 999.0, True, frozenset())
    assert not is_stale(file, 1003.0, True, frozenset())  # clocks differ by a little
    assert is_stale(file, 1100.0, True, frozenset())
    assert is_stale(file, 1100.0, False, frozenset({8888}))
    assert not is_stale(file, 1100.0, True, frozenset({8888}))
