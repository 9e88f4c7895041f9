"""The Doctor pane: what is wrong in the scope, the worst first, with evidence and fixes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType

from jupytui.actions.base import Action, Answers, Context, Field, Form, Refused, Subjects
from jupytui.actions.doctor import Examined, examine, mend, scope_of
from jupytui.config.replace import replace_file
from jupytui.doctor.export import as_json, as_text
from jupytui.doctor.models import ORDER, Diagnosis, Finding
from jupytui.fleet.subject import Scope, Subject
from jupytui.text import clean_line
from jupytui.ui.dialogs.text import TextDialog
from jupytui.ui.format import doctor
from jupytui.ui.format.doctor import FindingRow
from jupytui.ui.format.line import Line, Span, cut_line, wrap
from jupytui.ui.format.table import Table, beside
from jupytui.ui.panes.listing import ListPane, matches
from jupytui.ui.widgets.footer import Hint
from jupytui.ui.widgets.rows import Row

if TYPE_CHECKING:
    from jupytui.ui.program import Program


class FindingDialog(TextDialog):
    """One finding whole; its fix can be had from here too."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f", "fix", show=False)]

    def __init__(self, title: str, paragraphs: Iterable[str]) -> None:
        super().__init__(title, paragraphs)
        self.fix = False

    def action_fix(self) -> None:
        """Leave, to have it fixed."""
        self.fix = True
        self.dismiss(None)


class DoctorPane(ListPane):
    """Pane 9. It looks when it is shown for another scope than before, and when asked to (`r`); never by itself."""

    DIGIT = "9"
    TITLE = "Doctor"
    TAKEN = frozenset("fer")
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("↑ ↓ j k", "Move"),
        ("enter", "Evidence and fix"),
        ("f", "Fix it, after showing what is changed"),
        ("r", "Look again"),
        ("e", "Export as text or JSON"),
        ("s", "Sort by the next column"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "fix", show=False),
        Binding("r", "again", show=False),
        Binding("e", "export", show=False),
    ]
    SORTS: ClassVar[Mapping[str, str]] = {"severity": "SEVERITY", "where": "WHERE"}

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._scope: Subject | None = None
        self._examined: Examined | None = None
        self._looks = False

    @property
    def _program(self) -> Program:
        return cast("Program", self.app)

    @property
    def _within(self) -> Subject:
        return self._scope or Subject()

    @property
    def _finding(self) -> Finding | None:
        row = self._rows.current
        return row.finding if isinstance(row, FindingRow) else None

    @property
    def subject(self) -> Subject:
        """The server, or the host, that the finding under the cursor is about."""
        finding = self._finding
        return Subject(finding.host, finding.server or None) if finding else self._within

    @property
    def chosen(self) -> Sequence[Subject]:
        """What the cursor is on: findings are dealt with one by one."""
        return (self.subject,)

    @property
    def own_hints(self) -> Sequence[Hint]:
        """What can be done with the finding, and with all of them."""
        finding = self._finding
        hints = [("enter", "evidence")] if finding else []
        if finding and finding.fix and finding.fix.automatic and not self._program.read_only:
            hints.append(("f", "fix"))
        return [*hints, ("r", "look again"), *([("e", "export")] if self._examined else [])]

    def narrow_to(self, subject: Subject) -> None:
        """Look at `subject`, unless that is what was looked at last."""
        scope = Subject(*(subject.host, subject.server)[: min(subject.scope, Scope.SERVER)])
        if scope != self._scope:
            self._scope, self._examined = scope, None
            self._show()
            self.action_again()

    def take(self, examined: Examined) -> None:
        """Show what was found."""
        self._examined = examined
        self._show()
        self.post_message(self.Selected(self.subject))

    # What its keys do

    def action_again(self) -> None:
        """Look, from the beginning."""
        desk = self._program.desk
        if desk:
            desk.work.start(
                Action(id="doctor.run", title="Doctor", scope=Scope.FLEET, changes=False, run=self._run),
                (self._within,),
            )

    async def _run(self, context: Context, _subjects: Subjects, _answers: Answers) -> str:
        scope = self._within
        self._looks = True
        self._show()
        try:
            examined = await examine(context, scope_of(self._store, scope))
        finally:
            self._looks = False
            self._show()
        if scope == self._within:
            self.take(examined)
        return ""

    def action_fix(self) -> None:
        """Carry out the fix of the finding under the cursor."""
        desk, finding, examined = self._program.desk, self._finding, self._examined
        if not (desk and finding and examined):
            return

        async def run(context: Context, _subjects: Subjects, _answers: Answers) -> str:
            said = await mend(context, examined, finding)
            if said:
                self.take(await examine(context, scope_of(self._store, self._within)))
            return said

        desk.work.start(Action(id="doctor.fix", title="Fix", scope=Scope.FLEET, run=run), ())

    def action_export(self) -> None:
        """Write what was found to a file on this machine."""
        desk, examined = self._program.desk, self._examined
        if not (desk and examined):
            return

        async def run(_context: Context, _subjects: Subjects, answers: Answers) -> str:
            return _exported(examined.diagnosis, answers["path"])

        desk.work.start(
            Action(id="doctor.export", title="Export", scope=Scope.FLEET, changes=False, run=run, form=_where), ()
        )  # fmt: skip

    def _open(self, subject: Subject) -> None:
        if finding := self._finding:
            verdicts = dict(self._examined.diagnosis.verdicts) if self._examined else {}
            paragraphs = doctor.details(finding, verdicts.get(finding.server, ""))
            dialog = FindingDialog(finding.title, paragraphs)
            self.app.push_screen(dialog, lambda _left: self.action_fix() if dialog.fix else None)

    # What is seen

    def _visible(self) -> Sequence[FindingRow]:
        words = self.filter.casefold().split()
        found = self._examined.diagnosis.findings if self._examined else ()
        rows = [row for row in map(doctor.row_of, found) if matches(row.text, words)]
        if self.order == "where":
            rows.sort(key=lambda row: (row.finding.host, row.finding.server, ORDER.index(row.finding.severity)))
        return rows

    def _table(self, width: int) -> Table:
        return doctor.table(width)

    def _empty(self, rows: Sequence[Row]) -> str:
        if rows:
            return ""
        if self._looks:
            return f"Looking at {self._place()} … ctrl+c stops."
        if self._examined is None:
            return "Not looked yet: r looks."
        return doctor.nothing(self._examined.diagnosis)

    def _place(self) -> str:
        return self._within.server or self._within.host or "all hosts"

    def _lines_below(self, width: int) -> Sequence[Line]:
        finding, examined = self._finding, self._examined
        if not examined or not finding:
            return ()
        told = [(Span(text),) for text in wrap(doctor.about(finding), width)[:3]]
        verdict = dict(examined.diagnosis.verdicts).get(finding.server, "")
        stands = [cut_line((Span(f"{finding.server}: {verdict}", "dim"),), width)] if verdict else []
        left, right = (Span(doctor.sums(examined.diagnosis)),), (Span("looking …", "dim"),) if self._looks else ()
        return *told, *stands, beside(left, right, width)


async def _where(_context: Context, _subjects: Subjects) -> Form:
    name = f"jupytui-doctor-{datetime.now(UTC):%Y%m%d-%H%M}.txt"
    help_ = "A name that ends in .json gets JSON. Nothing in it is secret; it names files and addresses."
    return Form("Export the findings", (Field("path", "File", str(Path.home() / name), help_),), submit="Write")


def _exported(diagnosis: Diagnosis, text: str) -> str:
    """Write it, and return the sentence that says so. Raises Refused, ConfigError."""
    try:
        path = Path(text).expanduser()
        was = path.read_bytes() if path.exists() else None
        replace_file(path, _document(diagnosis, path), was=was)
    except (OSError, RuntimeError, ValueError) as error:  # also a loop of links, and the home of nobody
        reason = getattr(error, "strerror", None) or str(error)
        raise Refused(f"{clean_line(text)} cannot be written: {reason}.") from None
    return f"Written to {path}."


def _document(diagnosis: Diagnosis, path: Path) -> bytes:
    return as_json(diagnosis, datetime.now(UTC)) if path.suffix == ".json" else f"{as_text(diagnosis)}\n".encode()
