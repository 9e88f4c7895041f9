"""Add hosts and tunnels to hosts.toml and take them out, leaving every other byte as it was.

Text goes in or out by whole statements; the result is then parsed, and unless it differs from before in exactly the
entries meant, nothing is written.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from jupytui.config.load import key_error, parse_config
from jupytui.config.model import LOCAL, Config, HostEntry, TunnelEntry, TunnelKind
from jupytui.config.replace import replace_file
from jupytui.config.statements import Path, Statement, split_statements
from jupytui.errors import UsageError


def add_hosts(config: Config, hosts: Iterable[HostEntry]) -> Config:
    """Write `hosts` behind those already listed and return the new configuration; one that was hidden is shown.

    Raises UsageError when one is listed already, ConfigError when the file is no longer as `config` read it, cannot be
    written, or is laid out so that no table can be added.
    """
    text = _text(config)
    for host in hosts:
        listed = next((listed for listed in config.hosts if listed.name == host.name), None)
        if listed and not listed.watch and (listed.is_local or listed.ssh == host.ssh):
            text = _with_flag(config, text, ("hosts", host.name), "watch", True)
        elif listed:
            raise UsageError(f"{host.name} is listed already.")
        else:
            text = _with(config, text, ("hosts", host.name), _values(host))
    return _save(config, text)


def remove_hosts(config: Config, names: Iterable[str]) -> Config:
    """Take the hosts out of the file and return the new configuration; `local` is there by itself and is hidden.

    Raises as `add_hosts` does; UsageError for a name that is not listed.
    """
    names = set(names)
    text = _text(config)
    for host in config.hosts:
        if host.name in names:
            text = _hidden(config, text) if host.is_local else _without(config, text, ("hosts", host.name))
    return _save(config, text)


def _hidden(config: Config, text: str) -> str:
    """Return `text` with this machine hidden, which is there without being listed."""
    path = ("hosts", LOCAL)
    if LOCAL in tomllib.loads(text).get("hosts", {}):
        return _with_flag(config, text, path, "watch", False)
    return _with(config, text, path, {"watch": False})


def add_tunnel(config: Config, tunnel: TunnelEntry) -> Config:
    """Write `tunnel` behind those already listed and return the new configuration; raises as `add_hosts` does."""
    if any(tunnel.name == listed.name for listed in config.tunnels):
        raise UsageError(f"There is another tunnel {tunnel.name!r} already.")
    return _save(config, _with(config, _text(config), ("tunnels", tunnel.name), _tunnel_values(tunnel)))


def remove_tunnels(config: Config, names: Iterable[str]) -> Config:
    """Take the tunnels out of the file, those that are in it, and return the new configuration; raises ConfigError."""
    text = _text(config)
    for name in names:
        text = _without(config, text, ("tunnels", name))
    return _save(config, text)


def set_tunnel_up(config: Config, name: str, up: bool) -> Config:
    """Write whether a tunnel is to be up after a login and return the new configuration.

    Raises ConfigError as `add_hosts` does, and UsageError when it is not listed.
    """
    if all(name != listed.name for listed in config.tunnels):
        raise UsageError(f"There is no tunnel {name!r} in {config.path.name}.")
    return _save(config, _with_flag(config, _text(config), ("tunnels", name), "up", up))


def _with_flag(config: Config, text: str, path: Path, key: str, value: bool) -> str:
    """Return `text` with `key` set in the table at `path`: where it is said, else behind all the table says."""
    wanted = tomllib.loads(text)
    wanted[path[0]][path[1]][key] = value
    statements = split_statements(text)
    texts = [statement.text for statement in statements]
    places = [n for n, statement in enumerate(statements) if statement.within(path)]
    if said := [n for n in places if statements[n].within((*path, key))]:
        texts[said[0]] = re.sub(r"=\s*(true|false)", f"= {_json(value)}", texts[said[0]], count=1)
    elif places:
        line = texts[places[-1]]
        newline = "\r\n" if "\r\n" in text else "\n"
        texts[places[-1]] = (
            line.removesuffix("\n").removesuffix("\r")
            + f"{newline}{key} = {_json(value)}"
            + (newline if line.endswith("\n") else "")
        )
    return _checked(config, "".join(texts), wanted, path)


def _text(config: Config) -> str:
    return (config.source or b"").decode()


def _save(config: Config, text: str) -> Config:
    source = text.encode()
    edited = parse_config(config.path, source)
    replace_file(config.path, source, was=config.source)
    return edited


def _with(config: Config, text: str, path: Path, values: dict[str, Any]) -> str:
    statements = split_statements(text)
    at = _end_of(path[0], statements)
    before = "".join(statement.text for statement in statements[:at])
    after = "".join(statement.text for statement in statements[at:])
    wanted = tomllib.loads(text)
    wanted.setdefault(path[0], {})[path[1]] = values
    return _checked(config, _joined(before, _table(path, values), after), wanted, path)


def _joined(before: str, table: str, after: str) -> str:
    """Put `table` between, a blank line before it; the text ends in a newline afterwards only if it did before."""
    newline = "\r\n" if "\r\n" in before else "\n"
    ended = before.endswith("\n") or not before
    text = before + ("" if ended else newline) + (newline if before else "") + table.replace("\n", newline) + after
    return text if ended else text.removesuffix(newline)


def _end_of(table: str, statements: list[Statement]) -> int:
    """Where another entry goes: behind what the last one says (and the comments right under it), else at the end."""
    entries = [number for number, statement in enumerate(statements) if statement.within((table,))]
    if not entries:
        return len(statements)
    headers = (n for n in range(entries[-1] + 1, len(statements)) if statements[n].header)
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


def _tunnel_values(tunnel: TunnelEntry) -> dict[str, Any]:
    kind = None if tunnel.kind is TunnelKind.LOCAL else str(tunnel.kind)
    values = {"host": tunnel.host, "kind": kind, "to": tunnel.to, "local": tunnel.local, "up": tunnel.up or None}
    return {key: value for key, value in values.items() if value is not None}


def _table(path: Path, values: dict[str, Any]) -> str:
    """JSON's strings, lists and booleans are TOML's, where no control character is among them; `_checked` proves it."""
    name = path[1] if re.fullmatch(r"[A-Za-z0-9_-]+", path[1]) else _json(path[1])
    return f"[{path[0]}.{name}]\n" + "".join(f"{key} = {_json(value)}\n" for key, value in values.items())


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _without(config: Config, text: str, path: Path) -> str:
    wanted = tomllib.loads(text)
    if wanted.get(path[0], {}).pop(path[1], None) is None:
        return text
    statements = split_statements(text)
    named = [number for number, statement in enumerate(statements) if statement.within(path)]
    gone = _with_comments_inside(statements, named)
    kept = "".join(statement.text for number, statement in enumerate(statements) if number not in gone)
    if not text.endswith("\n"):
        kept = kept.removesuffix("\n").removesuffix("\r")
    return _checked(config, kept, wanted, path)


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


def _checked(config: Config, text: str, wanted: dict[str, Any], path: Path) -> str:
    none: dict[str, Any] = {"hosts": {}, "tunnels": {}}
    try:
        right = none | tomllib.loads(text) == none | wanted
    except tomllib.TOMLDecodeError:
        right = False
    if not right:
        what = path[0].removesuffix("s")
        hint = f"Give each {what} a table of its own, as [{path[0]}.NAME]; or make this change by hand."
        raise key_error(config, path, "cannot be changed by itself as the file is written", hint)
    return text
