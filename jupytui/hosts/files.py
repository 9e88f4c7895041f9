"""The sh scripts behind `Host.read` and `Host.write`, and what their errors mean."""

from __future__ import annotations

import secrets

from jupytui.errors import CommandError
from jupytui.text import clean_line

# In the C locale every sh and every head says the kernel's own words.
READ = 'LC_ALL=C exec head -c "$2" -- "$1"'

# noclobber makes `>` an O_EXCL create, which neither follows nor opens anything planted there. `mv -T` (GNU, busybox)
# renames over a symlink to a directory; where it is unknown (macOS), such a target is refused instead.
# The signal that ends us goes to the whole group: rm must be started deaf to it, or it dies before the file does.
WRITE = """\
LC_ALL=C; export LC_ALL
path=$1 temp=$2 size=$3 mode=$4 mask=$5 group=${6:-}
if [ -d "$path" ] && [ ! -L "$path" ]; then echo "Is a directory" >&2; exit 1; fi
umask "$mask"; set -C
trap 'trap "" HUP INT TERM; rm -f -- "$temp"' EXIT
trap 'trap "" HUP INT TERM; rm -f -- "$temp"; exit 1' HUP INT TERM
cat >"$temp" || exit 1
[ "$(wc -c <"$temp")" -eq "$size" ] || { echo "Cut short" >&2; exit 1; }
[ -z "$group" ] || chgrp -- "$group" "$temp" 2>/dev/null || mode=600
chmod "$mode" "$temp" || exit 1
dd if=/dev/null of="$temp" conv=notrunc,fsync 2>/dev/null
if mv -f -T -- "$temp" "$path" 2>/dev/null; then exit 0; fi
if [ -d "$path" ]; then echo "Is a link to a directory" >&2; exit 1; fi
mv -f -- "$temp" "$path"
"""


def write_args(path: str, size: int, mode: int, group: str = "") -> tuple[str, ...]:
    """Return the arguments of WRITE. The temporary file lies beside the target, or it could not be renamed.

    A `group` that cannot be kept (we are not in it) has nobody but the owner read the file.
    """
    directory = path.rpartition("/")[0]
    temp = f"{directory or ('/' if path.startswith('/') else '.')}/.jupytui-{secrets.token_hex(8)}"
    return _literal(path), temp, str(size), f"{mode:o}", f"{(0o77 | ~mode) & 0o777:o}", group


def _literal(path: str) -> str:
    return f"./{path}" if path.startswith("-") else path


def read_error(host: str, path: str, stderr: bytes) -> Exception:
    """Return FileNotFoundError, PermissionError or CommandError for what `head` complained about."""
    if b"No such file" in stderr or b"Not a directory" in stderr:
        return FileNotFoundError(f"There is no {path} on {host}.")
    if b"Permission denied" in stderr:
        return PermissionError(f"{path} on {host} may not be read.")
    return CommandError(f"{path} on {host} cannot be read.", detail=clean_line(stderr))


def write_error(host: str, path: str, stderr: bytes) -> Exception:
    """Return PermissionError or CommandError for why the file is as it was."""
    words = clean_line(stderr)
    if b"Permission denied" in stderr or b"not permitted" in stderr:
        return PermissionError(f"{path} on {host} may not be written.")
    reason = f" ({words.rpartition(': ')[2]})" if words else ""
    return CommandError(f"{path} on {host} was not written{reason}; it is as it was.", detail=words)
