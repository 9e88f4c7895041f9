"""What the screen itself can do, beside the actions on the fleet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """`keys` are Textual's names or single characters; `run` is the Textual action that does it."""

    id: str
    title: str
    keys: tuple[str, ...]
    run: str
    help: str = ""


COMMANDS = (
    Command("app.help", "Help", ("?", "f1"), "app.help", "Lists the keys that are valid now."),
    Command("app.palette", "All actions", (":", "ctrl+p"), "app.palette", "Finds any action by its name."),
    Command("app.menu", "Actions of the selected thing", (".",), "app.menu"),
    Command("app.filter", "Filter", ("/",), "screen.filter", "Shows only what holds a text; escape shows all again."),
    Command("app.back", "Back", ("escape", "left"), "screen.back", "Out of where enter went in."),
    Command("app.last", "Last view", ("-",), "screen.last", "To the view before this one, and back again."),
    Command("app.detail", "Details of the last error", ("d",), "app.detail", "What was run and what came back."),
    Command("app.stop", "Stop what is under way", ("ctrl+c",), "app.stop", "Never ends the program."),
    Command("app.quit", "Quit", ("q", "ctrl+q"), "app.quit", "Leaves the screen; every server and kernel goes on."),
)
