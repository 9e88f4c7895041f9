"""Where a log is, from what is known of a server."""

import pytest

from jupytui.logs.source import Journal, LogFile, Unreadable, source_of, source_of_unit


def test_units_have_a_journal_and_files_are_files() -> None:
    assert source_of("journal", None, "lab.service", "user") == Journal("lab.service", "user")
    assert source_of("file", "/var/log/lab.log", "lab.service", "system") == LogFile("/var/log/lab.log")


def test_a_stopped_units_log_is_where_its_output_went() -> None:
    assert source_of_unit("lab.service", "user", "append:/home/a/lab.log") == LogFile("/home/a/lab.log")
    for output in ("journal", "inherit", "", "fd:out", "null"):
        assert source_of_unit("lab.service", "user", output) == Journal("lab.service", "user")


def test_a_deleted_file_is_read_through_the_process_that_holds_it() -> None:
    assert source_of("file", "/tmp/a.log (deleted)", pid=7) == LogFile("/proc/7/fd/1")
    assert isinstance(source_of("file", "/tmp/a.log (deleted)"), Unreadable)


@pytest.mark.parametrize(
    ("kind", "where", "words"),
    [
        ("terminal", "/dev/pts/3", "This server's log goes to the terminal /dev/pts/3 it was started in."),
        ("terminal", None, "This server's log goes to the terminal it was started in."),
        ("pipe", None, "This server's log goes into a pipe of another program."),
        ("null", None, "This server's log is thrown away (/dev/null)."),
        ("unknown", None, "It is not known where this server's log goes."),
        ("journal", None, "It is not known where this server's log goes."),
    ],
)
def test_a_log_nowhere_is_said_to_be_nowhere(kind: str, where: str | None, words: str) -> None:
    source = source_of(kind, where)
    assert isinstance(source, Unreadable)
    assert source.message == words
    assert source.hint
