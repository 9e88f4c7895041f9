"""What runs on the host itself: launch a server as one transaction.

Each step says beforehand how it is undone. Until the near side says "commit", its end, its silence, a failure or its
wish undo everything, last first; so kill -9 at the other end, a lost link and cancelling leave nothing.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
import time
from collections.abc import Callable
from typing import Any

from jupytui.jupyter.launch.on_host import processes
from jupytui.jupyter.launch.on_host.common import Failure, Gone, Near, helper, say, systemctl, tail


class Undo:
    """What must be done to be back where we were."""

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []

    def later(self, call: Callable[..., Any], *args: Any) -> None:
        """Remember how to undo what is about to be done."""
        self._calls.append((call, args))

    def now(self) -> list[str]:
        """Undo everything; return what could not be undone."""
        left = []
        for call, args in reversed(self._calls):
            try:
                call(*args)
            except (OSError, Failure) as error:
                left.append("%s: %s" % (error, getattr(error, "facts", "")))
        return left


class Launch:
    """One launch. `job` is the JSON object made by `jupyter.launch.start`."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.near = Near(job["lease"])
        self.undo = Undo()
        self.pid = 0
        self.child: subprocess.Popen[bytes] | None = None
        self.began = time.time()

    def run(self) -> None:
        """Do it, tell how it went, and undo it if it is not to stay."""
        try:
            self._begin()
            self._settle()
        except Gone as reason:
            say(undone=self.undo.now(), why=str(reason))
        except Failure as failure:
            facts = dict(failure.facts, log=self._log())
            say(failed=facts)
            say(undone=self.undo.now(), why="")
        except OSError as error:
            say(failed={"kind": "os", "errno": error.errno, "text": str(error), "path": str(error.filename or "")})
            say(undone=self.undo.now(), why="")

    def _begin(self) -> None:
        self._step("log")
        self._make_log()
        if self.job["scope"]:
            self._begin_unit()
        else:
            self._step("start")
            self._spawn()
        self._step("wait")
        say(ready=self._wait())

    def _settle(self) -> None:
        while True:
            word = self.near.line(60.0)
            if word == "commit":
                say(done=True)
                return
            if word is not None:
                raise Gone("stopped on request")

    def _step(self, name: str) -> None:
        say(step=name)
        self.near.check()

    def _make_log(self) -> None:
        path, owner = self.job["log"], self.job["owner"]
        if not path:
            return
        self._make_directory(os.path.dirname(path))
        existed = os.path.lexists(path)
        if not existed:
            self.undo.later(_remove, path)
        # A link planted there is not followed: systemd would open it, for a system unit as root.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
            if owner:
                account = pwd.getpwnam(owner)
                os.fchown(descriptor, account.pw_uid, account.pw_gid)
        finally:
            os.close(descriptor)

    def _make_directory(self, path: str) -> None:
        if not path or os.path.isdir(path):
            return
        self._make_directory(os.path.dirname(path))
        self.undo.later(_remove_empty, path)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, self.job["directory_mode"])

    def _begin_unit(self) -> None:
        scope, unit = self.job["scope"], self.job["unit"]
        self._step("unit")
        self._write_unit(self.job["unit_path"], self.job["unit_text"].encode("utf-8", "surrogateescape"))
        systemctl(scope, "daemon-reload")
        if self.job["linger"]:
            self._step("linger")
            self.undo.later(helper, "loginctl", "disable-linger")
            helper("loginctl", "--no-ask-password", "enable-linger")
        self._step("start")
        self.undo.later(systemctl, scope, "stop", unit)
        systemctl(scope, "start", unit)
        self._step("enable")
        self.undo.later(systemctl, scope, "disable", unit)
        systemctl(scope, "enable", unit)

    def _write_unit(self, path: str, text: bytes) -> None:
        if os.path.lexists(path):
            raise Failure("exists", path=path)
        self._make_directory_for_unit(os.path.dirname(path))
        temporary = path + ".jupytui-%d" % os.getpid()
        self.undo.later(self._forget_unit, path)
        self.undo.later(_remove, temporary)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        os.chmod(temporary, 0o644)
        os.rename(temporary, path)

    def _make_directory_for_unit(self, path: str) -> None:
        mode, self.job["directory_mode"] = self.job["directory_mode"], 0o755
        self._make_directory(path)
        self.job["directory_mode"] = mode

    def _forget_unit(self, path: str) -> None:
        _remove(path)
        systemctl(self.job["scope"], "daemon-reload")
        systemctl(self.job["scope"], "reset-failed", self.job["unit"], check=False)

    def _spawn(self) -> None:
        # Registered before there is a child: it ends whatever child there is by then.
        self.undo.later(self._end_child)
        environment = dict(os.environ, **self.job["environment"])
        with open(self.job["log"], "ab", 0) as log:
            self.child = subprocess.Popen(
                self.job["argv"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.job["directory"],
                env=environment,
                start_new_session=True,
            )
        self.pid = self.child.pid
        self._write_pid(self.job["pid_path"])

    def _write_pid(self, path: str) -> None:
        self.undo.later(_remove, path)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write("%d %s\n" % (self.pid, processes.start_of(self.pid)))

    def _end_child(self) -> None:
        if self.child is None:
            return
        processes.end_session(self.pid, processes.start_of(self.pid))
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.child.wait(1.0)
        for path in processes.runtime_files(self.pid, self._directories()):
            _remove(path)

    def _directories(self) -> list[str]:
        environment = {}
        if not self.job["scope"]:
            environment = {name.encode(): value.encode() for name, value in self._plain().items()}
        environment.update(processes.environment_of(self.pid))
        return processes.runtime_dirs(environment, self.job["home"])

    def _plain(self) -> dict[str, str]:
        return {key: value for key, value in os.environ.items() if key.startswith(("JUPYTER_", "XDG_", "HOME"))}

    def _wait(self) -> dict[str, Any]:
        until = time.monotonic() + self.job["seconds"]
        while time.monotonic() < until:
            self._alive()
            found = processes.ready(self.pid, self._directories()) if self.pid else None
            if found:
                return found
            self.near.check(0.1)
        raise Failure("silent", seconds=self.job["seconds"])

    def _alive(self) -> None:
        """Find the server's pid. Raises Failure("ended")."""
        if self.child is not None:
            if self.child.poll() is not None:
                code = self.child.returncode
                raise Failure("ended", code="killed" if code < 0 else "exited", status=abs(code), result="")
            return
        shown = show(self.job["scope"], self.job["unit"])
        self.pid = int(shown.get("MainPID") or 0)
        # Restart=on-failure would try for ever what fails at once.
        if shown.get("ActiveState") != "active" or shown.get("NRestarts", "0") != "0":
            code = {"1": "exited", "2": "killed", "3": "dumped"}.get(shown.get("ExecMainCode", ""), "")
            status = int(shown.get("ExecMainStatus") or 0)
            raise Failure("ended", code=code, status=status, result=shown.get("Result", ""))

    def _log(self) -> str:
        path = self.job["log"]
        if path:
            return tail(path)
        since = ["--since", "@%d" % int(self.began), "-n", "60", "-o", "cat", "--no-pager"]
        which = ["--user-unit" if self.job["scope"] == "user" else "-u", self.job["unit"]]
        return helper("journalctl", *which, *since, check=False)[-16384:]


def show(scope: str, unit: str) -> dict[str, str]:
    """Return a unit's state as {property: value}."""
    names = "MainPID,ActiveState,SubState,NRestarts,Result,ExecMainCode,ExecMainStatus"
    return dict(line.split("=", 1) for line in systemctl(scope, "show", unit, "-p", names).splitlines() if "=" in line)


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _remove_empty(path: str) -> None:
    with contextlib.suppress(OSError):
        os.rmdir(path)


def run(job: dict[str, Any]) -> None:
    """Launch."""
    Launch(job).run()
