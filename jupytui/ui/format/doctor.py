"""The doctor's findings as rows, what stands below them, and one finding whole."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from jupytui import figures
from jupytui.doctor.export import summary
from jupytui.doctor.models import Diagnosis, Finding, Severity
from jupytui.ui.format.glyphs import DOT, FAILED, WARNING
from jupytui.ui.format.line import Line, Span, plain
from jupytui.ui.format.look import Look
from jupytui.ui.format.table import Column, Table

_SEVERITIES = {
    Severity.CRITICAL: Span(f"{FAILED} critical", "bad"),
    Severity.WARNING: Span(f"{WARNING} warning", "warn"),
    Severity.NOTICE: Span(f"{DOT} notice", "dim"),
}


class FindingRow(Struct, frozen=True):
    """A finding in the list; `text` is what a filter sees."""

    finding: Finding
    text: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """What stays when the doctor looks again."""
        return self.finding.key


def row_of(finding: Finding) -> FindingRow:
    """Return the row of a finding."""
    words = (finding.title, finding.server or finding.host, finding.severity.value, finding.id, finding.words)
    return FindingRow(finding, " ".join(words).casefold())


def _severity(row: FindingRow, _look: Look) -> Line:
    return (_SEVERITIES[row.finding.severity],)


def _glyph(row: FindingRow, _look: Look) -> Line:
    span = _SEVERITIES[row.finding.severity]
    return (Span(span.text[0], span.style),)


def _where(row: FindingRow, _look: Look) -> Line:
    return plain(row.finding.server or row.finding.host)


def _title(row: FindingRow, _look: Look) -> Line:
    return plain(row.finding.title)


def _fix(row: FindingRow, _look: Look) -> Line:
    fix = row.finding.fix
    return plain("f fixes" if fix and fix.automatic else "how" if fix else "")


WIDE = Table(
    (
        Column("SEVERITY", 10, _severity),
        Column("WHERE", 12, _where, grow=1, most=24),
        Column("FINDING", 24, _title, grow=6),
        Column("FIX", 7, _fix, rank=1),
    )
)
NARROW = Table(
    (
        Column("", 1, _glyph),
        Column("FINDING", 20, _title, grow=4, gap=1),
        Column("WHERE", 8, _where, rank=1, grow=1, most=14, gap=1),
    )
)


def table(width: int) -> Table:
    """Return the table for a pane of `width` cells."""
    return NARROW if width < 72 else WIDE


def about(finding: Finding) -> str:
    """Return what matters of one finding in a line or two: what it is, and the first line of evidence."""
    return f"{finding.words} {finding.evidence[0] if finding.evidence else ''}".rstrip()


def sums(diagnosis: Diagnosis) -> str:
    """Return what came of it: `2 critical · 1 warning · 41 checks passed`."""
    counts = [
        f"{count} {severity.value}"
        for severity in Severity
        if (count := sum(finding.severity is severity for finding in diagnosis.findings))
    ]
    return f" {DOT} ".join([*counts, f"{figures.plural(diagnosis.passed, 'check')} passed"])


def nothing(diagnosis: Diagnosis) -> str:
    """Return what to say when nothing was found, honest about what was not seen."""
    lines = [summary(diagnosis), *(f"{server}: {words}." for server, words in diagnosis.verdicts)]
    return " ".join([*lines, *(f"Not looked at: {line}" for line in diagnosis.skipped)])


def details(finding: Finding, verdict: str) -> Sequence[str]:
    """Return all of a finding as paragraphs: what it is, its evidence, the fix, how the server stands."""
    fix = finding.fix
    steps = []
    if fix:
        steps.append(f"Fix: {fix.words}")
        steps += ["f does it: the exact change is shown first."] if fix.automatic else []
        steps += ["It takes effect when the server starts again."] if fix.restart else []
    return [
        f"{_SEVERITIES[finding.severity].text}  {finding.server or finding.host}",
        finding.words,
        "\n".join(finding.evidence),
        "\n".join(steps),
        f"{finding.server}: {verdict}" if verdict else "",
    ]
