"""The table of all rules, and what comes of them. A new one is a function in one of the three modules, named there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from jupytui.doctor import exposure, health, reach
from jupytui.doctor.models import ORDER, Diagnosis, Finding, HostFacts, ServerFacts
from jupytui.doctor.verdict import verdict
from jupytui.doctor.words import Facts, Rule

# In the order in which findings of one severity are told: a broken file or certificate explains what fails after it.
RULES: Final[tuple[Rule[ServerFacts], ...]] = (*health.RULES, *reach.RULES, *exposure.RULES)
HOST_RULES: Final[tuple[Rule[HostFacts], ...]] = (*reach.HOST_RULES, *health.HOST_RULES)


@dataclass(frozen=True, slots=True)
class _Ran:
    """What came of one rule; `place` is the server, or the host."""

    place: str
    rule: str
    found: tuple[Finding, ...]
    blind: bool


def diagnose(facts: HostFacts) -> Diagnosis:
    """Return everything that is wrong with a host and its servers, the worst first."""
    servers = facts.servers if facts.up else ()
    ran = [*_ran(HOST_RULES, facts, facts.view.name)]
    ran += [each for server in servers for each in _ran(RULES, server, server.server.id)]
    found = [finding for each in ran for finding in each.found]
    verdicts = tuple((each.server.id, verdict(each, found)) for each in servers)
    unseen = tuple(each.unseen for each in servers if each.unseen)
    passed = sum(not each.found and not each.blind for each in ran)
    blind = frozenset((each.place, each.rule) for each in ran if each.blind)
    return Diagnosis(in_order(found), passed, verdicts, (*facts.skipped, *unseen), blind)


def _ran(rules: Iterable[Rule[Facts]], facts: Facts, place: str) -> Iterator[_Ran]:
    for rule in rules:
        found = tuple(replace(each, rule=rule.name) for each in rule.find(facts))
        yield _Ran(place, rule.name, found, blind=not rule.knows(facts))


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by severity; of two with the same key the first."""
    once: dict[object, Finding] = {}
    for finding in found:
        once.setdefault(finding.key, finding)
    return tuple(sorted(once.values(), key=lambda finding: ORDER.index(finding.severity)))


def together(parts: Iterable[Diagnosis]) -> Diagnosis:
    """Return the diagnoses of several hosts as one."""
    parts = list(parts)
    return Diagnosis(
        in_order(finding for part in parts for finding in part.findings),
        sum(part.passed for part in parts),
        tuple(line for part in parts for line in part.verdicts),
        tuple(line for part in parts for line in part.skipped),
        frozenset(each for part in parts for each in part.blind),
    )
