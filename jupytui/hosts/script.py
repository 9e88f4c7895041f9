r"""How a script travels to a machine so that it ends with the channel that carries it.

A closed SSH channel leaves the remote command running (measured; sshd only closes its pipes), so a small sh program
goes with every script: it runs the script in a process group of its own, and when its stdin ends before the script
does, it ends that group (TERM, after two seconds KILL) and itself.

It must pass through any login shell (fish keeps `\'` and `\\` special inside quotes, csh allows no newline there), so
the command line is constant and harmless, and everything else comes as the first line of stdin.
"""

from __future__ import annotations

import shlex

# `read` takes byte by byte from a pipe, so nothing of what follows the line is lost.
COMMAND = """exec /bin/sh -c 'IFS= read -r l; eval "$(printf %b "$l")"'"""
RESIDENT = "exec /bin/sh"

# $1 the outer shell, $2 the script, then its arguments. The left side feeds the script's stdin and then waits for the
# end of ours, which means stop; the right side runs the script and, when it is over, takes the left side down. It
# starts with a line from the left side: a signal that comes while that is being forked would be lost (seen, 1 in 100).
_GROUP = """\
trap : HUP TERM
w=$1 s=$2; shift 2
exec 4>&2 2>/dev/null
{ exec 4>&-; echo; FEED; exec >/dev/null; cat <&3 && { kill -TERM "$w" || ALONE; }; } | {
  exec 2>&4 4>&-; trap : TERM; read -r n
  /bin/sh -c "$s" sh "$@" 3<&-
  r=$?; trap "" HUP; kill -HUP 0; exit "$r"; }
"""

# Somebody killed the outer shell (the kernel does, where memory runs out): the group ends itself in its place.
_ALONE = '{ trap "" TERM; kill -TERM 0; sleep 2; kill -KILL 0; }'

# A group has members until the last of them was reaped, so `wait` comes before asking whether it is empty.
# Linux has setsid (util-linux, busybox); elsewhere sh is a shell whose `set -m` gives a job its own group.
_OUTER = """\
exec 3<&0 </dev/null
printf '\\n%s\\n' NONCE; printf '\\n%s\\n' NONCE >&2
stop() {
  kill -TERM "-$!"; p=$!
  { trap 'kill $!; exit' TERM; sleep 2 & wait $!; kill -KILL "-$p"; } & k=$!
  wait "$p"
  while kill -0 "-$p"; do sleep 0.1; done
  kill "$k"; exit 143
} 2>/dev/null
trap stop TERM
a=setsid; command -v setsid >/dev/null 2>&1 || { a=command; set -m; }
"$a" /bin/sh -c GROUP sh "$$" SCRIPT & wait "$!"
"""

# head may read ahead (busybox does), which is harmless where nothing but the end follows. A stream's stdin comes in
# frames instead, "LENGTH\\n" and so many bytes, 0 for its end: dd with bs=1 takes not one byte more.
_FEED_KNOWN = 'head -c "{size}" <&3'
_FEED_FRAMES = 'while IFS= read -r n <&3 && [ "$n" -gt 0 ]; do dd bs=1 count="$n" <&3 2>/dev/null; done'


# Ends the process group $1, which is not a child of ours.
END_GROUP = """\
kill -TERM "-$1"
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do kill -0 "-$1" || exit 0; sleep 0.1; done 2>/dev/null
kill -KILL "-$1"
"""


def once(script: str, args: tuple[str, ...], stdin: bytes, nonce: str) -> bytes:
    """Return what to send to `COMMAND` so that it runs `script` with exactly `stdin`; keep the channel open after."""
    feed = _FEED_KNOWN.format(size=len(stdin)) if stdin else ":"
    return _line(feed, script, args, nonce) + stdin


def streamed(script: str, args: tuple[str, ...], nonce: str) -> bytes:
    """Return what to send to `COMMAND` so that it runs `script` with a stdin that comes in frames (see `frame`)."""
    return _line(_FEED_FRAMES, script, args, nonce)


def marker(nonce: str) -> bytes:
    """Return what precedes the script's own output on both stdout and stderr; before it, startup files talk."""
    return f"\n{nonce}\n".encode()


def frame(data: bytes) -> bytes:
    """Return `data` framed for the stdin of a streamed script; b"" is its end."""
    return b"%d\n%b" % (len(data), data)


def _line(feed: str, script: str, args: tuple[str, ...], nonce: str) -> bytes:
    group = shlex.quote(_GROUP.replace("FEED", feed).replace("ALONE", _ALONE))
    source = _OUTER.replace("NONCE", nonce).replace("GROUP", group).replace("SCRIPT", shlex.join([script, *args]))
    return source.replace("\\", "\\\\").replace("\n", "\\n").encode("utf-8", "surrogateescape") + b"\n"
