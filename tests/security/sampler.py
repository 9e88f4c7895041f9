"""Looks at every process of this machine, and so of the lab's hosts, many times a second until stdin ends.

`python sampler.py TREE…` says "looks" when it does, and again after a look for each byte of stdin. At the end it prints
one JSON line [place, mode, base64] for each command line and environment that it has seen, and for each file below the
trees in each state that it has seen, also of those that are gone by then. The kernel tells it of each program that
starts (the proc connector, linux/cn_proc.h), so that most of those that end at once are seen too; where it does not,
looking is all there is.
"""

# It looks many times a second, and pathlib takes its time:
# ruff: noqa: PTH118, PTH123, PTH208
from __future__ import annotations

import base64
import json
import os
import select
import socket
import stat
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

PERIOD = 0.1  # seconds between two looks; programs that start are looked at when they do
LARGEST = 2**20  # bytes of a file that are read
_CONNECTOR, _PROC, _LISTEN, _EXEC = 11, 1, 1, 2


class Sampler:
    """`seen` is (what, data) → place; `files` path → what it was when it was read."""

    def __init__(self, trees: list[str]) -> None:
        self.trees = trees
        self.seen: dict[tuple[str, bytes], tuple[str, int]] = {}
        self.files: dict[str, tuple[int, ...]] = {}
        self.looks = self.programs = 0

    def look(self) -> Iterator[None]:
        """At everything, once; in steps, between which there is time for programs that start."""
        self.looks += 1
        for name in os.listdir("/proc"):
            if name.isdigit():
                self.process(name)
                yield
        for tree in self.trees:
            for path, found in walk(tree):
                self.file(path, found)
                yield

    def process(self, pid: str) -> None:
        """At one process."""
        for what in ("cmdline", "environ"):
            with suppress(OSError):
                data = read(f"/proc/{pid}/{what}")
                if data and (what, data) not in self.seen:
                    self.seen[what, data] = (f"{what} of process {pid}: {name_of(pid)}", 0)

    def file(self, path: str, found: os.stat_result) -> None:
        """At one file, if it is another than at the last look."""
        state = (found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode)
        if self.files.get(path) == state:
            return
        self.files[path] = state
        with suppress(OSError):
            data = read(path) if stat.S_ISREG(found.st_mode) else b""
            self.seen[f"file {path} {stat.S_IMODE(found.st_mode):o}", data] = (f"file {path}", found.st_mode)


def walk(tree: str) -> Iterator[tuple[str, os.stat_result]]:
    for directory, directories, names in os.walk(tree):
        for name in [*names, *directories]:
            path = os.path.join(directory, name)
            with suppress(OSError):
                yield path, os.lstat(path)


def read(path: str) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb") as file:
        return file.read(LARGEST)


def name_of(pid: str) -> str:
    with suppress(OSError):
        return read(f"/proc/{pid}/comm").decode(errors="replace").strip()
    return "?"


def programs_that_start() -> socket.socket | None:
    """A socket on which the kernel tells of them; None where it does not."""
    try:
        told = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _CONNECTOR)
        told.setblocking(False)
        told.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**22)
        told.bind((os.getpid(), _PROC))
        message = struct.pack("=IIIIHHI", _PROC, _PROC, 0, 0, 4, 0, _LISTEN)
        told.send(struct.pack("=IHHII", 16 + len(message), 3, 0, 0, os.getpid()) + message)
    except OSError:
        return None
    return told


def started(told: socket.socket) -> Iterator[str]:
    """The PIDs of the programs that have started since it was asked last."""
    while True:
        try:
            what, _cpu, _time, pid = struct.unpack_from("=IIQI", told.recv(4096), 36)
        except BlockingIOError:
            return
        except OSError:  # so many that some were dropped
            continue
        if what == _EXEC:
            yield str(pid)


def run(sampler: Sampler, told: socket.socket | None) -> None:
    """Look until stdin ends."""
    sources = [source for source in (sys.stdin.fileno(), told) if source is not None]
    looking, asked, due = sampler.look(), True, time.monotonic()
    while True:
        ready, _, _ = select.select(sources, [], [], max(0.0, due - time.monotonic()))
        for pid in started(told) if told else ():
            sampler.programs += 1
            sampler.process(pid)
        if sys.stdin.fileno() in ready:
            if not os.read(sys.stdin.fileno(), 1):
                return
            looking, asked, due = sampler.look(), True, 0.0
        if time.monotonic() >= due and next(looking, looking) is looking:  # which is over
            if asked:
                print("looks", flush=True)
            looking, asked, due = sampler.look(), False, time.monotonic() + PERIOD


def main() -> None:
    with suppress(OSError):
        os.nice(-20)  # what has ended before we are there is not seen
    sampler, told = Sampler(sys.argv[1:]), programs_that_start()
    run(sampler, told)
    print(json.dumps([sampler.looks, sampler.programs if told else None]))
    for (_, data), (place, mode) in sampler.seen.items():
        print(json.dumps([place, mode, base64.b64encode(data).decode()]))


if __name__ == "__main__":
    main()
