"""Carries out a fix: what would be done is shown first, what was done is proven by looking again."""

from __future__ import annotations

from dataclasses import dataclass

from jupytui.doctor.models import Fix, ServerFacts
from jupytui.errors import CommandError
from jupytui.hosts.base import Host, Prompter
from jupytui.jupyter.launch.lifecycle import start_unit
from jupytui.jupyter.settings.commit import commit
from jupytui.jupyter.settings.diff import diff
from jupytui.jupyter.settings.discover import Whose
from jupytui.jupyter.settings.edit import Edit, plan
from jupytui.jupyter.settings.last_edit import remember
from jupytui.jupyter.settings.migrate import migrate
from jupytui.jupyter.settings.models import CannotEdit
from jupytui.systemd.control import command_line, set_linger
from jupytui.text import clean_line

# Only files of the user's own, never through a link, and only what is a runtime file of a process that is gone.
_CLOSE = r"""
LC_ALL=C; export LC_ALL
for path in "$@"; do
  [ ! -L "$path" ] || { echo "$path is a link" >&2; exit 1; }
  chmod go-rwx -- "$path" || exit 1
done
"""
_REMOVE = r"""
for path in "$@"; do
  name=${path##*/}; pid=${name#*-}; pid=${pid%%[!0-9]*}
  case $name in jpserver-[0-9]*|nbserver-[0-9]*) ;; *) exit 1 ;; esac
  if [ -r "/proc/$pid/cmdline" ] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qi jupyter; then
    echo "process $pid runs" >&2; exit 1
  fi
  rm -f -- "$path" || exit 1
done
"""


@dataclass(frozen=True, slots=True)
class Repair:
    """What will be done: `shown` is the exact change (a diff, or commands); `edit` the files to write."""

    fix: Fix
    shown: str
    edit: Edit | None = None


def prepare(fix: Fix, facts: ServerFacts | None) -> Repair:
    """Return what carrying out `fix` would do. Raises CannotEdit, with the file and line that stand in the way."""
    if fix.wishes or fix.migrate:
        if facts is None or facts.found is None:
            raise CannotEdit("The configuration of this server is not seen.")
        edit = migrate(facts.found, facts.knowledge) if fix.migrate else plan(facts.found, fix.wishes, facts.knowledge)
        return Repair(fix, "\n".join([diff(edit), *edit.notes]), edit)
    lines = [f"chmod go-rwx {path}" for path in fix.private] + [f"rm {path}" for path in fix.remove]
    lines += ["loginctl enable-linger"] if fix.linger else []
    lines += [command_line(fix.start.scope, "start", fix.start.name)] if fix.start else []
    return Repair(fix, "\n".join(lines))


async def carry_out(host: Host, repair: Repair, facts: ServerFacts | None, prompter: Prompter) -> str:
    """Do it; return what is to be said of it besides. `repair.edit` counts after a restart.

    Raises CannotEdit, NotConfirmed (all files are as before), CommandError, LaunchFailed, HostTrouble.
    """
    fix = repair.fix
    if repair.edit and facts and facts.found:
        whose = Whose(facts.server.app, pid=facts.server.pid)
        done = await commit(host, whose, facts.found.python, repair.edit)
        return await remember(host, facts.found, "Fix of the doctor", done, facts.server.id)
    if fix.start:
        await start_unit(host, fix.start, prompter)
    if fix.private:
        await _run(host, _CLOSE, *fix.private)
    if fix.remove:
        await _run(host, _REMOVE, *fix.remove)
    if fix.linger:
        await set_linger(host, True)
    return ""


async def _run(host: Host, script: str, *paths: str) -> None:
    done = await host.run(script, *paths)
    if done.status:
        raise CommandError(f"It could not be put right on {host.name}.", detail=clean_line(done.stderr))
