"""Lists where this Python's Jupyter looks for its configuration, and what lies there. Runs none of it."""

from __future__ import annotations

import glob
import json
import os
import site
import stat
import sys
from typing import Any

JOB: dict[str, Any] = globals()["JOB"]
MOST = 2**20  # bytes of a file
NAMES = ("jupyter_config", "jupyter_server_config", "jupyter_lab_config", "jupyter_notebook_config")
# With these in its environment a server takes another path, or knows a value before any file. Not their values.
VARIABLES = ("JUPYTER_", "TRAITLETS_", "CONDA_PREFIX", "CONDA_DEFAULT_ENV")


def look() -> dict[str, Any]:
    """Return the directories, strongest first, and every file of theirs as far as it can be read."""
    from jupyter_core import paths

    places = list(dict.fromkeys(paths.jupyter_config_path()))
    return {
        "directories": [_directory(place) for place in places],
        "files": [file for place in places for file in _files(place)] + _given(),
        "options": JOB["options"],
        "cwd": JOB["cwd"],
        "uid": os.geteuid(),
        "python": sys.executable,
        "prefix": sys.prefix,
        "user_directory": paths.jupyter_config_dir(),
        "environ": sorted(name for name in os.environ if name.startswith(VARIABLES)),
        "fails_closed": os.environ.get("TRAITLETS_APPLICATION_RAISE_CONFIG_FILE_ERROR", "").lower() in {"1", "true"},
        "interrupted": JOB["interrupted"],
        "sessions_end": _sessions_end(paths.jupyter_runtime_dir()),
        "user_site": bool(site.ENABLE_USER_SITE),
    }


def _sessions_end(runtime: str) -> bool:
    """Whether the secret that a running server's sessions hang on is in its file no more.

    Jupyter makes that file before it writes the other at its start (measured on jupyter_server 2.7 to 2.21); one that
    is newer was made by another server, of the same user.
    """
    try:
        started = os.stat(os.path.join(runtime, "jpserver-%d.json" % JOB.get("pid", 0))).st_mtime
    except OSError:
        return False
    try:
        return os.stat(os.path.join(runtime, "jupyter_cookie_secret")).st_mtime > started
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _directory(path: str) -> dict[str, Any]:
    above = path
    while not os.path.lexists(above):
        above = os.path.dirname(above) or "/"
    return {"path": path, "exists": os.path.isdir(path), "writable": os.access(above, os.W_OK | os.X_OK)}


def _files(place: str) -> list[dict[str, Any]]:
    paths = [os.path.join(place, name + end) for name in NAMES for end in (".py", ".json")]
    paths += sorted(glob.glob(os.path.join(glob.escape(place), "jupyter_server_config.d", "*.json")))
    return [_file(path, place) for path in paths if os.path.lexists(path)]


def _given() -> list[dict[str, Any]]:
    """Return the files that the command line names in place of jupyter_server_config."""
    found = ""
    for word, following in zip(JOB["options"], JOB["options"][1:] + [""]):
        flag, equals, value = word.partition("=")
        if flag in ("--config", "--JupyterApp.config_file", "--ServerApp.config_file"):
            found = value if equals else following
    if not found:
        return []
    stem = os.path.splitext(os.path.join(JOB["cwd"], found))[0]
    return [_file(stem + end, "") for end in (".py", ".json") if os.path.lexists(stem + end)]


def _file(path: str, place: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"path": path, "directory": place}
    try:
        if os.path.islink(path):
            facts["target"] = os.path.realpath(path)
        about = os.stat(path)
        facts.update(mode=stat.S_IMODE(about.st_mode), uid=about.st_uid, mtime=about.st_mtime, size=about.st_size)
        facts["writable"] = os.access(os.path.dirname(facts.get("target", path)), os.W_OK | os.X_OK)
        facts.update(_content(path, about))
    except OSError as error:
        facts["unread"] = error.strerror
    return facts


def _content(path: str, about: os.stat_result) -> dict[str, str]:
    if not stat.S_ISREG(about.st_mode):
        return {"unread": "it is no regular file"}
    if about.st_size > MOST:
        return {"unread": "it is longer than %d bytes" % MOST}
    with open(path, "rb") as file:
        return {"text": file.read(MOST).decode("utf-8", "surrogateescape")}


if __name__ != "oracle":
    try:
        answer = look()
    except Exception as error:
        answer = {"failed": "look", "text": "%s: %s" % (type(error).__name__, error)}
    print(json.dumps(answer))
