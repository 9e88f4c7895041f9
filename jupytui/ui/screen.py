"""The one screen behind all dialogs: a first line, a pane, a last line, and what goes where when something changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from textual import events, on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingsMap
from textual.screen import Screen

from jupytui import figures
from jupytui.doctor.glance import suspicious
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Scope, Subject
from jupytui.ui.format.servers import host_name
from jupytui.ui.panes.base import Pane
from jupytui.ui.panes.table import PaneEntry
from jupytui.ui.views import WHOLE, View, Views
from jupytui.ui.widgets.footer import FooterLine
from jupytui.ui.widgets.header import WIDE, HeaderLine

if TYPE_CHECKING:
    from jupytui.ui.program import Program

TICK = 0.15  # seconds in which changes are collected: a repaint of many rows costs little more than one of one
ROOMY = 136  # cells
FLEET = "1"
AGES = 30.0  # seconds after which ages are drawn anew


class MainScreen(Screen[None]):
    """Shows `store` in one of `panes`; hidden ones learn everything when they are shown."""

    def __init__(self, program: Program, store: Store, panes: Sequence[PaneEntry]) -> None:
        super().__init__()
        self._program = program
        self._store = store
        self._entries = {entry.digit: entry for entry in panes}
        self._panes: dict[str, Pane] = {}
        self._header = HeaderLine([(entry.digit, entry.title) for entry in panes])
        self._footer = FooterLine()
        self._views = Views(View(panes[0].digit))
        self._filter = ""
        self._left: int | None = 0
        self._dirty: set[str] = set()
        self._ticking = False
        self._resumed = asyncio.Event()
        self._early: list[events.Key] | None = []  # pressed before anybody could say what keys mean

    @property
    def pane(self) -> Pane:
        """The pane that is seen; each is made when it is first seen, and stays as it was left."""
        digit = self._views.current.digit
        if digit not in self._panes:
            self._panes[digit] = self._entries[digit].make()
        return self._panes[digit]

    def compose(self) -> ComposeResult:
        """Header, pane and footer."""
        yield self._header
        yield self.pane
        yield self._footer

    def on_mount(self) -> None:
        """Show what is known, at once."""
        self.pane.show_store(self._store)
        self._show_lines()
        self.pane.focus()
        self._store.subscribe(self.host_differs)
        self.set_interval(AGES, self._grow_older)

    def bind_keys(self, bindings: Iterable[Binding]) -> None:
        """Take in what keys do, besides the digits of the panes."""
        digits = [Binding(digit, f"screen.show_pane('{digit}')", show=False) for digit in self._entries]
        self._bindings = BindingsMap.merge([self._bindings, BindingsMap([*digits, *bindings])])
        early, self._early = self._early or [], None
        for key in early:
            self.app.post_message(key)
        self.schedule()

    def on_key(self, event: events.Key) -> None:
        """Keep what is typed ahead."""
        if self._early is not None:
            self._early.append(event)

    def schedule(self) -> None:
        """Draw what differs at the end of this tick."""
        if not self._ticking:
            self._ticking = True
            self.set_timer(TICK, self._flush)

    def host_differs(self, host: str) -> None:
        """Draw what is known of `host` anew at the end of this tick."""
        self._dirty.add(host)
        self.schedule()

    def _flush(self) -> None:
        self._ticking = False
        changed, self._dirty = self._dirty, set()
        if changed:
            self.pane.show_store(self._store, changed)
            if self._program.desk:
                self._program.desk.hosts_differ(changed)
        self._show_lines()

    def _grow_older(self) -> None:
        self.pane.show_store(self._store, set())

    def _show_lines(self) -> None:
        digit = self._views.current.digit
        self._header.show(digit, self._note(), self._way())
        desk = self._program.desk
        pane = self.pane
        hints = [*pane.own_hints, *desk.verbs.hints(pane, desk.work.context)] if desk else ()
        always = desk.always(pane.FILTER) if desk else ()
        self._footer.show(hints, always, (desk.work.note if desk else "") or self._filter_note())

    def _note(self) -> str:
        place = self._called(self._views.current.within) or figures.plural(len(self._store), "host")
        roomy = not WIDE <= self.size.width < ROOMY  # in between, the titles of the panes need the line
        if self._views.current.digit == FLEET and roomy and (count := suspicious(self._store)):
            place = f"▲ {figures.plural(count, 'finding')}   {place}"
        return f"read-only   {place}" if self._program.read_only else place

    def _way(self) -> str:
        """Return how to see more or less of the fleet in this pane."""
        view, other = self._views.current, self._views.current.turned
        return f"{view.digit} {self._called(other.within) or 'all'}" if other != view else ""

    def _called(self, part: Subject) -> str:
        view = self._store.host(part.host or "")
        return part.server or (host_name(view) if view else part.host or "")

    def _filter_note(self) -> str:
        return f"/{self._filter}  {self._left} shown" if self._filter and self._left is not None else ""

    # Where to be

    async def action_show_pane(self, digit: str) -> None:
        """Show the pane of `digit` for what is selected; in that pane, for the whole fleet, and back again."""
        self._filter_by("")
        view = self._views.current
        self._views.jump(view.turned if digit == view.digit else View(digit, self._scope_of(self._entries[digit])))
        await self._show_view()

    def _scope_of(self, entry: PaneEntry) -> Subject:
        """Return what a digit narrows its pane to: in the fleet what is selected, in other panes what they show."""
        view = self._views.current
        selected = entry.single or view.digit == FLEET
        scope = (self.pane.subject if selected else view.within).at(entry.scope)
        return WHOLE if len(self._store) == 1 and scope.scope is Scope.HOST else scope

    async def enter(self, digit: str, within: Subject) -> None:
        """Show the pane of `digit` narrowed to a part of the fleet; back comes out again."""
        self._filter_by("")
        self._views.enter(View(digit, within))
        await self._show_view()

    async def action_last(self) -> None:
        """Show the view before this one."""
        self._filter_by("")
        if self._views.swap():
            await self._show_view()

    async def action_back(self) -> None:
        """Leave what is on its way to a question, else drop the marks, else the filter, else leave the view."""
        if self._program.desk and self._program.desk.leave():
            return
        if len(self.pane.chosen) > 1:
            self.pane.clear_marks()
        elif self._filter:
            self._filter_by("")
        elif self._views.leave():
            await self._show_view()

    async def _show_view(self) -> None:
        pane, view = self.pane, self._views.current
        for other in self._panes.values():
            if other is not pane and other.display:
                other.put_away()
            other.display = other is pane
        if not pane.is_attached:
            await self.mount(pane, before=self._footer)
        pane.show_store(self._store)
        pane.narrow_to(view.within)
        pane.focus()
        self.schedule()

    # What is selected

    @on(Pane.Selected)
    def _selected(self) -> None:
        self.schedule()

    @on(Pane.Opened)
    async def _opened(self, event: Pane.Opened) -> None:
        desk = self._program.desk
        if desk and event.subject.scope is Scope.KERNEL:
            desk.menu()
        elif desk and not desk.answer(event.subject):
            await self.enter("2", event.subject)

    # The filter

    async def action_filter(self) -> None:
        """Ask for a text to filter by; while it is asked for, the key is a letter."""
        from jupytui.ui.widgets.filter import FilterLine

        if self.query(FilterLine):
            raise SkipAction
        line = FilterLine(self._filter, self._filter_by, self._end_filter)
        await self.mount(line, before=self._footer)
        line.take_keys(self)

    def _end_filter(self) -> None:
        self.pane.focus()

    def _filter_by(self, text: str) -> None:
        if text != self._filter:
            self._filter = text
            self._left = self.pane.filter_by(text)
            self.schedule()

    # Beside dialogs

    async def uncovered(self) -> None:
        """Wait until no dialog is in front."""
        while self.app.screen is not self:
            self._resumed.clear()
            await self._resumed.wait()

    def on_screen_resume(self) -> None:
        """The last dialog is gone."""
        self._resumed.set()

    def on_resize(self) -> None:
        """Lay the lines out anew."""
        self.schedule()
