"""Presets: a set of keys for a purpose, each with its reason; shown as a difference, written, undone like any edit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jupytui.actions.base import Action, Answers, Confirmation, Context, Field, Form, Refused, Subjects
from jupytui.actions.settings import LEFT
from jupytui.actions.settings_edit import Seen, put, refuse, see
from jupytui.config.model import LOCAL
from jupytui.errors import UsageError
from jupytui.fleet.subject import Gone, Scope
from jupytui.secret import MASK

if TYPE_CHECKING:
    from jupytui.jupyter.settings.edit import Edit
    from jupytui.jupyter.settings.presets import Preset

CERTIFICATES = "Certificates (7) makes one and switches TLS on, without a path to type."
_READABLE = '[ -f "$1" ] && [ -r "$1" ]'
# Not isolated: what its user installed for that user alone is there, too.
_FIND = "import sys, importlib.util as u; sys.exit(not u.find_spec(sys.argv[1]))"
_LOGIN = frozenset({"token", "token+password"})


async def _run(context: Context, subjects: Subjects, answers: Answers) -> str:
    preset = await _chosen(context, subjects[0].server or "", answers)
    given = await _given(context, preset, answers) if preset else None
    if preset is None or given is None:
        return ""
    seen = await see(context, subjects[0])
    await _package(seen, preset)
    await _certificate(seen, given)
    edit = edit_of(seen, preset, given)
    if not edit.files:
        return f"{preset.title}: all of it is so already."
    said = await put(context, seen, edit, f"Preset {preset.title}", answers, reasons=_reasons(seen, preset, given))
    if said is None:
        return LEFT
    await _afterwards(context, seen, preset)
    return said


async def _chosen(context: Context, server: str, answers: Answers) -> Preset | None:
    from jupytui.jupyter.settings.presets import PRESETS

    if name := answers.get("preset"):
        return preset_named(name)
    choices = {f"{preset.title}: {preset.summary}": preset for preset in PRESETS}
    field = Field("preset", "What for", next(iter(choices)), choices=tuple(choices))
    filled = await context.front.fill(Form(f"Presets for {server}", (field,), submit="Continue"))
    return choices[filled["preset"]] if filled else None


def preset_named(name: str) -> Preset:
    """Return the preset with this id. Raises UsageError with those there are."""
    from jupytui.jupyter.settings.presets import PRESETS

    found = next((preset for preset in PRESETS if preset.id == name), None)
    if found is None:
        raise UsageError(f"There is no preset {name}.", f"There: {', '.join(preset.id for preset in PRESETS)}.")
    return found


async def _given(context: Context, preset: Preset, answers: Answers) -> Answers | None:
    """Return what the preset's inputs stand for; None: the person left the form. Raises UsageError."""
    if not preset.inputs or "preset" in answers:
        preset.wishes(answers)
        return answers
    fields = tuple(
        Field(
            name=each.name,
            label=each.title,
            value=each.default,
            help=CERTIFICATES if each.name == "certfile" else "",
            choices=("yes", "no") if each.default in {"yes", "no"} else (),
            check=lambda text: None if text.strip() else "It is needed.",
        )
        for each in preset.inputs
    )
    return await context.front.fill(Form(preset.title, fields, submit="Show"))


async def _package(seen: Seen, preset: Preset) -> None:
    """Make sure that what the preset needs is there. Raises Refused, CommandError."""
    from jupytui.jupyter.rights import REFUSED, SHELL, refusal

    if not preset.package:
        return
    module = preset.package.replace("-", "_")
    owner = str(seen.found.uid)
    done = await seen.host.run(f'{SHELL}cd /; exec_as "$@"', owner, seen.found.python, "-c", _FIND, module)
    if done.status == REFUSED:
        raise refusal(seen.host, done.stderr)
    if done.status:
        raise Refused(
            f"{preset.title} needs {preset.package}, which is not installed in {seen.found.prefix}.",
            f"`jupytui env install {seen.host.name} {preset.package} --env {seen.found.prefix}` installs it.",
        )


async def _certificate(seen: Seen, given: Answers) -> None:
    """Make sure that a certificate is where it is said to be: without it the server would not start. Raises Refused."""
    if (path := given.get("certfile", "")) and (await seen.host.run(_READABLE, path)).status:
        raise Refused(f"{path} on {seen.host.name} is no file that can be read.", CERTIFICATES)


def edit_of(seen: Seen, preset: Preset, given: Answers) -> Edit:
    """Return what the preset changes, extensions that must be off included. Raises CannotEdit, UsageError."""
    from jupytui.jupyter.settings.edit import plan
    from jupytui.jupyter.settings.extensions import switched

    edit = plan(seen.found, preset.wishes(given), seen.answer.knowledge)
    for package in preset.off:
        off = switched(seen.found, package, on=False)
        edit = replace(edit, files=(*edit.files, *off.files))
    return edit


def _reasons(seen: Seen, preset: Preset, given: Answers) -> list[str]:
    from jupytui.jupyter.settings.edit import REMOVE
    from jupytui.jupyter.settings.extensions import enabled

    wishes = preset.wishes(given)
    keys = [key for key in preset.keys if key.key in wishes]
    said = [
        f"{key.key} {'taken out' if wishes[key.key] is REMOVE else f'= {wishes[key.key]!r}'}: {key.reason}"
        for key in keys
    ]
    on = enabled(seen.found)
    off = [f"{package} is switched off: it does not go with this." for package in preset.off if on.get(package)]
    return [preset.summary, "\n".join((*said, *off)), *preset.notes, *_login(seen, preset)]


def _login(seen: Seen, preset: Preset) -> list[str]:
    if preset.id == "colab" and seen.server.auth not in _LOGIN:
        return ["This server has no token now: Colab cannot use it. T in Passwords (6) makes one."]
    return []


async def _afterwards(context: Context, seen: Seen, preset: Preset) -> None:
    """Colab wants an address to be pasted; it holds the token, so it is given only when that is wanted."""
    if preset.id != "colab":
        return
    server = seen.subject.host_in(context.fleet.store)
    name = server.name
    steps = ["In Colab: Connect › Connect to a local runtime, and paste it."]
    if name != LOCAL:
        tunnel = f"jupytui tunnel add colab --host {name} --to 8888 --local 8888"
        steps.insert(0, f"The browser's machine needs a tunnel to the same port: {tunnel}")
    url = f"http://localhost:8888{seen.server.base_url}?token="
    question = Confirmation("Copy the URL for Colab, with its token?", (), f"{url}{MASK}", notes=tuple(steps))
    token = _token(context, seen) if await context.front.confirm(question) else ""
    if token and (copied := await context.front.copy(f"{url}{token}")):
        await context.front.tell("The URL for Colab", [copied, *steps])


def _token(context: Context, seen: Seen) -> str:
    """Return the token as it is now; the server's id may be another one by its new port."""
    host = seen.subject.host or ""
    view = context.fleet.store.host(host)
    ids = [seen.server.id, *(server.id for server in view.servers if server.port == 8888)] if view else []
    for id_ in ids:
        try:
            token = context.fleet.token(replace(seen.subject, server=id_))
        except (Gone, UsageError):
            continue
        if token:
            return token.reveal()
    return ""


PRESET = Action(
    id="settings.preset",
    title="Apply a preset",
    help="Local network, TLS, public URL, Colab, headless, several people, idle culling; each with its reasons.",
    scope=Scope.SERVER,
    command=("config", "preset"),
    asks=True,
    refuse=refuse,
    run=_run,
)

ACTIONS = (PRESET,)
