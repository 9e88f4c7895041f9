from __future__ import annotations

import pytest

from jupytui.systemd.settings import setting, settings, with_settings

UNIT = """[Unit]
Description=Lab

[Service]
# MemoryMax=1G was too little
ExecStart=/bin/lab \\
  --port=8888
MemoryMax=4G

[Install]
WantedBy=default.target
"""


def test_a_setting_replaces_its_earlier_lines_and_no_other_byte() -> None:
    assert with_settings(UNIT, [("MemoryMax", "8G")]) == UNIT.replace("MemoryMax=4G", "MemoryMax=8G")


def test_a_new_setting_ends_its_section() -> None:
    assert "--port=8888\nMemoryMax=4G\nCPUQuota=200%\n\n[Install]" in with_settings(UNIT, [("CPUQuota", "200%")])


def test_a_section_that_is_not_there_is_made() -> None:
    assert with_settings("[Unit]\nDescription=x", [("A", "b")]) == "[Unit]\nDescription=x\n\n[Service]\nA=b\n"


def test_nothing_to_set_changes_nothing() -> None:
    assert with_settings(UNIT, []) == UNIT


def test_the_last_value_counts_and_comments_and_continued_lines_are_no_settings() -> None:
    assert setting("[Service]\nA=1\nA=2\n[Other]\nA=3\n", "A") == "2"
    assert setting(UNIT, "--port") == ""
    assert setting(UNIT, "MemoryMax") == "4G"
    assert [key for key, _value in settings(UNIT)] == ["ExecStart", "MemoryMax"]


@pytest.mark.parametrize("garbage", ["", "\n", "=\n", "[", "A=1", "\\", "[Service]\\\nA=1", "\x00=\x00\r\n"])
def test_garbage_survives_whole(garbage: str) -> None:
    assert with_settings(garbage, []) == garbage
    assert setting(with_settings(garbage, [("Nice", "5")]), "Nice") == "5"
