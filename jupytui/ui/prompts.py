"""Bring a host's open question to the person: when they press enter on it, or have just turned to that host."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import TYPE_CHECKING, Any

from jupytui.fleet.questions import Question, Questions
from jupytui.hosts.base import UnknownKey
from jupytui.hosts.state import HostState

if TYPE_CHECKING:
    from jupytui.ui.dialogs.base import Dialog
    from jupytui.ui.program import Program


class Prompts:
    """`attended` are the hosts the person is busy with: their next question opens by itself, no other one does.

    `worked_on` returns the hosts that an action is about just now: what they ask, the person has brought about.
    """

    def __init__(self, program: Program, questions: Questions, worked_on: Callable[[], set[str]]) -> None:
        self._worked_on = worked_on
        self._program = program
        self._questions = questions
        self.attended: set[str] = set()

    def open(self, host: str) -> bool:
        """Show the question of `host`; False when it has none."""
        question = self._questions.of(host)
        if question is None:
            return False
        self.attended.add(host)
        self._show(host, question)
        return True

    def arrived(self, changed: Set[str]) -> None:
        """Show the question of a host that is attended to, if nothing else is asked just now."""
        for host in sorted((self.attended | self._worked_on()) & changed):
            if len(self._program.screen_stack) == 1 and self.open(host):
                return

    def _show(self, host: str, question: Question) -> None:
        # sudo asks on behalf of an action: without an answer that has failed, and does not wait unseen.
        sudo = self._is_up(host) and host in self._worked_on()
        dialog = _dialog(question, waits=not sudo)

        def answered(answer: Any) -> None:
            if answer is None and sudo and not question.answer.done():
                question.answer.set_result(None)
            elif answer is None:
                self.attended.discard(host)
            elif not question.answer.done():
                question.answer.set_result(answer)

        def withdrawn(_future: object) -> None:
            if dialog.is_current:
                dialog.dismiss(None)

        self._program.push_screen(dialog, answered)
        question.answer.add_done_callback(withdrawn)

    def _is_up(self, host: str) -> bool:
        view = self._program.store.host(host)
        return view is not None and view.state is HostState.UP


def _dialog(question: Question, *, waits: bool) -> Dialog[Any]:
    from jupytui.ui.dialogs.prompt import SecretDialog, TrustDialog

    about = question.about
    return TrustDialog(about) if isinstance(about, UnknownKey) else SecretDialog(about, waits=waits)
