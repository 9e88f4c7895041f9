"""Releases that are known to be vulnerable. A new advisory is one line in `TABLE`; a test holds the table in order.

From the Python Packaging Advisory Database, the CVE list and GitHub's reviewed advisories; each entry names its own.
Flaws of other operating systems than a host can have (CVE-2024-35178, Windows) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_PYPA = "https://github.com/pypa/advisory-database/blob/main/vulns"
_CVE = "https://www.cve.org/CVERecord?id="
_GHSA = "https://github.com/advisories/"


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """A flaw of `package`. `fixed`: the first release without it, of each line that has one, oldest first.

    `since` is the first release that has it, "" for all. `grave`: who makes a user open a notebook or follow a link
    can run code as them. `only_with` is a setting without which nothing happens.
    """

    package: str
    id: str
    fixed: tuple[str, ...]
    words: str
    source: str
    since: str = ""
    grave: bool = False
    only_with: str = ""


SERVER, LAB, NOTEBOOK = "jupyter_server", "jupyterlab", "notebook"
TABLE: tuple[Vulnerability, ...] = (
    Vulnerability(
        SERVER, "CVE-2026-44727", ("2.20.0",),
        "A notebook that somebody else wrote runs scripts as you when it is opened through nbconvert.",
        f"{_GHSA}GHSA-fcw5-x6j4-ccmp", grave=True,
    ),
    Vulnerability(
        SERVER, "CVE-2026-40934", ("2.18.0",), "Old sessions outlive a change of the password.",
        f"{_GHSA}GHSA-5mrq-x3x5-8v8f",
    ),
    Vulnerability(
        SERVER, "CVE-2026-40110", ("2.18.0",), "Pages of addresses that only begin like an allowed one are let in.",
        f"{_CVE}CVE-2026-40110", only_with="ServerApp.allow_origin_pat",
    ),
    Vulnerability(
        SERVER, "CVE-2026-35397", ("2.18.0",),
        "Who is let in reads files beside the root directory, where a name begins like its own.",
        f"{_CVE}CVE-2026-35397",
    ),
    Vulnerability(
        SERVER, "CVE-2023-49080", ("2.11.2",), "Error messages tell paths of the machine.",
        f"{_CVE}CVE-2023-49080",
    ),
    Vulnerability(
        SERVER, "GHSA-r726-vmfq-j9j3", ("2.7.2",), "A login link of somebody else's leads on to a site of theirs.",
        f"{_GHSA}GHSA-r726-vmfq-j9j3",
    ),
    Vulnerability(
        SERVER, "CVE-2022-24757", ("1.15.4",), "Cookies are written into the log with every server error.",
        f"{_PYPA}/jupyter-server/PYSEC-2022-179.yaml",
    ),
    Vulnerability(
        LAB, "CVE-2026-73415", ("4.5.10", "4.6.2"), "An image opened in a new tab can run scripts as you.",
        f"{_GHSA}GHSA-gx64-gj6p-pc4c", since="4.0.0", grave=True,
    ),
    Vulnerability(
        LAB, "CVE-2026-73417", ("4.5.10", "4.6.2"), "Settings somebody else prepared (overrides.json) can run scripts.",
        f"{_GHSA}GHSA-pppj-hq3g-57pj", since="4.0.0", grave=True,
    ),
    Vulnerability(
        LAB, "GHSA-vmhf-c436-hxj4", ("4.5.9",), "A package in the extension manager can run scripts as you.",
        f"{_GHSA}GHSA-vmhf-c436-hxj4", since="4.0.0", grave=True,
    ),
    Vulnerability(
        LAB, "CVE-2026-40171", ("4.5.7",), "One click in a notebook that somebody else wrote gives your token away.",
        f"{_GHSA}GHSA-rch3-82jr-f9w9", since="4.0.0", grave=True,
    ),
    Vulnerability(
        LAB, "CVE-2026-42557", ("4.5.7",), "One click on content that somebody else wrote runs commands.",
        f"{_CVE}CVE-2026-42557", since="4.0.0", grave=True,
    ),
    Vulnerability(
        LAB, "CVE-2026-42266", ("4.5.7",), "The list of extensions that may be installed is not kept to.",
        f"{_PYPA}/jupyterlab/PYSEC-2026-164.yaml", since="4.0.0", only_with="LabApp.allowed_extensions_uris",
    ),
    Vulnerability(
        LAB, "CVE-2024-43805", ("3.6.8", "4.2.5"), "A notebook or Markdown file somebody else wrote acts as you.",
        f"{_PYPA}/notebook/PYSEC-2026-1481.yaml", grave=True,
    ),
    Vulnerability(
        LAB, "CVE-2024-22421", ("3.6.7", "4.0.11"), "A link somebody else wrote can carry your token away.",
        f"{_CVE}CVE-2024-22421", grave=True,
    ),
    Vulnerability(
        LAB, "CVE-2024-22420", ("4.0.11",), "The Markdown preview runs scripts that somebody else wrote.",
        f"{_PYPA}/jupyterlab/PYSEC-2026-2535.yaml", since="4.0.0", grave=True,
    ),
    Vulnerability(
        LAB, "CVE-2021-32797", ("1.2.1", "2.2.10", "2.3.2", "3.0.17", "3.1.4"),
        "A notebook that somebody else wrote runs code when it is opened.", f"{_CVE}CVE-2021-32797", grave=True,
    ),
    Vulnerability(
        NOTEBOOK, "CVE-2026-40171", ("7.5.6",),
        "One click in a notebook that somebody else wrote gives your token away.",
        f"{_GHSA}GHSA-rch3-82jr-f9w9", since="7.0.0", grave=True,
    ),
    Vulnerability(
        NOTEBOOK, "CVE-2024-43805", ("7.2.2",), "A notebook or Markdown file somebody else wrote acts as you.",
        f"{_PYPA}/notebook/PYSEC-2026-1481.yaml", since="7.0.0", grave=True,
    ),
    Vulnerability(
        NOTEBOOK, "CVE-2022-24758", ("6.4.10",), "Cookies are written into the log with every server error.",
        "https://github.com/jupyter/notebook/security/advisories/GHSA-m87f-39q9-6f55",
    ),
    Vulnerability(
        NOTEBOOK, "CVE-2021-32798", ("5.7.11", "6.4.1"),
        "A notebook that somebody else wrote runs code when it is opened.", f"{_CVE}CVE-2021-32798", grave=True,
    ),
)  # fmt: skip


def vulnerabilities(versions: Mapping[str, str], table: tuple[Vulnerability, ...] = TABLE) -> Iterator[Vulnerability]:
    """Return the flaws of what is installed: `versions` by package; what is no version has none."""
    for flaw in table:
        version = versions.get(flaw.package, "")
        if order(version) and is_affected(version, flaw):
            yield flaw


def is_affected(version: str, flaw: Vulnerability) -> bool:
    """Whether a release has the flaw.

    Each fixed release mends its own line: X.Y where that line was mended too ("4.5.10" and "4.6.2"), else everything
    from there to the next. A release before the final one (4.5.7rc1) counts as before it.
    """
    number = order(version)
    if flaw.since and number < order(flaw.since):
        return False
    fixes = [order(fixed) for fixed in flaw.fixed]
    if number >= fixes[-1]:
        return False
    return not any(number >= fixed and _line(number, fixed, fixes) for fixed in fixes[:-1])


def _line(number: tuple[int, ...], fixed: tuple[int, ...], fixes: list[tuple[int, ...]]) -> bool:
    """Whether a release belongs to the line of `fixed`: X where no other fix has the same X, else X.Y."""
    alone = sum(other[0] == fixed[0] for other in fixes) == 1
    return number[0] == fixed[0] and (alone or number[1] == fixed[1])


def order(version: str) -> tuple[int, ...]:
    """Return what releases are compared by: three numbers, and 0 for one before the final one; () for no version."""
    found = re.match(r"(\d+)(?:\.(\d+))?(?:\.(\d+))?(.*)", version)
    if not found:
        return ()
    early = re.match(r"[.-]?(a|b|rc|dev|alpha|beta)", found[4])
    return (int(found[1]), int(found[2] or 0), int(found[3] or 0), 0 if early else 1)
