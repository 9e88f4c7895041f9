"""Put a certificate where a server reads it, prove by a handshake that it is shown, and take it back when it is not.

Jupyter (tornado) reads the files anew for each connection, so nothing restarts and no kernel is lost. It opens them
once for the chain and once for the key: as long as the key stays the same, no connection can ever meet a mismatched
pair, so renewals keep it. With another key, one that comes in the tenth of a millisecond between the two fails.
"""

from __future__ import annotations

import posixpath
import secrets
from dataclasses import dataclass
from enum import StrEnum

from jupytui.certs import pem
from jupytui.certs.check import Unfit, check
from jupytui.certs.faults import judge
from jupytui.certs.files import Files, Former, Rights
from jupytui.certs.inspect import HANDSHAKE_DEADLINE, NoHandshake, Place, served
from jupytui.certs.models import Certificate, CertificateError, Pair
from jupytui.errors import CommandError
from jupytui.hosts.base import Host
from jupytui.jupyter.access import Access
from jupytui.secret import Secret
from jupytui.text import clean_line

# Both files are whole before either is put in place; what is between the two renames is one system call. Where the
# second may not be replaced (a file of root's in a sticky directory), the first is put back. dd, because some heads
# read more than they print.
_SWAP_BOTH = """\
LC_ALL=C; export LC_ALL
old=$3.old had=
umask 077; set -C
trap 'trap "" HUP INT TERM; rm -f -- "$3" "$4" "$old"' EXIT
trap 'exit 1' HUP INT TERM
for f in "$1" "$2"; do [ ! -d "$f" ] || { echo "Is a directory" >&2; exit 1; }; done
dd bs=1 count="$5" >"$3" 2>/dev/null && cat >"$4" || exit 1
[ "$(wc -c <"$3")" -eq "$5" ] && [ "$(wc -c <"$4")" -eq "$6" ] || { echo "Cut short" >&2; exit 1; }
entitle() { [ -z "$3" ] || chgrp -- "$3" "$1" 2>/dev/null || set -- "$1" 600; chmod "$2" "$1"; }
entitle "$3" "$7" "$8" && entitle "$4" "$9" "${10}" || exit 1
[ ! -e "$1" ] || had=yes
[ ! -r "$1" ] || cp -p -- "$1" "$old" || exit 1
trap '' HUP INT TERM
mv -f -- "$3" "$1" || exit 1
mv -f -- "$4" "$2" && exit 0
if [ -e "$old" ]; then mv -f -- "$old" "$1"; elif [ -z "$had" ]; then rm -f -- "$1"; fi
exit 1
"""
_LINKS = 'for f in "$@"; do [ ! -L "$f" ] || readlink -- "$f"; done'


class Way(StrEnum):
    """How the files were changed, for people."""

    COMBINED = "key and chain in one file, swapped at once"
    CHAIN = "the chain alone, swapped at once; the key stays"
    BOTH = "key and chain, one right after the other: a connection in between may fail and is tried again by browsers"


@dataclass(frozen=True, slots=True)
class Installed:
    """What is served now, as the handshake showed it; `before` is what was served until then, None if nothing."""

    certificate: Certificate
    way: Way
    before: Certificate | None = None


class NotServed(CertificateError):
    """The server did not show the new certificate; the files are as they were. `restored` says it serves again."""

    def __init__(self, message: str, hint: str, *, restored: bool) -> None:
        super().__init__(message, hint)
        self.restored = restored


async def install(
    host: Host, access: Access, place: Place, pair: Pair, *, deadline: float = HANDSHAKE_DEADLINE
) -> Installed:
    """Make a server that has TLS on show `pair`: no restart, the same PID, no kernel lost.

    Raises Unfit (refused before the server sees it), NotServed (rolled back), PermissionError, CertificateError,
    CommandError, HostTrouble. When the link is cut before the handshake, the file is as before or wholly new.
    """
    refuse_unfit(pair)
    await refuse_links(host, place)
    files = Files(host, place.user)
    before = await _read(files, place)
    earlier = await _served_or_none(host, access)
    way = await _swap(files, place, pair, before)
    try:
        shown = await proven(host, access, pair, deadline)
    except NotServed as error:
        await _restore(files, place, before)
        files_are = "stay replaced: what was there could not be read" if _hidden(before) else "are as they were"
        raise await _rolled_back(host, access, earlier, error, files_are) from None
    return Installed(shown, way, earlier)


def refuse_unfit(pair: Pair) -> None:
    """Raise Unfit for a pair with a fatal fault."""
    if fatal := [fault for fault in judge(pair) if fault.fatal]:
        raise Unfit(fatal)


async def read_pair(host: Host, place: Place) -> Pair | None:
    """Return the pair that a server reads now; None when there is none that we can read, and without a passphrase."""
    chain, key = await _read(Files(host, place.user), place)
    return check(chain.data or b"", key.data or b"").pair


async def proven(host: Host, access: Access, pair: Pair, deadline: float = HANDSHAKE_DEADLINE) -> Certificate:
    """Return the certificate shown if it is `pair`'s. Raises NotServed (nothing is rolled back), HostTrouble."""
    try:
        shown = await served(host, access, deadline)
    except NoHandshake as error:
        raise NotServed(error.message, error.hint, restored=False) from None
    if shown.der != pair.leaf.der:
        hint = "It reads another file, or something in front of it ends TLS."
        raise NotServed("The server goes on showing its former certificate.", hint, restored=True)
    return shown


async def _served_or_none(host: Host, access: Access) -> Certificate | None:
    try:
        return await served(host, access)
    except NoHandshake:
        return None  # a broken pair is a good reason to install another one


async def _rolled_back(
    host: Host, access: Access, earlier: Certificate | None, error: NotServed, files_are: str
) -> NotServed:
    again = await _served_or_none(host, access)
    restored = again is not None and earlier is not None and again.der == earlier.der
    state = "it serves its former certificate" if restored else "it did not serve TLS before either"
    if earlier is not None and not restored:
        state = "but the server does not finish handshakes any more: look at its log"
    return NotServed(f"{error.message} The files {files_are}; {state}.", error.hint, restored=restored)


async def _read(files: Files, place: Place) -> tuple[Former, Former]:
    """Return the two files as they are, of which the second may not exist (or is no file of its own)."""
    key = await files.read(place.keyfile) if place.two_files and place.keyfile else Former()
    return await files.read(place.certfile), key


def _hidden(before: tuple[Former, Former]) -> bool:
    return any(former.hidden for former in before)


async def refuse_links(host: Host, place: Place) -> None:
    """Raise CertificateError where a file is a link: what it leads to is not ours to replace."""
    paths = [place.certfile, *([place.keyfile] if place.keyfile else [])]
    found = (await Files(host, place.user).run(_LINKS, *paths)).stdout
    if found:
        target = clean_line(found.split(b"\n")[0], 200)
        raise CertificateError(
            f"{posixpath.basename(place.certfile)} is a link to {target}: something else looks after that file.",
            "Renew it there (certbot renew), or let the server read a file of its own.",
        )


async def _swap(files: Files, place: Place, pair: Pair, before: tuple[Former, Former]) -> Way:
    former, former_key = before
    if not place.two_files or place.keyfile is None:
        await files.write(place.certfile, pem.combined_pem(pair), former.rights.private)
        return Way.COMBINED
    chain = pem.chain_pem(pair.chain)
    if former_key.data is not None and _same_key(former_key.data, pair.key):
        await files.write(place.certfile, chain, former.rights)
        return Way.CHAIN
    rights = former.rights, former_key.rights.private
    await _write_both(files, place, (chain, pair.key.reveal().encode()), rights)
    return Way.BOTH


def _same_key(data: bytes, key: Secret) -> bool:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return pem.key_pem(load_pem_private_key(data, None)) == key
    except (ValueError, TypeError):
        return False


async def _write_both(files: Files, place: Place, data: tuple[bytes, bytes], rights: tuple[Rights, Rights]) -> None:
    assert place.keyfile
    paths = place.certfile, place.keyfile
    temporary = [f"{posixpath.dirname(path)}/.jupytui-{secrets.token_hex(8)}" for path in paths]
    sizes = [str(len(each)) for each in data]
    who = [word for each in rights for word in (f"{each.mode:o}", each.group)]
    done = await files.run(_SWAP_BOTH, *paths, *temporary, *sizes, *who, stdin=b"".join(data))
    if done.status:
        raise CommandError(
            f"{place.certfile} and its key were not written; they are as they were.", detail=clean_line(done.stderr)
        )


async def _restore(files: Files, place: Place, before: tuple[Former, Former]) -> None:
    chain, key = before
    if place.two_files and chain.data is not None and key.data is not None:
        await _write_both(files, place, (chain.data, key.data), (chain.rights, key.rights))
        return
    await files.put_back(place.certfile, chain)
    if place.two_files and place.keyfile:
        await files.put_back(place.keyfile, key)
