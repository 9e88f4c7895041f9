"""What can be done to hosts: look again, take in, let go."""

from __future__ import annotations

from collections.abc import Sequence

from jupytui import figures
from jupytui.actions.base import Action, Answers, Context, Field, Form, Loss, Refused, Subjects
from jupytui.actions.hosts_toml import edit
from jupytui.config import fields
from jupytui.config.edit import add_hosts, remove_hosts
from jupytui.config.model import LOCAL, HostEntry
from jupytui.config.ssh_hosts import SshAlias, ssh_aliases
from jupytui.errors import UsageError, WrongAnswer
from jupytui.fleet.subject import Scope, Subject


async def _refresh(context: Context, subjects: Subjects, _answers: Answers) -> str:
    await context.fleet.refresh([subject.host_in(context.fleet.store).name for subject in subjects])
    return ""


async def _refresh_all(context: Context, _subjects: Subjects, _answers: Answers) -> str:
    await context.fleet.refresh()
    return ""


def default_name(ssh: str) -> str:
    """Return what to call the host of `ssh …`: its machine's first name."""
    host = ssh.removeprefix("ssh://").rpartition("@")[2]
    if host.startswith("["):
        return host[1:].partition("]")[0]
    host = host.partition(":")[0] if host.count(":") == 1 else host
    return host if host.replace(".", "").isdigit() else host.partition(".")[0]


def _check_ssh(text: str) -> str | None:
    if not text.strip():
        return "Type a host, as you would after `ssh`."
    return None if fields.HOST["ssh"].accept(text.strip()) else f"Expected {fields.HOST['ssh'].expected}."


async def _add_form(context: Context, _subjects: Subjects) -> Form:
    taken = {entry.name for entry in context.config.watched()}

    def check_name(text: str) -> str | None:
        name = text.strip()
        if name in taken:
            return f"{name} is listed already."
        return None if not name or fields.HOST_NAME.accept(name) else f"Expected {fields.HOST_NAME.expected}."

    return Form(
        "Add a host",
        (
            Field("ssh", "Host", help="whatever `ssh …` accepts: gpu1, alice@lab.example.org:2222", check=_check_ssh),
            Field("name", "Name", help="how jupytui calls it; empty: the host's own", check=check_name),
            Field("tags", "Tags", help="words to filter by, with spaces between"),
        ),
        submit="Add",
    )


async def _add(context: Context, _subjects: Subjects, answers: Answers) -> str:
    ssh = answers["ssh"].strip()
    name = answers.get("name", "").strip() or default_name(ssh)
    if name == LOCAL and ssh != LOCAL:
        raise WrongAnswer(f"{LOCAL} is this machine.", "Give the host another name.", field="name")
    entry = HostEntry(name, ssh, tuple(answers.get("tags", "").split()))
    try:
        edit(context, lambda config: add_hosts(config, [entry]))
    except UsageError as listed:
        raise WrongAnswer(listed.message, "Give it another name.", field="name") from None
    return f"Added {name}."


def importable(context: Context) -> list[SshAlias]:
    """Return the hosts of the ssh config that are not in the fleet yet."""
    known = {entry.name for entry in context.config.hosts}
    return [alias for alias in ssh_aliases(context.config.settings.ssh_config) if alias.name not in known]


async def _import_form(context: Context, _subjects: Subjects) -> Form:
    names = tuple(alias.name for alias in importable(context))
    if not names:
        raise Refused("Your ssh config names no host that is not here already.", "a adds a host by its address.")
    label = f"{figures.plural(len(names), 'host')} not in the fleet yet"
    return Form("Pick from your ssh config", (Field("hosts", label, choices=names, many=True),), submit="Add")


async def _import(context: Context, _subjects: Subjects, answers: Answers) -> str:
    names = [name for name in answers["hosts"].splitlines() if name]
    edit(context, lambda config: add_hosts(config, [HostEntry(name, name) for name in names]))
    return f"Added {names[0] if len(names) == 1 else figures.plural(len(names), 'host')}." if names else ""


def _removal(context: Context, subject: Subject) -> Sequence[Loss]:
    view = subject.host_in(context.fleet.store)
    if view.name == LOCAL:
        return [Loss("this machine", "is no longer shown; nothing on it changes")]
    return [Loss(f"{view.name}'s entry in {context.config.path.name}", "nothing on the machine changes")]


async def _remove(context: Context, subjects: Subjects, _answers: Answers) -> str:
    names = [subject.host_in(context.fleet.store).name for subject in subjects]
    edit(context, lambda config: remove_hosts(config, names))
    for name in names:
        await context.fleet.remove(name)
    return f"Removed {names[0] if len(names) == 1 else figures.plural(len(names), 'host')}."


async def _copy_address(context: Context, subjects: Subjects, _answers: Answers) -> str:
    return await context.front.copy(subjects[0].host_in(context.fleet.store).address)


def _has_none(_context: Context, subject: Subject) -> str | None:
    return "This machine needs no address: here is where you are." if subject.host == LOCAL else None


REFRESH = Action(
    id="host.refresh",
    title="Look again",
    help="Looks at the host now; dials it again if it was away.",
    scope=Scope.HOST,
    keys=("r",),
    many=True,
    changes=False,
    run=_refresh,
)

REFRESH_ALL = Action(
    id="fleet.refresh",
    title="Look at every host again",
    scope=Scope.FLEET,
    keys=("ctrl+r",),
    changes=False,
    run=_refresh_all,
)

ADD = Action(
    id="host.add",
    title="Add a host",
    help="Adds a host to hosts.toml and connects to it.",
    scope=Scope.FLEET,
    keys=("a",),
    form=_add_form,
    run=_add,
)

IMPORT = Action(
    id="host.import",
    title="Add hosts from your ssh config",
    help="Lists the hosts of your ssh config to pick from; none is dialled before it was picked.",
    scope=Scope.FLEET,
    keys=("i",),
    form=_import_form,
    run=_import,
)

REMOVE = Action(
    id="host.remove",
    title="Remove host",
    help="Takes the host out of hosts.toml; nothing on the machine changes.",
    scope=Scope.HOST,
    keys=("D",),
    many=True,
    losses=_removal,
    run=_remove,
)

COPY = Action(
    id="host.copy",
    title="Copy address",
    scope=Scope.HOST,
    keys=("y",),
    changes=False,
    refuse=_has_none,
    run=_copy_address,
)

ACTIONS = (REFRESH, REFRESH_ALL, ADD, IMPORT, REMOVE, COPY)
