"""The survey's answer, parsed: bytes in, frozen values out. Nothing here raises on garbage or on a cut answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from jupytui.fleet import darwin
from jupytui.fleet.facts import Detail, Listener, Look, Machine, Now, Owner, Process, RuntimeText
from jupytui.text import clean_line

_DETAILS = frozenset({"cmd", "uid", "cgroup", "out", "cwd", "env", "elsewhere"})
_NUMBER = re.compile(r"[0-9]{1,18}")


def parse_look(data: bytes, nonce: str) -> Look:
    """Return what one `jt_look NONCE …` printed; `complete` is False when its end is missing."""
    fields: dict[str, Any] = {}
    details: dict[str, dict[str, str]] = {}
    files: list[RuntimeText] = []
    for name, key, body in _sections(data, nonce.encode()):
        if name in _DETAILS:
            details.setdefault(key, {})[name] = decode(body)
        elif name == "file":
            mtime, _, path = key.partition(" ")
            files.append(RuntimeText(path, number(mtime), body))
        elif parser := _PARSERS.get(name):
            fields |= parser(decode(body))
    told = {key: _detail(parts) for key, parts in details.items()} | fields.pop("details", {})
    return Look(details=told, files=tuple(files), **fields)


def decode(data: bytes) -> str:
    """Return `data` as text that gives the same bytes again."""
    return data.decode("utf-8", "surrogateescape")


def number(text: str) -> int:
    """Return the number that `text` is, 0 when it is none."""
    return int(text) if _NUMBER.fullmatch(text) else 0


def _sections(data: bytes, nonce: bytes) -> Iterator[tuple[str, str, bytes]]:
    for part in data.split(b"\n" + nonce + b" ")[1:]:
        head, _, body = part.partition(b"\n")
        name, _, key = decode(head).partition(" ")
        yield name, key, body


def _pairs(text: str) -> dict[str, str]:
    return {key: value for key, _, value in (line.partition(" ") for line in text.split("\n"))}


def _machine(text: str) -> dict[str, Any]:
    pairs = _pairs(text)
    name = clean_line(pairs.get("os", "").strip("\"'") or darwin.product(pairs.get("uname", "")), 80)
    machine = Machine(
        os=name or None,
        boot_id=clean_line(pairs.get("boot", ""), 64) or None,
        uid=number(pairs.get("uid", "")),
        tick=number(pairs.get("tick", "")) or 100,
        cpus=number(pairs.get("cpus", "")) or None,
        boot_time=number(pairs.get("btime", "")),
        has_nvidia="nvidia" in pairs,
        clock=number(pairs.get("clock", "")),
    )
    return {"machine": machine}


def _now(text: str) -> dict[str, Any]:
    pairs = _pairs(text)
    total, available = ([number(word) * 1024 for word in pairs.get("memory", "").split()] + [0, 0])[:2]
    cpu = [number(word) for word in pairs.get("cpu", "").split()][:8]
    # Of /proc/stat's user nice system idle iowait irq softirq steal, idle and iowait are time in which nothing ran.
    return {
        "now": Now(
            up=_decimal(pairs.get("up", "")),
            load1=_decimal(pairs.get("load", "")),
            memory_used=max(total - available, 0) if total else None,
            memory_total=total or None,
            cpu_busy=sum(cpu) - sum(cpu[3:5]) if len(cpu) > 4 else None,
            cpu_total=sum(cpu) if len(cpu) > 4 else None,
            oom_kills=number(pairs["oom"]) if "oom" in pairs else None,
        )
    }


def _decimal(text: str) -> float | None:
    whole, _, fraction = text.partition(".")
    return float(f"{whole}.{fraction or 0}") if _NUMBER.fullmatch(whole) and (fraction or "0").isdecimal() else None


def _processes(text: str) -> dict[str, Any]:
    lines = text.split("\n")
    return {"processes": tuple(filter(None, map(_process, lines))), "ended": dict(filter(None, map(_end_of, lines)))}


def _end_of(line: str) -> tuple[int, int] | None:
    words = line.split(" ")
    if len(words) != 3 or words[0] != "-" or not number(words[1]) or not _NUMBER.fullmatch(words[2]):
        return None
    return number(words[1]), number(words[2])


def _process(line: str) -> Process | None:
    words = line.split(" ")
    if len(words) != 7 or words[0] not in {"=", "+"} or words[1].count(":") != 2:
        return None
    pid, start, name = words[1].split(":")
    if not number(pid):
        return None
    ppid, cpu, rss = (number(word) for word in (words[2], words[4], words[5]))
    run = number(words[6]) if _NUMBER.fullmatch(words[6]) else None
    return Process(words[1], number(pid), ppid, number(start), name, words[3][:1], cpu, rss, run, words[0] == "=")


def _detail(parts: dict[str, str]) -> Detail:
    env = dict(_assignment(item) for item in parts.get("env", "").split("\0") if "=" in item)
    return Detail(
        argv=tuple(parts.get("cmd", "").rstrip("\n").split("\n")),
        uid=number(parts["uid"]) if parts.get("uid") else -1,
        cgroup=parts.get("cgroup", ""),
        stdout=parts.get("out", "").removesuffix("\n"),
        cwd=parts.get("cwd", "").removesuffix("\n"),
        env=env,
        elsewhere="elsewhere" in parts,
    )


def _assignment(item: str) -> tuple[str, str]:
    name, _, value = item.partition("=")
    return name, value


def _open_files(text: str) -> dict[str, Any]:
    return {"open_files": {number(pid): number(count) for pid, count in _pairs(text).items() if number(pid)}}


def _listeners(text: str) -> dict[str, Any]:
    return {"listeners": tuple(filter(None, map(_listener, text.split("\n"))))}


def _listener(line: str) -> Listener | None:
    words = line.split(" ")
    address, _, port = words[0].rpartition(":")
    if len(words) != 3 or len(address) not in {8, 32}:
        return None
    try:
        return Listener(_address(bytes.fromhex(address)), int(port, 16), number(words[1]), number(words[2]))
    except ValueError:
        return None


def _address(raw: bytes) -> str:
    # /proc/net/tcp prints each 32-bit word in the machine's byte order. All that Jupyter runs on is little-endian
    # but s390x and old POWER, where loopback would show as 1.0.0.127.
    swapped = b"".join(raw[i : i + 4][::-1] for i in range(0, len(raw), 4))
    if len(swapped) == 4:
        return str(IPv4Address(swapped))
    address = IPv6Address(swapped)
    return str(address.ipv4_mapped or address)


def _owners(text: str) -> dict[str, Any]:
    lines = (line.split(" ", 2) for line in text.split("\n"))
    return {"owners": tuple(Owner(number(w[0]), number(w[1]), w[2]) for w in lines if len(w) == 3 and number(w[0]))}


def _connections(text: str) -> dict[str, Any]:
    return {"connections": tuple(words[2] for line in text.split("\n") if len(words := line.split(" ", 2)) == 3)}


def _disk(text: str) -> dict[str, Any]:
    rows = [line.split() for line in text.split("\n")[1:]]
    sizes = [number(row[3]) for row in rows if len(row) >= 6]
    return {"disk_free": sizes[0] * 1024 if sizes else None}


def _end(text: str) -> dict[str, Any]:
    return {"complete": True}


_PARSERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "host": _machine,
    "now": _now,
    "procs": _processes,
    "fds": _open_files,
    "listen": _listeners,
    "own": _owners,
    "connections": _connections,
    "disk": _disk,
    "end": _end,
    "mac": darwin.parse_now,
    "ps": darwin.parse_ps,
    "lsof": darwin.parse_lsof,
}
