"""How an action reaches the person on the command line: consent by `--yes`, or asked for on the terminal."""

from __future__ import annotations

from jupytui.actions.base import Answers, Confirmation, Form
from jupytui.cli import say
from jupytui.cli.terminal import ask_line, open_terminal, show
from jupytui.errors import UsageError
from jupytui.fleet.subject import Subject


class TerminalFront:
    """Confirms what would be lost. Forms and the clipboard belong to the screen; no command needs them."""

    def __init__(self, *, yes: bool) -> None:
        self._yes = yes

    async def confirm(self, question: Confirmation) -> bool:
        """Say what runs where nothing is lost; else ask, unless `--yes`. Raises UsageError where nobody can be."""
        if not question.losses:
            say("\n  ".join([f"{question.title}:", *question.runs.split("\n"), *question.notes]))
            return True
        if self._yes:
            return True
        with open_terminal() as terminal:
            if terminal is None:
                raise UsageError(f"{question.title} would lose {_names(question)}.", "Say --yes if that is meant.")
            show(terminal, _told(question))
            wanted = question.typed or "yes"
            answer = await ask_line(terminal, f"Type {wanted} to go on: ")
        return answer is not None and answer.strip() == wanted

    async def fill(self, form: Form) -> Answers | None:
        """Decline: a command takes its answers from its options."""
        return None

    async def show(self, pane: str, subject: Subject) -> None:
        """Decline: there is no screen."""

    async def copy(self, text: str) -> str:
        """Decline: stdout is what a command gives."""
        return ""


def _names(question: Confirmation) -> str:
    return ", ".join(loss.what for loss in question.losses)


def _told(question: Confirmation) -> str:
    losses = "".join(f"  {loss.what}  {loss.how}\n" for loss in question.losses)
    return f"{question.title}. This is lost:\n{losses}Runs: {question.runs}\n"
