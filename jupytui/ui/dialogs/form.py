"""A form: fields with labels, what is wrong with each beside it, lists to pick from."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.widget import Widget
from textual.widgets import Input, Static

from jupytui.actions.base import Answers, Field, Form
from jupytui.ui.dialogs.base import Dialog, words
from jupytui.ui.widgets.field import plain_input
from jupytui.ui.widgets.picklist import Entry, PickList


class FieldBox(Widget):
    """One field: label, input or list, and its error."""

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.field = field

    def compose(self) -> Iterable[Widget]:
        """Label, help, entry, error."""
        yield words(self.field.label)
        if self.field.choices:
            entries = [Entry(str(number), choice) for number, choice in enumerate(self.field.choices)]
            yield PickList(entries, many=self.field.many)
        else:
            yield plain_input(self.field.value)
        if self.field.help:
            yield words(self.field.help, "hint")
        error = words("", "error")
        error.display = False
        yield error

    @property
    def answer(self) -> str:
        """What is filled in; of a list that takes many, one a line."""
        if self.field.choices:
            picked = self.query_one(PickList).answer
            return "\n".join(self.field.choices[int(number)] for number in picked)
        return self.query_one(Input).value

    def check(self) -> bool:
        """Say what is wrong, if anything; whether all is well."""
        problem = self.field.check(self.answer)
        error = self.query_one(".error", Static)
        error.display = bool(problem)
        error.update(problem or "")
        return not problem


class FormDialog(Dialog[Answers]):
    """The answers by field name. Enter goes to the next field and submits on the last."""

    def __init__(self, form: Form) -> None:
        many = any(field.many for field in form.fields)
        hint = f"{'space marks · ' if many else ''}enter {form.submit.lower()}s · escape leaves"
        super().__init__(form.title, hint)
        self._boxes = [FieldBox(field) for field in form.fields]

    def body(self) -> Iterable[Widget]:
        """The fields."""
        yield from self._boxes

    def on_mount(self) -> None:
        """Start with the first field."""
        self._boxes[0].query_one(Input).focus()

    @on(Input.Submitted)
    @on(PickList.Picked)
    def _next(self, event: Input.Submitted | PickList.Picked) -> None:
        event.stop()
        box = next(box for box in self._boxes if box.has_focus_within)
        if box.check():
            later = self._boxes[self._boxes.index(box) + 1 :]
            if later:
                later[0].query_one(Input).focus()
            else:
                self._submit()

    @on(Input.Changed)
    def _recheck(self) -> None:
        """Take an error away as soon as it is mended, but show none before the field is left."""
        for box in self._boxes:
            if box.query_one(".error", Static).display:
                box.check()

    def _submit(self) -> None:
        wrong = [box for box in self._boxes if not box.check()]
        if wrong:
            wrong[0].query_one(Input).focus()
        else:
            self.dismiss({box.field.name: box.answer for box in self._boxes})
