"""Plans a change: which file to write so that the wanted value wins, as a value that can be shown, applied, undone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from jupytui.jupyter.settings.models import Application, CannotEdit, ConfigFile, Entry, Found, Origin, Setting, plain
from jupytui.jupyter.settings.programs import ANCESTRY, APPLICATIONS
from jupytui.jupyter.settings.resolve import home_of, moves, resolve
from jupytui.jupyter.settings.splice import read, remove_key, set_key

PRIVATE = 0o600


class Remove:
    """The wish that no file says anything about a key, so that Jupyter's default applies."""

    def __repr__(self) -> str:
        return "REMOVE"


REMOVE: Final = Remove()
Wishes = Mapping[str, object]  # by "Class.trait" the value (a Secret for secrets) or REMOVE


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file before and after, None where there is none. `path` is what is written: behind a link, its target.

    `mtime_after` None: now. What is taken back is as old as it was, for who reads it goes by that.
    """

    path: str
    before: bytes | None = field(repr=False)
    after: bytes | None = field(repr=False)
    mode_before: int | None = None
    mode_after: int = PRIVATE
    mtime_before: float | None = None
    mtime_after: float | None = None

    @property
    def undone(self) -> FileChange:
        """The change that takes this one back, to the byte."""
        modes, mtimes = (self.mode_after, self.mode_before or PRIVATE), (self.mtime_after, self.mtime_before)
        return FileChange(self.path, self.after, self.before, *modes, *mtimes)


@dataclass(frozen=True, slots=True)
class Edit:
    """Changes to files that are made together or not at all. `wishes` must hold afterwards, says Jupyter.

    `notes` are sentences to be read before agreeing. `uid`: whose files they are and will be; -1 those of whoever we
    are there.
    """

    files: tuple[FileChange, ...]
    wishes: Wishes = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    uid: int = -1

    @property
    def undone(self) -> Edit:
        """The edit that brings back the bytes (or the absence) of every file."""
        return Edit(tuple(file.undone for file in reversed(self.files)), uid=self.uid)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the rules depend on besides the files: see `resolve.resolve`; an `Answer` knows both."""

    applications: tuple[Application, ...] = APPLICATIONS
    ancestry: tuple[tuple[str, ...], ...] = ANCESTRY

    def resolve(self, found: Found) -> tuple[Setting, ...]:
        """Return every setting of `found`."""
        return resolve(found, self.applications, self.ancestry)

    def setting(self, found: Found, key: str) -> Setting | None:
        """Return the setting that "Class.trait" belongs to, None when nothing says anything about it."""
        home = self.home(key)
        return next((setting for setting in self.resolve(found) if setting.key == home), None)

    def moves(self, section: str, trait: str) -> bool:
        """Whether a value for `section` is handed on to ServerApp."""
        return moves(section, trait, self.applications)

    def home(self, key: str) -> str:
        """Return the key of the object that takes a value written for `key`."""
        section, _, trait = key.rpartition(".")
        return home_of(section, trait, self.applications, self.ancestry)


TODAY: Final = Knowledge()


def plan(found: Found, wishes: Wishes, knowledge: Knowledge = TODAY, *, path: str = "") -> Edit:
    """Return the edit after which `wishes` hold, by our rules. `path`: the file that is preferred.

    Where a file already decides a key, it is changed there. Raises CannotEdit: it names the file, option or statement
    that stands in the way.
    """
    changed, notes = found, []
    for key, value in wishes.items():
        if value is REMOVE:
            changed = _removed(changed, key, knowledge)
        else:
            changed, note = _set(changed, key, value, knowledge, path)
            notes += [note] if note else []
    return Edit(changes(found, changed), wishes, tuple(notes), found.uid)


def joined(value: object, there: object) -> object:
    """Return a value to wish for with what is set already: of two lists what was there stays, before what comes last.

    `local_hostnames` and the like replace what they are set to, and somebody may come by each name in them.
    """
    if not isinstance(value, list) or not isinstance(there, list | tuple):
        return value
    return list(dict.fromkeys([*value[:-1], *there, *value[-1:]]))


def changes(found: Found, changed: Found) -> tuple[FileChange, ...]:
    """Return the files in which `changed` differs from `found`."""
    return tuple(_change(found.file(file.path), file) for file in changed.files if file is not found.file(file.path))


def _set(found: Found, key: str, value: object, knowledge: Knowledge, path: str) -> tuple[Found, str]:
    setting = knowledge.setting(found, key)
    winner = setting.winner if setting else None
    if winner and winner.certain and plain(winner.value) == plain(value):
        return found, ""
    if winner and winner.origin is Origin.OPTION:
        raise _by_option(winner)
    obstacle: CannotEdit | None = None
    for place, section in _places(found, key, winner, path):
        try:
            trial = _trial(found, place, section, key.rpartition(".")[2], value)
        except CannotEdit as refusal:
            obstacle = obstacle or refusal
            continue
        if _wins(knowledge.setting(trial, key), place, value):
            return trial, _shadow(winner, place)
    if winner and winner.path and not obstacle:
        raise CannotEdit(f"{winner.where} decides {key}, and no file that may be written is stronger.")
    raise obstacle or CannotEdit(f"There is no file that may be written in which {key} would count.")


def _by_option(winner: Entry) -> CannotEdit:
    return CannotEdit(
        f"The command line of the server decides {winner.key}; it is stronger than every file.",
        "Change the command or the unit that starts it.",
    )


def _places(found: Found, key: str, winner: Entry | None, path: str) -> Iterator[tuple[str, str]]:
    """Return files, and the class to write for, in the order in which they should be tried."""
    section = key.rpartition(".")[0]
    if path:
        yield path, section
    if winner and winner.path and winner.origin is Origin.FILE:
        yield winner.path, winner.section
    if winner and winner.origin is Origin.APPLICATION:
        section = winner.section
    directories = sorted(found.directories, key=lambda directory: directory.path != found.user_directory)
    for directory in directories:
        paths = [f"{directory.path}/jupyter_server_config{end}" for end in (".json", ".py")]
        present = [path for path in paths if found.file(path)]
        for each in (*present, paths[0]) if directory.writable or present else ():
            yield each, section
            if winner and winner.section != section:
                yield each, winner.section


def _trial(found: Found, path: str, section: str, trait: str, value: object) -> Found:
    """Return `found` as it would be with the key set in one more place. Raises CannotEdit."""
    file = found.file(path)
    writable(found, file, path)
    return written(found, path, set_key(path, file.data if file else None, section, trait, value))


def writable(found: Found, file: ConfigFile | None, path: str) -> None:
    """Make sure that a file (None: not there yet) may be replaced by us. Raises CannotEdit."""
    if file is None:
        directory = next((each for each in found.directories if path.startswith(f"{each.path}/")), None)
        if directory is None or not directory.writable:
            raise CannotEdit(f"{path} may not be written.")
    elif file.data is None:
        raise CannotEdit(f"{path} cannot be read ({file.unread}).")
    elif file.uid != found.uid:
        # It would be another user's file afterwards: it is replaced, not written into.
        raise CannotEdit(f"{path} belongs to another user.", "Connect as that user.")
    elif not file.writable:
        raise CannotEdit(f"{path} may not be written.")


def written(found: Found, path: str, data: bytes) -> Found:
    """Return `found` as it would be with `data` in the file at `path`."""
    file = found.file(path)
    directory = path.rpartition("/")[0].removesuffix("/jupyter_server_config.d")
    new = replace(file or ConfigFile(path, directory, uid=found.uid, writable=True), data=data)
    new = replace(new, reading=read(path, data))
    if file is None:
        return replace(found, files=(*found.files, new))
    return replace(found, files=tuple(new if each is file else each for each in found.files))


def _wins(setting: Setting | None, path: str, value: object) -> bool:
    winner = setting.winner if setting else None
    return winner is not None and winner.path == path and winner.certain and plain(winner.value) == plain(value)


def _shadow(winner: Entry | None, path: str) -> str:
    return (
        f"{winner.where} decided this so far; {path} is stronger." if winner and winner.path not in {"", path} else ""
    )


def _removed(found: Found, key: str, knowledge: Knowledge) -> Found:
    """Return `found` with nothing that is said about the key. Raises CannotEdit."""
    setting = knowledge.setting(found, key)
    for entry in (*((setting.winner,) if setting and setting.winner else ()), *(setting.losers if setting else ())):
        if entry.origin is Origin.OPTION:
            raise _by_option(entry)
        file = found.file(entry.path)
        if file and file.data is not None and not file.drop_in and entry.key in _keys(file.reading.entries):
            writable(found, file, file.path)
            found = written(found, file.path, remove_key(file.path, file.data, entry.section, entry.trait))
    return found


def _keys(entries: Iterable[Entry]) -> set[str]:
    return {entry.key for entry in entries}


def _change(before: ConfigFile | None, after: ConfigFile) -> FileChange:
    """What holds a secret is for its owner alone from now on."""
    secret = any(plain(entry.value) is not entry.value and plain(entry.value) for entry in after.reading.entries)
    mode = before.mode if before and before.mode is not None else PRIVATE
    return FileChange(
        path=after.real,
        before=before.data if before else None,
        after=after.data,
        mode_before=before.mode if before else None,
        mode_after=mode & PRIVATE if secret else mode,
        mtime_before=before.mtime if before else None,
    )
