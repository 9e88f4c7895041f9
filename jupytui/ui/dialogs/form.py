"""A form: fields with labels, what is wrong with each beside it, lists to pick from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from jupytui.actions.base import Answers, Field, Form
from jupytui.ui.dialogs.base import Dialog, words
from jupytui.ui.widgets.field import plain_area, plain_input
from jupytui.ui.widgets.picklist import Entry, PickList

BROWSE = "ctrl+o"
WIDE = 60  # characters of a choice that is shown a second time, in full


class FieldBox(Widget):
    """One field: label, input or list, and its error."""

    def __init__(self, field: Field) -> None:
        super().__init__()
        self.field = field

    def compose(self) -> Iterable[Widget]:
        """Label, help, entry, error."""
        yield words(self.field.label)
        if self.field.choices:
            long = any(len(choice) > WIDE for choice in self.field.choices)
            entries = [
                Entry(str(n), choice, note=choice if long else "") for n, choice in enumerate(self.field.choices)
            ]
            at = next((entry.id for entry in entries if entry.title == self.field.value), "")
            yield PickList(entries, many=self.field.many, at=at)
        elif self.field.lines:
            yield plain_area(self.field.value)
        else:
            yield plain_input(self.field.value, password=self.field.secret)
        browsed = f"{BROWSE} browses the host" if self.field.browse else ""
        if hint := "; ".join(filter(None, (self.field.help, browsed))):
            yield words(hint, "hint")
        if self.field.weigh:
            yield words("", "hint weight")
        error = words(self.field.problem, "error")
        error.display = bool(self.field.problem)
        yield error

    @property
    def answer(self) -> str:
        """What is filled in; of a list that takes many, one a line."""
        if self.field.choices:
            picked = self.query_one(PickList).answer
            return "\n".join(self.field.choices[int(number)] for number in picked)
        return self.query_one(TextArea).text if self.field.lines else self.query_one(Input).value

    def take_focus(self) -> None:
        """Be ready to type, from the very next key on; the label is seen, and what is wrong."""
        self.screen.set_focus(self.query_one(TextArea if self.field.lines else Input), scroll_visible=False)
        self.call_after_refresh(self._come_into_view)

    def _come_into_view(self) -> None:
        too_tall = self.size.height > self.screen.query_one(".box").scrollable_content_region.height
        self.scroll_visible(animate=False, top=too_tall)

    def browse(self) -> None:
        """Let the person go to a directory; what is filled in stays if none is taken."""
        from jupytui.ui.dialogs.browse import BrowseDialog

        if self.field.browse:
            self.app.push_screen(BrowseDialog(self.field.label, self.answer, self.field.browse), self._taken)

    def _taken(self, path: str | None) -> None:
        if path is not None:
            entry = self.query_one(Input)
            entry.value, entry.cursor_position = path, len(path)

    def weigh(self) -> None:
        """Say what is to be said of what is typed so far."""
        if self.field.weigh:
            self.query_one(".weight", Static).update(Content(self.field.weigh(self.answer)))

    @property
    def as_refused(self) -> bool:
        """Whether it still is what was refused."""
        return bool(self.field.problem) and self.answer == self.field.value

    def check(self) -> bool:
        """Say what is wrong, if anything; whether all is well."""
        problem = self.field.check(self.answer)
        error = self.query_one(".error", Static)
        error.display = bool(problem)
        error.update(problem or "")
        return not problem


class FormDialog(Dialog[Answers]):
    """The answers by field name. Enter goes to the next field and submits on the last; the line below says which."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", show=False),
        Binding(BROWSE, "browse", show=False),
        # First, for what is typed ahead belongs to the next field.
        Binding("enter", "enter", show=False, priority=True),
    ]

    def __init__(self, form: Form) -> None:
        super().__init__(form.title, "")
        self.set_class(any(field.lines for field in form.fields), "-large")
        self._submits = form.submit.lower()
        self._boxes = [FieldBox(field) for field in form.fields]

    def body(self) -> Iterable[Widget]:
        """The fields."""
        yield from self._boxes

    def on_mount(self) -> None:
        """Start with the first field, or the one that is in the way."""
        next((box for box in self._boxes if box.field.problem), self._boxes[0]).take_focus()

    def on_descendant_focus(self) -> None:
        """Say what keys do in this field."""
        if box := self._focused:
            self.say_keys(self._keys(box))

    def _keys(self, box: FieldBox) -> list[tuple[str, str]]:
        last = box is self._boxes[-1]
        marks = [("space", "mark")] if box.field.many else []
        goes_on = [] if last or box.field.lines else [("enter", "next")]
        sends = "enter" if last and not box.field.lines else "ctrl+s"
        return [*marks, *goes_on, (sends, self._submits), ("esc", "leave")]

    def action_submit(self) -> None:
        """Go ahead, from any field."""
        self._submit()

    def action_browse(self) -> None:
        """Look for the directory that is asked for on the host it is about."""
        if box := self._focused:
            box.browse()

    def action_enter(self) -> None:
        """Go on from a line; lists and texts of many lines know better what it means to them."""
        box = self._focused
        if box is None or box.field.lines or box.field.choices:
            raise SkipAction
        self._go_on(box)

    @on(PickList.Picked)
    def _picked(self, event: PickList.Picked) -> None:
        event.stop()
        if box := self._focused:
            self._go_on(box)

    @property
    def _focused(self) -> FieldBox | None:
        return next((box for box in self._boxes if box.has_focus_within), None)

    def _go_on(self, box: FieldBox) -> None:
        if box.check():
            later = self._boxes[self._boxes.index(box) + 1 :]
            if later:
                later[0].take_focus()
            else:
                self._submit()

    @on(Input.Changed)
    def _recheck(self) -> None:
        """Take an error away as soon as it is mended, but show none before the field is left."""
        for box in self._boxes:
            box.weigh()
            if box.query_one(".error", Static).display and not box.as_refused:
                box.check()

    def _submit(self) -> None:
        wrong = [box for box in self._boxes if not box.check()]
        if wrong:
            wrong[0].take_focus()
        else:
            self.dismiss({box.field.name: box.answer for box in self._boxes})
