"""Look for every Python of a host, in one round trip."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from jupytui.errors import CommandError
from jupytui.hosts.base import Host
from jupytui.jupyter.environments.models import (
    Builder,
    Environment,
    Environments,
    Incomplete,
    Installer,
    Kernelspec,
    Kind,
    Tool,
)
from jupytui.jupyter.environments.sources import source
from jupytui.text import clean, clean_line

SECONDS = 10
PACKAGES = ("jupyter_server", "jupyterlab", "notebook", "ipykernel")
_PLACES = (  # of environments that are told by where they lie
    ("/pipx/venvs/", Kind.PIPX),
    ("/uv/tools/", Kind.UV_TOOL),
    ("/uv/python/", Kind.UV),
    ("pyenv/versions/", Kind.PYENV),
)


async def find(host: Host, known: Iterable[str] = (), pids: Iterable[int] = ()) -> Environments:
    """Return what `host` has; first what the processes `pids` run from and the prefixes or Pythons `known`, wherever
    they lie.

    Raises HostTrouble, DeadlineError, CommandError.
    """
    done = await host.run(source("find"), str(SECONDS), *(f"pid:{pid}" for pid in pids), *known, deadline=3.0 * SECONDS)
    if done.status:
        raise CommandError(
            f"The environments of {host.name} cannot be listed.", detail=clean(done.stderr.decode("utf-8", "replace"))
        )
    return parse(done.stdout)


@dataclass
class _Block:
    """The lines about one environment, or (prefix "") about none."""

    prefix: str = ""
    lines: list[tuple[str, ...]] = field(default_factory=list)

    def values(self, key: str) -> Iterator[tuple[str, ...]]:
        return (rest for name, *rest_ in self.lines if name == key for rest in (tuple(rest_),))

    def value(self, key: str) -> str | None:
        return next((rest[-1] for rest in self.values(key) if rest), None)

    def flag(self, name: str) -> bool:
        return (name,) in self.values("flag")

    def pairs(self, key: str) -> dict[str, str]:
        return {rest[0]: rest[1] for rest in self.values(key) if len(rest) == 2}


def parse(output: bytes) -> Environments:
    """Read what find.sh printed. Lines that make no sense are left out; everything else is cleaned."""
    machine, *blocks = _blocks(clean(output, 16 * 2**20))
    places = [block for block in blocks if block.prefix]
    free = machine.value("free") or ""
    return Environments(
        home=machine.value("home") or "",
        system=machine.value("system") or "",
        os=tuple((machine.value("os") or "").split()),
        free=int(free) * 1024 if free.isdecimal() else None,
        tools=tuple(Tool(Installer(name), path) for name, path in machine.pairs("tool").items() if name in _INSTALLERS),
        configured=frozenset(Installer(name) for (name,) in machine.values("configured") if name in _INSTALLERS),
        environments=tuple(_environment(block) for block in places),
        kernelspecs=tuple(spec for block in blocks if not block.prefix for spec in _kernelspecs(block)),
        truncated=not any(line == ("whole",) for block in (machine, *blocks) for line in block.lines),
    )


_INSTALLERS = frozenset(Installer)


def _blocks(text: str) -> list[_Block]:
    blocks = [_Block()]
    for line in text.split("\n"):
        key, *rest = line.split("\t")
        if key == "env" and rest:
            blocks.append(_Block(clean_line(rest[0], 4096)))
        else:
            blocks[-1].lines.append((key, *rest))
    return blocks


def _environment(block: _Block) -> Environment:
    versions = {name: max(_versions(block, name), key=_order, default=None) for name in PACKAGES}
    return Environment(
        prefix=block.prefix,
        kind=_kind(block),
        python=block.value("python"),
        version=_version(block),
        managed=block.flag("externally-managed"),
        writable=block.flag("writable"),
        broken=block.flag("broken"),
        has_pip=block.flag("pip"),
        has_venv=block.flag("venv"),
        makes_venvs=block.flag("venv") and block.flag("ensurepip"),
        incomplete=_incomplete(block),
        kernelspecs=_kernelspecs(block),
        **versions,
    )


def _versions(block: _Block, package: str) -> Iterator[str]:
    return (rest[1] for rest in block.values("dist") if len(rest) == 2 and rest[0] == package)


def _order(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:4]]


def _kind(block: _Block) -> Kind:
    if block.flag("system"):
        return Kind.SYSTEM
    if block.flag("conda"):
        return Kind.CONDA
    by_place = next((kind for place, kind in _PLACES if place in block.prefix), None)
    if "home" in block.pairs("cfg"):
        return by_place if by_place in {Kind.PIPX, Kind.UV_TOOL} else Kind.VENV
    return by_place or Kind.OTHER


def _version(block: _Block) -> str | None:
    """The version as somebody wrote it down: pyvenv.cfg, conda's record, a directory's name, at worst only X.Y."""
    written = block.pairs("cfg")
    short = block.value("library")
    candidates = (written.get("version"), written.get("version_info"), block.value("conda"), block.prefix, short)
    for text in candidates:
        found = re.search(r"(?<![\d.])(\d\.\d+(?:\.\d+)*)", text or "")
        if found and (short is None or f"{found[1]}.".startswith(f"{short}.")):
            return ".".join(found[1].split(".")[:3])
    return None


def _incomplete(block: _Block) -> Incomplete | None:
    for what, builder in (rest for rest in block.values("incomplete") if len(rest) == 2):
        if builder in frozenset(Builder):
            return Incomplete(what, Builder(builder))
    return None


class _KernelJson(msgspec.Struct):
    argv: list[str] = []
    display_name: str = ""
    language: str = ""


def _kernelspecs(block: _Block) -> tuple[Kernelspec, ...]:
    return tuple(_kernelspec(*rest) for rest in block.values("spec") if len(rest) >= 2)


def _kernelspec(directory: str, *text: str) -> Kernelspec:
    """A kernel.json that Jupyter could not read either still shows by its directory."""
    try:
        spec = msgspec.json.decode(" ".join(text), type=_KernelJson)
    except msgspec.DecodeError:
        spec = _KernelJson()
    command = clean_line(spec.argv[0]) if spec.argv else ""
    return Kernelspec(
        directory.rpartition("/")[2], directory, clean_line(spec.display_name), clean_line(spec.language), command
    )
