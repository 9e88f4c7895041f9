"""Makes a change of how a server lets people in, proves it, and restores everything when a step fails.

Whenever it is cut off, the server is as before or as after: the files change together (`settings.apply`), the running
server goes on by the old ones until it is restarted, and a restart that was begun is finished by the host alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from msgspec.structs import replace as changed

from jupytui.errors import CommandError, DeadlineError, JupytuiError
from jupytui.hosts.base import Host, HostTrouble, Prompter
from jupytui.jupyter.launch.holder import NotThere, holder_of
from jupytui.jupyter.launch.lifecycle import Back, Mended, StillThere, restart
from jupytui.jupyter.launch.shutdown import Target
from jupytui.jupyter.models import Auth
from jupytui.jupyter.passwords.plan import Kind, Plan
from jupytui.jupyter.passwords.proof import Old, Prover, Step, Told, old_ways, opens_already
from jupytui.jupyter.settings.apply import apply
from jupytui.jupyter.settings.commit import commit
from jupytui.jupyter.settings.discover import ask
from jupytui.jupyter.settings.door import TOKEN
from jupytui.jupyter.settings.edit import Edit, FileChange
from jupytui.jupyter.settings.models import plain
from jupytui.secret import Secret
from jupytui.systemd.sudo import NotRoot


@dataclass(frozen=True, slots=True)
class Outcome:
    """A change that is made. `pending`: it counts after the next restart; `back` is the server that proved it.

    `untried` says what could not be proven: each a clause that begins with "that", and why in brackets.
    """

    plan: Plan
    steps: tuple[Step, ...]
    pending: bool = False
    back: Back | None = None
    untried: tuple[str, ...] = ()


class Restored(JupytuiError):
    """A step failed; files and server are as they were. `steps` are those that were made."""

    def __init__(self, message: str, hint: str = "", *, detail: str = "", steps: tuple[Step, ...] = ()) -> None:
        super().__init__(message, hint, detail=detail)
        self.steps = steps


async def carry_out(
    host: Host, target: Target, plan: Plan, prompter: Prompter, told: Told, *, consent: bool
) -> Outcome:
    """Write `plan`; with `consent` restart the server and prove it, else leave it pending. `told` hears each step.

    Raises Restored (all is as before), WrongAnswer (nothing was done), CannotEdit, NotConfirmed, CommandError,
    DeadlineError, HostTrouble. Cut off, it says in the hint what it leaves behind; cancelled, in a note of
    CancelledError, which has none when nothing was changed.
    """
    run = _Run(host, target, plan, prompter, told)
    try:
        if consent:
            await run.look()
        await run.write()
        if not consent:
            return Outcome(plan, tuple(run.steps), pending=True)
        await run.restart()
        await run.prove()
    except (HostTrouble, DeadlineError) as cut:
        cut.hint = f"{cut.hint} {run.left}".strip()
        raise
    except asyncio.CancelledError as stopped:
        if run.left:
            stopped.add_note(run.left)
        raise
    return Outcome(plan, tuple(run.steps), back=run.back, untried=tuple(run.untried))


# What is left behind when it is cut off at some point.
_WRITING = "The files may be changed: all of them, or none."
_WRITTEN = "The files are changed; the server was not restarted."
_RESTARTING = "The files are changed; a restart that was begun goes on, the proof is missing."
_UNDOING = "It was being taken back: the files may still be changed, all of them or none."


class _Run:
    """One change under way; `left` is what it leaves behind if it is cut off now, "" for nothing."""

    def __init__(self, host: Host, target: Target, plan: Plan, prompter: Prompter, told: Told) -> None:
        self._host, self._target, self._plan, self._prompter, self._told = host, target, plan, prompter, told
        self.steps: list[Step] = []
        self.untried: list[str] = []
        self.back: Back | None = None
        self.left = ""
        self._old, self._nothing_new = Old(), False

    def _say(self, step: Step) -> None:
        self.steps.append(step)
        self._told(step)

    async def look(self) -> None:
        """Get to know what lets people in until now. Raises WrongAnswer."""
        access, wish = self._target.access, self._plan.wish
        if access is None:
            return
        self._old = await old_ways(self._host, access, wish.old)
        if wish.kind is Kind.SET and not self._plan.edit.files:
            self._nothing_new = await opens_already(self._host, access, wish.password)

    async def write(self) -> None:
        """Change the files; Jupyter itself confirms that the new value wins."""
        plan = self._plan
        if not plan.edit.files:
            return
        self.left = _WRITING
        backups = await (self._committed() if plan.edit.wishes else apply(self._host, plan.found.python, plan.edit))
        self.left = _WRITTEN
        names = [file.path for file in plan.edit.files if file is not plan.secret]
        if names:
            self._say(Step(f"written to {', '.join(names)}; Jupyter confirms it"))
        if plan.secret:
            self._say(Step("sessions from before will end: their secret is removed"))
            # Nobody needs it again, and whoever held it could make a session.
            stale = [path for path in backups if path.startswith(f"{plan.secret.path}.bak-")]
            await self._host.run('rm -f -- "$@"', *stale)

    async def _committed(self) -> tuple[str, ...]:
        plan = self._plan
        try:
            return (await commit(self._host, plan.whose, plan.found.python, plan.edit)).backups
        except asyncio.CancelledError:
            self.left = ""  # it was taken back
            raise

    async def restart(self) -> None:
        """Restart the server; if it does not come back, it is started once more with the files as they were."""
        undone = False
        self.left = _RESTARTING if self._plan.edit.files else "A restart that was begun goes on, the proof is missing."

        async def mend() -> None:
            nonlocal undone
            await self._undo()
            undone = True

        try:
            self.back = await restart(self._host, self._target, self._prompter, mend)
        except HostTrouble:
            raise
        except Mended as error:
            raise self._as_it_was(error) from None
        except JupytuiError as error:
            failure = error

            async def restore() -> None:
                if not undone:
                    await self._undo()
                await self._runs_on(failure)

            raise await self._restored(error, restore) from None
        self._say(Step(f"restarted: process {self.back.answer.pid} answers"))

    async def prove(self) -> None:
        """Try every way in, at the address where it came back. Raises Restored."""
        assert self.back
        prover = Prover(self._host, self.back.answer.access, self._say)
        try:
            await prover.shut()
            await self._try_passwords(prover)
            await self._try_sessions(prover)
            await self._try_tokens(prover)
        except HostTrouble:
            raise
        except JupytuiError as error:
            raise await self._restored(error, self._go_back) from None
        finally:
            await prover.close()

    async def _try_passwords(self, prover: Prover) -> None:
        wish, old = self._plan.wish, self._old
        if wish.kind in {Kind.SET, Kind.MIGRATE} and wish.password:
            await prover.opens(wish.password, "new password" if wish.kind is Kind.SET else "password")
        elif wish.kind is Kind.MIGRATE:
            self._could_not_try("that the password is accepted", "it was not given")
        if wish.kind is Kind.LOGOUT and wish.old:
            await prover.opens(wish.old, "password")
        if wish.kind not in {Kind.SET, Kind.REMOVE}:
            return
        if old.password and old.password != wish.password:
            await prover.refuses(old.password)
        elif not old.password and self._plan.now.password and not self._nothing_new:
            self._could_not_try("that the old password is refused", "it was not given")

    async def _try_sessions(self, prover: Prover) -> None:
        if self._plan.wish.kind is Kind.MIGRATE:
            return
        if self._nothing_new:
            self._could_not_try("that old sessions are refused", "it had this password already: they go on")
        elif self._old.cookies:
            await prover.refuses_session(self._old.cookies)
        elif await self._secret_is_new():
            self._say(Step("sessions are signed with another secret now"))
        elif self._plan.now.auth is not Auth.NONE:
            self._could_not_try("that old sessions are refused", "none is known")

    async def _try_tokens(self, prover: Prover) -> None:
        wish, old = self._plan.wish, self._old
        if old.token:
            stays = await self._token() == old.token
            await prover.token(old.token, "its token" if stays else "old token", opens=stays)
        elif wish.kind is Kind.TOKEN:
            self._could_not_try("that the old token is refused", "it is not known")
        if wish.kind is Kind.TOKEN and self._plan.edit.wishes:
            await prover.token(await self._token(), "new token", opens=True)

    def _could_not_try(self, what: str, why: str) -> None:
        why = why if self._target.access else "the server could not be asked before"
        self.untried.append(f"{what} ({why})")

    async def _secret_is_new(self) -> bool:
        """Whether sessions hang on another secret than before, as far as that is known."""
        secret = self._plan.secret
        now = await self._secret_now() if secret else None
        return secret is not None and now is not None and now != secret.before

    async def _secret_now(self) -> bytes | None:
        assert self._plan.secret
        try:
            return await self._host.read(self._plan.secret.path, 65536)
        except FileNotFoundError:
            return None

    async def _token(self) -> Secret:
        """Return the token that counts by now; one that Jupyter makes for this question is no other's."""
        whose = replace(self._plan.whose, pid=self._renewed().pid)
        try:
            value = (await ask(self._host, whose)).value(TOKEN)
        except KeyError:
            value = ""
        return Secret(str(plain(value) or ""))

    async def _undo(self) -> None:
        """Bring the files back; the restarted server has made a new secret of sessions, which makes room again."""
        self.left = _UNDOING
        files = [file.undone for file in self._plan.edit.files if file is not self._plan.secret]
        if secret := self._plan.secret:
            now = await self._secret_now()
            files += [FileChange(secret.path, now, secret.before, 0o600)] if now != secret.before else []
        if files:
            await apply(self._host, self._plan.found.python, Edit(tuple(files)), backups=False)

    def _renewed(self) -> Target:
        assert self.back
        answer = self.back.answer
        return changed(self._target, pid=answer.pid, port=answer.port, sock=answer.sock)

    async def _go_back(self) -> None:
        await self._undo()
        await restart(self._host, self._renewed(), self._prompter)

    async def _runs_on(self, failure: JupytuiError) -> None:
        """Make sure that the restart that ended in `failure` has left the server alone. Raises CommandError."""
        if isinstance(failure, StillThere | DeadlineError):
            raise CommandError("Its files are as they were, but it was asked to end.", failure.hint)
        try:
            await holder_of(self._host, self._target.pid)
        except NotThere:
            raise CommandError("Its files are as they were, but its process has gone.", "Look again.") from None

    async def _restored(self, error: JupytuiError, restore: Callable[[], Awaitable[None]]) -> JupytuiError:
        """Return what to raise when all is as it was after `restore`, or when that failed too."""
        try:
            await restore()
        except HostTrouble:
            raise
        except JupytuiError as second:
            words = f"{error.message} Not everything could be restored: {second.message}"
            return CommandError(words, second.hint, detail=f"{error.detail}\n{second.detail}".strip())
        return self._as_it_was(error)

    def _as_it_was(self, error: JupytuiError) -> Restored:
        self._say(Step("everything is as it was: files and server"))
        words = f"{error.message} Everything is as it was."
        hint = "" if isinstance(error, NotRoot) else error.hint  # it says the same
        return Restored(words, hint, detail=error.detail, steps=tuple(self.steps))
