"""Becomes a Python like that of a server (its executable, environment, directory, user), and runs a program there.

What a server was started with (tokens in its environment and command line too) is read here, on the host, and goes
straight to the program; none of it is put on a command line.
"""

from __future__ import annotations

import glob
import json
import os
import pwd
import signal
import sys
import tempfile
from typing import Any

# The current directory would come first in what -c imports; a script's place has no such say.
BOOT = """\
import sys
sys.path[:1] = []
import json
source, job = json.load(sys.stdin)
exec(compile(source, "jupytui", "exec"), {"JOB": job})
"""

JOURNALS = ".local/state/jupytui/edits/*.json"  # of change.py: edits that were killed, or are under way
PROGRAMS = ("jupyter-lab", "jupyter-notebook", "jupyter-server", "jupyterlab", "notebook", "jupyter_server")


def enter(job: dict[str, Any]) -> None:
    """Replace this process by the server's Python, running job["program"]; say why not on stdout."""
    try:
        seen = _seen(job["pid"]) if job["pid"] else _imagined(job)
    except OSError as error:
        print(json.dumps({"failed": "unseen", "text": str(error)}))
        return
    home = os.path.expanduser("~") if seen["uid"] == os.geteuid() else _become(seen["uid"])
    signal.alarm(job["seconds"])
    seen["interrupted"] = bool(glob.glob(glob.escape(home) + "/" + JOURNALS))
    os.chdir(seen["cwd"])
    environment = seen.pop("environ")
    environment[b"PYTHONDONTWRITEBYTECODE"] = b"1"
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps([job["program"], dict(seen, pid=job["pid"], **job["more"])]).encode())
        file.flush()
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        os.dup2(file.fileno(), 0)
    try:
        os.execve(seen["python"], [seen["python"], "-c", BOOT], environment)
    except OSError as error:
        print(json.dumps({"failed": "python", "text": "%s: %s" % (seen["python"], error.strerror)}))


def _seen(pid: int) -> dict[str, Any]:
    """Return what the process `pid` was started with."""
    place = "/proc/%d/" % pid
    with open(place + "cmdline", "rb") as file:
        argv = [os.fsdecode(word) for word in file.read().split(b"\0")[:-1]]
    with open(place + "environ", "rb") as file:
        pairs = (item.partition(b"=") for item in file.read().split(b"\0"))
        environ = {name: value for name, equals, value in pairs if equals}
    cwd = os.readlink(place + "cwd")
    python = _python(argv[0] if argv else "", os.fsdecode(environ.get(b"PATH", b"")), cwd)
    return {
        "options": _options(argv),
        "environ": environ,
        "cwd": cwd if os.path.isdir(cwd) else "/",
        "python": python or os.readlink(place + "exe"),
        "uid": os.stat(place).st_uid,
    }


def _options(argv: list[str]) -> list[str]:
    """Return the words after the server's program."""
    for at, word in enumerate(argv):
        name = os.path.basename(word)
        if name in ("jupyter", "jupyter.py") and argv[at + 1 : at + 2] in (["lab"], ["notebook"], ["server"]):
            return argv[at + 2 :]
        if name.partition(".")[0] in PROGRAMS and "=" not in word:
            return argv[at + 1 :]
    return []


def _python(word: str, path: str, cwd: str) -> str:
    """Return the executable by the name it was started by: a venv's is a link whose target knows nothing of it."""
    if "/" in word:
        return os.path.join(cwd, word) if "python" in os.path.basename(word) else ""
    found = (os.path.join(place, word) for place in path.split(os.pathsep))
    return next((each for each in found if "python" in word and os.access(each, os.X_OK)), "")


def _imagined(job: dict[str, Any]) -> dict[str, Any]:
    """Return the same for a server that does not run: with the environment of whoever logs in."""
    environ = dict(os.environb)
    environ.update((os.fsencode(name), os.fsencode(value)) for name, value in job["environ"].items())
    cwd = job["cwd"] or os.path.expanduser("~")
    return {
        "options": job["options"], "environ": environ, "cwd": cwd, "python": job["python"], "uid": os.geteuid(),
    }  # fmt: skip


def _become(uid: int) -> str:
    """Root looks at a server with that server's rights: its configuration is code of its user. Return their home."""
    account = pwd.getpwuid(uid)
    os.initgroups(account.pw_name, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(uid)
    return account.pw_dir


enter(json.load(sys.stdin))
