"""What runs on the host itself: end a server and prove it, or bring a server back as it was.

Once begun, a restart goes on without the near side: its server was ended on request, and is to come back.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from typing import Any

from jupytui.jupyter.launch.on_host import processes
from jupytui.jupyter.launch.on_host.common import Failure, Gone, Near, say, tail

_PROOF = 3  # times the seconds of a start: to ask a server that hangs takes longer than to start one


class Server:
    """A server that runs, and what it holds."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.pid, self.start, self.job = job["pid"], job["start"] or processes.start_of(job["pid"]), job
        self.environment = processes.environment_of(self.pid)
        self.directories = processes.runtime_dirs(self.environment, pwd.getpwuid(os.getuid()).pw_dir)
        self.directories += [directory for directory in job["directories"] if directory not in self.directories]
        self.sockets = processes.sockets_of(self.pid)
        self.ports = processes.ports_of(self.sockets)

    def end(self, near: Near | None = None) -> None:
        """End it as asked, and wait. Raises Failure("alive"); Gone when `near` has gone."""
        for number in {"term": [signal.SIGTERM], "kill": [signal.SIGKILL]}.get(self.job["how"], []):
            with contextlib.suppress(ProcessLookupError):
                if processes.start_of(self.pid) == self.start:
                    os.kill(self.pid, number)
        until = time.monotonic() + self.job["seconds"]
        while not processes.wait_gone(self.pid, self.start, 0.2):
            if near:
                near.check()
            if time.monotonic() > until:
                raise Failure("alive", pid=self.pid, seconds=self.job["seconds"])

    def proof(self) -> dict[str, Any]:
        """Return what is left of it. What a killed server could not remove itself is removed: its runtime files."""
        for path in processes.runtime_files(self.pid, self.directories) + self._own_sock():
            with contextlib.suppress(OSError):
                os.unlink(path)
        held = processes.listeners()
        return {
            "pid": self.pid,
            "gone": processes.start_of(self.pid) != self.start,
            "ports": self.ports,
            "ports_held": sorted({port for inode, port in held.items() if inode in self.sockets}),
            "runtime_left": processes.runtime_files(self.pid, self.directories),
        }

    def _own_sock(self) -> list[str]:
        path = self.job["sock"]
        with contextlib.suppress(OSError):
            if path and stat.S_ISSOCK(os.lstat(path).st_mode) and not _listens(path):
                return [path]
        return []


def _listens(path: str) -> bool:
    """Whether somebody listens on a unix socket: it may be another server's by now."""
    try:
        with open("/proc/net/unix") as file:
            rows = [line.split(None, 7) for line in file]
    except OSError:
        return True
    return any(len(row) == 8 and row[3] == "00010000" and row[7].strip() == path for row in rows)


def stop(job: dict[str, Any]) -> None:
    """End a server."""
    server = Server(job)
    say(began=True)
    server.end(Near(2 * job["seconds"]))
    for path in _pid_files(job["state"], server.pid):
        os.unlink(path)
    say(proof=server.proof())


def _pid_files(state: str, pid: int) -> list[str]:
    found = []
    for name in os.listdir(state) if os.path.isdir(state) else []:
        path = os.path.join(state, name)
        if name.endswith(".pid"):
            with open(path) as file:
                if file.read(64).split()[:1] == [str(pid)]:
                    found.append(path)
    return found


class Remains:
    """What of a server comes back: its command line, environment, directory, umask and where its output goes.

    The environment stays in this process: it may hold a token.
    """

    def __init__(self, server: Server) -> None:
        self.argv = processes.argv_of(server.pid)
        self.environment = server.environment
        self.directory = self._link(server.pid, "cwd") or "/"
        self.program = self._program(server.pid)
        self.umask = self._umask(server.pid)
        self.output = self._link(server.pid, "fd/1")
        if not self.argv or not self.environment:
            raise Failure("unseen", pid=server.pid)

    def _link(self, pid: int, name: str) -> str:
        try:
            return os.readlink("/proc/%d/%s" % (pid, name))
        except OSError:
            return ""

    def _program(self, pid: int) -> str:
        path = os.fsdecode(self.environment.get(b"PATH", b""))
        named = os.fsdecode(self.argv[0]) if self.argv else ""
        if "/" in named:
            named = os.path.join(self.directory, named)
        return shutil.which(named, path=path) or self._link(pid, "exe")

    def _umask(self, pid: int) -> int:
        with contextlib.suppress(OSError, ValueError), open("/proc/%d/status" % pid) as file:
            return int(next(line.split()[1] for line in file if line.startswith("Umask:")), 8)
        return 0o022

    def log(self, own: str) -> str:
        """Return the file its output goes to from now on: where it went if that was a file, else `own`."""
        if self.output.startswith("/") and not self.output.startswith("/dev/") and os.path.isfile(self.output):
            return self.output
        os.makedirs(os.path.dirname(own), 0o700, exist_ok=True)
        return own

    def _set_umask(self) -> None:
        os.umask(self.umask)

    def spawn(self, log: str) -> subprocess.Popen[bytes]:
        """Start it again, in a session of its own."""
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            return subprocess.Popen(
                self.argv,
                executable=self.program,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                cwd=self.directory,
                env=self.environment,
                start_new_session=True,
                preexec_fn=self._set_umask,  # noqa: PLW1509 - there are no threads here
            )
        finally:
            os.close(descriptor)


def restart(job: dict[str, Any]) -> None:
    """End a server and start it again; with `again` in the job the near side may have that done once more."""
    server = Server(job)
    remains = Remains(server)
    say(began=True)
    server.end()
    log = remains.log(job["log"])
    pid_files = _pid_files(job["state"], server.pid)
    say(proof=server.proof())
    try:
        child = _begin(remains, server, log, pid_files)
    except Failure as failure:
        if not job.get("again"):
            raise
        say(failed=failure.facts)
        _told_again(job["start_seconds"])  # whatever it says: it was to come back
        _begin(remains, server, log, pid_files)
        return
    if job.get("again") and _told_again(_PROOF * job["start_seconds"]):
        _end_child(child, job)
        _begin(remains, server, log, pid_files)


def _told_again(seconds: float) -> bool:
    """Whether the near side wants it started once more; one that has gone, or is silent, does not."""
    try:
        return Near(seconds).line(seconds) == "again"
    except Gone:
        return False


def _end_child(child: subprocess.Popen[bytes], job: dict[str, Any]) -> None:
    """End what was just started: asked to, for somebody may use it already, and then made to."""
    server = Server(dict(job, pid=child.pid, start=""))
    with contextlib.suppress(Failure):
        server.end()
    child.kill()
    child.wait()
    server.proof()


def _begin(remains: Remains, server: Server, log: str, pid_files: list[str]) -> subprocess.Popen[bytes]:
    before = os.path.getsize(log) if os.path.exists(log) else 0
    child = remains.spawn(log)
    for path in pid_files:
        with open(path, "w") as file:
            file.write("%d %s\n" % (child.pid, processes.start_of(child.pid)))
    said = {"was": remains.output, "log": log, "same_log": log == remains.output}
    try:
        seen = _await(child, server, server.job["start_seconds"], log, before)
    except Failure:
        if server.job.get("again"):
            child.kill()
            child.wait()
        raise
    say(ready=dict(said, **seen))
    return child


def _await(child: subprocess.Popen[bytes], server: Server, seconds: float, log: str, before: int) -> dict[str, Any]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if child.poll() is not None:
            code = child.returncode
            text = tail(log) if os.path.getsize(log) > before else ""
            raise Failure("ended", code="killed" if code < 0 else "exited", status=abs(code), result="", log=text)
        found = processes.ready(child.pid, server.directories)
        if found:
            return found
        time.sleep(0.1)
    raise Failure("silent", seconds=seconds, log=tail(log))


def run(job: dict[str, Any]) -> None:
    """Stop or restart, and tell how it went."""
    try:
        {"stop": stop, "restart": restart, "watch": watch}[job["mode"]](job)
    except Gone:
        pass
    except Failure as failure:
        say(failed=failure.facts)
    except OSError as error:
        say(failed={"kind": "os", "errno": error.errno, "text": str(error), "path": str(error.filename or "")})


def watch(job: dict[str, Any]) -> None:
    """Wait until the process `pid`, which something else started, or one below it has written its runtime file."""
    pid, start = job["pid"], processes.start_of(job["pid"])
    until = time.monotonic() + job["start_seconds"]
    while time.monotonic() < until:
        if not start or processes.start_of(pid) != start:
            raise Failure("ended", code="", status=0, result="")
        for member in processes.family(pid):
            home = pwd.getpwuid(os.getuid()).pw_dir
            directories = processes.runtime_dirs(processes.environment_of(member), home) + job["directories"]
            found = processes.ready(member, directories)
            if found:
                say(ready=found)
                return
        time.sleep(0.1)
    raise Failure("silent", seconds=job["start_seconds"])
