"""The directories within a directory of a host, for who looks for one there."""

from __future__ import annotations

from jupytui.errors import CommandError, JupytuiError
from jupytui.hosts.base import Host
from jupytui.text import clean, clean_line

MOST = 2000  # names
DEADLINE = 10.0  # seconds

# `cd` is given an absolute path, so CDPATH and `-` mean nothing to it. A directory that may be entered but not read
# would look empty. Not every `cd` says why it failed (dash's does not), but `ls` does, in the C locale always alike.
_LIST = r"""
LC_ALL=C; export LC_ALL
case $1 in
  /*) place=$1 ;;
  "~") place=$HOME ;;
  "~/"*) place=$HOME/${1#??} ;;
  *) place=$HOME/$1 ;;
esac
if ! cd -- "$place" 2>/dev/null || [ ! -r . ]; then
  if [ -d "$place" ]; then echo "Permission denied" >&2
  elif ls -d -- "$place" >/dev/null; then echo "Not a directory" >&2; fi
  exit 1
fi
left=$2
for name in */ .*/; do
  case $name in ./ | ../ | *"
"*) continue ;; esac
  [ -d "$name" ] || continue
  [ "$left" -gt 0 ] || break
  left=$((left - 1))
  printf '%s\n' "${name%/}"
done
exit 0
"""


async def subdirectories(host: Host, path: str) -> tuple[str, ...]:
    """Return the names of the directories in `path`, links to directories too; sorted, the first `MOST` of them.

    `~` is the home directory there, and what a relative path begins at. Names that cannot be shown as they are
    (control characters, not UTF-8) are left out. Raises CommandError, DeadlineError, HostTrouble.
    """
    if "\0" in path:
        raise CommandError("A directory's name has no null character.")
    done = await host.run(_LIST, path, str(MOST), deadline=DEADLINE)
    if done.status:
        raise _error(host.name, path, done.stderr)
    names = (name.decode("utf-8", "replace") for name in done.stdout.split(b"\n"))
    return tuple(sorted((name for name in names if name and _showable(name)), key=_order))


def _order(name: str) -> tuple[str, str]:
    return name.casefold(), name


def _showable(name: str) -> bool:
    return "\ufffd" not in clean(name) and "\t" not in name


def _error(host: str, path: str, stderr: bytes) -> JupytuiError:
    shown, words = clean_line(path), clean_line(stderr)
    if b"No such file" in stderr:
        return CommandError(f"There is no directory {shown} on {host}.", detail=words)
    if b"Not a directory" in stderr:
        return CommandError(f"{shown} on {host} is not a directory.", detail=words)
    if b"Permission denied" in stderr:
        return CommandError(f"{shown} on {host} may not be read.", detail=words)
    return CommandError(f"{shown} on {host} cannot be read.", detail=words)
