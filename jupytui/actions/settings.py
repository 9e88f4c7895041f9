"""Change what Jupyter is configured with: one key by a form, legacy keys, and back to what was before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from jupytui.actions.base import Action, Answers, Confirmation, Context, Field, Form, Refused, Subjects
from jupytui.actions.restartable import allowed
from jupytui.actions.settings_edit import put, refuse, restart_or_wait, see
from jupytui.errors import UsageError
from jupytui.fleet.subject import Scope, Subject
from jupytui.hosts.base import Host
from jupytui.jupyter.models import Health, Server
from jupytui.secret import Secret
from jupytui.text import clean_line

if TYPE_CHECKING:
    from jupytui.actions.settings_edit import Seen
    from jupytui.jupyter.settings.last_edit import LastEdit
    from jupytui.jupyter.settings.traits import Trait

Run = Callable[[Context, Subjects, Answers], Awaitable[str]]

_DOORS = frozenset({"password", "hashed_password", "token"})
_HELP = 400  # characters of a trait's help in a form
LEFT = "Nothing was changed."


async def _show(context: Context, subjects: Subjects, _answers: Answers) -> str:
    await context.front.show("8", subjects[0])
    return ""


def editing(key: str) -> Action:
    """Return the action that asks for a value of `key`; "" asks for the key first."""
    return replace(EDIT, run=_with(_edit, key)) if key else EDIT


def removing(key: str) -> Action:
    """Return the action that takes `key` out of every file."""
    return replace(REMOVE, run=_with(_remove, key)) if key else REMOVE


def _with(run: Run, key: str) -> Run:
    async def keyed(context: Context, subjects: Subjects, answers: Answers) -> str:
        return await run(context, subjects, {"key": key, **answers})

    return keyed


async def _edit(context: Context, subjects: Subjects, answers: Answers) -> str:
    from jupytui.jupyter.settings.edit import plan
    from jupytui.jupyter.settings.traits import Trait, Type, traits_of

    seen = await see(context, subjects[0], traits=True)
    traits = traits_of(seen.answer.traits)
    key = await _key(context, "Change a setting", answers, traits, seen)
    if not key:
        return ""
    trait = traits.get(key) or Trait(key, Type.OTHER)
    text = answers["value"] if "value" in answers else await _asked(context, seen, trait)
    if text is None:
        return ""
    edit = plan(seen.found, {key: value_of(trait, text)}, seen.answer.knowledge)
    if not edit.files:
        return f"{key} is so already."
    said = await put(context, seen, edit, f"Change of {key}", answers)
    return LEFT if said is None else said


async def _remove(context: Context, subjects: Subjects, answers: Answers) -> str:
    from jupytui.jupyter.settings.edit import REMOVE as GONE
    from jupytui.jupyter.settings.edit import plan
    from jupytui.jupyter.settings.traits import traits_of

    seen = await see(context, subjects[0], traits=True)
    written = {entry.key for file in seen.found.files for entry in file.reading.entries}
    traits = traits_of(seen.answer.traits)
    key = await _key(context, "Take out a setting", answers, (dict.fromkeys(written) | traits) if traits else {}, seen)
    if not key:
        return ""
    edit = plan(seen.found, {key: GONE}, seen.answer.knowledge)
    if not edit.files:
        return f"No file says anything about {key}."
    default = traits[key].default if key in traits else ""
    reasons = [f"Jupyter's default applies then: {default}."] if default else []
    said = await put(context, seen, edit, f"Removal of {key}", answers, reasons=reasons)
    return LEFT if said is None else said


async def _key(context: Context, title: str, answers: Answers, known: Mapping[str, object], seen: Seen) -> str:
    """Return the key meant, "" when the person left the form. Raises UsageError, Refused for what lets people in."""
    key = answers.get("key", "")
    if not key:
        field = Field(
            "key", "Setting", help="Class.name, as ServerApp.port", check=lambda text: wrong_key(text.strip(), known)
        )
        filled = await context.front.fill(Form(f"{title} of {seen.server.id}", (field,), submit="Continue"))
        key = filled["key"].strip() if filled else ""
    elif problem := wrong_key(key, known):
        raise UsageError(problem)
    if key.rpartition(".")[2] in _DOORS:
        raise Refused("Passwords and tokens are changed where it is proven.", "See Passwords (6), `jupytui passwd`.")
    return key


def wrong_key(key: str, known: Mapping[str, object]) -> str | None:
    """Return what is wrong with the name of a setting, with the one that was perhaps meant; none known: any will do."""
    from difflib import get_close_matches

    if key in known or (not known and "." in key):
        return None
    close = get_close_matches(key, known, 1) or [each for each in known if each.endswith(f".{key}")][:1]
    better = f" Did you mean {close[0]}?" if close else ""
    return f"Jupyter has no setting {clean_line(key, 80) or 'without a name'}.{better}"


async def _asked(context: Context, seen: Seen, trait: Trait) -> str | None:
    """Return what is typed; it is a value of the setting's type."""
    filled = await context.front.fill(
        Form(f"{trait.key} of {seen.server.id}", (value_field(trait, _now(seen, trait.key)),), submit="Show")
    )
    return filled["value"] if filled else None


def _now(seen: Seen, key: str) -> object:
    setting = seen.answer.knowledge.setting(seen.found, key)
    try:
        return setting.value if setting and setting.winner and setting.winner.certain else seen.answer.value(key)
    except KeyError:
        return ""


def value_field(trait: Trait, now: object) -> Field:
    """Return the field that asks for a value of `trait`, `now` filled in; a secret is not shown, and not filled in."""
    from jupytui.jupyter.settings.overview import is_secret
    from jupytui.jupyter.settings.traits import Type

    hidden = is_secret(trait.key.rpartition(".")[2])
    choices = {Type.BOOLEAN: ("True", "False"), Type.CHOICE: trait.values}.get(trait.type, ())
    choices += ("None",) if choices and trait.optional else ()
    about = f"A {trait.type}; default {trait.default or 'empty'}."
    text = "" if hidden else now if isinstance(now, str) else repr(now)
    return Field(
        name="value",
        label=trait.key,
        value=clean_line(text, 4096),
        help=f"{about} {clean_line(trait.help, _HELP)}",
        choices=choices,
        check=lambda text: wrong_value(trait, text),
        secret=hidden,
    )


def wrong_value(trait: Trait, text: str) -> str | None:
    """Return what is wrong with `text` as a value of `trait`."""
    try:
        trait.value(text)
    except UsageError as wrong:
        return wrong.message
    return None


def value_of(trait: Trait, text: str) -> object:
    """Return the value meant. Raises UsageError."""
    from jupytui.jupyter.settings.overview import is_secret

    value = trait.value(text)
    return Secret(value) if isinstance(value, str) and is_secret(trait.key.rpartition(".")[2]) else value


async def _migrate(context: Context, subjects: Subjects, answers: Answers) -> str:
    from jupytui.jupyter.settings.migrate import legacy, migrate

    seen = await see(context, subjects[0])
    old = legacy(seen.found, seen.answer.knowledge)
    edit = migrate(seen.found, seen.answer.knowledge)
    if not edit.files:
        return "There are no legacy keys."
    reasons = dict.fromkeys(f"{entry.key} ({entry.where}) is called {key} today." for entry, key in old)
    said = await put(context, seen, edit, "Migration of legacy keys", answers, reasons=[*reasons, "All values stay."])
    return LEFT if said is None else said


async def _undo(context: Context, subjects: Subjects, answers: Answers) -> str:
    from jupytui.jupyter.settings.apply import apply
    from jupytui.jupyter.settings.diff import diff

    name, host = subjects[0].server or "", context.fleet.host(subjects[0].host or "")
    server = _running(context, subjects[0])
    last = await _last_edit(host, server, name)
    if last is None:
        raise Refused(f"There is no edit of ours to undo in the files of {name}.")
    barrier = ""
    if server:
        answers, barrier = await allowed(context, subjects[0], answers)
    if not await context.front.confirm(Confirmation(f"Undo: {last.title} of {name}", (), diff(last.undo))):
        return LEFT
    await apply(host, last.python, last.undo, backups=False)
    said = f"Undone: {last.title}; every byte is as before."
    if server is None:
        return f"{said} It counts at the next start: `jupytui start {host.name}` (u in Services) starts a stopped unit."
    said = await restart_or_wait(context, subjects[0], answers, said, python=last.python, edit=last.undo)
    return f"{said} {barrier}".rstrip()


def _running(context: Context, subject: Subject) -> Server | None:
    """Return the server meant; one that only begins to start may be gone before anything is done about it."""
    server = context.fleet.store.server(subject.host or "", subject.server or "")
    return server if server and server.health not in {Health.STALE, Health.STARTING} else None


async def _last_edit(host: Host, server: Server | None, name: str) -> LastEdit | None:
    """Return what is to be taken back; without a server, what was written for the one that had this name."""
    from jupytui.jupyter.settings.discover import look
    from jupytui.jupyter.settings.last_edit import recall, recall_for
    from jupytui.jupyter.settings.overview import whose

    return await (recall(host, await look(host, whose(server))) if server else recall_for(host, name))


def _refuse_undo(context: Context, subject: Subject) -> str | None:
    return refuse(context, subject) if _running(context, subject) else None


SHOW = Action(
    id="settings.show",
    title="Settings",
    help="Shows what Jupyter really applies, and which file each value comes from.",
    scope=Scope.SERVER,
    changes=False,
    refuse=refuse,
    run=_show,
)
EDIT = Action(
    id="settings.edit",
    title="Change a setting",
    help="By its type, with its help; the difference is shown first, and Jupyter itself proves it.",
    scope=Scope.SERVER,
    command=("config", "set"),
    asks=True,
    refuse=refuse,
    run=_edit,
)
REMOVE = Action(
    id="settings.remove",
    title="Take out a setting",
    help="Out of every file, so that Jupyter's default applies.",
    scope=Scope.SERVER,
    command=("config", "unset"),
    asks=True,
    refuse=refuse,
    run=_remove,
)
MIGRATE = Action(
    id="settings.migrate",
    title="Migrate legacy settings",
    help="Gives old keys the names they have today; what Jupyter applies stays the same.",
    scope=Scope.SERVER,
    command=("config", "migrate"),
    asks=True,
    refuse=refuse,
    run=_migrate,
)
UNDO = Action(
    id="settings.undo",
    title="Undo the last change of settings",
    help="Brings back every byte of the files that jupytui changed last, if nobody has changed them since.",
    scope=Scope.SERVER,
    command=("config", "undo"),
    asks=True,
    refuse=_refuse_undo,
    run=_undo,
)

ACTIONS = (SHOW, EDIT, REMOVE, MIGRATE, UNDO)
