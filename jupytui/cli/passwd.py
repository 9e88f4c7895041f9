"""`jupytui passwd SERVER [--stdin | --generate | --remove | --logout | --token] [--restart]`."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from jupytui.actions import passwords
from jupytui.actions.base import Action, Answers, Confirmation, Context, Refused, perform
from jupytui.cli import FAILED, say, tell
from jupytui.cli.configured import configured
from jupytui.cli.front import TerminalFront
from jupytui.cli.lifecycle import running
from jupytui.cli.look import open_fleet, run_until_done, say_unreached
from jupytui.cli.terminal import ask_line, open_terminal
from jupytui.config.model import Config
from jupytui.errors import UsageError, WrongAnswer
from jupytui.fleet.subject import Subject

_LONGEST = 4096


def configure(parser: ArgumentParser) -> None:
    """Say which words follow."""
    parser.add_argument("server", metavar="SERVER", help="HOST, HOST:PORT or HOST:/socket")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--stdin", action="store_true", help="the new password is stdin's first line, the old its second")
    how.add_argument("--generate", action="store_true", help="make a passphrase; it alone is printed")
    how.add_argument("--remove", action="store_true", help="take the password away: a token opens it then")
    how.add_argument("--logout", action="store_true", help="end every session")
    how.add_argument("--token", action="store_true", help="a new token")
    parser.add_argument("--restart", action="store_true", help="restart the server, whatever runs on it, and prove it")


def run(arguments: Namespace) -> int:
    """Change it. Raises UsageError where a password is needed and nobody can be asked."""
    _paths, config = configured(arguments)
    return run_until_done(_passwd(config, arguments))


async def _passwd(config: Config, arguments: Namespace) -> int:
    name = arguments.server.partition(":")[0]
    action = action_of(arguments)
    async with open_fleet(config, [name]) as fleet:
        views = await fleet.look_once()
        if unreached := say_unreached(views):
            return unreached
        server = running(views[0], arguments.server)
        restart = passwords.NOW if arguments.restart else passwords.LATER
        answers = {**await _answers(action, arguments), "restart": restart}
        front = _Front(yes=True)
        context = Context(fleet, front, config, arguments.read_only, progress=tell)
        try:
            done = await perform(action, context, [Subject(name, server.id)], answers)
        except BaseException as error:
            if arguments.generate and front.consented and not _nothing_changed(error):
                print(answers["password"], flush=True)
                say("the passphrase is printed all the same: it may count already, or after the next restart.")
            raise
        if done and arguments.generate:
            print(answers["password"], flush=True)
    say(done or "nothing was done.")
    return 0 if done else FAILED


class _Front(TerminalFront):
    """Knows whether the change was consented to: nothing is written before."""

    consented = False

    async def confirm(self, question: Confirmation) -> bool:
        """Confirm as any command does."""
        self.consented = await super().confirm(question)
        return self.consented


def _nothing_changed(error: BaseException) -> bool:
    from jupytui.jupyter.passwords.carry_out import Restored
    from jupytui.jupyter.settings.commit import NotConfirmed
    from jupytui.jupyter.settings.models import CannotEdit

    return isinstance(error, Restored | NotConfirmed | CannotEdit | WrongAnswer | UsageError | Refused)


def action_of(arguments: Namespace) -> Action:
    """Return what is to be done."""
    if arguments.remove:
        return passwords.REMOVE
    if arguments.logout:
        return passwords.LOGOUT
    return passwords.TOKEN if arguments.token else passwords.SET


async def _answers(action: Action, arguments: Namespace) -> Answers:
    if action is not passwords.SET:
        return {}
    if arguments.generate:
        from jupytui.jupyter.passwords.strength import generated

        return {"password": generated().reveal()}
    return _from_stdin() if arguments.stdin else await _from_terminal()


def _from_stdin() -> Answers:
    lines = sys.stdin.read(2 * _LONGEST).split("\n")
    if not lines[0]:
        raise UsageError("stdin holds no password.")
    return {"password": lines[0].rstrip("\r"), "old": lines[1].rstrip("\r") if len(lines) > 1 else ""}


async def _from_terminal() -> Answers:
    from jupytui.jupyter.passwords.strength import strength
    from jupytui.secret import Secret

    with open_terminal() as terminal:
        if terminal is None:
            raise UsageError("There is no terminal to ask for a password on.", "Say --stdin or --generate.")
        password = await ask_line(terminal, "New password: ", echo=False)
        if not password:
            raise UsageError("No password was given.", "--generate makes one.")
        if wrong := passwords.check_password(password):
            raise UsageError(wrong, "--generate makes one.")
        say(f"it is {strength(Secret(password))}")
        again = await ask_line(terminal, "The same again: ", echo=False)
        old = await ask_line(terminal, "Password until now (enter: not known): ", echo=False)
    return {"password": password, "again": again or "", "old": old or ""}
