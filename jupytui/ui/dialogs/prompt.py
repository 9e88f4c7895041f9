"""A host's questions to the person: something secret, or whether a new key is to be trusted."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.widget import Widget
from textual.widgets import Input, Static

from jupytui.hosts.base import SecretKind, SecretPrompt, UnknownKey
from jupytui.secret import Secret
from jupytui.ui.dialogs.base import Dialog, words
from jupytui.ui.widgets.field import plain_input

_ASKS = {
    SecretKind.PASSWORD: "a password",
    SecretKind.PASSPHRASE: "a passphrase",
    SecretKind.CODE: "a code",
    SecretKind.TOKEN: "a token",
}


class SecretDialog(Dialog[Secret]):
    """The answer to a prompt; left, the host goes on waiting if it `waits`."""

    def __init__(self, prompt: SecretPrompt, *, waits: bool = True) -> None:
        left = "lets it wait" if waits else "gives it up"
        super().__init__(f"{prompt.host} asks for {_ASKS[prompt.kind]}", f"enter sends it · escape {left}")
        self._prompt = prompt

    def body(self) -> Iterable[Widget]:
        """The host's own words, and where to answer."""
        if self._prompt.again:
            yield words("The last answer was not accepted.", "error")
        yield words(self._prompt.text)
        yield plain_input(password=not self._prompt.echo)

    def on_mount(self) -> None:
        """Be ready to type."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _answered(self, event: Input.Submitted) -> None:
        event.stop()
        secret = Secret(event.value)
        event.input.clear()
        self.dismiss(secret)


class TrustDialog(Dialog[bool]):
    """True when the person vouches for the key, by typing `yes` as to OpenSSH."""

    def __init__(self, question: UnknownKey) -> None:
        super().__init__(f"{question.host} is not known yet", "escape lets it wait")
        self._question = question

    def body(self) -> Iterable[Widget]:
        """Who, which key, and what yes means."""
        key = self._question.key
        yield words(f"Nobody has vouched for the key of {self._question.host} ({self._question.address}) so far.")
        yield words(f"{key.algorithm} key fingerprint is\n{key.fingerprint}", "gap")
        yield words("Compare it with what the machine's owner says. Trusted, it is added to known_hosts.", "gap hint")
        yield words("Type yes to trust it and connect:", "gap")
        yield plain_input()
        yield Static("", classes="error", markup=False)

    def on_mount(self) -> None:
        """Be ready for the word."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _answered(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip().lower() == "yes":
            self.dismiss(True)
        else:
            self.query_one(".error", Static).update("The whole word yes; or escape to leave it.")
