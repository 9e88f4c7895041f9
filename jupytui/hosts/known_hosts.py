"""The known_hosts files: whose keys the user has vouched for.

Read line by line by ourselves, because asyncssh's reader gives up on one malformed line or one missing file, does not
say where a key stands, and is asked about a changed key in the same way as about an unknown one (measured).
"""

from __future__ import annotations

import fcntl
import os
import re
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hmac import digest
from itertools import chain
from pathlib import Path

import asyncssh

from jupytui.hosts.base import HostKey


@dataclass(frozen=True, slots=True)
class Line:
    """One usable line; `where` is "file:line"."""

    marker: str
    patterns: str
    key: str
    where: str


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that stands for a host."""

    key: asyncssh.SSHKey
    where: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one host. `portless` keys stand under the name without its port: they may vouch, not accuse."""

    keys: tuple[KnownKey, ...] = ()
    authorities: tuple[KnownKey, ...] = ()
    revoked: tuple[KnownKey, ...] = ()
    portless: tuple[KnownKey, ...] = ()

    @property
    def unknown(self) -> bool:
        """Whether nobody has ever said anything about this host."""
        return not (self.keys or self.authorities or self.revoked)

    @property
    def algorithms(self) -> set[str]:
        """The signature algorithms of the known keys."""
        return {name.decode() for known in (*self.keys, *self.portless) for name in known.key.sig_algorithms}


def lookup(name: str, port: int, files: Sequence[str]) -> Known:
    """Return what `files` say about host `name`; missing files and lines that cannot be read are passed over."""
    contents = [_read(file) for file in files]
    known = _match(contents, name.lower() if port == 22 else f"[{name.lower()}]:{port}")
    if port == 22 or known.keys or known.authorities:
        return known
    plain = _match(contents, name.lower())
    return Known(known.keys, known.authorities, (*known.revoked, *plain.revoked), plain.keys)


def _match(contents: Iterable[Contents], host: str) -> Known:
    found: dict[str, list[KnownKey]] = {"": [], "@cert-authority": [], "@revoked": []}
    for line in chain.from_iterable(content.about(host) for content in contents):
        if line.marker in found:
            try:
                found[line.marker].append(KnownKey(asyncssh.import_public_key(line.key), line.where))
            except (asyncssh.KeyImportError, ValueError):
                continue
    return Known(tuple(found[""]), tuple(found["@cert-authority"]), tuple(found["@revoked"]))


class Contents:
    """The lines of one file: those that name one host are found at once, the others are gone through."""

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self._named: dict[str, list[Line]] = defaultdict(list)
        self._patterns: list[Line] = []
        for line in lines:
            if set(line.patterns) & set("*?!|"):
                self._patterns.append(line)
            else:
                for name in line.patterns.lower().split(","):
                    self._named[name].append(line)

    def about(self, host: str) -> list[Line]:
        """Return the lines that stand for `host` (lower case, with its port if that is not 22)."""
        return [*self._named.get(host, ()), *(line for line in self._patterns if matches(line.patterns, host))]


def _read(file: str) -> Contents:
    try:
        stat = Path(file).stat()
        return _contents(file, stat.st_mtime_ns, stat.st_size, stat.st_ino)
    except (OSError, ValueError):
        return Contents()


@lru_cache(maxsize=64)
def _contents(file: str, _mtime: int, _size: int, _inode: int) -> Contents:
    return Contents(_parse(Path(file).read_bytes().decode("utf-8", "replace"), file))


def _parse(text: str, file: str) -> Iterator[Line]:
    for number, raw in enumerate(text.split("\n"), 1):
        words = raw.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) >= 3 and not words[0].startswith("#"):
            yield Line(marker, words[0], f"{words[1]} {words[2]}", f"{file}:{number}")


def matches(patterns: str, host: str) -> bool:
    """Whether a known_hosts pattern list (sshd(8): commas, `*`, `?`, `!`, or one `|1|salt|hash`) stands for `host`."""
    if patterns.startswith("|"):
        return _hash_matches(patterns, host)
    found = False
    for pattern in patterns.lower().split(","):
        if _pattern(pattern.removeprefix("!")).fullmatch(host):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _hash_matches(entry: str, host: str) -> bool:
    try:
        _, version, salt, hashed = entry.split("|")
        return version == "1" and digest(b64decode(salt), host.encode(), "sha1") == b64decode(hashed)
    except ValueError:  # binascii.Error is one
        return False


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern))


_NAMES = {"ssh-ed25519": "ED25519", "ssh-ed448": "ED448", "ssh-rsa": "RSA", "ssh-dss": "DSA"}


def describe(key: asyncssh.SSHKey, where: str = "") -> HostKey:
    """Return `key` as OpenSSH shows it."""
    algorithm = key.get_algorithm()
    name = _NAMES.get(algorithm) or ("ECDSA" if algorithm.startswith("ecdsa") else algorithm.upper())
    return HostKey(name, key.get_fingerprint(), where)


def append(file: str, name: str, port: int, key: asyncssh.SSHKey, *, hashed: bool = False) -> None:
    """Add `key` for the host to `file`, which is made (0600) if need be. Raises OSError."""
    host = name.lower() if port == 22 else f"[{name.lower()}]:{port}"
    if hashed:
        salt = os.urandom(20)
        host = f"|1|{b64encode(salt).decode()}|{b64encode(digest(salt, host.encode(), 'sha1')).decode()}"
    line = f"{host} {key.export_public_key().decode().strip()}\n".encode()
    Path(file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        os.write(descriptor, (b"" if _ends_line(descriptor) else b"\n") + line)


def _ends_line(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
