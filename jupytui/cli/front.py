"""How an action reaches the person on the command line: consent by `--yes`, or asked for on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jupytui.actions.base import Answers, Confirmation, Form, Result
from jupytui.cli import say
from jupytui.cli.terminal import ask_line, hyperlink, open_terminal, show
from jupytui.errors import JupytuiError, UsageError
from jupytui.fleet.subject import Subject
from jupytui.jupyter.page import Page


class TerminalFront:
    """Confirms what would be lost. Forms and the clipboard belong to the screen; no command needs them."""

    def __init__(self, *, yes: bool) -> None:
        self._yes = yes

    async def confirm(self, question: Confirmation) -> bool:
        """Say what runs where nothing is lost; else ask, or say what `--yes` was said to.

        Raises UsageError where nobody can be asked.
        """
        if not question.losses and not question.expressly:
            say("\n  ".join([f"{question.title}:", *question.runs.split("\n"), *question.notes]))
            return True
        if self._yes:
            say(_told(question).rstrip())
            return True
        with open_terminal() as terminal:
            if terminal is None:
                say(_told(question).rstrip())
                would = f" would end {_names(question)}" if question.losses else " needs your consent"
                raise UsageError(f"{question.title}{would}.", "Say --yes if that is meant.")
            show(terminal, _told(question))
            wanted = question.typed or "yes"
            answer = await ask_line(terminal, f"Type {wanted} to go on: ")
        return answer is not None and answer.strip() == wanted

    async def fill(self, form: Form) -> Answers | None:
        """Decline: a command takes its answers from its options."""
        return None

    async def show(self, pane: str, subject: Subject) -> None:
        """Decline: there is no screen."""

    async def tell(self, title: str, paragraphs: Sequence[str]) -> None:
        """Say it."""
        say("\n".join([f"{title}:", *paragraphs]))

    async def report(self, result: Result) -> None:
        """Say what is to be read; the steps were said as they were made."""
        for note in result.notes:
            say(note)

    async def offer(self, page: Page) -> str:
        """Give the address as a link, its token in the link alone. Raises JupytuiError where nobody can click on it."""
        for note in page.notes:
            say(note)
        if not sys.stdout.isatty():
            raise JupytuiError("There is no browser here to open it in.", "--print gives the address.")
        print(hyperlink(page.url.reveal(), page.masked))
        return "--print shows the whole address, --qr as a picture."

    async def copy(self, text: str) -> str:
        """Decline: stdout is what a command gives."""
        return ""


def _names(question: Confirmation) -> str:
    return ", ".join(loss.what for loss in question.losses)


def _told(question: Confirmation) -> str:
    losses = "".join(f"  {loss.what}  {loss.how}\n" for loss in question.losses)
    lost = f" This ends:\n{losses}" if losses else "\n"
    notes = "".join(f"{note}\n" for note in question.notes)
    return f"{question.title}.{lost}{notes}{question.introduced}\n"
