"""The command line: the same actions as on the screen, for scripts. Nothing heavy is imported before it is needed.

stdout is data, stderr is talk. Exit status: 0 done, 1 the action failed, 2 wrong use or configuration, 3 some host
could not be reached.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

from jupytui.errors import ConfigError, JupytuiError, UsageError
from jupytui.text import clean

_FULL = frozenset((errno.ENOSPC, errno.EDQUOT))
FAILED, WRONG_USE, UNREACHED = 1, 2, 3
INTERRUPTED, BROKEN_PIPE = 130, 141  # as a shell reports SIGINT and SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line (sys.argv's, if None) and return its exit status; nothing is raised."""
    try:
        return _flushed(_dispatch(argv))
    except BrokenPipeError:
        _give_up_stdout()
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except JupytuiError as error:
        say(str(error))
        return WRONG_USE if isinstance(error, UsageError | ConfigError) else FAILED
    except OSError as error:
        return _disk_is_full(error) if error.errno in _FULL else _crashed(error)
    except Exception as error:
        return _crashed(error)


def say(text: str) -> None:
    """Tell the person something on stderr, cleaned."""
    print(clean(f"jupytui: {text}"), file=sys.stderr)


def tell(text: str, fraction: float | None = None) -> None:
    """Say on stderr what is being done, and how far it is."""
    say(text if fraction is None else f"{fraction:4.0%} {text}")


def _dispatch(argv: Sequence[str] | None) -> int:
    from jupytui.cli.parser import build_parser

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that is not UTF-8 shows ? and does not end us
    try:
        arguments = build_parser().parse_args(argv)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 0
    status: int = arguments.run(arguments)
    return status


def _flushed(status: int) -> int:
    if sys.stdout is not None:
        sys.stdout.flush()
    return status


def _give_up_stdout() -> None:
    """Nobody gets the rest any more; the interpreter's own flush at exit must not complain about it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _disk_is_full(error: OSError) -> int:
    _give_up_stdout()
    say(f"the disk is full: {error.filename or 'the output'} could not be written whole.")
    return FAILED


def _crashed(error: Exception) -> int:
    from jupytui.config.crash import write_crash
    from jupytui.config.paths import find_paths

    log = write_crash(find_paths().logs, error)
    say(f"this is a mistake in jupytui itself ({type(error).__name__})." + (f" Please report {log}" if log else ""))
    return FAILED
