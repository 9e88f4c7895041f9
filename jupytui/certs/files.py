"""The files of a server on its host, read and replaced with no more rights than its user's; owner and mode stay.

Root would follow a link that this user has planted, and leave files that the server cannot read: Jupyter opens them
for each connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from jupytui.errors import CommandError
from jupytui.hosts import files
from jupytui.hosts.base import Finished, Host
from jupytui.jupyter.rights import SHELL
from jupytui.text import clean_line

MAX_FILE = 2**20

_AS = (
    SHELL
    + """
user=$1 script=$2; shift 2
[ "$user" != "$(id -un)" ] || exec /bin/sh -c "$script" sh "$@"
exec_as "$(id -u -- "$user")" /bin/sh -c "$script" sh "$@"
"""
)
_READ = """\
LC_ALL=C; export LC_ALL
ls -ldnq -- "$1" || exit
exec head -c "$2" -- "$1"
"""
_OWNER = '[ "$(id -u)" -ne 0 ] || LC_ALL=C ls -ldq -- "/proc/$1"'
# The first owner on the way who is not root may put anything in the place of what follows.
_OWNERS = """\
[ "$(id -u)" -eq 0 ] || exit 0
LC_ALL=C; export LC_ALL
walk() { case $1 in ?*/*) walk "${1%/*}" ;; esac; ls -ldq -- "$1" 2>/dev/null; }
walk "$1"
cd -P -- "${1%/*}/" 2>/dev/null && walk "$(pwd -P)"
exit 0
"""


class Rights(NamedTuple):
    """Who may do what with a file besides its owner; `group` "" is that of whoever writes it."""

    mode: int = 0o600
    group: str = ""

    @property
    def private(self) -> Rights:
        """The same for a file with a key, which is never everybody's."""
        return Rights(self.mode & 0o770, self.group)


PRIVATE = Rights()


@dataclass(frozen=True, slots=True)
class Former:
    """A file as it was: `data` None where there was none; or there was one that may not be read (`hidden`)."""

    data: bytes | None = field(default=None, repr=False)
    rights: Rights = PRIVATE
    hidden: bool = False


async def user_of_process(host: Host, pid: int) -> str:
    """Return whose process that is, where we are root and it is not root's; else "": our own rights will do."""
    return _first_of_others((await host.run(_OWNER, str(pid))).stdout) if pid else ""


async def user_of_path(host: Host, path: str) -> str:
    """Return who decides, besides root, what lies at `path`, where we are root; else "": our own rights will do."""
    return _first_of_others((await host.run(_OWNERS, path)).stdout)


def _first_of_others(listed: bytes) -> str:
    owners = [fields[2].decode() for line in listed.splitlines() if len(fields := line.split()) > 3]
    return next((owner for owner in owners if owner != "root"), "")


class Files:
    """Files on `host`, dealt with as `user` (only root can be another one); "" is who we are there."""

    def __init__(self, host: Host, user: str = "") -> None:
        self._host = host
        self._user = user

    async def run(self, script: str, *args: str, stdin: bytes = b"", deadline: float = 30.0) -> Finished:
        """Run sh source `script` as the user; see `Host.run`."""
        if self._user:
            return await self._host.run(_AS, self._user, script, *args, stdin=stdin, deadline=deadline)
        return await self._host.run(script, *args, stdin=stdin, deadline=deadline)

    async def read(self, path: str) -> Former:
        """Return the file at `path`, also where there is none that may be read. Raises CommandError, HostTrouble."""
        done = await self.run(_READ, path, str(MAX_FILE + 1))
        line, _, data = done.stdout.partition(b"\n")
        rights = _rights(line.decode("ascii", "replace").split())
        if done.status:
            error = files.read_error(self._host.name, path, done.stderr)
            if isinstance(error, FileNotFoundError):
                return Former()
            if isinstance(error, PermissionError):
                return Former(rights=rights, hidden=True)
            raise error
        if len(data) > MAX_FILE:
            raise CommandError(f"{path} on {self._host.name} is longer than {MAX_FILE} bytes.")
        return Former(data, rights)

    async def write(self, path: str, data: bytes, rights: Rights = PRIVATE) -> None:
        """Replace a file atomically, a planted link too. Raises PermissionError, CommandError, HostTrouble."""
        args = files.write_args(path, len(data), *rights)
        done = await self.run(files.WRITE, *args, stdin=data, deadline=120)
        if done.status:
            raise files.write_error(self._host.name, path, done.stderr)

    async def make_directory(self, path: str) -> None:
        """Make a private directory, whatever the umask; one that exists is left as it is. Raises CommandError."""
        made = await self.run('umask 077 && mkdir -p -- "$1"', path)
        if made.status:
            raise CommandError(f"{path} cannot be made on {self._host.name}.", detail=clean_line(made.stderr))

    async def put_back(self, path: str, former: Former) -> None:
        """Have a file be as it was; one that was hidden cannot. Raises PermissionError, CommandError, HostTrouble."""
        if former.data is not None:
            await self.write(path, former.data, former.rights)
        elif not former.hidden:
            await self.run('rm -f -- "$1"', path)


def _rights(listed: list[str]) -> Rights:
    """Read the first fields of `ls -ln`: "-rw-r-----", links, owner, group."""
    if len(listed) < 4:
        return Rights()
    bits = listed[0][1:10]
    mode = sum(0o400 >> place for place, letter in enumerate(bits) if letter not in "-ST")
    # A group that may do no more than everybody need not be kept.
    return Rights(mode, listed[3] if (mode >> 3 & 7) & ~mode else "")
