"""Looks at a server's configuration on its host, and has its own Jupyter say what it would apply."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from jupytui.errors import CommandError, DeadlineError
from jupytui.hosts.base import Host
from jupytui.jupyter.models import App
from jupytui.jupyter.rights import REFUSED, SHELL, refusal
from jupytui.jupyter.settings.apply import recover
from jupytui.jupyter.settings.edit import Knowledge
from jupytui.jupyter.settings.models import (
    SECRET_TRAITS,
    Application,
    CannotEdit,
    ConfigFile,
    Directory,
    Found,
    Note,
    guarded,
)
from jupytui.jupyter.settings.programs import ANCESTRY, APPLICATIONS
from jupytui.jupyter.settings.read_options import read_options
from jupytui.jupyter.settings.sources import source
from jupytui.jupyter.settings.splice import read
from jupytui.secret import MASK
from jupytui.text import clean, clean_line

LOOK_SECONDS = 15
ASK_SECONDS = 60

# Any Python will do to become the right one; the server's own is sure to be one. Whose it is, it is not asked itself.
_RUN = (
    SHELL
    + r"""
python=$1 owner=$(id -u)
if [ -z "$python" ]; then
  owner=$(owner_of "$2")
  printf '%s\n' "$owner"
  [ -n "$owner" ] || { echo '{"failed": "unseen"}'; exit 0; }
  python=$(readlink -f "/proc/$2/exe" 2>/dev/null)
  case ${python##*/} in python*) [ -x "$python" ] || python= ;; *) python= ;; esac
  [ -n "$python" ] || python=$(command -v python3 || command -v python)
else
  printf '%s\n' "$owner"
fi
[ -x "$python" ] || { echo "no Python" >&2; exit 97; }
exec_as "$owner" "$python" -I -S -c "$3"
"""
)


@dataclass(frozen=True, slots=True)
class Whose:
    """The server whose configuration is meant: a process by its pid, or one to be, by what would start it.

    `python` and `cwd` are absolute, `options` the words after the program; `environ` is added to that of a login.
    """

    app: App = App.LAB
    pid: int = 0
    python: str = ""
    options: tuple[str, ...] = ()
    cwd: str = ""
    environ: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """A line that Jupyter logs while it reads its configuration; `error` is the exception's, "" for none."""

    level: str
    text: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What Jupyter itself makes of its configuration. `objects`: by class, the values it ends up with."""

    version: str
    objects: Mapping[str, Mapping[str, object]] = field(repr=False)
    config: Mapping[str, Mapping[str, object]] = field(repr=False)
    said: tuple[Said, ...] = ()
    applications: tuple[Application, ...] = APPLICATIONS
    ancestry: tuple[tuple[str, ...], ...] = ANCESTRY
    traits: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict, repr=False)

    def configured(self, key: str) -> object:
        """Return the value as it was given for "Class.trait" (secrets as Secret). Raises KeyError: nobody gave one."""
        section, _, trait = key.rpartition(".")
        line = next((line for line in self.ancestry if section in line), (section,))
        for name in line:
            if trait in self.config.get(name, {}):
                return guarded(trait, self.config[name][trait])
        raise KeyError(key)

    def corrected(self, found: Found) -> Found:
        """Return `found` with what Jupyter knows better: which .py files fail when they are run, and which parse."""
        return replace(found, files=tuple(self._corrected(file) for file in found.files))

    def _corrected(self, file: ConfigFile) -> ConfigFile:
        error = next((said.error for said in self.said if said.error and file.path in said.text), "")
        broken = file.reading.broken
        if error and not broken:
            return replace(file, reading=replace(file.reading, broken=Note(0, f"fails when it is run: {error}")))
        if broken and not error and file.path.endswith(".py"):
            note = Note(broken.line, "is written in a newer Python than jupytui's own")
            return replace(file, reading=replace(file.reading, broken=None, unclear=(note,)))
        return file

    @property
    def knowledge(self) -> Knowledge:
        """What this environment's rules depend on."""
        return Knowledge(self.applications, self.ancestry)

    def value(self, key: str) -> object:
        """Return what the server applies for "Class.trait"; a Secret for secrets. Raises KeyError: nothing sets it."""
        section, _, trait = key.rpartition(".")
        line = next((line for line in self.ancestry if section in line), (section,))
        if trait in (values := self.objects.get(line[0], {})):
            return guarded(trait, values[trait])
        return self.configured(key)


async def look(host: Host, whose: Whose, *, mend: bool = True) -> Found:
    """Return where this server's Jupyter looks for files, and what they say.

    Edits that were killed are undone first, unless `mend` is False: who only watches writes nothing. Raises
    CommandError, DeadlineError, HostTrouble.
    """
    found = await _look(host, whose)
    if found.interrupted and mend:
        await recover(host, found.python, found.uid)
        found = await _look(host, whose)
    return found


async def _look(host: Host, whose: Whose) -> Found:
    """What is written for root is written with the rights of `uid`: it is as the kernel has it."""
    owner, output = await _run(host, "look", whose, {}, LOOK_SECONDS)
    return replace(parse_look(output, whose.app), uid=owner)


async def ask(host: Host, whose: Whose, *, traits: bool = False, options: bool = True) -> Answer:
    """Have the server's own Jupyter read its configuration as at its start; starts, binds and writes nothing.

    It takes some 2 s. `traits`: all that can be set, with help. `options` False leaves the command line out.
    Raises CannotEdit (jupyter_server 1.x), CommandError, DeadlineError, HostTrouble.
    """
    more = {"app": whose.app.value, "traits": traits, "with_options": options}
    return parse_answer((await _run(host, "ask", whose, more, ASK_SECONDS))[1])


async def _run(host: Host, program: str, whose: Whose, more: Mapping[str, Any], seconds: int) -> tuple[int, bytes]:
    """Return whose the server is, and what the program printed."""
    job = {
        "pid": whose.pid, "python": whose.python, "options": whose.options, "environ": dict(whose.environ),
        "cwd": whose.cwd, "seconds": seconds, "program": source(program), "more": more,
    }  # fmt: skip
    done = await host.run(
        _RUN, "" if whose.pid else whose.python, str(whose.pid), source("enter"),
        stdin=msgspec.json.encode(job), deadline=seconds + 10.0,
    )  # fmt: skip
    if done.status in {-14, 142}:
        raise DeadlineError(f"Jupyter on {host.name} took longer than {seconds} s to read its configuration.")
    if done.status == REFUSED:
        raise refusal(host, done.stderr)
    if done.status:
        raise CommandError(
            f"The configuration of Jupyter on {host.name} cannot be looked at.", detail=clean(done.stderr)
        )
    owner, _, output = done.stdout.partition(b"\n")
    return int(owner) if owner.isdigit() else -1, output


def _decoded(output: bytes) -> dict[str, Any]:
    """Return the one JSON object of `output`.

    Raises CannotEdit for a release that is too old, CommandError for any other refusal, or for what makes no sense.
    """
    try:
        facts = msgspec.json.decode(output)
    except (msgspec.DecodeError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        raise CommandError("Jupyter's Python says what makes no sense.", detail=clean(output[:4000]))
    if facts.get("failed") == "old":
        version = clean_line(str(facts.get("text")), 40)
        raise CannotEdit(f"Its jupyter_server is {version}; only 2.0 and newer can be dealt with.", "Upgrade it first.")
    if kind := facts.get("failed"):
        raise CommandError(_FAILURES.get(str(kind), _FAILURES["look"]), detail=_hushed(str(facts.get("text", ""))))
    return facts


def _hushed(text: str) -> str:
    """Return a line of Jupyter's without values: it prints those of two files that collide, and those of a wrong type.

    ("Collisions detected in … has higher priority: {…}", "The 'token' trait … expected …, not the int 5.")
    """
    text = re.sub(r"higher priority:.*", "higher priority", text, flags=re.S)
    secret = any(f"'{trait}'" in text for trait in SECRET_TRAITS)
    return clean(re.sub(r"\bnot .*", f"not {MASK}", text, flags=re.S) if secret else text)


_FAILURES = {
    "unseen": "The process of this server cannot be seen: it has gone, or belongs to another user.",
    "python": "The Python of this server cannot be started any more.",
    "exit": "Jupyter ends at once with this configuration.",
    "ask": "Jupyter fails to read this configuration.",
    "look": "Jupyter's Python cannot say where it looks for its configuration.",
}


def parse_look(output: bytes, app: App) -> Found:
    """Read what look.py printed. Raises CommandError."""
    facts = _decoded(output)
    try:
        return Found(
            app=app.value,
            directories=tuple(Directory(**each) for each in facts["directories"]),
            files=tuple(_file(each) for each in facts["files"]),
            options=read_options(facts["options"]),
            uid=int(facts["uid"]),
            python=str(facts["python"]),
            prefix=str(facts["prefix"]),
            user_directory=str(facts["user_directory"]),
            environ=tuple(map(str, facts["environ"])),
            fails_closed=bool(facts["fails_closed"]),
            interrupted=bool(facts["interrupted"]),
            sessions_end=bool(facts["sessions_end"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CommandError("Jupyter's Python says what makes no sense.", detail=repr(error)) from None


def _file(facts: dict[str, Any]) -> ConfigFile:
    text = facts.pop("text", None)
    data = text.encode("utf-8", "surrogateescape") if text is not None else None
    facts.pop("size", None)
    return ConfigFile(**facts, data=data, reading=read(facts["path"], data))


def parse_answer(output: bytes) -> Answer:
    """Read what ask.py printed. Raises CannotEdit, CommandError."""
    facts = _decoded(output)
    try:
        return Answer(
            version=clean_line(str(facts["version"])),
            objects=facts["objects"],
            config=facts["config"],
            said=tuple(Said(level, _hushed(text), _hushed(error)) for level, text, error in facts["said"]),
            applications=tuple(_application(each) for each in facts["applications"]),
            ancestry=tuple(tuple(line) for line in facts["ancestry"].values()),
            traits=facts.get("traits", {}),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CommandError("Jupyter's Python says what makes no sense.", detail=repr(error)) from None


def _application(facts: dict[str, Any]) -> Application:
    return Application(
        name=facts["name"],
        file=facts["file"],
        shims=facts["shims"],
        traits=frozenset(facts["traits"]),
        ancestry=tuple(facts["ancestry"]),
        defaults=tuple((name, value) for name, value in facts["defaults"]),
        package=facts["package"],
    )
