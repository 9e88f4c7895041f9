"""Replaces files together or not at all, on the host, by a Python there: its standard library alone.

What it is about to do stands in a journal before the first file is touched: if it is killed halfway, whoever comes
next (`recover`) brings back what was. A cut connection may end it at any moment too.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pwd
import signal
import sys
import time
from typing import Any

JOURNALS = ".local/state/jupytui/edits"


class Refused(Exception):
    """Nothing was changed; `kind` and `path` say why."""

    def __init__(self, kind: str, path: str, text: str = "") -> None:
        super().__init__(kind)
        self.facts = {"failed": kind, "path": path, "text": text}


def digest(path: str) -> str | None:
    """Return the SHA-256 of a file, None where there is none. A link is never followed."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def change(job: dict[str, Any], directory: str) -> dict[str, Any]:
    """Make all changes of a job: {path, before, after (digest or None), data, mode, mtime (None: now)}; say which."""
    for file in job["files"]:
        _check(file)
    stamp = "%s-%d" % (time.strftime("%Y%m%dT%H%M%S"), os.getpid())
    made = [_prepared(file, stamp, job["backups"]) for file in job["files"]]
    journal = os.path.join(directory, "%s-%s.json" % (os.uname().nodename, stamp))
    os.close(_write(journal, json.dumps(made).encode(), 0o600))
    _settle(journal)
    try:
        for file, plan in zip(job["files"], made):
            _stage(file, plan)
        for file, plan in zip(job["files"], made):
            _check(file)
            _commit(plan)
    except BaseException:
        roll_back(made, journal)
        raise
    os.rename(journal, journal[: -len("json")] + "done")
    _clean(made, journal[: -len("json")] + "done")
    return {"backups": [plan["backup"] for plan in made if plan["backup"]]}


def _check(file: dict[str, Any]) -> None:
    try:
        now = digest(file["path"])
    except OSError as error:
        raise Refused("unread", file["path"], error.strerror or "") from None
    if now != file["before"]:
        raise Refused("changed", file["path"])


def _prepared(file: dict[str, Any], stamp: str, backups: bool) -> dict[str, Any]:
    path = file["path"]
    place, name = os.path.split(path)
    keep = file["before"] is not None
    return {
        "path": path,
        "before": file["before"],
        "after": file["after"],
        "temporary": os.path.join(place, ".%s.new-%s" % (name, stamp)),
        "old": os.path.join(place, ".%s.old-%s" % (name, stamp)) if keep else None,
        "backup": "%s.bak-%s" % (path, stamp) if keep and backups else None,
    }


def _stage(file: dict[str, Any], plan: dict[str, Any]) -> None:
    """Write everything beside the file; a link to the old inode is what a rollback brings back, mode and all."""
    os.makedirs(os.path.dirname(plan["path"]), 0o700, exist_ok=True)
    if file["data"] is not None:
        os.close(_write(plan["temporary"], file["data"].encode("utf-8", "surrogateescape"), file["mode"]))
        if file["mtime"] is not None:
            os.utime(plan["temporary"], (file["mtime"], file["mtime"]))
    if plan["old"]:
        _kept(plan["path"], plan["old"])
    if plan["backup"]:
        with open(plan["path"], "rb") as old:
            os.close(_write(plan["backup"], old.read(), 0o600))


def _kept(path: str, old: str) -> None:
    try:
        os.link(path, old)
    except OSError:  # a file system without links
        with open(path, "rb") as file:
            os.close(_write(old, file.read(), os.fstat(file.fileno()).st_mode & 0o7777))


def _write(path: str, data: bytes, mode: int) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    while data:
        data = data[os.write(handle, data) :]
    os.fchmod(handle, mode)
    os.fsync(handle)
    return handle


def _commit(plan: dict[str, Any]) -> None:
    if plan["after"] is None:
        os.unlink(plan["path"])
    elif plan["before"] is None:
        os.link(plan["temporary"], plan["path"])  # unlike a rename it takes nobody else's new file away
        os.unlink(plan["temporary"])
    else:
        os.replace(plan["temporary"], plan["path"])
    _settle(plan["path"])


def _settle(path: str) -> None:
    handle = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def roll_back(made: list[dict[str, Any]], journal: str) -> None:
    """Bring back what was where we changed it; a file that somebody else changed since is theirs."""
    for plan in reversed(made):
        now = digest(plan["path"])
        if now == plan["after"] and now != plan["before"]:
            if plan["old"]:
                os.replace(plan["old"], plan["path"])
            else:
                os.unlink(plan["path"])
            _settle(plan["path"])
        _gone(plan["backup"])
    _clean(made, journal)


def _clean(made: list[dict[str, Any]], journal: str) -> None:
    for plan in made:
        _gone(plan["temporary"])
        _gone(plan["old"])
    _gone(journal)


def _gone(path: str | None) -> None:
    try:
        if path:
            os.unlink(path)
    except FileNotFoundError:
        pass


def recover(directory: str) -> int:
    """Undo what was begun here and killed before it was done; how much that was. Nobody else is at work meanwhile."""
    found = 0
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        if name.startswith(os.uname().nodename + "-") and name.endswith((".json", ".done")):
            with open(path, "rb") as file:
                text = file.read()
            made = json.loads(text.decode()) if text.endswith(b"]") else []
            (_clean if name.endswith(".done") else roll_back)(made, path)
            found += name.endswith(".json")
    return found


def home_of(uid: int) -> str:
    """Become the user whose files these are, as root can, and return that user's home. Raises Refused."""
    if uid in (-1, os.geteuid()):
        return os.path.expanduser("~")
    if os.geteuid():
        raise Refused("foreign", "")
    account = pwd.getpwuid(uid)
    os.initgroups(account.pw_name, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(uid)
    return account.pw_dir


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Recover, then change; one after the other where several want to."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # what is begun takes milliseconds; KILL is what the journal is for
    directory = os.path.join(home_of(job["uid"]), JOURNALS)
    os.makedirs(directory, 0o700, exist_ok=True)
    lock = os.open(os.path.join(directory, "lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    recovered = recover(directory)
    done = change(job, directory) if job["files"] else {}
    os.close(lock)
    return dict(done, recovered=recovered)


if __name__ != "oracle":
    os.umask(0o077)
    try:
        answer = main(json.load(sys.stdin))
    except Refused as refusal:
        answer = refusal.facts
    except OSError as error:
        answer = {"failed": "os", "path": str(error.filename or ""), "text": error.strerror or str(error)}
    print(json.dumps(answer))
