"""What rules make their findings with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from jupytui.doctor.models import Finding, Fix, HostFacts, ServerFacts, Severity
from jupytui.jupyter.settings.models import Entry
from jupytui.secret import Secret
from jupytui.text import clean_line

Facts = TypeVar("Facts", ServerFacts, HostFacts)


@dataclass(frozen=True, slots=True)
class Rule(Generic[Facts]):
    """A rule, and whether the facts it needs are there: that it finds nothing without them says nothing."""

    find: Callable[[Facts], Iterable[Finding]]
    knows: Callable[[Facts], bool]

    @property
    def name(self) -> str:
        """What tells it from others."""
        return self.find.__name__


def finding(
    facts: ServerFacts | HostFacts,
    id: str,
    severity: Severity,
    title: str,
    words: str,
    *evidence: str,
    fix: Fix | None = None,
) -> Finding:
    """Return a finding about what `facts` are of; everything from outside is cleaned here."""
    server = facts.server.id if isinstance(facts, ServerFacts) else ""
    host = server.partition(":")[0] if isinstance(facts, ServerFacts) else facts.view.name
    lines = tuple(clean_line(line, 400) for line in evidence if line)
    return Finding(id, severity, clean_line(title, 200), clean_line(words, 600), lines, host, server, fix)


def said(entry: Entry | None) -> str:
    """Return the line of evidence for a place of the configuration: where, key and value, a secret masked."""
    if entry is None:
        return ""
    if not entry.certain:
        value = "computed"
    elif isinstance(entry.value, Secret):
        value = str(entry.value) if entry.value else '""'
    else:
        value = repr(entry.value)
    return f"{entry.where}: {entry.key} = {value}"
