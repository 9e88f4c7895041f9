r"""Write a unit file for a server: what systemd reads is what was meant, byte for byte.

Quoting is that of systemd.syntax(7) and systemd.service(5): inside double quotes `\` and `"` are escaped, `%` is
doubled everywhere (specifiers), `$` only in ExecStart (variables); bytes that are not UTF-8 are written as `\xHH`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

_PLAIN = re.compile(r"[A-Za-z0-9_@+=:,./-]+")
_NAME = re.compile(r"[A-Za-z0-9:_.\\-]{1,200}")
MARK = "X-Jupytui"  # systemd ignores keys and sections that begin with X-


class UnitFile(msgspec.Struct, frozen=True):
    """A service as we write them. `log` is a path for `append:`, None for the journal; `user` only in system units.

    `limits` and `hardening` are (key, value) lines of [Service], as they stand in the file.
    """

    description: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = {}
    log: str | None = None
    user: str | None = None
    limits: tuple[tuple[str, str], ...] = ()
    hardening: tuple[tuple[str, str], ...] = ()


def render(unit: UnitFile) -> str:
    """Return the file's text; surrogates stand for bytes that are not UTF-8 in no place but `\\xHH` escapes."""
    service: list[tuple[str, str]] = [
        ("Type", "exec"),  # `start` fails when the program cannot be executed
        *([("User", unit.user)] if unit.user else []),
        ("WorkingDirectory", "~"),
        *(("Environment", quote(f"{name}={value}")) for name, value in unit.environment.items()),
        ("ExecStart", exec_line(unit.command)),
        ("Restart", "on-failure"),
        ("RestartSec", "5"),
        # Jupyter ends its kernels itself when it is asked to; only what is left then is killed.
        ("KillMode", "mixed"),
        ("TimeoutStopSec", "30"),
        # By default one kernel killed for its memory takes the server and every other kernel with it.
        ("OOMPolicy", "continue"),
        *_log_lines(unit.log),
        *unit.limits,
        *unit.hardening,
    ]
    target = "multi-user.target" if unit.user else "default.target"
    # After five failures in five minutes it stays failed, with its reason, and is not started for ever.
    head = [("Description", _text(unit.description)), ("StartLimitIntervalSec", "300"), ("StartLimitBurst", "5")]
    head += [("After", "network.target")] if unit.user else []
    return "\n".join(
        [*_section("Unit", head), *_section("Service", service), *_section("Install", [("WantedBy", target)])]
    )


def _section(name: str, lines: Sequence[tuple[str, str]]) -> list[str]:
    return [f"[{name}]", *(f"{key}={value}" for key, value in lines), ""]


def _log_lines(path: str | None) -> list[tuple[str, str]]:
    # journald drops floods (of 200 000 lines 36 000 were kept, and LogRateLimitIntervalSec did not help), and only the
    # administrator may read a system unit's journal. A file loses nothing. It is made before, 0600: systemd would
    # make it 0644.
    if path is None:
        return []
    return [("StandardOutput", f"append:{_text(path)}"), ("StandardError", f"append:{_text(path)}")]


def _text(value: str) -> str:
    """Return a value that takes the whole line: specifiers doubled, no line break, no trailing continuation."""
    text = re.sub(r"[\x00-\x1f\x7f]", " ", value).strip().rstrip("\\")
    return text.replace("%", "%%")


def exec_line(command: Sequence[str]) -> str:
    """Return an ExecStart value that runs exactly `command`; its first word must be an absolute path."""
    return " ".join(quote(word, variables=True) for word in command)


def quote(word: str, *, variables: bool = False) -> str:
    """Return one word of a unit file; with `variables` as in ExecStart, where `$` begins one."""
    if _PLAIN.fullmatch(word):
        return word
    doubled = word.replace("%", "%%")
    doubled = doubled.replace("$", "$$") if variables else doubled
    return '"' + "".join(_escaped(char) for char in doubled) + '"'


def _escaped(char: str) -> str:
    code = ord(char)
    if char in {'"', "\\"}:
        return "\\" + char
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return char


def is_unit_name(name: str) -> bool:
    """Whether `name` (without ".service") can name a unit, and a file (systemd.unit(5))."""
    return bool(_NAME.fullmatch(name)) and "\\" not in name and not name.startswith((".", "-"))
