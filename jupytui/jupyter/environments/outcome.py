"""What comes of an installation: what happened meanwhile, what changed, or why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jupytui.errors import CommandError
from jupytui.text import clean_line


@dataclass(frozen=True, slots=True)
class Progress:
    """One thing that happened: a step began, or a line was printed. `fraction` (0 to 1) is of the whole."""

    step: str
    line: str | None = None
    fraction: float = 0.0


Tell = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Change:
    """A package that is not as it was: versions, None for absent."""

    package: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        return f"{self.package} {self.before or 'absent'} → {self.after or 'absent'}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """An installation that worked: what changed, what the app printed as proof, what pip warned of."""

    prefix: str
    changes: tuple[Change, ...]
    proof: str | None = None
    warnings: tuple[str, ...] = ()


class InstallError(CommandError):
    """It did not work. Nothing half-made is left, unless `message` says so; `step` is where it ended."""

    def __init__(self, message: str, hint: str = "", *, step: str = "", detail: str = "") -> None:
        super().__init__(message, hint, detail=detail)
        self.step = step


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """Return what differs between two sets of packages (versions by name)."""
    return tuple(
        Change(name, before.get(name), after.get(name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )


def refusal(where: str, why: str, what: str = "") -> InstallError:
    """Return in words why install.sh did not even begin: `why` is its word, `what` a pid or a machine."""
    messages = {
        "exists": (f"{where} is there already and is not empty.", "Choose another directory."),
        "gone": (f"{where} is not there any more.", "Look again."),
        "busy": (f"{where} is being worked on by process {what} there.", "Wait for its end, or end it."),
        "elsewhere": (
            f"{where} was begun from {clean_line(what)}, which shares this directory.",
            "Finish or clear it from there; if that machine is gone, remove the directory.",
        ),
        "stuck": (f"What an earlier attempt left in {where} cannot be removed.", "See who owns it, and remove it."),
    }
    return InstallError(*messages[why])
