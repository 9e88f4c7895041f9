"""A diagnosis as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from jupytui import figures
from jupytui.doctor.models import Diagnosis, Finding


def as_json(diagnosis: Diagnosis, now: datetime) -> bytes:
    """Return one JSON document; times ISO 8601 UTC, unknown is null."""
    document = {
        "taken_at": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "passed": diagnosis.passed,
        "findings": [_finding(finding) for finding in diagnosis.findings],
        "verdicts": [{"server": server, "verdict": words} for server, words in diagnosis.verdicts],
        "skipped": list(diagnosis.skipped),
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _finding(finding: Finding) -> dict[str, Any]:
    fix = finding.fix
    return {
        "id": finding.id,
        "severity": finding.severity.value,
        "title": finding.title,
        "words": finding.words,
        "evidence": list(finding.evidence),
        "host": finding.host,
        "server": finding.server or None,
        "fix": {"words": fix.words, "automatic": fix.automatic, "restart": fix.restart} if fix else None,
    }


def as_text(diagnosis: Diagnosis) -> str:
    """Return it for people, findings first."""
    return "\n".join([*_findings(diagnosis), *_rest(diagnosis)])


def _findings(diagnosis: Diagnosis) -> Iterator[str]:
    for finding in diagnosis.findings:
        yield f"{finding.severity.value.upper()}  {finding.server or finding.host}: {finding.title}"
        yield f"  {finding.words}"
        yield from (f"    {line}" for line in finding.evidence)
        if finding.fix:
            yield f"  Fix: {finding.fix.words}"
        yield ""


def _rest(diagnosis: Diagnosis) -> Iterator[str]:
    yield from (f"{server}: {words}" for server, words in diagnosis.verdicts)
    yield from (f"Not looked at: {line}" for line in diagnosis.skipped)
    yield summary(diagnosis)


def summary(diagnosis: Diagnosis) -> str:
    """Return what came of it in a sentence: "Nothing found; 41 checks passed."."""
    checks = f"{figures.plural(diagnosis.passed, 'check')} passed"
    if not diagnosis.findings:
        return f"Nothing found; {checks}."
    return f"{figures.plural(len(diagnosis.findings), 'finding')}; {checks}."
