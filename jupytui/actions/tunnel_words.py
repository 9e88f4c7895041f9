"""Which tunnels there are, and how they stand in words."""

from __future__ import annotations

from jupytui.actions.base import Context, Subjects
from jupytui.config.model import TunnelKind
from jupytui.errors import JupytuiError
from jupytui.figures import plural
from jupytui.fleet.subject import Gone, Subject
from jupytui.tunnels import known
from jupytui.tunnels.models import Behind, Status, TunnelState


def all_tunnels(context: Context) -> tuple[Status, ...]:
    """Return how every tunnel stands, those that only hosts.toml names included."""
    return known.with_listed(context.config, context.tunnels.statuses())


def status_of(context: Context, subject: Subject) -> Status:
    """Return how the tunnel meant stands. Raises Gone."""
    found = next((status for status in all_tunnels(context) if status.tunnel.name == subject.tunnel), None)
    if found is None:
        raise Gone(f"The tunnel {subject.tunnel} is gone.", "It may have been removed elsewhere.")
    return found


def told(status: Status) -> str:
    """Return how a tunnel stands, as a sentence. Raises JupytuiError for one that has failed."""
    name, why = status.tunnel.name, status.error
    words = f"{why.message} {why.hint}".rstrip() if why else ""
    if status.state is TunnelState.FAILED:
        raise JupytuiError(f"{name}: {words or 'it has failed.'}")
    if status.state is TunnelState.UP:
        return f"{name} is up: {route(status)}."
    return f"{name} is {status.state}. {words}".rstrip()


def route(status: Status) -> str:
    """Return which way a tunnel runs, in words."""
    tunnel, here = status.tunnel, status.local or status.tunnel.local
    match tunnel.kind:
        case TunnelKind.REMOTE:
            return f"{here} on {tunnel.host} leads to {tunnel.to} here"
        case TunnelKind.SOCKS:
            return f"{here} is a SOCKS proxy into {tunnel.host}"
        case TunnelKind.PUBLIC:
            return f"{status.url or tunnel.domain or 'an address on the internet'} leads to {tunnel.to} here"
    return f"{here} leads to {tunnel.to} on {tunnel.host}"


def address(status: Status) -> str:
    """Return what to type into a browser to get through a tunnel, or into its settings for a proxy; "" for nothing."""
    tunnel, here = status.tunnel, status.local or status.tunnel.local
    if tunnel.kind is TunnelKind.PUBLIC:
        return status.url
    if tunnel.kind is TunnelKind.REMOTE or here is None or here.path:
        return str(here or "")
    if not here.port:
        return ""  # the system chooses one when it comes up
    if tunnel.kind is TunnelKind.SOCKS:
        return f"socks5h://{here}"
    behind = tunnel.behind or Behind()
    # As a name: Jupyter lets that in without `allow_remote_access`, and cookies are kept by it.
    return f"http{'s' if behind.secure else ''}://localhost:{here.port}{behind.base_url}"


def names(subjects: Subjects) -> str:
    """Return which tunnels are meant, with the verb: `t is`, `3 tunnels are`."""
    return f"{subjects[0].tunnel} is" if len(subjects) == 1 else f"{plural(len(subjects), 'tunnel')} are"
