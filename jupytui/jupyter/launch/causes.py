"""Why a server did not start, in words: from how it ended and the last lines of its log."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from typing import Any

from jupytui.errors import JupytuiError
from jupytui.jupyter.launch.talk import words
from jupytui.systemd.words import how_it_ended
from jupytui.text import clean

# The first that fits; each is what Jupyter, traitlets, tornado or Python print (jupyter_server 2.21.1 measured).
_LOG_CAUSES = (
    (r"No space left on device|Errno 28\b|Disk quota exceeded", "the disk is full", "Make room on it, and try again."),
    (
        r"[Tt]he port \d+ is already in use|Address already in use|[Nn]o available port could be found",
        "its port is taken",
        "Take another port, or leave it free.",
    ),
    (
        r"Running as root is not recommended",
        "it refuses to run as root",
        "Allow it with --allow-root if that is meant.",
    ),
    (
        r"Exception while loading config file|could not be parsed as (?:JSON|.*config)|Failed to load config|ConfigFile"
        r"|Expecting .*: line \d+ column \d+|config\.py\", line \d+",
        "a configuration file is broken",
        "`jupyter lab --show-config` names it; a server that ignored it would start without its password.",
    ),
    (
        r"No such directory|No such notebook dir|root_dir.*(?:not a directory|not found|does not exist)",
        "its root directory is not there",
        "",
    ),
    (r"Cannot assign requested address|Name or service not known", "its address is not one of this machine", ""),
    (r"Permission denied", "something may not be read or written", ""),
    (
        r"(?:ModuleNotFoundError|ImportError): (.{1,120})",
        "a Python package is missing or broken",
        "Install Jupyter there again.",
    ),
    (r"No module named (\S{1,80})", "a Python package is missing", "Install Jupyter in that environment."),
)


class LaunchFailed(JupytuiError):
    """The server did not start, and nothing of it is left; `log` holds its last lines, cleaned."""

    def __init__(self, message: str, hint: str = "", *, detail: str = "", log: str = "") -> None:
        super().__init__(message, hint, detail=detail)
        self.log = log


def explain(facts: Mapping[str, Any], title: str) -> LaunchFailed:
    """Return the failure that a program on the host told."""
    log = clean(facts.get("log") or "", 16384) if isinstance(facts.get("log"), str) else ""
    cause, hint = _cause(facts, log)
    detail = clean("\n".join(filter(None, (words(facts.get("command")), words(facts.get("text"), 4000), log))), 20000)
    return LaunchFailed(f"{title} did not start: {cause}.", hint, detail=detail, log=log)


def _cause(facts: Mapping[str, Any], log: str) -> tuple[str, str]:
    kind, text = facts.get("kind"), words(facts.get("text"), 4000)
    if kind == "os":
        return _from_os(facts)
    if kind == "exists":
        return f"there is {words(facts.get('path'))} already", "Give it another name."
    if kind == "silent":
        return "it did not answer in time", "Its last log lines may say why."
    return _from_text(f"{log}\n{text}") or _from_status(facts, text)


def _from_text(text: str) -> tuple[str, str] | None:
    for pattern, cause, hint in _LOG_CAUSES:
        if re.search(pattern, text):
            return cause, hint
    raised = re.findall(r"^(?:\w+\.)*(\w*(?:Error|Exception): .{1,200})$", text, re.M)
    return (str(raised[-1]), "") if raised else None


def _from_status(facts: Mapping[str, Any], text: str) -> tuple[str, str]:
    if facts.get("kind") == "command":
        return f"`{words(facts.get('command'))}` failed ({text[:200]})", ""
    status = facts.get("status")
    how = how_it_ended(words(facts.get("code")), status if isinstance(status, int) else 0, words(facts.get("result")))
    return f"it {how}", "Its last log lines may say why."


def _from_os(facts: Mapping[str, Any]) -> tuple[str, str]:
    path = words(facts.get("path"))
    number = facts.get("errno")
    if number in {errno.ENOSPC, errno.EDQUOT}:
        return "the disk is full", "Make room on it, and try again."
    if number in {errno.EACCES, errno.EPERM}:
        return f"{path or 'a file'} may not be written", ""
    if number == errno.ELOOP:
        return f"{path} is a link", "It may have been planted there; remove it."
    if number == errno.ENOENT:
        return f"there is no {path}", ""
    return words(facts.get("text")) or "of an error of the machine", ""
