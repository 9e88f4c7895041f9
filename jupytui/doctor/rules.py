"""The table of all rules, and what comes of them. A new rule is a function in one of the three modules and its name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from jupytui.doctor import exposure, health, reach
from jupytui.doctor.models import ORDER, Diagnosis, Finding, HostFacts
from jupytui.doctor.verdict import verdict
from jupytui.doctor.words import OfHost, OfServer

# In the order in which findings of one severity are told: a broken file or certificate explains what fails after it.
RULES: Final[tuple[OfServer, ...]] = (*health.RULES, *reach.RULES, *exposure.RULES)
HOST_RULES: Final[tuple[OfHost, ...]] = (*reach.HOST_RULES, *health.HOST_RULES)


def diagnose(facts: HostFacts) -> Diagnosis:
    """Return everything that is wrong with a host and its servers, the worst first."""
    ran = [tuple(rule(facts)) for rule in HOST_RULES]
    servers = facts.servers if facts.up else ()
    ran += [tuple(rule(server)) for server in servers for rule in RULES]
    found = [finding for some in ran for finding in some]
    verdicts = tuple((each.server.id, verdict(each, found)) for each in servers)
    unseen = tuple(each.unseen for each in servers if each.unseen)
    return Diagnosis(in_order(found), sum(not some for some in ran), verdicts, (*facts.skipped, *unseen))


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
    )
