"""All that is known of one setting, to be read."""

from __future__ import annotations

from collections.abc import Iterator

from jupytui.jupyter.settings.findings import Kind
from jupytui.jupyter.settings.overview import Overview, State
from jupytui.jupyter.settings.traits import Trait
from jupytui.text import clean_line
from jupytui.ui.format.settings import place, short


def details(overview: Overview, key: str, trait: Trait | None) -> list[str]:
    """Return all that is known of one setting as paragraphs: what it is, what applies, every place, what is wrong."""
    return list(filter(None, ("\n".join(_about(trait)), "\n".join(_places(overview, key)), *_faults(overview, key))))


def _about(trait: Trait | None) -> Iterator[str]:
    if trait is None:
        yield "Jupyter says nothing about this setting."
        return
    values = f", one of {', '.join(trait.values)}" if trait.values else ""
    yield f"{trait.key}: {trait.type}{values}; default {trait.default or 'empty'}"
    yield trait.help.strip()


def _places(overview: Overview, key: str) -> Iterator[str]:
    items = [item for item in overview.items() if item.key == key]
    for item in items:
        how = "applied" if item.state is not State.LOSES else "loses"
        yield f"{how}: {item.text}"
        yield f"  {item.entry.key} at {place(item.entry)}" + (f" ({item.entry.why})" if item.entry.why else "")
    if not any(item.state is not State.LOSES for item in items):
        yield "Nothing that is said about it counts: Jupyter's default applies."


def _faults(overview: Overview, key: str) -> Iterator[str]:
    for finding in overview.findings:
        if finding.key == key and finding.kind is not Kind.LOSES:
            yield f"{clean_line(finding.words)} {short(finding.where)}"
