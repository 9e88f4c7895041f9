"""Works out a change of how a server lets people in: which files, which sessions end, what is to be said before."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field, replace
from enum import StrEnum

from jupytui.errors import CommandError, WrongAnswer
from jupytui.hosts.base import Host
from jupytui.jupyter.models import Auth
from jupytui.jupyter.passwords.hashing import fits, hashed
from jupytui.jupyter.passwords.standing import Standing, auth_of, standing
from jupytui.jupyter.passwords.strength import new_token
from jupytui.jupyter.settings.diff import diff
from jupytui.jupyter.settings.discover import Answer, Whose, ask, look
from jupytui.jupyter.settings.door import OFFICIAL, PASSWORD, TOKEN, Door, Hash, door
from jupytui.jupyter.settings.edit import REMOVE, Edit, FileChange, Knowledge, changes, plan, written
from jupytui.jupyter.settings.migrate import migrate
from jupytui.jupyter.settings.models import CannotEdit, Entry, Found, Origin, plain
from jupytui.secret import Secret

NEW_TOKEN = "IdentityProvider.token"
COOKIE_SECRET = "ServerApp.cookie_secret"
# From here on a changed password ends old sessions by itself (CVE-2026-40934).
SESSIONS_END = (2, 18)
_UID = "id -u"


class Kind(StrEnum):
    """What is wanted."""

    SET = "set"  # a new password, where there is one or none
    REMOVE = "remove"
    LOGOUT = "logout"  # everybody
    TOKEN = "token"  # a new one
    MIGRATE = "migrate"  # the same password under today's key, in today's hash


@dataclass(frozen=True, slots=True)
class Wish:
    """`password` is the new one (MIGRATE: the one there is; TOKEN: the token); `old` the one until now, if known."""

    kind: Kind
    password: Secret = field(default_factory=lambda: Secret(""))
    old: Secret = field(default_factory=lambda: Secret(""))


@dataclass(frozen=True, slots=True)
class Plan:
    """A change that can be shown and carried out.

    `now` is how things stand, `then` how they will after the next start; `secret` is the file whose removal ends all
    sessions, None where none needs to. `notes` are sentences to be read before.
    """

    wish: Wish
    whose: Whose
    found: Found
    answer: Answer
    now: Standing
    then: Standing
    edit: Edit
    secret: FileChange | None = None
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """What happens to files, as text in which no secret is seen."""
        files = tuple(file for file in self.edit.files if file is not self.secret)
        removed = [f"rm {self.secret.path}"] if self.secret else []
        return "\n".join(filter(None, [diff(replace(self.edit, files=files)), *removed]))


async def prepare(host: Host, whose: Whose, wish: Wish) -> Plan:
    """Look, and plan; 1-2 s. Nothing is written. Raises CannotEdit, WrongAnswer, CommandError, HostTrouble."""
    found, answer, me = await asyncio.gather(look(host, whose), ask(host, whose), host.run(_UID))
    if me.stdout.strip() != str(found.uid).encode():
        raise CommandError("This server belongs to another user.", f"Connect to {host.name} as that user.")
    knowledge = answer.knowledge
    entrance = door(found, knowledge.resolve(found))
    edit = await _edit(found, knowledge, entrance, wish)
    secret = await _cookie_secret(host, found, answer) if _ends_sessions(wish, answer.version) else None
    if secret:
        edit = replace(edit, files=(*edit.files, secret))
    now, then = (standing(each, knowledge=knowledge) for each in (found, after(found, edit)))
    return Plan(wish, whose, found, answer, now, then, edit, secret, tuple(_notes(wish, edit, now, then, answer)))


def after(found: Found, edit: Edit) -> Found:
    """Return `found` as it will be when `edit` is made."""
    for change in edit.files:
        path = next((file.path for file in found.files if file.real == change.path), change.path)
        if change.after is not None and (found.file(path) or path.endswith((".py", ".json"))):
            found = written(found, path, change.after)
            files = (replace(file, mode=change.mode_after) if file.path == path else file for file in found.files)
            found = replace(found, files=tuple(files))
    return found


async def _edit(found: Found, knowledge: Knowledge, entrance: Door, wish: Wish) -> Edit:
    if wish.kind is Kind.SET:
        return await _setting(found, knowledge, entrance, wish.password)
    if wish.kind is Kind.REMOVE:
        return _removing(found, knowledge)
    if wish.kind is Kind.TOKEN:
        return _token(found, knowledge, entrance, wish.password)
    if wish.kind is Kind.MIGRATE:
        return await _migrating(found, knowledge, entrance, wish.password)
    return Edit(())


async def _setting(found: Found, knowledge: Knowledge, entrance: Door, password: Secret) -> Edit:
    """Written where the password that counts stands; nothing, if it is this one already (many servers, one file)."""
    winner = entrance.password.winner if entrance.password else None
    if entrance.hash is Hash.ARGON2 and winner and await fits(str(plain(winner.value)), password):
        return Edit(())
    return plan(found, {_key(winner, OFFICIAL): await hashed(password)}, knowledge)


def _key(winner: Entry | None, otherwise: str) -> str:
    return winner.key if winner and winner.origin is Origin.FILE else otherwise


def _removing(found: Found, knowledge: Knowledge) -> Edit:
    """Where the token was set to nothing, that goes too: with neither, Jupyter makes a token, and nobody is let in."""
    edit = plan(found, {PASSWORD: REMOVE}, knowledge)
    later = after(found, edit)
    if auth_of(door(later, knowledge.resolve(later))) is Auth.NONE:
        edit = plan(found, {PASSWORD: REMOVE, TOKEN: REMOVE}, knowledge)
    return edit


def _token(found: Found, knowledge: Knowledge, entrance: Door, token: Secret) -> Edit:
    """A token that Jupyter made itself is new after every start and stands in no file: then nothing is written."""
    winner = entrance.token.winner if entrance.token else None
    auth = auth_of(entrance)
    if auth in {Auth.PASSWORD, Auth.NONE}:
        raise CannotEdit(
            "No token opens this server.", "Set a password." if auth is Auth.NONE else "Change its password."
        )
    if winner is None and not entrance.variables:
        return Edit(())
    return plan(found, {_key(winner, NEW_TOKEN): token or new_token()}, knowledge)


async def _migrating(found: Found, knowledge: Knowledge, entrance: Door, password: Secret) -> Edit:
    winner, changed = (entrance.password.winner if entrance.password else None), found
    wishes: dict[str, object] = {}
    if entrance.hash is Hash.WEAK and winner:
        if not password or not await fits(str(plain(winner.value)), password):
            raise WrongAnswer("This is not its password.", field="password")
        new = await hashed(password)
        changed = after(found, plan(found, {winner.key: new}, knowledge))
        wishes = {PASSWORD: new}
    if entrance.deprecated:
        changed = after(changed, migrate(changed, knowledge))
        wishes = wishes or ({PASSWORD: winner.value} if winner and winner.certain else {})
    if changed is found:
        raise CannotEdit("There is nothing to migrate: hash and keys are of today.")
    return Edit(changes(found, changed), wishes)


def _ends_sessions(wish: Wish, version: str) -> bool:
    if wish.kind is Kind.MIGRATE:
        return False
    return wish.kind in {Kind.LOGOUT, Kind.TOKEN} or _numbers(version) < SESSIONS_END


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


async def _cookie_secret(host: Host, found: Found, answer: Answer) -> FileChange | None:
    """Return the removal of the file that old sessions hang on; Jupyter makes a new one at its start."""
    fixed = answer.knowledge.setting(found, COOKIE_SECRET)
    if fixed and fixed.winner:
        raise CannotEdit(
            f"{fixed.winner.where} fixes {COOKIE_SECRET}, so old sessions would stay.", "Take that line out first."
        )
    path = str(answer.objects.get("ServerApp", {}).get("cookie_secret_file", ""))
    if not path.startswith("/"):
        raise CommandError("Where this server keeps its cookie secret is not known, so old sessions cannot be ended.")
    try:
        return FileChange(path, await host.read(path, 65536), None, 0o600)
    except FileNotFoundError:
        return None


def _notes(wish: Wish, edit: Edit, now: Standing, then: Standing, answer: Answer) -> list[str]:
    notes = [*edit.notes]
    if wish.kind is Kind.SET and not edit.files:
        notes.append("Its files hold this password already; who is signed in by it stays signed in.")
    elif wish.kind is not Kind.MIGRATE or _numbers(answer.version) >= SESSIONS_END:
        notes.append("Everybody who is signed in has to sign in again.")
    if now.auth is Auth.TOKEN and then.auth is Auth.PASSWORD:
        notes.append("Its token ends with that: from then on the password alone opens it.")
    if then.auth is Auth.BOTH and wish.kind is Kind.SET:
        notes.append("Its token goes on to open it.")
    if wish.kind is Kind.REMOVE and then.token is None:
        notes.append("Jupyter then makes a token of its own at every start.")
    return notes
