"""Looks at the files around servers: who may read them, how full their disks are, what is installed. Changes nothing.

Runs on hosts, by Pythons from 3.7 on. The job comes by stdin; a JSON object goes to stdout.
"""

from __future__ import annotations

import glob
import json
import os
import re
import stat
import sys
from typing import Any

PACKAGES = ("jupyter_server", "jupyterlab", "notebook")


def environ(pid: int) -> dict[str, str] | None:
    """Return what a process was started with; None: it is another user's, or gone."""
    try:
        with open("/proc/%d/environ" % pid, "rb") as file:
            words = file.read().split(b"\0")
    except OSError:
        return None
    pairs = (os.fsdecode(word).partition("=") for word in words)
    return {name: value for name, _, value in pairs}


def runtime(env: Any) -> str:
    """As jupyter_core.paths.jupyter_runtime_dir, Linux."""
    if env.get("JUPYTER_RUNTIME_DIR"):
        return str(env["JUPYTER_RUNTIME_DIR"])
    home = env.get("HOME") or os.path.expanduser("~")
    data = env.get("JUPYTER_DATA_DIR") or (env.get("XDG_DATA_HOME") or home + "/.local/share") + "/jupyter"
    return str(data) + "/runtime"


def path(name: str, kind: str) -> dict[str, Any] | None:
    """Return who may read a file; None: it is not there."""
    try:
        about = os.stat(name)
    except OSError:
        return None
    return {"path": name, "kind": kind, "mode": stat.S_IMODE(about.st_mode), "uid": about.st_uid}


def disk(name: str) -> dict[str, Any] | None:
    """Return how full the file system of a path is."""
    try:
        about = os.statvfs(name)
    except OSError:
        return None
    files = about.f_favail / about.f_files if about.f_files else 1.0
    size = about.f_blocks * about.f_frsize
    return {"path": name, "size": size, "free": about.f_bavail * about.f_frsize, "files_free": files}


def versions(prefix: str) -> dict[str, str]:
    """Return what is installed under a prefix, by package."""
    found: dict[str, str] = {}
    places = glob.glob(prefix + "/lib/python3*/site-packages") + glob.glob(prefix + "/lib/python3*/dist-packages")
    for place in places if prefix else ():
        for name in PACKAGES:
            for line in glob.glob("%s/%s-*.*-info" % (glob.escape(place), name)):
                version = re.match(name + r"-([0-9][^-]*?)\.(dist|egg)-info$", os.path.basename(line))
                if version:
                    found[name] = version.group(1)
    return found


def uid(pid: int) -> int | None:
    """Return whose process it is."""
    try:
        return os.stat("/proc/%d" % pid).st_uid
    except OSError:
        return None


def server(job: dict[str, Any]) -> dict[str, Any]:
    """Return all about one server."""
    pid, root = job["pid"], job["root_dir"]
    env = environ(pid)
    place = runtime(env) if env is not None else None
    paths = [path(each["path"], each["kind"]) for each in job["paths"]]
    if place:
        # jpserver-PID-open.html has the token too; Jupyter makes it 0644, and relies on the directory.
        paths.append(path(place, "runtime directory, which holds the token"))
        for name, kind in (
            ("jupyter_cookie_secret", "cookie secret"),
            ("jpserver-%d.json" % pid, "runtime file, which holds the token"),
        ):
            paths.append(path(place + "/" + name, kind))
    disks = [disk(each) for each in (root, place) if each]
    return {
        "uid": uid(pid),
        "root_exists": os.path.isdir(root) if root else None,
        "runtime": place,
        "paths": [each for each in paths if each],
        "disks": [each for each in disks if each],
        "versions": versions(job["prefix"]),
    }


def stale(pid: int, places: list[str]) -> list[str]:
    """Return the files that a process which has gone has left."""
    names = ["%s/%s-%d%s" % (place, kind, pid, end) for place in places for kind in ("jpserver", "nbserver")
             for end in (".json", "-open.html")]  # fmt: skip
    return [name for name in names if os.path.exists(name)]


def main() -> None:
    """Answer the job."""
    job = json.load(sys.stdin)
    servers = [server(each) for each in job["servers"]]
    places = [each["runtime"] for each in servers if each["runtime"]] + [runtime(os.environ)]
    for each in servers:
        del each["runtime"]
    gone = [stale(pid, sorted(set(places))) for pid in job["stale"]]
    json.dump({"servers": servers, "stale": gone}, sys.stdout)


if __name__ == "__main__":
    main()
