"""What the screen itself can do, beside the actions on the fleet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """`keys` are Textual's names or single characters; `run` is the Textual action, "" for a method of the desk."""

    id: str
    title: str
    keys: tuple[str, ...]
    help: str = ""
    run: str = ""


COMMANDS = (
    Command("app.help", "Help", ("?", "f1"), "Lists the keys that are valid now."),
    Command("app.palette", "All actions", (":", "ctrl+p"), "Finds any action by its name."),
    Command("app.menu", "Actions of the selected thing", (".",)),
    Command("app.filter", "Filter", ("/",), "Shows only what holds a text; escape shows all again.", "screen.filter"),
    Command("app.back", "Back", ("escape", "left", "h"), "Out of where enter went in.", "screen.back"),
    Command("app.last", "Last view", ("-",), "To the view before this one, and back again.", "screen.last"),
    Command("app.detail", "Details of what failed", ("d",), "Why the host is away, or the last error: all of it."),
    Command("app.stop", "Stop what is under way", ("ctrl+c",), "Never ends the program."),
    Command("app.quit", "Quit", ("q", "ctrl+q"), "Leaves the screen; every server and kernel goes on.", "app.quit"),
)
