"""Why an installer failed, read off its last lines: a sentence and what to do about it.

The patterns are those of pip 23 to 26, uv 0.13, conda 24 and micromamba 2; the tests hold recordings of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from jupytui.figures import size


@dataclass(frozen=True, slots=True)
class Cause:
    """A failure in words: `message` without the host's name, `hint` what to do."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    message: str
    hint: str


def _rule(pattern: str, message: str, hint: str = "") -> _Rule:
    return _Rule(re.compile(pattern, re.IGNORECASE), message, hint)


FULL = _rule(
    r"no space left on device|disk quota exceeded|os error (?:28|122)\b|errno (?:28|122)\b|NoSpaceLeftError",
    "The disk is full.",
    "JupyterLab takes about 400 MB. Make room, or choose a directory on another disk.",
)
_BUILD_HINT = (
    "Another version may have a wheel; otherwise a compiler and Python's headers are needed "
    "(Debian: build-essential python3-dev)."
)
NOTHING = 2**20  # bytes free, too few for anything an installer writes
LITTLE = 64 * 2**20  # too few for the failed step, which has cleared its temporary files by then

# In this order: one failure often causes the words of another ("no network" ends as "no matching distribution").
_RULES = (
    FULL,
    _rule(
        r"do not match the hashes|hash mismatch|ChecksumMismatch|bad ?zip ?file|not a zip file|read from zip file|"
        r"has an invalid wheel|located at \S+ is invalid|invalid package format",
        "A package that was fetched is damaged, or not the one that was meant.",
        "Remove the installer's cache (pip cache purge, uv cache clean) and try again; then mistrust the index.",
    ),
    _rule(
        r"externally-managed-environment|is externally managed",
        "This Python belongs to the system, and only the system's own tools may change it.",
        "Make a new environment from it instead.",
    ),
    _rule(
        r"apt install (?P<what>python3[\w.]*-venv)",
        "This Python cannot make environments: its venv module is incomplete.",
        "As root there: apt install {what}.",
    ),
    _rule(
        r"no module named '?(?:venv|ensurepip)\b|ensurepip is not available",
        "This Python cannot make environments: its venv module is incomplete.",
        "Install the venv module of this Python with the system's package manager.",
    ),
    _rule(r"no module named '?pip\b", "This environment has no pip.", "Choose uv, or run its python -m ensurepip."),
    _rule(
        r"certificate_verify_failed|invalid peer certificate|unable to get local issuer",
        "The package index shows a certificate that this machine does not trust.",
        "Behind a proxy that inspects traffic, pip needs its certificate (pip config set global.cert FILE).",
    ),
    _rule(
        r"temporary failure in name resolution|name or service not known|nodename nor servname|dns error|"
        r"failed to lookup address|could not resolve host|NameResolutionError",
        "The package index cannot be found: this machine resolves no names, or has no network.",
        "Give a directory of wheels that is on the machine, or configure pip for an index that it can reach.",
    ),
    _rule(
        r"failed to establish a new connection|network is unreachable|connection refused|connection reset|"
        r"error sending request|tcp connect error|CondaHTTPError|ConnectTimeout|read timed out|ReadTimeoutError|"
        r"could not connect|proxyerror|connection timed out|Download error \(\d+\)",
        "The package index does not answer.",
        "Give a directory of wheels that is on the machine, or configure pip for an index that it can reach.",
    ),
    _rule(
        r"requires a different python|current python version \((?P<what>[^)]*)\) does not satisfy|"
        r"ignored the following versions that require a different python|requires python\b",
        "This Python is too old (or too new) for what was asked for.",
        "JupyterLab needs Python 3.10 or newer: choose another Python, or an older version of the package.",
    ),
    _rule(
        r"no matching distribution found for (?P<what>[^\s(]+)",
        "There is no package {what} that fits this Python and this machine.",
        "The name may be misspelled, or its wheel missing from the directory of wheels or the index.",
    ),
    _rule(
        r"because (?P<what>\S+) was not found in|there (?:is|are) no versions? of (?P<what2>[^\s,]+)|"
        r"because (?P<what3>\S+) has no wheels with a matching",
        "There is no package {what} that fits this Python and this machine.",
        "The name may be misspelled, or its wheel missing from the directory of wheels or the index.",
    ),
    _rule(
        r"PackagesNotFoundError|nothing provides(?: requested)? (?P<what>[\w.-]+)|"
        r"(?P<what2>[\w.-]+)(?: \S+)? does not exist \(perhaps a typo",
        "There is no package {what} in the channels.",
        "The name may be misspelled, or a channel missing (conda-forge has Jupyter).",
    ),
    _rule(
        r"ResolutionImpossible|conflicting dependencies|no solution found when resolving|UnsatisfiableError|"
        r"could not solve for environment|LibMambaUnsatisfiableError",
        "The packages contradict each other: no set of versions fits together.",
        "A new environment has nothing to contradict; the output says which packages are at odds.",
    ),
    _rule(
        r"failed building wheel for (?P<what>[\w.-]+)|failed to build[ :`']+(?P<what2>[\w.-]+)|"
        r"setup\.py install for (?P<what3>[\w.-]+): finished with status 'error'",
        "The package {what} has no ready-made wheel for this machine, and building it failed.",
        _BUILD_HINT,
    ),
    _rule(
        r"command '[^']*(?:gcc|cc|clang)[^']*' failed|unable to find a compatible compiler",
        "A package has no ready-made wheel for this machine, and building it failed.",
        _BUILD_HINT,
    ),
    _rule(
        r"permission denied|os error 13\b|read-only file system|EnvironmentNotWritable|NotWritableError",
        "This user may not write there.",
        "Choose a directory of your own.",
    ),
    _rule(
        r"\bMemoryError\b|cannot allocate memory|out of memory", "The machine ran out of memory.", "Free some first."
    ),
)


def cause(lines: Sequence[str], status: int, free: int | None = None) -> Cause:
    """Return why a command that printed `lines` last ended with `status` (128 + signal as sh gives it).

    `free`: bytes that were free just then; venv says nothing of a full disk, only that ensurepip failed. Never fails:
    what is not recognised is told by its last line.
    """
    if free is not None and free < NOTHING:
        return Cause(FULL.message, FULL.hint)
    text = "\n".join(lines)
    for rule in _RULES:
        if found := rule.pattern.search(text):
            what = next((name for name in found.groupdict().values() if name), "that was asked for")
            return Cause(rule.message.format(what=what.strip("`'\"")), rule.hint.format(what=what))
    if status in {137, -9}:
        return Cause(
            "The installer was killed, most likely because the machine ran out of memory.",
            "See the kernel's log (dmesg) for 'Out of memory'; free some and try again.",
        )
    if free is not None and free < LITTLE:
        return Cause(f"The disk is nearly full ({size(free)} free), which is the likely cause.", FULL.hint)
    said = next((line for line in reversed(lines) if line.strip()), "")
    return Cause(f"The installer ended with status {status}" + (f": {said}" if said else "."))
