"""What the program says to the person, and the lists it offers. Whatever is said is text, never markup."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import monotonic
from typing import TYPE_CHECKING

from textual.notifications import SeverityLevel

from jupytui.errors import JupytuiError
from jupytui.fleet.models import HostView
from jupytui.hosts.state import HostState
from jupytui.text import clean

if TYPE_CHECKING:
    from jupytui.ui.desk import Desk
    from jupytui.ui.program import Program
    from jupytui.ui.widgets.picklist import Entry

SENTENCE = 400  # characters of a toast
ERROR_SECONDS = 10.0


class Talk:
    """Toasts and dialogs that nobody waits for."""

    def __init__(self, program: Program, desk: Desk) -> None:
        self._program = program
        self._desk = desk
        self._last: JupytuiError | None = None
        self._seen_until: dict[str, float] = {}

    def say(self, sentence: str, severity: SeverityLevel = "information") -> None:
        """Show a sentence in a toast, once as long as it is seen; nothing for an empty one."""
        seconds = ERROR_SECONDS if severity == "error" else self._program.NOTIFICATION_TIMEOUT
        if sentence and self._seen_until.get(sentence, 0.0) <= (now := monotonic()):
            self._seen_until = {said: until for said, until in self._seen_until.items() if until > now}
            self._seen_until[sentence] = now + seconds
            self._program.notify(clean(sentence, SENTENCE), severity=severity, timeout=seconds, markup=False)

    def error(self, error: JupytuiError) -> None:
        """Show what failed and what to do; the rest is kept for `details`."""
        self._last = error
        key = self._desk.verbs.keymap.shown("app.detail")
        more = f"{key} shows what came back." if error.detail and key else ""
        self.say("\n".join(filter(None, (error.message, error.hint, more))), "error")

    def details(self) -> None:
        """Show all that is known of the last error."""
        from jupytui.ui.dialogs.message import MessageDialog

        if error := self._last:
            self._program.push_screen(
                MessageDialog("What came back", error.message, error.hint, error.detail, open=True)
            )
        else:
            self.say("Nothing has failed.")

    def trouble(self, view: HostView, again: Callable[[], None], *, all_of_it: bool = False) -> None:
        """Show why a host is not up, with `all_of_it` also what was run, and offer to try again."""
        from jupytui.ui.dialogs.message import MessageDialog

        error = view.error
        if error is None:
            self.say(f"{view.name}: {view.state}.")
            return
        title = f"{view.name}: {'its key has changed' if view.state is HostState.KEY_CHANGED else 'not connected'}"
        dialog = MessageDialog(title, error.message, error.hint, error.detail, retry=True, open=all_of_it)
        self._program.push_screen(dialog, lambda wanted: again() if wanted else None)

    def offer(self, title: str, entries: Iterable[Entry], hint: str) -> None:
        """Show a list of verbs and do what is taken."""
        from jupytui.ui.dialogs.finder import Finder

        def taken(verb: str | None) -> None:
            if verb:
                self._desk.do(verb)

        self._program.push_screen(Finder(title, entries, hint), taken)
