"""Add hosts to hosts.toml and take them out, leaving every other byte as it was.

Text goes in or out by whole statements; the result is then parsed, and unless it differs from before in exactly the
hosts meant, nothing is written.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from jupytui.config.load import key_error, parse_config
from jupytui.config.model import LOCAL, Config, HostEntry
from jupytui.config.replace import replace_file
from jupytui.config.statements import Statement, split_statements
from jupytui.errors import UsageError


def add_hosts(config: Config, hosts: Iterable[HostEntry]) -> Config:
    """Write `hosts` behind those already listed and return the new configuration; adding `local` shows it again.

    Raises UsageError when one is listed already, ConfigError when the file is no longer as `config` read it, cannot be
    written, or is laid out so that no table can be added.
    """
    text = _text(config)
    for host in hosts:
        if host.name == LOCAL:
            text = _without(config, text, LOCAL)
        elif any(host.name == listed.name for listed in config.hosts):
            raise UsageError(f"{host.name} is listed already.")
        text = _with(config, text, host)
    return _save(config, text)


def remove_hosts(config: Config, names: Iterable[str]) -> Config:
    """Take the hosts out of the file and return the new configuration; `local` is there by itself and is hidden.

    Raises as `add_hosts` does; UsageError for a name that is not listed.
    """
    names = set(names)
    text = _text(config)
    for host in config.hosts:
        if host.name in names:
            text = _without(config, text, host.name)
    if LOCAL in names:
        local = next(host for host in config.hosts if host.is_local)
        text = _with(config, text, HostEntry(LOCAL, tags=local.tags, watch=False))
    return _save(config, text)


def _text(config: Config) -> str:
    return (config.source or b"").decode()


def _save(config: Config, text: str) -> Config:
    source = text.encode()
    edited = parse_config(config.path, source)
    replace_file(config.path, source, was=config.source)
    return edited


def _with(config: Config, text: str, host: HostEntry) -> str:
    statements = split_statements(text)
    at = _end_of_hosts(statements)
    before = "".join(statement.text for statement in statements[:at])
    after = "".join(statement.text for statement in statements[at:])
    wanted = tomllib.loads(text)
    wanted.setdefault("hosts", {})[host.name] = _values(host)
    return _checked(config, _joined(before, _table(host), after), wanted, host.name)


def _joined(before: str, table: str, after: str) -> str:
    """Put `table` between, a blank line before it; the text ends in a newline afterwards only if it did before."""
    newline = "\r\n" if "\r\n" in before else "\n"
    ended = before.endswith("\n") or not before
    text = before + ("" if ended else newline) + (newline if before else "") + table.replace("\n", newline) + after
    return text if ended else text.removesuffix(newline)


def _end_of_hosts(statements: list[Statement]) -> int:
    """Where another host goes: behind what the last one says (and the comments right under it), else at the end."""
    hosts = [number for number, statement in enumerate(statements) if statement.within(("hosts",))]
    if not hosts:
        return len(statements)
    headers = (n for n in range(hosts[-1] + 1, len(statements)) if statements[n].header)
    end = next(headers, len(statements))
    last = max(n for n in range(end) if statements[n].paths)
    while last + 1 < end and statements[last + 1].text.strip():
        last += 1
    return last + 1


def _values(host: HostEntry) -> dict[str, Any]:
    values: dict[str, Any] = {} if host.ssh in {None, host.name} else {"ssh": host.ssh}
    if host.tags:
        values["tags"] = list(host.tags)
    return values if host.watch else {**values, "watch": False}


def _table(host: HostEntry) -> str:
    """JSON's strings, lists and booleans are TOML's, where no control character is among them; `_checked` proves it."""
    name = host.name if re.fullmatch(r"[A-Za-z0-9_-]+", host.name) else _json(host.name)
    return f"[hosts.{name}]\n" + "".join(f"{key} = {_json(value)}\n" for key, value in _values(host).items())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _without(config: Config, text: str, name: str) -> str:
    wanted = tomllib.loads(text)
    if wanted.get("hosts", {}).pop(name, None) is None:
        return text
    statements = split_statements(text)
    named = [number for number, statement in enumerate(statements) if statement.within(("hosts", name))]
    gone = _with_comments_inside(statements, named)
    kept = "".join(statement.text for number, statement in enumerate(statements) if number not in gone)
    if not text.endswith("\n"):
        kept = kept.removesuffix("\n").removesuffix("\r")
    return _checked(config, kept, wanted, name)


def _with_comments_inside(statements: list[Statement], named: list[int]) -> set[int]:
    """Return `named`, the comments and blank lines between them, and the one blank line before a table."""
    gone = set(named)
    for first, second in pairwise(named):
        if not any(statement.paths for statement in statements[first + 1 : second]):
            gone.update(range(first, second))
    for number in named:
        if statements[number].header and number and not statements[number - 1].text.strip():
            gone.add(number - 1)
    return gone


def _checked(config: Config, text: str, wanted: dict[str, Any], name: str) -> str:
    none: dict[str, Any] = {"hosts": {}}
    try:
        right = none | tomllib.loads(text) == none | wanted
    except tomllib.TOMLDecodeError:
        right = False
    if not right:
        hint = "Give each host a table of its own, as [hosts.NAME]; or make this change by hand."
        raise key_error(config, ("hosts", name), "cannot be changed by itself as the file is written", hint)
    return text
