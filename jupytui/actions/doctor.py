"""Have the doctor look, and carry out what it offers.

`examine` is what the pane and the command line have in common; the finding meant is the answer "finding".
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from jupytui.actions import lifecycle, losses, rollback
from jupytui.actions.base import Action, Answers, Confirmation, Context, Refused, Subjects
from jupytui.actions.restartable import barred
from jupytui.errors import JupytuiError, UsageError
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.models import HostView, Trouble
from jupytui.fleet.subject import Scope, Subject
from jupytui.hosts.base import HostState, HostTrouble
from jupytui.jupyter.access import Access
from jupytui.jupyter.models import Auth

if TYPE_CHECKING:
    from jupytui.doctor.models import Diagnosis, Finding, HostFacts, ServerFacts
    from jupytui.doctor.repair import Repair
    from jupytui.jupyter.launch.lifecycle import Back


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of looking at some hosts, and what it was made from."""

    diagnosis: Diagnosis
    facts: tuple[HostFacts, ...]

    def server(self, finding: Finding) -> ServerFacts | None:
        """Return what is known of the server that a finding is about; None for one about its host."""
        servers = (each for facts in self.facts for each in facts.servers)
        return next((each for each in servers if each.server.id == finding.server), None)


async def examine(context: Context, subjects: Subjects) -> Examined:
    """Look at hosts, or servers, and find what is wrong. A host that fails halfway is one that is not reached.

    Raises Gone.
    """
    from jupytui.doctor.rules import diagnose, together

    wanted = [(subject.host_in(context.fleet.store), subject.server or "") for subject in subjects]
    facts = await asyncio.gather(*(_of_host(context, view, server) for view, server in wanted))
    return Examined(together(diagnose(each) for each in facts), tuple(facts))


async def _of_host(context: Context, view: HostView, server: str) -> HostFacts:
    from jupytui.doctor.gather import Means, gather
    from jupytui.doctor.models import HostFacts

    if view.state is not HostState.UP:
        await context.fleet.refresh([view.name])
        view = context.fleet.store.host(view.name) or view
    means = Means(_access(context.fleet, view), told=context.progress)
    try:
        return await gather(context.fleet.host(view.name), view, means, server)
    except HostTrouble as trouble:
        told = Trouble(trouble.message, trouble.hint, trouble.detail)
        return HostFacts(msgspec.structs.replace(view, state=trouble.state, error=told))
    except JupytuiError as error:
        return HostFacts(view, skipped=(f"{view.name}: {error.message}",))


def _access(fleet: Fleet, view: HostView) -> Mapping[str, Access]:
    found = {}
    for server in view.servers:
        try:
            found[server.id] = fleet.api(Subject(view.name, server.id)).access
        except UsageError:
            continue
    return found


async def mend(context: Context, examined: Examined, finding: Finding) -> str:
    """Carry out the fix of a finding, after showing exactly what is changed; look again; say what became of it.

    Raises Refused, CannotEdit, NotConfirmed, LaunchFailed, CommandError, HostTrouble.
    """
    from jupytui.doctor.repair import carry_out, prepare

    if context.read_only:
        raise Refused("jupytui was started with --read-only.")
    if finding.fix is None or not finding.fix.automatic:
        raise Refused(finding.fix.words if finding.fix else "There is nothing that could be done about it from here.")
    facts = examined.server(finding)
    repair = prepare(finding.fix, facts)
    name, subject = finding.host, Subject(finding.host, finding.server or None)
    barrier = await barred(context, subject) if repair.edit else ""
    if not await context.front.confirm(_question(finding, repair, barrier)):
        return ""
    context.progress(finding.title)
    unkept = await carry_out(context.fleet.host(name), repair, facts, context.fleet.prompter(name))
    if not (repair.edit and facts and facts.found):
        await context.fleet.refresh([name])
        return await _proven(context, finding)
    if barrier or not await context.front.confirm(_about_restart(context, subject)):
        said = (await _proven(context, finding), "It takes effect when the server starts again.", barrier, unkept)
        return " ".join(filter(None, said))
    back = await rollback.restart_with(context, subject, facts.found.python, repair.edit)
    there = await _found_again(context, finding, back)
    return f"{await _proven(context, there)} {lifecycle.back(name, finding.server, back)} {unkept}".rstrip()


def _question(finding: Finding, repair: Repair, barrier: str) -> Confirmation:
    where = finding.server or finding.host
    words = finding.fix.words if finding.fix else ""
    notes = tuple(filter(None, (words, barrier)))
    return Confirmation(f"Fix on {where}: {finding.title}", (), repair.shown, notes=notes)


def _about_restart(context: Context, subject: Subject) -> Confirmation:
    lost = tuple(losses.of_server(subject.server_in(context.fleet.store)))
    typed = subject.host if any(loss.grave for loss in lost) else None
    notes = (
        "The files are written. The server goes on as before until it is restarted.",
        rollback.PROMISE,
    )
    return Confirmation(f"Restart {subject.server} now", lost, f"restart {subject.server}", typed, notes)


async def _found_again(context: Context, finding: Finding, back: Back) -> Finding:
    """Return the finding as one about the server that is back, which may be called by another port now."""
    await context.fleet.refresh([finding.host])
    servers = Subject(finding.host).host_in(context.fleet.store).servers
    return replace(finding, server=next((each.id for each in servers if each.pid == back.answer.pid), finding.server))


async def _proven(context: Context, finding: Finding) -> str:
    again = await examine(context, [Subject(finding.host, finding.server or None)])
    if any(each.key == finding.key for each in again.diagnosis.findings):
        return f"{finding.title}: it is there still."
    if finding.server and again.server(finding) is None:
        return f"{finding.title}: not proven, because {finding.server} is not seen."
    if (finding.server or finding.host, finding.rule) in again.diagnosis.blind:
        return f"{finding.title}: not proven. {_why_blind(again, finding)}"
    return f"{finding.title}: put right."


def _why_blind(again: Examined, finding: Finding) -> str:
    facts = again.server(finding)
    if facts and not facts.unseen and facts.server.auth is Auth.UNKNOWN:
        return f"How {finding.server} lets people in is not known yet; look again."
    return " ".join(again.diagnosis.skipped) or "What would show it cannot be seen now; look again."


def scope_of(views: Iterable[HostView], within: Subject) -> Sequence[Subject]:
    """Return what is to be looked at where this is selected: a server (its host when it has gone), a host, or all."""
    views = list(views)
    if any(each.id == within.server for view in views for each in view.servers):
        return (within.at(Scope.SERVER),)
    return tuple(Subject(view.name) for view in views if within.host in {None, view.name})


async def _show(context: Context, subjects: Subjects, _answers: Answers) -> str:
    await context.front.show("9", subjects[0])
    return ""


ACTIONS = (
    Action(
        id="host.doctor",
        title="Doctor: what is wrong here",
        help="Can it be reached, who gets in, what will break: every finding with its evidence and its fix.",
        scope=Scope.HOST,
        command=("doctor",),
        changes=False,
        run=_show,
    ),
)
