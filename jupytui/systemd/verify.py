"""What systemd itself says of a unit file before it is used: mistakes, and how exposed it leaves the machine.

`systemd-analyze verify` exits with 0 for keys it does not know and only says so on stderr; `security --offline=true`
scores a file that is not installed (systemd 250 and newer; both measured on 252).
"""

from __future__ import annotations

import re

import msgspec

from jupytui.hosts.base import Host
from jupytui.text import clean, clean_line

# The file must bear its own name to be checked as itself, so it goes into a directory of its own.
_CHECK = r"""
LC_ALL=C; export LC_ALL
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
command -v systemd-analyze >/dev/null || exit 92
umask 077
dir=$(mktemp -d) || exit 1
trap 'rm -rf -- "$dir"' EXIT
trap 'exit 1' HUP INT TERM
cat >"$dir/$2"
systemd-analyze "--$1" verify "$dir/$2" 2>&1 | sed "s,$dir/,,g"
echo "-- security"
systemd-analyze --no-pager security --offline=true "$dir/$2" 2>/dev/null
"""


class Verdict(msgspec.Struct, frozen=True):
    """`complaints` are systemd's own lines about this file; `score` 0 (safe) to 10 (exposed), None where it cannot
    tell; `checked` False: the host has no systemd-analyze. `weak` are the settings that cost most: (key, exposure).
    """

    complaints: tuple[str, ...] = ()
    score: float | None = None
    level: str = ""
    weak: tuple[tuple[str, float], ...] = ()
    checked: bool = True


async def verify(host: Host, scope: str, name: str, text: str) -> Verdict:
    """Return what systemd says of `text` as unit `name` ("x.service"). Changes nothing. Raises HostTrouble."""
    done = await host.run(_CHECK, scope, name, stdin=text.encode("utf-8", "surrogateescape"))
    if done.status == 92:
        return Verdict(checked=False)
    return parse_verdict(done.stdout.decode("utf-8", "replace"), name)


def parse_verdict(output: str, name: str) -> Verdict:
    """Read what both commands printed. Complaints about other units, which ours pulls in, are left out."""
    verified, _, scored = output.partition("-- security\n")
    lines = [clean_line(line, 400) for line in clean(verified, 65536).split("\n") if line.strip()]
    overall = re.search(r"Overall exposure level for .*?: ([0-9]+\.[0-9]) ([A-Z]+)", scored)
    return Verdict(
        complaints=tuple(line for line in lines if line.startswith((name, "Unit ")) or ".service" not in line),
        score=float(overall[1]) if overall else None,
        level=overall[2].lower() if overall else "",
        weak=_weak(scored),
    )


def _weak(scored: str) -> tuple[tuple[str, float], ...]:
    rows = re.findall(r"^\S*\s*([A-Za-z][\w~:=@-]*)\s+.*?\s([0-9]\.[0-9])\s*$", clean(scored, 65536), re.M)
    return tuple(sorted(((key, float(cost)) for key, cost in rows), key=lambda row: -row[1])[:10])
