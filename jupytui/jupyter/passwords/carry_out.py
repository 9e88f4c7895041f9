"""Makes a change of how a server lets people in, proves it, and restores everything when a step fails.

Whenever it is cut off, the server is as before or as after: the files change together (`settings.apply`), the running
server goes on by the old ones until it is restarted, and a restart that was begun is finished by the host alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from msgspec.structs import replace as changed

from jupytui.errors import CommandError, JupytuiError
from jupytui.hosts.base import Host, HostTrouble, Prompter
from jupytui.jupyter.access import Access
from jupytui.jupyter.http import HttpClient
from jupytui.jupyter.launch.lifecycle import Back, restart
from jupytui.jupyter.launch.shutdown import Target
from jupytui.jupyter.passwords.plan import Kind, Plan
from jupytui.jupyter.passwords.proof import Old, Prover, Step, Told, old_ways
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
    """A change that is made. `pending`: it counts after the next restart; `back` is the server that proved it."""

    plan: Plan
    steps: tuple[Step, ...]
    pending: bool = False
    back: Back | None = None


class Restored(JupytuiError):
    """A step failed; files and server are as they were. `steps` are those that were made."""

    def __init__(self, message: str, hint: str = "", *, detail: str = "", steps: tuple[Step, ...] = ()) -> None:
        super().__init__(message, hint, detail=detail)
        self.steps = steps


async def carry_out(
    host: Host, target: Target, plan: Plan, prompter: Prompter, told: Told, *, consent: bool
) -> Outcome:
    """Write `plan`; with `consent` restart the server and prove it, else leave it pending. `told` hears each step.

    Raises Restored (all is as before), WrongAnswer (nothing was done), CannotEdit, CommandError, HostTrouble.
    """
    run = _Run(host, target, plan, prompter, told)
    old = await old_ways(host, target.access, plan.wish.old) if consent and target.access else Old()
    await run.write()
    if not consent:
        return Outcome(plan, tuple(run.steps), pending=True)
    try:
        await run.restart()
        await run.prove(old)
    except HostTrouble as cut:
        cut.hint = f"{cut.hint} The files are changed; a restart that was begun goes on, the proof is missing.".lstrip()
        raise
    return Outcome(plan, tuple(run.steps), back=run.back)


class _Run:
    """One change under way."""

    def __init__(self, host: Host, target: Target, plan: Plan, prompter: Prompter, told: Told) -> None:
        self._host, self._target, self._plan, self._prompter, self._told = host, target, plan, prompter, told
        self.steps: list[Step] = []
        self.back: Back | None = None

    def _say(self, step: Step) -> None:
        self.steps.append(step)
        self._told(step)

    async def write(self) -> None:
        """Change the files; Jupyter itself confirms that the new value wins."""
        plan, python = self._plan, self._plan.found.python
        if not plan.edit.files:
            return
        if plan.edit.wishes:
            backups: tuple[str, ...] = (await commit(self._host, plan.whose, python, plan.edit)).backups
        else:
            backups = await apply(self._host, python, plan.edit)
        names = [file.path for file in plan.edit.files if file is not plan.secret]
        if names:
            self._say(Step(f"written to {', '.join(names)}; Jupyter confirms it"))
        if plan.secret:
            self._say(Step("sessions from before will end: their secret is removed"))
            # Nobody needs it again, and whoever held it could make a session.
            stale = [path for path in backups if path.startswith(f"{plan.secret.path}.bak-")]
            await self._host.run('rm -f -- "$@"', *stale)

    async def restart(self) -> None:
        """Restart the server; if it does not come back, it is started once more with the files as they were."""
        undone = False

        async def mend() -> None:
            nonlocal undone
            await self._undo()
            undone = True

        try:
            self.back = await restart(self._host, self._target, self._prompter, mend)
        except HostTrouble:
            raise
        except JupytuiError as error:
            raise await self._restored(error, self._answers if undone else self._undo) from None
        self._say(Step(f"restarted: process {self.back.answer.pid} answers"))

    async def prove(self, old: Old) -> None:
        """Try every way in. Raises Restored."""
        assert self.back
        if self._target.access is None:
            return
        prover = Prover(self._host, self._access(), self._say)
        try:
            await self._tries(prover, old)
        except HostTrouble:
            raise
        except JupytuiError as error:
            raise await self._restored(error, self._go_back) from None
        finally:
            await prover.close()

    async def _tries(self, prover: Prover, old: Old) -> None:
        wish = self._plan.wish
        await prover.shut()
        if wish.kind in {Kind.SET, Kind.MIGRATE} and wish.password:
            await prover.opens(wish.password, "new password" if wish.kind is Kind.SET else "password")
        if wish.kind is Kind.LOGOUT and wish.old:
            await prover.opens(wish.old, "password")
        if old.password and wish.kind in {Kind.SET, Kind.REMOVE} and old.password != wish.password:
            await prover.refuses(old.password)
        if old.cookies and wish.kind is not Kind.MIGRATE:
            await prover.refuses_session(old.cookies)
        if old.token:
            stays = await self._token() == old.token
            await prover.token(old.token, "its token" if stays else "old token", opens=stays)
        if wish.kind is Kind.TOKEN and self._plan.edit.wishes:
            await prover.token(await self._token(), "new token", opens=True)

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
        files = [file.undone for file in self._plan.edit.files if file is not self._plan.secret]
        if secret := self._plan.secret:
            try:
                now: bytes | None = await self._host.read(secret.path, 65536)
            except FileNotFoundError:
                now = None
            files += [FileChange(secret.path, now, secret.before, 0o600)] if now != secret.before else []
        if files:
            await apply(self._host, self._plan.found.python, Edit(tuple(files)), backups=False)

    def _renewed(self) -> Target:
        assert self.back
        answer = self.back.answer
        return changed(self._target, pid=answer.pid, port=answer.port, sock=answer.sock)

    def _access(self) -> Access:
        assert self._target.access
        assert self.back
        answer = self.back.answer
        return replace(self._target.access, port=answer.port, sock=answer.sock, token=Secret(""))

    async def _go_back(self) -> None:
        await self._undo()
        await restart(self._host, self._renewed(), self._prompter)

    async def _answers(self) -> None:
        """Make sure that what was started once more is there. Raises ApiError."""
        if self._target.access:
            client = HttpClient(self._host, self._target.access)
            try:
                await client.request("GET", f"{self._target.access.base_url}api", {}, deadline=15.0)
            finally:
                await client.close()

    async def _restored(self, error: JupytuiError, restore: Callable[[], Awaitable[None]]) -> JupytuiError:
        """Return what to raise when all is as it was after `restore`, or when that failed too."""
        try:
            await restore()
        except HostTrouble:
            raise
        except JupytuiError as second:
            words = f"{error.message} It could not be restored: {second.message}"
            return CommandError(words, second.hint, detail=f"{error.detail}\n{second.detail}".strip())
        self._say(Step("everything is as it was: files and server"))
        words = f"{error.message} Everything is as it was."
        hint = "" if isinstance(error, NotRoot) else error.hint  # it says the same
        return Restored(words, hint, detail=error.detail, steps=tuple(self.steps))
