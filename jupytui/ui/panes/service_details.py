"""What is asked of a host when somebody wants to know all of a service."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from jupytui.actions.units import unit_text
from jupytui.fleet.subject import Subject
from jupytui.systemd.hardening import missing
from jupytui.systemd.settings import with_settings
from jupytui.systemd.verify import Verdict, verify
from jupytui.text import clean
from jupytui.ui.dialogs.text import TextDialog
from jupytui.ui.format.look import Look
from jupytui.ui.format.services import ServiceRow, details

if TYPE_CHECKING:
    from jupytui.ui.desk import Desk


async def show_details(desk: Desk, row: ServiceRow, look: Look, weighed: Callable[[Subject, Verdict], None]) -> None:
    """Show the unit's file, how it stands, and what systemd says of it; `weighed` hears that."""
    host, service = desk.live.fleet.host(row.key.host or ""), row.service
    text, verdict, hardened = "", Verdict(checked=False), Verdict(checked=False)
    if service.fragment:
        text = await unit_text(host, service)
        verdict = await verify(host, service.scope, service.name, text)
        weighed(row.key, verdict)
        offered = [(option.key, option.value) for option in missing(service.scope, text)]
        hardened = await verify(host, service.scope, service.name, with_settings(text, offered))
    shown = [clean(paragraph, 2**18) for paragraph in details(row, clean(text, 2**17), verdict, hardened, look)]
    await desk.front.ask(TextDialog(f"{service.name} on {row.host}", shown))
