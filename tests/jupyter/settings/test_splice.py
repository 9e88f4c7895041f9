"""Edits of one file: what is asked for changes, and not another byte of what it means."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui.jupyter.settings.models import CannotEdit, plain
from jupytui.jupyter.settings.splice import read, remove_key, set_key

sections = st.sampled_from(["ServerApp", "LabApp", "IdentityProvider"])
traits = st.sampled_from(["port", "ip", "token", "allow_origin", "local_hostnames"])
words = st.text(max_size=8)
values = st.one_of(
    st.integers(), st.booleans(), st.none(), words, st.lists(words, max_size=3), st.dictionaries(words, words)
)
trees = st.dictionaries(sections | words, st.dictionaries(traits | words, values, max_size=4) | words, max_size=4)
comments = st.text("abc =#'\"äöü\t", max_size=12).map(lambda text: f"# {text}")
SPACE = st.sampled_from(["", " ", "\n", "\n  ", "\t", "\r\n    "])


@st.composite
def json_texts(draw: st.DrawFn) -> str:
    """A tree, written in any style that JSON allows."""

    def write(value: Any) -> str:
        if not isinstance(value, dict):
            return json.dumps(value, ensure_ascii=draw(st.booleans()))
        pairs = [
            f"{draw(SPACE)}{json.dumps(key)}{draw(SPACE)}:{draw(SPACE)}{write(each)}{draw(SPACE)}"
            for key, each in value.items()
        ]
        return "{" + ",".join(pairs) + draw(SPACE) + "}"

    tree = draw(trees)
    tree.pop("version", None)
    return draw(SPACE) + write(tree) + draw(SPACE)


@st.composite
def python_texts(draw: st.DrawFn) -> str:
    lines = [draw(st.sampled_from(["c = get_config()  #noqa", "", "import os"]))]
    for _ in range(draw(st.integers(0, 6))):
        key, value = f"c.{draw(sections)}.{draw(traits)}", repr(draw(values))
        lines += draw(
            st.sampled_from(
                [
                    [f"{key} = {value}  {draw(comments)}"],
                    [draw(comments), f"{key}   =   {value}"],
                    [f"{key} = {value}; x = 1"],
                    [f"{key} = (\n  {value}\n)"],
                    [f"{key} = os.environ.get('X', {value})"],
                    [f"if {value}:", f"    {key} = {value}"],
                    [f"x = '''{key} = 1\n'''"],
                ]
            )
        )
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines) + draw(st.sampled_from(["", "\n"]))


def meaning(path: str, data: bytes, section: str, trait: str) -> list[tuple[str, object, bool]]:
    return [
        (entry.key, plain(entry.value), entry.certain)
        for entry in read(path, data).entries
        if entry.key != f"{section}.{trait}"
    ]


def without_values(data: bytes) -> list[bytes]:
    return [line for line in data.replace(b"\r\n", b"\n").split(b"\n") if line.startswith(b"#")]


@given(json_texts(), sections, traits, values)
def test_a_json_file_says_what_is_set_and_everything_else_as_before(
    text: str, section: str, trait: str, value: Any
) -> None:
    before = json.loads(text)
    try:
        after = set_key("x.json", text.encode(), section, trait, value)
    except CannotEdit:
        assert not isinstance(before.get(section, {}), dict)
        return
    tree = json.loads(after)
    assert tree[section][trait] == value
    old = before.get(section, {})
    assert list(tree)[: len(before)] == list(before)
    assert list(tree[section])[: len(old)] == list(old)
    del tree[section][trait]
    old.pop(trait, None)
    assert tree == before | {section: old}


@given(json_texts(), sections, traits)
def test_a_key_removed_from_json_is_gone_and_nothing_else_is(text: str, section: str, trait: str) -> None:
    tree = json.loads(text)
    after = json.loads(remove_key("x.json", text.encode(), section, trait))
    if isinstance(tree.get(section), dict):
        tree[section].pop(trait, None)
    assert after == tree


@given(json_texts(), sections, traits, values)
def test_bytes_of_json_around_the_change_stay(text: str, section: str, trait: str, value: Any) -> None:
    data = text.encode()
    try:
        after = set_key("x.json", data, section, trait, value)
    except CannotEdit:
        return
    same = next(
        (at for at, (old, new) in enumerate(zip(data, after, strict=False)) if old != new), min(len(data), len(after))
    )
    assert len(after) >= same
    end = 0
    while end < min(len(data), len(after)) - same and data[-1 - end] == after[-1 - end]:
        end += 1
    changed = data[same : len(data) - end].decode("utf-8", "replace")
    old = json.loads(text).get(section, {}).get(trait) if isinstance(json.loads(text).get(section, {}), dict) else None
    assert len(changed) <= len(json.dumps(old, ensure_ascii=True)) + 2


@given(python_texts(), sections, traits, values)
def test_a_python_file_says_what_is_set_and_everything_else_as_before(
    text: str, section: str, trait: str, value: Any
) -> None:
    data = text.encode()
    try:
        after = set_key("x.py", data, section, trait, value)
    except CannotEdit as refused:
        assert "certain" in refused.message
        return
    mine = [entry for entry in read("x.py", after).entries if entry.key == f"{section}.{trait}"]
    assert plain(mine[-1].value) == value
    assert meaning("x.py", after, section, trait) == meaning("x.py", data, section, trait)
    assert without_values(after) == without_values(data)


@given(python_texts(), sections, traits)
def test_a_key_removed_from_python_is_gone_and_nothing_else_is(text: str, section: str, trait: str) -> None:
    data = text.encode()
    try:
        after = remove_key("x.py", data, section, trait)
    except CannotEdit as refused:
        assert "certain" in refused.message
        return
    assert not [entry for entry in read("x.py", after).entries if entry.key == f"{section}.{trait}"]
    assert meaning("x.py", after, section, trait) == meaning("x.py", data, section, trait)
    assert without_values(after) == without_values(data)


@given(python_texts(), sections, traits, values)
def test_what_a_python_file_sets_is_what_python_sets(text: str, section: str, trait: str, value: Any) -> None:
    try:
        after = set_key("x.py", text.encode(), section, trait, value)
    except CannotEdit:
        return
    space: dict[str, Any] = {"c": Any, "get_config": Recorder, "os": os}
    space["c"] = Recorder()
    exec(compile(after, "x.py", "exec"), space)
    assert space["c"].said[section, trait] == value


class Recorder:
    """Stands for traitlets' Config: the last value of each key."""

    said: dict[tuple[str, str], Any] = {}  # noqa: RUF012 - get_config() gives the same one

    def __getattr__(self, section: str) -> Any:
        said = self.said

        class Section:
            def __setattr__(self, trait: str, value: object) -> None:
                said[section, trait] = value

        return Section()


STYLES = {
    '{"ServerApp": {"ip": "::1"}}': '{"ServerApp": {"ip": "::1", "port": 1}}',
    '{"ServerApp":{"a":1,"b":2}}': '{"ServerApp":{"a":1,"b":2, "port":1}}',
    '{\n "ServerApp": {\n  "ip": ""\n }\n}\n': '{\n "ServerApp": {\n  "ip": "",\n  "port": 1\n }\n}\n',
    '{\n  "LabApp": {}\n}\n': '{\n  "LabApp": {},\n  "ServerApp": {\n    "port": 1\n  }\n}\n',
    "{}": '{\n  "ServerApp": {\n    "port": 1\n  }\n}',
    '{\n  "ServerApp": {}\n}\n': '{\n  "ServerApp": {\n    "port": 1\n  }\n}\n',
}


@pytest.mark.parametrize("text", STYLES)
def test_a_new_pair_is_written_as_its_neighbours_are(text: str) -> None:
    assert set_key("x.json", text.encode(), "ServerApp", "port", 1).decode() == STYLES[text]


REFUSED = {
    "c.ServerApp.port = int(x)": "x.py:1",
    "if True:\n    c.ServerApp.port = 1": "x.py:2",
    "c.ServerApp.port = c.ServerApp.port_retries = 1": "x.py:1",
    "c = {}": "line 1",
    "for c in []: pass": "line 1",
    "c.ServerApp.port = = 1": "does not parse: line 1",
    "# -*- coding: latin-1 -*-": "UTF-8",
    "def f():\n    c.ServerApp.port = 1\nf()": "x.py:2",
    "c.ServerApp.port += 1": "x.py:1",
}


@pytest.mark.parametrize("text", REFUSED)
def test_python_that_leaves_doubt_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(CannotEdit, match=REFUSED[text]):
        set_key("x.py", text.encode(), "ServerApp", "port", 5)


def test_what_is_loaded_from_elsewhere_is_overruled_at_the_end() -> None:
    data = b"load_subconfig('other.py')\nc.ServerApp.update({'port': 1})"
    assert set_key("x.py", data, "ServerApp", "port", 5) == data + b"\nc.ServerApp.port = 5\n"
