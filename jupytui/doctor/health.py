"""What is or soon will be broken: files, ports, certificates, disks, memory, units. One function, one rule."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from datetime import UTC, datetime

from jupytui import figures
from jupytui.certs.models import Urgency
from jupytui.doctor import known
from jupytui.doctor.models import DownUnit, Finding, Fix, HostFacts, Plight, ServerFacts, Severity
from jupytui.doctor.words import Rule, finding, said
from jupytui.jupyter.models import Unit
from jupytui.jupyter.settings import findings as of_settings
from jupytui.jupyter.settings.findings import Kind
from jupytui.jupyter.settings.migrate import legacy

LEAST_DISK = 256 * 2**20  # bytes; a notebook with its outputs has to fit
LEAST_SHARE = 0.02
MOST_MEMORY = 0.95  # of a machine
MOST_OF_LIMIT = 0.9  # of a unit's MemoryMax

_SEVERITIES = {
    Kind.BROKEN: (Severity.CRITICAL, "health.config-broken", "Configuration file that does not parse"),
    Kind.READABLE: (Severity.WARNING, "exposure.readable", "Others can read the configuration's secret"),
    Kind.UNREAD: (Severity.WARNING, "health.config-unread", "Configuration file that cannot be read"),
    Kind.UNKNOWN: (Severity.WARNING, "health.config-typo", "Setting that Jupyter does not have"),
    Kind.IGNORED: (Severity.WARNING, "health.config-ignored", "Setting in the wrong file"),
    Kind.LOSES: (Severity.NOTICE, "health.config-loses", "Setting that loses"),
    Kind.DEPRECATED: (Severity.NOTICE, "health.config-legacy", "Setting under an old name"),
}


def configuration(facts: ServerFacts) -> Iterator[Finding]:
    """What its configuration files say that does not hold."""
    if not facts.found:
        return
    rules = facts.knowledge
    traits = facts.answer.traits if facts.answer else {}
    for each in of_settings.findings(facts.found, facts.settings, rules.applications, rules.ancestry, traits):
        if each.kind in _SEVERITIES:
            severity, id_, title = _SEVERITIES[each.kind]
            title = f"{title}: {each.key or posixpath.basename(each.where.rpartition(':')[0] or each.where)}"
            yield finding(facts, id_, severity, title, each.words, each.where, fix=_configured(each, facts))


def _configured(each: of_settings.Finding, facts: ServerFacts) -> Fix | None:
    path = each.where.rpartition(":")[0] or each.where
    if each.kind is Kind.READABLE:
        return Fix("Close the file to others.", private=(path,))
    if each.kind is Kind.BROKEN:
        return Fix(
            "Mend that line; a backup may lie beside the file. With TRAITLETS_APPLICATION_RAISE_CONFIG_FILE_ERROR=1 in "
            "its unit the server would not have started without its password."
        )
    if each.kind is Kind.DEPRECATED and facts.found and legacy(facts.found, facts.knowledge):
        return Fix("Write today's names; what Jupyter applies stays the same.", migrate=True)
    if each.kind is Kind.LOSES:
        return Fix("Take it out, or change the one that wins (pane 8).")
    return Fix(f"Write {each.suggestion} (pane 8)." if each.suggestion else "Take it out (pane 8).")


def unseen(facts: ServerFacts) -> Iterator[Finding]:
    """Its own Jupyter cannot read its configuration any more."""
    if facts.unseen and "ends at once" in facts.unseen:
        words = "With its files as they are it would end at once: its next start fails."
        yield finding(facts, "health.config-fatal", Severity.WARNING, "Would not start again", words, facts.unseen)


def drifted_port(facts: ServerFacts) -> Iterator[Finding]:
    """It took another port than the one it was told to, because that was taken."""
    port, key = facts.value("ServerApp.port"), "ServerApp.port"
    if isinstance(port, int) and port and facts.server.port and port != facts.server.port:
        retries = facts.value("ServerApp.port_retries")
        words = (
            f"It is told to use port {port} and uses {facts.server.port}: the other was taken when it started, or the "
            "file is newer than its start."
        )
        fix = Fix("Free that port and restart it; it then fails rather than drift.", {"ServerApp.port_retries": 0})
        yield finding(
            facts, "health.port-drifted", Severity.WARNING, "On another port", words, said(facts.winner(key)),
            facts.socket, f"port_retries: {50 if retries is None else retries}", fix=fix,
        )  # fmt: skip


def not_localhost(facts: ServerFacts) -> Iterator[Finding]:
    """`local_hostnames` replaces its default, so that localhost itself is refused (measured on jupyter_server 2.21)."""
    key = "ServerApp.local_hostnames"
    names = facts.value(key)
    if isinstance(names, list) and "localhost" not in names:
        words = "Requests for localhost get a 403, tunnels among them: the list replaces Jupyter's own."
        yield finding(
            facts, "reach.localhost", Severity.WARNING, "localhost is refused", words, said(facts.winner(key)),
            fix=Fix("Add localhost to it.", {key: ["localhost", *map(str, names)]}),
        )  # fmt: skip


def one_family(facts: ServerFacts) -> Iterator[Finding]:
    """`::` is IPv6 alone (measured on jupyter_server 2.21)."""
    if facts.value("ServerApp.ip") == "::":
        words = "It listens on every IPv6 address and on no IPv4 one: most machines will not reach it."
        yield finding(
            facts, "reach.ipv6-only", Severity.WARNING, "Listens on IPv6 only", words,
            said(facts.winner("ServerApp.ip")), facts.socket,
            fix=Fix("“*” is both.", {"ServerApp.ip": "*"}),
        )  # fmt: skip


def no_root_dir(facts: ServerFacts) -> Iterator[Finding]:
    """The directory it serves is gone."""
    if facts.root_exists is False:
        words = "Nothing can be opened or saved, and its next start fails."
        yield finding(
            facts, "health.root-dir", Severity.WARNING, "Its root directory is gone", words,
            f"{facts.server.root_dir}: no such directory", said(facts.winner("ServerApp.root_dir")),
            fix=Fix("Make the directory again, or name another one (pane 8)."),
        )  # fmt: skip


def disk(facts: ServerFacts) -> Iterator[Finding]:
    """No room to save."""
    for each in {(one.size, one.free): one for one in facts.disks}.values():
        if each.size and (each.free < min(LEAST_DISK, each.size / 10) or each.free / each.size < LEAST_SHARE):
            evidence = f"{each.path}: {figures.size(each.free)} of {figures.size(each.size)} free"
        elif each.files_free < LEAST_SHARE:
            evidence = f"{each.path}: {each.files_free:.1%} of all files (inodes) free"
        else:
            continue
        words = "Notebooks cannot be saved, and the server cannot start, once it is full."
        yield finding(
            facts, "health.disk", Severity.WARNING, "Disk nearly full", words, evidence, fix=Fix("Make room on it.")
        )  # fmt: skip


def unit_memory(facts: ServerFacts) -> Iterator[Finding]:
    """Its unit is near the limit at which systemd has something of it killed."""
    unit = facts.service
    if unit and unit.memory and unit.memory_max and unit.memory > MOST_OF_LIMIT * unit.memory_max:
        words = "At its limit the machine kills one of its kernels, or the server."
        evidence = f"{unit.name}: {figures.size(unit.memory)} of MemoryMax={figures.size(unit.memory_max)}"
        yield finding(
            facts, "health.memory", Severity.WARNING, "Near its memory limit", words, evidence,
            fix=Fix("Shut down kernels (pane 2), or raise the limit (pane 4)."),
        )  # fmt: skip


def lingering(facts: ServerFacts) -> Iterator[Finding]:
    """A user unit that ends with the login."""
    unit = facts.server.unit
    if unit and unit.scope == "user" and facts.linger is False:
        words = "It ends when its user logs out, and does not start at boot."
        yield finding(
            facts, "health.linger", Severity.WARNING, "Ends at logout", words, f"{unit.name}: a user unit",
            "loginctl: Linger=no", fix=Fix("Let user units outlive the login.", linger=True),
        )  # fmt: skip


_DAYS = {Urgency.EXPIRED: Severity.CRITICAL, Urgency.NOT_YET: Severity.CRITICAL, Urgency.MONTH: Severity.NOTICE}
_RENEW = Fix("Renew it (pane 7): no restart is needed.")


def certificate_dates(facts: ServerFacts) -> Iterator[Finding]:
    """It has expired, or will soon."""
    shown = facts.tls and (facts.tls.sight.served or next(iter(facts.tls.sight.file), None))
    if not facts.tls or not shown or (urgency := shown.urgency()) is Urgency.FINE:
        return
    days = shown.days_left(datetime.now(UTC))
    title, words = f"Certificate ends in {figures.left(days)}", "Browsers will refuse it from then on."
    if urgency is Urgency.EXPIRED:
        title, words = "Certificate expired", "Browsers refuse it."
    elif urgency is Urgency.NOT_YET:
        title, words = "Certificate not valid yet", "Browsers refuse it until then, or a clock is wrong."
    dates = f"{facts.tls.place.certfile}: valid from {shown.not_before:%Y-%m-%d %H:%M} to {shown.not_after:%Y-%m-%d}"
    severity = _DAYS.get(urgency, Severity.WARNING)
    yield finding(facts, "health.certificate-dates", severity, title, words, dates, fix=_RENEW)


def certificate_pair(facts: ServerFacts) -> Iterator[Finding]:
    """The files do not fit each other: Jupyter says that it runs, and every handshake hangs or fails."""
    if not facts.tls:
        return
    wrong = [fault for fault in facts.tls.faults if fault.fatal and not _about_dates(fault.message)]
    handshake = facts.tls.sight.trouble if facts.tls.sight.served is None else ""
    for fault in wrong[:1]:
        fix = Fix(f"{fault.fix} Pane 7 checks and installs a pair.".strip())
        yield finding(
            facts, "health.certificate-pair", Severity.CRITICAL, "Certificate and key do not work", fault.message,
            facts.tls.place.certfile, facts.tls.place.keyfile or "", handshake, fix=fix,
        )  # fmt: skip
    if handshake and not wrong:
        yield finding(
            facts, "health.certificate-handshake", Severity.CRITICAL, "TLS does not work", handshake,
            facts.tls.place.certfile, fix=Fix("Install a pair that works (pane 7)."),
        )  # fmt: skip


def _about_dates(message: str) -> bool:
    return "expired" in message or "valid only" in message


def certificate_served(facts: ServerFacts) -> Iterator[Finding]:
    """It shows another certificate than the one in the file."""
    if facts.tls and facts.tls.sight.matches is False:
        words = "Jupyter reads the file at every connection, so something else answers there, or the file is another."
        yield finding(
            facts, "health.certificate-served", Severity.WARNING, "Shows another certificate", words,
            f"{facts.tls.place.certfile}: {facts.tls.sight.file[0].fingerprint[:23]}…",
        )  # fmt: skip


# Of the host


def stale(facts: HostFacts) -> Iterator[Finding]:
    """Files of servers that are gone."""
    for server, paths in facts.stale:
        if not paths:
            continue
        words = (
            "A server that was killed left its file behind. If this home directory is shared with other machines, it "
            "may be of one that runs there."
        )
        fix = Fix("Remove the files; not if the home is shared.", remove=paths)
        yield finding(
            facts, "health.stale", Severity.NOTICE, f"Left over: {server.id}", words,
            f"no process {server.pid}, or it is another one", *paths, fix=fix,
        )  # fmt: skip


def machine_memory(facts: HostFacts) -> Iterator[Finding]:
    """The machine is about to kill something."""
    system = facts.view.system
    if system and system.memory_total and (system.memory_used or 0) > MOST_MEMORY * system.memory_total:
        evidence = f"{figures.size(system.memory_used)} of {figures.size(system.memory_total)} used"
        yield finding(
            facts, "health.machine-memory", Severity.WARNING, "Memory nearly full",
            "The machine's kernel will kill the largest process, likely somebody's notebook.", evidence,
            fix=Fix("Shut down kernels (pane 2 sorts them by memory)."),
        )  # fmt: skip


def failed_units(facts: HostFacts) -> Iterator[Finding]:
    """Units that failed."""
    for unit in _units(facts, Plight.FAILED):
        cause = _cause(unit)
        yield finding(
            facts, "health.unit-failed", Severity.CRITICAL, f"{unit.service.name} does not run: {cause}",
            f"The {unit.service.scope} unit {unit.service.name} failed: {cause}.", _place(unit), *unit.log,
            fix=Fix("Put right what its log says, then start it (pane 4)."),
        )  # fmt: skip


def looping_units(facts: HostFacts) -> Iterator[Finding]:
    """Units that fail again and again: between two starts they look as if they ran."""
    for unit in _units(facts, Plight.LOOPS):
        cause, count = _cause(unit), unit.service.restarts
        words = f"The {unit.service.scope} unit {unit.service.name} fails, and systemd starts it again: {cause}."
        yield finding(
            facts, "health.unit-loops", Severity.CRITICAL, f"{unit.service.name} starts again and again: {cause}",
            words, *unit.log, f"it {unit.service.ended}" if unit.service.active != "active" else "",
            f"started again {figures.plural(count, 'time')} so far" if count else "", _place(unit),
            fix=Fix("Put right what its log says: its next start then holds. Until then it can be stopped (pane 4)."),
        )  # fmt: skip


def stopped_units(facts: HostFacts) -> Iterator[Finding]:
    """Units that are stopped, and were by somebody."""
    for unit in _units(facts, Plight.STOPPED):
        service = unit.service
        yield finding(
            facts, "health.unit-stopped", Severity.NOTICE, f"{service.name} is stopped",
            f"The {service.scope} unit {service.name} would run Jupyter, and is stopped.",
            f"systemd: {service.active}, {service.enabled or 'not enabled'}",
            f"it {service.ended}" if service.ended else "", _place(unit),
            fix=Fix("Start it.", start=Unit(service.name, service.scope)),
        )  # fmt: skip


def _units(facts: HostFacts, plight: Plight) -> Iterator[DownUnit]:
    return (unit for unit in facts.down if unit.plight is plight)


def _cause(unit: DownUnit) -> str:
    return unit.cause or unit.service.ended or "it failed"


def _place(unit: DownUnit) -> str:
    return unit.service.fragment or unit.service.name


RULES = (
    Rule(not_localhost, known.configuration),
    Rule(one_family, known.configuration),
    Rule(configuration, known.configuration),
    Rule(unseen, known.configuration),
    Rule(drifted_port, known.configuration),
    Rule(no_root_dir, known.directory),
    Rule(disk, known.disks),
    Rule(unit_memory, known.unit),
    Rule(lingering, known.linger),
    Rule(certificate_dates, known.certificate),
    Rule(certificate_pair, known.certificate),
    Rule(certificate_served, known.handshake),
)
HOST_RULES = (
    Rule(failed_units, known.units),
    Rule(looping_units, known.units),
    Rule(stopped_units, known.units),
    Rule(machine_memory, known.memory),
    Rule(stale, known.leftovers),
)
