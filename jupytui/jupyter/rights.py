"""With whose rights something that is a user's own is run on a host: root never runs it as root.

What executable a process was started by, and what a user's own Python says of itself, is that user's to choose.
"""

from __future__ import annotations

from jupytui.errors import CommandError
from jupytui.hosts.base import Host
from jupytui.text import clean

REFUSED = 98

# For the beginning of a script. `/proc/PID` itself is root's where a process cannot be dumped: its status tells whose
# it is all the same. The environment is left behind, too: root's may hold what is nobody else's.
SHELL = r"""
owner_of() { sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$1/status" 2>/dev/null; }

only_roots() {
  at=$1
  while [ -n "$at" ]; do
    [ -n "$(find "$at" -prune -user 0 ! -perm -020 ! -perm -002)" ] || return 1
    at=${at%/*}
  done
}

root_python() {
  for each in "$(command -v python3)" "$(command -v python)" /usr/bin/python3 /usr/local/bin/python3; do
    each=$(readlink -f "$each" 2>/dev/null)
    [ -x "$each" ] && only_roots "$each" && printf '%s\n' "$each" && return
  done
  return 1
}

# $1 whose, $2 a Python of theirs: prints one that can be run with our rights.
usable_python() {
  if [ "$(id -u)" = 0 ] && [ "$1" != 0 ]; then root_python; else printf '%s\n' "$2"; fi
}

# $1 whose, then a program with its arguments.
exec_as() {
  owner=$1; shift
  [ "$(id -u)" = 0 ] && [ "$owner" != 0 ] || exec "$@"
  account=$({ getent passwd "$owner" || cat /etc/passwd; } 2>/dev/null | grep "^[^:]*:[^:]*:$owner:" | head -n 1)
  [ -n "$account" ] || { echo "user $owner has no account" >&2; exit 98; }
  name=$(printf %s "$account" | cut -d: -f1) group=$(printf %s "$account" | cut -d: -f4)
  cd /
  home=$(printf %s "$account" | cut -d: -f6)
  set -- "$(command -v env)" -i "HOME=$home" "USER=$name" "LOGNAME=$name" "PATH=$PATH" "$@"
  if setpriv --help 2>&1 | grep -q -e --init-groups; then
    exec setpriv --reuid "$owner" --regid "$group" --init-groups -- "$@"
  fi
  # Once the rights are dropped it can import nothing more: it may lie where only root can read.
  python=$(root_python) || { echo "there is neither setpriv nor a Python of root's" >&2; exit 98; }
  exec "$python" -I -S -c 'import os, sys
name, group, user = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.initgroups(name, group); os.setgid(group); os.setuid(user)
os.execv(sys.argv[4], sys.argv[4:])' "$name" "$group" "$owner" "$@"
}
"""


def refusal(host: Host, detail: bytes | str = "") -> CommandError:
    """Return why a script that ended with REFUSED ran nothing."""
    return CommandError(
        f"root on {host.name} cannot run another user's Python with that user's rights, and runs it with no others.",
        "Connect as that user; or install setpriv (util-linux), or a python3 of root's own.",
        detail=clean(detail),
    )
