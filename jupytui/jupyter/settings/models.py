"""What is configured: entries of files and command lines, and for each key the one that Jupyter applies.

A key is "Class.trait" ("ServerApp.port"). A value that lets people in is held as a Secret wherever it goes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from jupytui.errors import JupytuiError
from jupytui.secret import Secret

SECRET_TRAITS = frozenset({"token", "password", "hashed_password", "cookie_secret", "auth_token", "client_secret"})
# Other people's classes have secrets too: what ends like this is never shown either.
SECRET_ENDING = r"(?:password|passwd|passphrase|secret|token|api_?key|access_key|private_key)"


class CannotEdit(JupytuiError):
    """A file cannot be changed so that the change is sure to do what is wanted; the message says why."""


class Origin(StrEnum):
    """What kind of place a value comes from."""

    FILE = "file"
    OPTION = "option"  # of the running process' command line
    APPLICATION = "application"  # LabApp and its like overrule a few keys of ServerApp


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands in a file's bytes: `start` included, `end` not."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One place that says something about a key. `line` counts from 1, 0 where there are none.

    Without `certain`, `value` is unknown: `why` says in words why only Jupyter itself can tell. `whole` is all of it
    in the file, `span` its value alone; both None where no edit of ours can be sure to hit it.
    """

    section: str
    trait: str
    value: object = None
    origin: Origin = Origin.FILE
    path: str = ""
    line: int = 0
    certain: bool = True
    why: str = ""
    span: Span | None = None
    whole: Span | None = None

    @property
    def key(self) -> str:
        """As it is written there."""
        return f"{self.section}.{self.trait}"

    @property
    def where(self) -> str:
        """The place in words: "/home/alice/.jupyter/jupyter_server_config.py:12"."""
        return f"{self.path}:{self.line}" if self.line else self.path or "the command line"


def guarded(trait: str, value: object) -> object:
    """Return `value`, as a Secret if `trait` is one that lets people in."""
    return Secret(value) if trait in SECRET_TRAITS and isinstance(value, str) else value


def plain(value: object) -> object:
    """Return what `guarded` was given."""
    return value.reveal() if isinstance(value, Secret) else value


@dataclass(frozen=True, slots=True)
class Note:
    """A line of a file and what is to be said of it."""

    line: int
    words: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file's text says. `broken`: it does not parse, and Jupyter goes on without it (it fails open).

    `unclear`: statements that may set anything.
    """

    entries: tuple[Entry, ...] = ()
    broken: Note | None = None
    unclear: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A file that Jupyter reads. `directory` is the one it was found in, "" when the command line names it.

    `data` is None where it could not be read (`unread` says why). `target` is what a link leads to.
    """

    path: str
    directory: str
    data: bytes | None = field(default=None, repr=False)
    mode: int | None = None
    uid: int | None = None
    mtime: float | None = None
    target: str | None = None
    writable: bool = False
    unread: str = ""
    reading: Reading = Reading()

    @property
    def name(self) -> str:
        """Its name without directory."""
        return self.path.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """Its name without .py or .json."""
        return self.name.rpartition(".")[0]

    @property
    def real(self) -> str:
        """The file that is written when it is edited: behind a link, what it leads to."""
        return self.target or self.path

    @property
    def drop_in(self) -> bool:
        """Whether it lies in jupyter_server_config.d, of which Jupyter takes jpserver_extensions alone."""
        return self.path.rpartition("/")[0].endswith(".d")


@dataclass(frozen=True, slots=True)
class Directory:
    """A place where Jupyter looks for files; `writable` also when it does not exist and could be made."""

    path: str
    exists: bool
    writable: bool


@dataclass(frozen=True, slots=True)
class Application:
    """An extension application that brings a configuration file of its own (LabApp: jupyter_lab_config).

    `shims`: it moves what is not its own to ServerApp. `traits` are those that stay; `ancestry` its classes.
    """

    name: str
    file: str
    shims: bool = False
    traits: frozenset[str] = frozenset()
    ancestry: tuple[str, ...] = ()
    defaults: tuple[tuple[str, object], ...] = ()
    package: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What lies on a host for one server: `directories` strongest first.

    `fails_closed`: a file that does not parse ends this server at its start, as it should, instead of being left out.
    `sessions_end`: everybody is logged out when it starts again, for the secret of their sessions was removed.
    """

    app: str
    directories: tuple[Directory, ...] = ()
    files: tuple[ConfigFile, ...] = ()
    options: tuple[Entry, ...] = ()
    uid: int = -1
    python: str = ""
    prefix: str = ""
    user_directory: str = ""
    environ: tuple[str, ...] = ()
    fails_closed: bool = False
    interrupted: bool = False
    sessions_end: bool = False

    def file(self, path: str) -> ConfigFile | None:
        """Return the file at `path`."""
        return next((file for file in self.files if file.path == path), None)


@dataclass(frozen=True, slots=True)
class Setting:
    """One key: what Jupyter applies, and what it does not. `key` is that of the object it reaches.

    `winner` None: nothing that is said about it counts, and Jupyter's default applies. Of a winner that is not
    `certain` the value is known to Jupyter alone: `discover.Answer.value(key)`.
    """

    key: str
    winner: Entry | None
    losers: tuple[Entry, ...] = ()

    @property
    def value(self) -> object:
        """What the winner says; None when that is computed, or nobody says anything."""
        return self.winner.value if self.winner else None

    @property
    def trait(self) -> str:
        """The part after the class."""
        return self.key.rpartition(".")[2]
