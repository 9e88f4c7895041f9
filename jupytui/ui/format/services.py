"""The services' rows, and what stands below them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from jupytui import figures
from jupytui.fleet.subject import Subject
from jupytui.systemd.hardening import missing
from jupytui.systemd.settings import setting
from jupytui.systemd.units import Service
from jupytui.systemd.verify import Verdict
from jupytui.ui.format.glyphs import DOWN, FAILED, STARTING, UNKNOWN, UP
from jupytui.ui.format.line import Line, Span, plain
from jupytui.ui.format.look import Look
from jupytui.ui.format.table import Column, Table

_STATES = {
    "active": Span(f"{UP} active", "good"),
    "reloading": Span(f"{STARTING} reloading", "warn"),
    "activating": Span(f"{STARTING} starting", "warn"),
    "deactivating": Span(f"{STARTING} stopping", "warn"),
    "inactive": Span(f"{DOWN} stopped"),
    "failed": Span(f"{FAILED} failed", "bad"),
}
_RESTARTING = Span(f"{STARTING} restarting", "warn")


class ServiceRow(Struct, frozen=True):
    """A service; `server` the id of the one it runs now; `stale` when its host is not being seen now.

    `host` is what people call the host, and `ahead` by how many seconds its clock is ahead of ours; `exposure` is known
    once somebody asked for it; `text` is what a filter sees.
    """

    key: Subject
    host: str
    service: Service
    server: str = ""
    stale: bool = False
    exposure: Verdict | None = None
    text: str = ""
    ahead: float = 0.0


def row_of(
    host: str, name: str, service: Service, server: str = "", *, stale: bool = False, ahead: float = 0.0
) -> ServiceRow:
    """Return the row of a service of `host`, which people call `name`."""
    words = (service.name, name, service.scope, state(service).text, service.enabled, server, service.description)
    text = " ".join(words).casefold()
    return ServiceRow(Subject(host, unit=service.id), name, service, server, stale, text=text, ahead=ahead)


def unit_name(service: Service) -> str:
    """Return its name without what all of them end in."""
    return service.name.removesuffix(".service")


def state(service: Service) -> Span:
    """Return its state as a glyph and a word."""
    if service.active == "activating" and service.sub == "auto-restart":
        return _RESTARTING
    if service.load == "masked" and service.active == "inactive":
        return Span(f"{DOWN} masked", "dim")
    return _STATES.get(service.active, Span(f"{UNKNOWN} {service.active or 'unknown'}", "dim"))


def ending(service: Service) -> str:
    """Return how it ended last, if that is worth a word now."""
    return "" if service.active == "active" and not service.restarts else service.ended


def at_boot(service: Service) -> str:
    """Return what starts it, in a word."""
    if service.enabled == "enabled" and service.scope == "user":
        return "at boot" if service.linger else "at login"
    return {"enabled": "at boot", "disabled": "no"}.get(service.enabled, service.enabled or figures.UNKNOWN)


def exposure(verdict: Verdict | None) -> str:
    """Return its score, 0 (safe) to 10 (exposed)."""
    return figures.UNKNOWN if verdict is None or verdict.score is None else f"{verdict.score:.1f}"


def _name(row: ServiceRow, _look: Look) -> Line:
    return plain(unit_name(row.service))


def _host(row: ServiceRow, _look: Look) -> Line:
    return plain(row.host)


def _scope(row: ServiceRow, _look: Look) -> Line:
    return plain(row.service.scope)


def _state(row: ServiceRow, _look: Look) -> Line:
    return (state(row.service),)


def _boot(row: ServiceRow, _look: Look) -> Line:
    return plain(at_boot(row.service))


def _linger(row: ServiceRow, _look: Look) -> Line:
    return plain({True: "yes", False: "no", None: figures.UNKNOWN}[row.service.linger])


def _restarts(row: ServiceRow, _look: Look) -> Line:
    return plain(figures.count(row.service.restarts))


def _memory(row: ServiceRow, _look: Look) -> Line:
    return plain(figures.size(row.service.memory))


def _exposure(row: ServiceRow, _look: Look) -> Line:
    return plain(exposure(row.exposure))


def _since(row: ServiceRow, look: Look) -> Line:
    since = row.service.since if row.service.running else None
    return plain(figures.age(figures.seconds_since(since, look.now, row.ahead)))


def _runs(row: ServiceRow, _look: Look) -> Line:
    return plain(row.server or (ending(row.service) if not row.service.running else figures.UNKNOWN))


def _tone(row: ServiceRow, _look: Look) -> str:
    return "dim" if row.stale else ""


WIDE = Table(
    (
        Column("UNIT", 14, _name, grow=2, most=30),
        Column("HOST", 12, _host, rank=1, grow=1, most=20),
        Column("SCOPE", 6, _scope, rank=4),
        Column("STATE", 12, _state),
        Column("STARTS", 8, _boot, rank=3),
        Column("LINGER", 6, _linger, rank=6),
        Column("RESTARTS", 8, _restarts, rank=7, right=True),
        Column("MEM", 5, _memory, rank=2, right=True),
        Column("EXPOSED", 7, _exposure, rank=8, right=True),
        Column("AGE", 4, _since, rank=9, right=True),
        Column("SERVER", 12, _runs, rank=5, grow=4),
    ),
    tone=_tone,
)
NARROW = Table(
    (
        Column("UNIT", 12, _name, grow=1, most=40),
        Column("HOST", 6, _host, rank=1, grow=1, most=12, gap=1),
        Column("STATE", 12, _state, firm=True, gap=1),
        Column("MEM", 5, _memory, rank=2, right=True, gap=1),
    ),
    tone=_tone,
)


def table(width: int) -> Table:
    """Return the table for a pane of `width` cells."""
    return NARROW if width < 72 else WIDE


def about(row: ServiceRow) -> str:
    """Return what matters of one service, in a line: how it ended or what it runs, then the rest."""
    service = row.service
    said = service.ended if ending(service) else ""
    parts = [f"it {said}" if said else "", row.server, *remarks(service), *limits(service)]
    if row.exposure and row.exposure.score is not None:
        parts.append(f"exposed {exposure(row.exposure)} of 10 ({row.exposure.level})")
    parts += [f"{service.restarts} restarts" if service.restarts else "", service.description]
    parts += ["enter tells how exposed it is"] if service.fragment and row.exposure is None else []
    return " · ".join(filter(None, parts))


def remarks(service: Service) -> list[str]:
    """Return what somebody should know of it."""
    said = ["its file has changed: f5 has systemd read it"] if service.needs_reload else []
    if service.scope == "user" and service.linger is False and service.running:
        said.append("ends when you log out: L keeps it")
    return said


def limits(service: Service) -> list[str]:
    """Return its limits, none when it has none."""
    said = [f"at most {figures.size(service.memory_max)}"] if service.memory_max is not None else []
    return said + ([f"at most {service.cpu_quota:g} CPUs"] if service.cpu_quota is not None else [])


def verbs(service: Service, *, has_server: bool) -> list[tuple[str, str]]:
    """Return the actions (id, word) that make sense as the service stands, the likeliest first."""
    kind = "server" if has_server else "service"
    found = [(f"{kind}.restart", "restart"), (f"{kind}.stop", "stop")] if service.active != "inactive" else []
    if service.active in {"failed", "inactive"}:
        found = [("server.start", "start")]
    found += [("service.logs", "log")] if not has_server else [("server.logs", "log")]
    found += [("service.reload", "reload")] if service.needs_reload else []
    found += [("service.edit", "edit")] if service.changed_in else []
    found += [("service.enable", "at boot")] if service.enabled == "disabled" else []
    found += [("service.disable", "not at boot")] if service.enabled == "enabled" else []
    found += [("service.linger", "linger")] if service.linger is False else []
    found += [("service.harden", "harden"), ("service.limit", "limit")] if service.changed_in else []
    return found + ([("service.remove", "remove")] if service.removable else [])


def summary(rows: Sequence[ServiceRow]) -> str:
    """Return the sums of the rows: `4 services · 2 active · 1 failed · 1.2G`."""
    active = sum(row.service.active == "active" for row in rows)
    failed = sum(row.service.active == "failed" for row in rows)
    memory = sum(row.service.memory or 0 for row in rows)
    parts = [figures.plural(len(rows), "service"), f"{active} active" if active else ""]
    parts += [f"{failed} failed" if failed else "", figures.size(memory) if memory else ""]
    return " · ".join(filter(None, parts))


def details(row: ServiceRow, text: str, verdict: Verdict, hardened: Verdict, look: Look) -> list[str]:
    """Return all that is known of a service as paragraphs: how it stands, how exposed it is, its file.

    `hardened` is what systemd says of it with all that hardening has to offer.
    """
    service = row.service
    since = figures.seconds_since(service.since, look.now, row.ahead)
    stands = f"{state(service).text}" + (f" for {figures.duration(since)}" if service.running and since else "")
    facts = [
        f"{stands}, {service.scope} unit on {row.host}, starts {at_boot(service).replace('no', 'not by itself')}",
        f"It {service.ended}." if service.ended else "",
        f"Runs {row.server} (process {service.main_pid})." if row.server else "",
        *(f"{remark[0].upper()}{remark[1:]}." for remark in remarks(service)),
        f"Memory {figures.size(service.memory)}, {figures.count(service.restarts)} restarts"
        + "".join(f", {limit}" for limit in limits(service)),
        f"Output: {_output(service, text)}" if service.output else "",
    ]
    read = [f"{service.fragment}:" if service.fragment else "It has no file of its own."]
    read += [f"and {path}" for path in service.drop_ins]
    return [
        "\n".join(filter(None, facts)),
        _exposed(service, text, verdict, hardened),
        "\n".join([*read, "", text.rstrip()]),
    ]


def _output(service: Service, text: str) -> str:
    """Return where its output goes: systemd names the kind alone, the file stands in the unit."""
    written = setting(text, "StandardOutput")
    return written if written.partition(":")[0] == service.output else service.output


def _exposed(service: Service, text: str, verdict: Verdict, hardened: Verdict) -> str:
    if not verdict.checked:
        return "This host has no systemd-analyze." if service.fragment else ""
    said = [f"systemd finds fault: {line}" for line in verdict.complaints]
    if verdict.score is not None:
        said.append(f"Exposure {verdict.score} {verdict.level} (0 is safe, 10 is exposed).")
    if options := missing(service.scope, text):
        after = f", and leaves {hardened.score} {hardened.level}" if hardened.score is not None else ""
        said.append(f"Hardening (H) spares GPUs, compilers and files{after}:")
        said += [f"  {option.key}: {option.reason}" for option in options]
    return "\n".join(said)
