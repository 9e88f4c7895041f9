"""What is asked for a new tunnel, and the entry of hosts.toml that the answers make."""

from __future__ import annotations

from collections.abc import Container, Iterable

from jupytui.actions.base import Answers, Context, Field, Form, Refused, Subjects
from jupytui.config import fields
from jupytui.config.model import TunnelEntry, TunnelKind
from jupytui.errors import WrongAnswer
from jupytui.tunnels import known, ports
from jupytui.tunnels.models import Address, Status

KEEP = "yes"
SOCKS_PORT = 1080
KINDS = (TunnelKind.LOCAL, TunnelKind.REMOTE, TunnelKind.SOCKS)


async def form(context: Context, _subjects: Subjects) -> Form:
    """Return the form. Raises Refused without a host to tunnel to."""
    hosts = tuple(entry.name for entry in context.config.hosts if not entry.is_local)
    if not hosts:
        raise Refused("There is no other host yet.", "a adds one, i picks from your ssh config.")
    ways = "local leads there, remote leads here"
    return Form(
        "Add a tunnel",
        (
            Field("host", "Host", hosts[0], choices=hosts),
            Field("to", "Leads to", "8888", "port, host:port or /path; none for socks", check=check_target),
            Field(
                "local", "Listens at", help="port or /path; empty: the same, or the next free one", check=check_local
            ),
            Field("name", "Name", help="empty: HOST-PORT", check=check_name),
            Field("kind", "Kind", KINDS[0], ways, choices=tuple(KINDS)),
            Field("keep", "Up after login", "no", "yes: written to hosts.toml", choices=("no", KEEP)),
        ),
        submit="Add",
    )


def check_target(text: str) -> str | None:
    """Return what is wrong with where a tunnel leads, None if nothing is."""
    target = fields.TUNNEL["to"]
    return None if not text.strip() or target.accept(text.strip()) else f"Expected {target.expected}."


def check_local(text: str) -> str | None:
    """Return what is wrong with where a tunnel listens, None if nothing is; whether it is taken depends on the kind."""
    text = text.strip()
    return None if not text or _end(text) else f"Expected {fields.TUNNEL['local'].expected}."


def check_name(text: str) -> str | None:
    """Return what is wrong with a name, None if nothing is."""
    return None if not text.strip() or fields.HOST_NAME.accept(text.strip()) else "Expected a name on one line."


def _end(text: str) -> int | str | None:
    end: int | str | None = fields.TUNNEL["local"].accept(int(text) if text.isascii() and text.isdigit() else text)
    return end


def taken(port: int | str | None, statuses: Iterable[Status]) -> str | None:
    """Return who holds a port of this machine and which one is free, None if it is, and for a unix socket."""
    if not isinstance(port, int) or ports.is_free(port):
        return None
    holder = known.holder(statuses, port)
    by = f" by {holder}" if holder else ""
    return f"Port {port} is taken{by}; {ports.next_free(port)} is free."


def entry_of(answers: Answers, promised: Container[int] = ()) -> TunnelEntry:
    """Return what the answers describe, with the next port that is free and not promised where none was named.

    Raises WrongAnswer.
    """
    host, kind = answers["host"], TunnelKind(answers.get("kind") or TunnelKind.LOCAL)
    said = {name: answers.get(name, "").strip() for name in ("to", "local", "name")}
    for name, check in (("to", check_target), ("local", check_local), ("name", check_name)):
        if problem := check(said[name]):
            raise WrongAnswer(problem, field=name)
    to = None if kind is TunnelKind.SOCKS else said["to"]
    if to == "":
        raise WrongAnswer("Say where it leads to.", field="to")
    far = Address.parse(to).port if to else SOCKS_PORT
    local = _end(said["local"]) or (far if kind is TunnelKind.REMOTE else next_port(far, promised))
    return TunnelEntry(said["name"] or _name(host, kind, to), host, to, local, kind, answers.get("keep") == KEEP)


def next_port(port: int | None, promised: Container[int]) -> int:
    """Return the first port from `port` on that is free and not promised to another tunnel. Raises JupytuiError."""
    return ports.next_free(port or ports.USUAL, lambda one: one not in promised and ports.is_free(one))


def _name(host: str, kind: TunnelKind, to: str | None) -> str:
    if kind is TunnelKind.SOCKS or to is None:
        return f"{host}-socks"
    end = to.rpartition("/")[2] if to.startswith("/") else to.rpartition(":")[2]
    return f"{host}-{end}" if kind is TunnelKind.LOCAL else f"{host}-remote-{end}"
