"""The terminal driver does what end-to-end tests rely on."""

import re
from pathlib import Path

import pytest

from tests.e2e.tmux import Tmux

ECHO = ["sh", "-c", 'tput cols; tput lines; echo $TERM; while read -r line; do echo "<$line>"; done']


def test_the_program_sees_the_size_and_a_terminal_of_tmux() -> None:
    with Tmux(ECHO, 45, 30) as terminal:
        assert re.fullmatch(r"45\n30\n(tmux|screen)-256color\n*", terminal.wait_until("256color"))


def test_text_and_keys_arrive_as_typed() -> None:
    with Tmux(ECHO) as terminal:
        terminal.type("a; b $HOME 'c'")
        terminal.send("Enter")
        terminal.wait_until("<a; b $HOME 'c'>")


def test_a_resize_reaches_the_program() -> None:
    with Tmux(["sh", "-c", "trap 'tput cols' WINCH; echo ready; while :; do read -r _; done"], 80, 24) as terminal:
        terminal.wait_until("ready")
        terminal.resize(45, 30)
        terminal.wait_until("45")


def test_every_byte_the_program_writes_is_counted_from_the_first_on() -> None:
    with Tmux(["sh", "-c", "printf 'one\\033[1mtwo'; read -r _; printf three; read -r _"]) as terminal:
        terminal.wait_until("two")
        assert terminal.wait_quiet() == len(b"one\x1b[1mtwo")
        assert terminal.output() == b"one\x1b[1mtwo"
        assert "\x1b[1m" in terminal.styled_screen()


def test_what_is_not_seen_in_time_fails_with_the_screen() -> None:
    with Tmux(ECHO) as terminal, pytest.raises(AssertionError, match=r"(?s)not seen.*256color"):
        terminal.wait_until("256color")
        terminal.wait_until(re.compile("never"), deadline=0.1)


@pytest.mark.parametrize(("script", "status"), [("exit 3", 3), ("kill -TERM $$", -15)])
def test_the_exit_status_and_the_last_screen_are_kept(script: str, status: int) -> None:
    with Tmux(["sh", "-c", f"echo last words; {script}"]) as terminal:
        assert terminal.exit_status() == status
        terminal.wait_until("last words")


def test_leaving_waits_for_what_the_program_does_at_its_end(home: Path) -> None:
    with Tmux(["sh", "-c", 'trap "sleep 0.3; : >$HOME/written; exit" HUP; echo ready; read -r _']) as terminal:
        terminal.wait_until("ready")
    assert (home / "written").exists()
