"""What a verb is, and the one way in which verbs are carried out.

Keys, palette, `.` menu, help page, the user's keymap and the command line are all read off the table of `Action`s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from jupytui.config.model import Config
from jupytui.errors import JupytuiError, WrongAnswer
from jupytui.fleet.fleet import Fleet
from jupytui.fleet.subject import Scope, Subject
from jupytui.tunnels.keeper.access import Tunnels

if TYPE_CHECKING:
    from jupytui.jupyter.page import Page

Answers = Mapping[str, str]
Subjects = Sequence[Subject]
Browse = Callable[[str], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that ends: `what` by the name the user knows (a notebook), `how` it stands ("busy for 41 minutes").

    A `grave` one (a busy kernel) must be confirmed by typing a name, others by one key.
    """

    what: str
    how: str
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is about to happen: `runs` is the exact command, call or diff; `typed` the word to type, None for one key.

    `notes` are sentences to be read before. Without losses consent on the command line was the command itself, unless
    it is to be given `expressly`.
    """

    title: str
    losses: tuple[Loss, ...]
    runs: str
    typed: str | None = None
    notes: tuple[str, ...] = ()
    expressly: bool = False

    @property
    def introduced(self) -> str:
        """`runs`, said to be what it is: changes of files, or commands."""
        return f"Changes:\n{self.runs}" if self.runs.startswith("--- ") else f"Runs: {self.runs}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One step of a proof: `state` is ok, warning, failed or skipped; `details` are causes and ways out."""

    state: str
    what: str
    words: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """How something ended, step by step. `url` is an address to hand on, "" for none; `notes` are to be read after."""

    title: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    url: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing failed."""
        return all(finding.state != "failed" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in. `check` returns what is wrong with a text, or None; `choices` makes it a list to pick from.

    With `many` the answer is any number of the choices, one a line; with `lines` it is a text of many lines. `browse`
    returns the names of the directories in one, sorted and cleaned; it raises JupytuiError when that cannot be read.
    `problem` is why `value` was refused when it was tried. A `secret` is not shown as it is typed; `weigh` says in a
    few words what is to be said of a text meanwhile.
    """

    name: str
    label: str
    value: str = ""
    help: str = ""
    choices: tuple[str, ...] = ()
    many: bool = False
    lines: bool = False
    check: Callable[[str], str | None] = lambda _text: None
    browse: Browse | None = None
    problem: str = ""
    secret: bool = False
    weigh: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """Some fields under a title; `submit` is the verb on the button."""

    title: str
    fields: tuple[Field, ...]
    submit: str = "OK"


class Front(Protocol):
    """Whoever stands between an action and the person: the screen, the command line, or a test."""

    async def confirm(self, question: Confirmation) -> bool:
        """Show what will be lost and ask."""
        ...

    async def fill(self, form: Form) -> Answers | None:
        """Let the person fill in a form; None when they left it."""
        ...

    async def show(self, pane: str, subject: Subject) -> None:
        """Go to the pane with that digit, narrowed to `subject`, where there are panes."""
        ...

    async def tell(self, title: str, paragraphs: Sequence[str]) -> None:
        """Let the person read something, for as long as they like."""
        ...

    async def offer(self, page: Page) -> str:
        """Hand over an address for a browser elsewhere, its token hidden until it is asked for; returns what to say."""
        ...

    async def report(self, result: Result) -> None:
        """Show how something ended, and wait until it was read where that can be known."""
        ...

    async def copy(self, text: str) -> str:
        """Put `text` on the clipboard as well as this place can; returns in words what was done."""
        ...


class Progress(Protocol):
    """Hears in a few words what a long action does now; `fraction` (0 to 1) is of the whole, None unknown."""

    def __call__(self, text: str, fraction: float | None = None) -> None:
        """Take it in; must not wait."""
        ...


def _unheard(text: str, fraction: float | None = None) -> None:
    pass


@dataclass(slots=True)
class Context:
    """What an action works with; `config` is replaced by the actions that edit hosts.toml.

    `without_systemd` are the hosts of which that is known; who learns it adds to them.
    """

    fleet: Fleet
    front: Front
    config: Config
    read_only: bool = False
    progress: Progress = _unheard
    tunnels: Tunnels = field(default_factory=Tunnels)
    without_systemd: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One verb. `run` does it and returns a sentence for the user ("" says nothing); raises JupytuiError.

    `keys` are Textual's names; `command` the words after `jupytui` where the command line has it. `refuse` returns
    why it cannot be done now (greyed), `losses` what it would end, `runs` what exactly will be run. `changes` is
    false for what read-only mode still allows. `form` returns None when there is nothing to ask; with `asks` `run`
    itself asks before it changes anything.
    """

    id: str
    title: str
    scope: Scope
    run: Callable[[Context, Subjects, Answers], Awaitable[str]]
    keys: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    help: str = ""
    many: bool = False
    changes: bool = True
    asks: bool = False
    form: Callable[[Context, Subjects], Awaitable[Form | None]] | None = None
    refuse: Callable[[Context, Subject], str | None] = field(default=lambda _context, _subject: None)
    losses: Callable[[Context, Subject], Sequence[Loss]] = field(default=lambda _context, _subject: ())
    runs: Callable[[Context, Subject], str] = field(default=lambda _context, _subject: "")


class Refused(JupytuiError):
    """The action cannot be carried out as things stand."""


def widened(action: Action, subjects: Subjects) -> Subjects:
    """Return what `action` is about when these are selected: each at its scope, once; () if too little is selected."""
    if action.scope is Scope.FLEET:
        return (Subject(),)
    fitting = (subject for subject in subjects if subject.scope.lies_in(action.scope))
    return tuple(dict.fromkeys(subject.at(action.scope) for subject in fitting))


def why_not(action: Action, context: Context, subjects: Subjects) -> str | None:
    """Return why `action` cannot be done on `subjects` now, None when it can."""
    subjects = widened(action, subjects)
    if action.changes and context.read_only:
        return "jupytui was started with --read-only."
    if not subjects:
        return f"Select a {action.scope.name.lower()} first."
    if len(subjects) > 1 and not action.many:
        return "One at a time."
    return next(filter(None, (_refusal(action, context, subject) for subject in subjects)), None)


def _refusal(action: Action, context: Context, subject: Subject) -> str | None:
    try:
        return action.refuse(context, subject)
    except JupytuiError as gone:
        return gone.message


def confirmation(action: Action, context: Context, subjects: Subjects) -> Confirmation | None:
    """Return the question to ask first, None when nothing is lost."""
    losses = tuple(loss for subject in subjects for loss in action.losses(context, subject))
    if not losses:
        return None
    names = {subject.host or "" for subject in subjects}
    return Confirmation(
        title=f"{action.title} on {', '.join(sorted(names))}",
        losses=losses,
        runs="\n".join(dict.fromkeys(filter(None, (action.runs(context, subject) for subject in subjects)))),
        typed=min(names) if any(loss.grave for loss in losses) else None,
    )


async def perform(
    action: Action, context: Context, subjects: Subjects = (), answers: Answers | None = None
) -> str | None:
    """Carry out `action`: ask for what it needs, name what is lost, run it; a wrong answer can be mended.

    Returns its sentence, None when the person left it. Raises Refused, or what the action raises.
    """
    if reason := why_not(action, context, subjects):
        raise Refused(reason)
    subjects = widened(action, subjects)
    form = await action.form(context, subjects) if action.form and answers is None else None
    if form is None:
        return await _agreed_and_run(action, context, subjects, answers or {})
    while (filled := await context.front.fill(form)) is not None:
        try:
            return await _agreed_and_run(action, context, subjects, filled)
        except WrongAnswer as wrong:
            form = mended(form, filled, wrong)
    return None


async def _agreed_and_run(action: Action, context: Context, subjects: Subjects, answers: Answers) -> str | None:
    question = confirmation(action, context, subjects)
    if question and not await context.front.confirm(question):
        return None
    return await action.run(context, subjects, answers)


def mended(form: Form, answers: Answers, wrong: WrongAnswer) -> Form:
    """Return `form` as it was filled in, what is wrong beside its field. Raises `wrong` if it has none such."""
    if wrong.field not in answers:
        raise wrong
    problems = {wrong.field: str(wrong)}
    fields = (replace(f, value=answers.get(f.name, f.value), problem=problems.get(f.name, "")) for f in form.fields)
    return replace(form, fields=tuple(fields))
