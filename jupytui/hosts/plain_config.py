"""An ssh_config that is so plain that its meaning is beyond doubt, read by ourselves.

`ssh -G` is right about every configuration and costs 3 ms for every host. Most configurations hold nothing but Host
blocks of well-known keywords with unquoted values; what those mean is ssh_config(5) in one sentence: the first value
that applies holds. Anything else, be it one odd line anywhere, is no plain configuration, and ssh is asked.
"""

from __future__ import annotations

import os
import pwd
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from glob import glob
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TypeVar

SYSTEM = "/etc/ssh/ssh_config"  # of an ssh that the system brought
SYSTEM_SSH = "/usr/bin/ssh"
_MOST_BYTES, _DEEPEST = 2**20, 8

Options = Mapping[str, Sequence[str]]
Patterns = tuple[str, ...]
T = TypeVar("T")


class NotPlainError(Exception):
    """Somebody who knows more has to read this configuration."""


class _Block(NamedTuple):
    hosts: tuple[Patterns, ...]  # of the Host lines around it, all of which have to match
    statements: list[tuple[str, str]]


_FLAG = "yes|no"
_NUMBER = r"[1-9]\d{0,3}"
_PORT = r"[1-9]\d{0,3}|[1-5]\d{4}"
_NAME = r"[A-Za-z0-9][\w.-]*"
_PATH = r"(?!none\b)[~/]?[\w./+@-]+"
_PATHS = rf"{_PATH}([ \t]+{_PATH})*"
_JUMP = rf"(?!none\b)(\w[\w.-]*@)?{_NAME}(:({_PORT}))?"
_LIST = r"[A-Za-z0-9][\w@.,-]*"
_FORWARD = rf"({_PORT})[ \t]+{_NAME}:({_PORT})"

_MEANT = {
    "addressfamily": "any|inet|inet6",
    "bindaddress": r"\d+\.\d+\.\d+\.\d+",
    "certificatefile": _PATH,
    "ciphers": _LIST,
    "connecttimeout": _NUMBER,
    "globalknownhostsfile": _PATHS,
    "hashknownhosts": _FLAG,
    "hostkeyalgorithms": _LIST,
    "hostkeyalias": r"[a-z0-9][a-z0-9_.-]*",  # ssh makes capitals small, or once did not
    "hostname": r"(?!-)(%h)?[\w.-]*|[\w.-]+%h[\w.-]*",
    "identitiesonly": _FLAG,
    "identityagent": r"none|SSH_AUTH_SOCK|[~/][\w./+@-]*",
    "identityfile": _PATH,
    "kbdinteractiveauthentication": _FLAG,
    "kexalgorithms": _LIST,
    "macs": _LIST,
    "numberofpasswordprompts": "[1-9]",
    "passwordauthentication": _FLAG,
    "port": _PORT,
    "preferredauthentications": "[a-z][a-z,-]*",
    "proxyjump": rf"{_JUMP}(,{_JUMP})*",
    "pubkeyacceptedalgorithms": _LIST,
    "pubkeyauthentication": _FLAG,
    "stricthostkeychecking": "yes|no|ask|accept-new",
    "user": r"(?!-)[\w.-]+",
    "userknownhostsfile": _PATHS,
}
# What says nothing about how a machine is reached.
_MEANINGLESS = {
    "addkeystoagent": "yes|no|ask|confirm",
    "checkhostip": _FLAG,
    "compression": _FLAG,
    "connectionattempts": _NUMBER,
    "controlmaster": "yes|no|ask|auto|autoask",
    "controlpath": r"none|[~/][\w./+@%-]*",
    "controlpersist": rf"yes|no|{_NUMBER}",
    "exitonforwardfailure": _FLAG,
    "forwardagent": _FLAG,
    "forwardx11": _FLAG,
    "forwardx11trusted": _FLAG,
    "gssapiauthentication": _FLAG,
    "gssapidelegatecredentials": _FLAG,
    "localforward": _FORWARD,
    "loglevel": "QUIET|FATAL|ERROR|INFO|VERBOSE",
    "remoteforward": _FORWARD,
    "requesttty": "yes|no|auto|force",
    "sendenv": r"[\w*]+([ \t]+[\w*]+)*",
    "serveralivecountmax": _NUMBER,
    "serveraliveinterval": _NUMBER,
    "tcpkeepalive": _FLAG,
    "updatehostkeys": "yes|no|ask",
    "visualhostkey": _FLAG,
}
_HOSTS = r"!?[\w.*?-]+([ \t]+!?[\w.*?-]+)*"
_INCLUDED = r"[~/]?[\w./+@*?-]+([ \t]+[~/]?[\w./+@*?-]+)*"
_VALUES = {
    keyword: re.compile(pattern, re.ASCII)
    for keyword, pattern in {**_MEANT, **_MEANINGLESS, "host": _HOSTS, "include": _INCLUDED}.items()
}
_STATEMENT = re.compile(r"[ \t]*([A-Za-z0-9]+)(?:[ \t]*=[ \t]*|[ \t]+)(\S.*?)[ \t]*", re.ASCII)
_REPEATED = {"identityfile", "certificatefile"}
_ALGORITHMS = {"kexalgorithms", "ciphers", "macs", "hostkeyalgorithms", "pubkeyacceptedalgorithms"}
_DESTINATION = re.compile(rf"(?:(?P<user>\w[\w.-]*)@)?(?P<host>{_NAME})(?::(?P<port>{_PORT}))?", re.ASCII)


class Plain:
    """A plain configuration: what its files say, and what ssh says where they say nothing."""

    def __init__(self, blocks: Sequence[_Block], defaults: Options) -> None:
        self._blocks = blocks
        self._defaults = defaults
        for keyword, value in chain.from_iterable(block.statements for block in blocks):
            if keyword in _ALGORITHMS and not set(value.split(",")) <= set(defaults[keyword][0].split(",")):
                raise NotPlainError

    def options(self, destination: str) -> Options:
        """Return what `ssh -G` would say about `gpu1`, `me@gpu1` or `me@gpu1:2222`, of what we use.

        Raises NotPlainError for any other destination.
        """
        found = _DESTINATION.fullmatch(destination)
        if not found:
            raise NotPlainError
        host = found["host"]
        said = self._said(host)
        name = said.get("hostname", [host])[0].replace("%h", host).lower()
        given = {"user": found["user"], "port": found["port"], "host": host, "hostname": name}
        return {**self._defaults, **said, **{keyword: [value] for keyword, value in given.items() if value}}

    def _said(self, host: str) -> dict[str, list[str]]:
        said: dict[str, list[str]] = {}
        applying = (block.statements for block in self._blocks if all(_match(host, names) for names in block.hosts))
        for keyword, value in chain.from_iterable(applying):
            values = said.setdefault(keyword, [])
            if not values or (keyword in _REPEATED and value not in values):
                values.append(value)
        return said


def _match(host: str, patterns: Patterns) -> bool:
    found = False
    for pattern in patterns:
        if pattern.startswith("!"):
            if _pattern(pattern[1:])(host):
                return False
        elif pattern == host or (("*" in pattern or "?" in pattern) and _pattern(pattern)(host)):
            found = True
    return found


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> Callable[[str], object]:
    return re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern)).fullmatch


class _Seen(NamedTuple):
    look: Callable[[str], object]
    path: str
    found: object


@dataclass(slots=True)
class Reading:
    """The blocks of the files that make up one configuration, and what those files looked like."""

    blocks: list[_Block] = field(default_factory=list)
    seen: list[_Seen] = field(default_factory=list)

    @property
    def fresh(self) -> bool:
        """Whether every file is still as it was, and no other one came."""
        return all(seen.look(seen.path) == seen.found for seen in self.seen)

    def read(self, config: str | None, ssh: str) -> None:
        """Read what the program `ssh` reads: the file it is told to, else the user's and the system's.

        Raises NotPlainError.
        """
        home = Path(pwd.getpwuid(os.getuid()).pw_dir)
        if home != Path.home():  # some of what ssh says goes by the one, some by the other
            raise NotPlainError
        below = home / ".ssh"
        if config:
            self._file(Path(config).expanduser(), below, _usable)
            return
        if ssh != SYSTEM_SSH:
            raise NotPlainError
        self._file_if_any(below / "config", _private)
        self._file_if_any(Path(SYSTEM), _usable)

    def _file_if_any(self, path: Path, accept: Accept) -> None:
        if self._look(_stat, path) is not None:
            self._file(path, path.parent, accept)

    def _file(
        self, path: Path, below: Path, accept: Accept, hosts: tuple[Patterns, ...] = (), depth: int = _DEEPEST
    ) -> None:
        block = self._block(hosts)
        for keyword, value in _statements(self._text(path, accept)):
            if keyword == "host":
                block = self._block((*hosts, tuple(value.split())))
            elif keyword == "include":
                if not depth:
                    raise NotPlainError
                for pattern in value.split():
                    for included in self._look(_glob, below / Path(pattern).expanduser()):
                        self._file(Path(included), below, accept, block.hosts, depth - 1)
                block = self._block(block.hosts)
            elif keyword in _MEANT:
                block.statements.append((keyword, value))

    def _block(self, hosts: tuple[Patterns, ...]) -> _Block:
        self.blocks.append(_Block(hosts, []))
        return self.blocks[-1]

    def _text(self, path: Path, accept: Accept) -> str:
        if not accept(self._look(_stat, path)):
            raise NotPlainError
        try:
            return path.read_bytes().decode("utf-8")
        except (OSError, ValueError):
            raise NotPlainError from None

    def _look(self, look: Callable[[str], T], path: Path) -> T:
        found = look(str(path))
        self.seen.append(_Seen(look, str(path), found))
        return found


class _File(NamedTuple):
    mtime_ns: int
    size: int
    inode: int
    mode: int
    owner: int


Accept = Callable[[_File | None], bool]


def _stat(path: str) -> _File | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - once for each host and file
    except OSError:
        return None
    return _File(found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode, found.st_uid)


def _glob(path: str) -> list[str]:
    return sorted(glob(path))  # noqa: PTH207 - of a whole path


def _usable(file: _File | None) -> bool:
    return file is not None and stat.S_ISREG(file.mode) and file.size < _MOST_BYTES


def _private(file: _File | None) -> bool:
    # ssh refuses a file of the user's own configuration that others may write.
    return file is not None and _usable(file) and file.owner in {0, os.getuid()} and not file.mode & 0o022


def _statements(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        if line.strip(" \t") and not line.lstrip(" \t").startswith("#"):
            found = _STATEMENT.fullmatch(line)
            keyword = found[1].lower() if found else ""
            if not found or keyword not in _VALUES or not _VALUES[keyword].fullmatch(found[2]):
                raise NotPlainError
            yield keyword, found[2]
