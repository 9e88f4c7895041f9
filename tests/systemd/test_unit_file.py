"""What is written into a unit file is what systemd reads."""

from __future__ import annotations

import json
import random
import string

from hypothesis import given
from hypothesis import strategies as st

from jupytui.systemd.unit_file import UnitFile, exec_line, is_unit_name, quote, render
from tests.lab.lab import Lab

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
NASTY = (
    *(
        "a b",
        "%h",
        "%%",
        "$HOME",
        "${HOME}",
        "$$",
        "a$",
        '"',
        "'",
        "\\",
        "\\x41",
        "\\n",
        "a\nb",
        "\t",
        ";",
        "#x",
        "=",
        "-x",
    ),
    *(
        "@",
        "+",
        "!",
        ":",
        "é",
        "日本語",
        "a\\",
        '\\"',
        "'a b'",
        "\x01",
        "\x7f",
        "*",
        "~",
        "{}",
        "|",
        "&",
        "`id`",
        "$(id)",
        "a;b",
    ),
)


@given(st.lists(WORDS, min_size=1))
def test_a_command_line_is_one_line_without_specifiers_or_variables(words: list[str]) -> None:
    line = exec_line(words)
    assert not any(char in line for char in "\n\r")
    assert "%" not in line.replace("%%", "")
    assert "$" not in line.replace("$$", "")
    assert unquoted(line) == words


def unquoted(line: str) -> list[str]:
    """Read the words back as systemd.syntax(7) says; written from that page, not from our writer."""
    words: list[str] = []
    word, inside, escaped, began = "", False, "", False
    for char in line:
        if escaped:
            escaped += char
            if escaped[1] != "x":
                word, escaped = word + {"n": "\n", "t": "\t"}.get(char, char), ""
            elif len(escaped) == 4:
                word, escaped = word + chr(int(escaped[2:], 16)), ""
        elif char == "\\":
            escaped = char
        elif char == '"':
            inside, began = not inside, True
        elif char == " " and not inside:
            words, word, began = [*words, word], "", False
        else:
            word, began = word + char, True
    assert not inside
    assert not escaped
    return [w.replace("%%", "%").replace("$$", "$") for w in ([*words, word] if began or word else words)]


def test_systemd_gives_a_program_exactly_the_words_and_variables_that_were_meant(lab: Lab) -> None:
    host = lab.host("systemd")
    host.exec("loginctl enable-linger alice; systemctl start user@$(id -u alice)")
    chance = random.Random(7)
    pool = string.printable.replace("\r", "") + "éλ日\x02"
    words = [*NASTY, *("".join(chance.choices(pool, k=chance.randint(1, 12))) for _ in range(300))]
    value = "".join(NASTY).replace("\x01", "").replace("\x7f", "")
    program = "import json, os, sys; json.dump([sys.argv[1:], os.environ['ODD']], open('/home/alice/seen', 'w'))"
    unit = UnitFile(
        'Odd %h "x"', ("/usr/bin/python3", "-c", program, *words), {"ODD": value}, log="/home/alice/%h odd.log"
    )
    text = render(unit).replace("Type=exec", "Type=oneshot").replace("Restart=on-failure", "Restart=no")
    host.write("/home/alice/.config/systemd/user/odd.service", text, user="alice", mode="644")
    host.exec("systemctl --user daemon-reload && systemctl --user start odd", user="alice")
    seen, variable = json.loads(host.exec("cat /home/alice/seen").stdout)
    assert seen == words
    assert variable == value
    assert host.exec("test -e '/home/alice/%h odd.log'").returncode == 0
    assert host.exec("systemctl --user show -p Description --value odd", user="alice").stdout == 'Odd %h "x"\n'


def test_what_a_unit_says_is_in_it_and_nothing_else() -> None:
    text = render(UnitFile("x", ("/p", "a b"), log=None, user="alice", limits=(("MemoryMax", "8G"),)))
    assert 'ExecStart=/p "a b"' in text
    assert "User=alice" in text
    assert "MemoryMax=8G" in text
    assert "append:" not in text
    assert "WantedBy=multi-user.target" in text
    assert "default.target" in render(UnitFile("x", ("/p",)))


def test_a_description_cannot_end_its_line() -> None:
    assert "ExecStart=/evil" not in render(UnitFile("x\nExecStart=/evil\\", ("/p",))).splitlines()


def test_bytes_that_are_not_utf8_are_escaped() -> None:
    assert quote("a\udcff") == '"a\\xff"'


def test_names_that_could_leave_the_directory_are_none() -> None:
    assert is_unit_name("jupyter-8888")
    assert not any(map(is_unit_name, ["", "../x", "a/b", ".x", "-x", "a b", "a\n", "x" * 300, "a\\x2d"]))
