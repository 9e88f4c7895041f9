"""What the Logs pane asks the person: which server, which boot, which file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from jupytui import figures
from jupytui.actions.base import Field, Form
from jupytui.actions.services import service_meant
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Scope, Subject
from jupytui.jupyter.models import Health
from jupytui.logs.boots import Boot, boots
from jupytui.logs.save import save
from jupytui.logs.source import Source, source_of_unit
from jupytui.ui.dialogs.finder import Finder
from jupytui.ui.format.log_state import LEVELS, boot_words
from jupytui.ui.format.servers import host_name, server_name, where
from jupytui.ui.panes.hunt import Hunt
from jupytui.ui.widgets.picklist import Entry

if TYPE_CHECKING:
    from jupytui.ui.desk import Desk
    from jupytui.ui.program import Program

_TAKES = "enter shows it · escape leaves"


def servers(store: Store, within: Subject) -> list[Subject]:
    """Return the servers of a part of the fleet that run."""
    views = [view for view in store if within.host in {None, view.name}]
    found = [Subject(view.name, server.id) for view in views for server in view.servers if _runs(server.health)]
    return [subject for subject in found if within.scope < Scope.SERVER or subject == within]


def _runs(health: Health) -> bool:
    return health is not Health.STALE


async def pick_server(program: Program, desk: Desk, store: Store) -> None:
    """Let the person pick a server, and show its log."""
    found = servers(store, Subject())
    entries = [_entry(store, subject, str(number)) for number, subject in enumerate(found)]
    picked = await desk.front.ask(Finder("Whose log?", entries, _TAKES))
    if picked is not None:
        await program.main.enter("3", found[int(picked)])


def _entry(store: Store, subject: Subject, number: str) -> Entry:
    server, view = subject.server_in(store), subject.host_in(store)
    return Entry(number, f"{host_name(view)} › {server_name(server)}", note=where(server))


async def find_unit(desk: Desk, subject: Subject, show: Callable[[Subject, Source], None]) -> None:
    """Ask systemd where the log of a unit is, and show it. Raises Gone, CommandError, HostTrouble."""
    service = await service_meant(desk.live.context, subject, {})
    show(subject, source_of_unit(service.name, service.scope, service.output))


async def pick_boot(desk: Desk, host: str, show: Callable[[Boot], None]) -> None:
    """Let the person pick one of the boots that the journal knows, the latest first."""
    found = [*reversed(await boots(desk.live.fleet.host(host)))]
    entries = [Entry(str(number), boot_words(boot)) for number, boot in enumerate(found)]
    picked = await desk.front.ask(Finder(f"Boots of {host}", entries, _TAKES))
    if picked is not None:
        show(found[int(picked)])


async def save_as(desk: Desk, name: str, hunt: Hunt) -> None:
    """Ask for a path, and write the lines that are shown there."""
    what = "all lines that are kept" if hunt.shown is None else LEVELS[hunt.level]
    path = f"~/{name}-{datetime.now():%Y%m%d-%H%M}.log"
    field = Field("path", f"File, for {what}", path, help="on this machine; secrets are masked", check=_wrong_with)
    answers = await desk.live.context.front.fill(Form("Save this log", (field,), submit="Save"))
    if answers is None:
        return
    target = _path(answers["path"])
    if hunt.shown is not None:
        await hunt.shown.finish()
    count = await save(hunt.ring, target, hunt.shown)
    desk.talk.say(f"{figures.plural(count, 'line')} written to {target}.")


def _wrong_with(text: str) -> str | None:
    if not text.strip():
        return "Where to?"
    try:
        path = _path(text)
        if path.exists():
            return "That is a directory." if path.is_dir() else "There is such a file already: another name, please."
        return None if path.parent.is_dir() else f"There is no directory {path.parent}."
    except (OSError, ValueError, RuntimeError):  # too long, or ~name without such a user
        return "There can be no such file."


def _path(text: str) -> Path:
    return Path(text.strip()).expanduser().absolute()
