"""What is known of an installation under way, from the lines that install.sh and the installers print."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jupytui.jupyter.environments.causes import Cause, cause
from jupytui.jupyter.environments.models import Plan, Step
from jupytui.jupyter.environments.outcome import InstallError, Outcome, Progress, Tell, changes, refusal
from jupytui.jupyter.environments.progress import Meter
from jupytui.text import clean_line

TAIL = 300  # lines of the current step kept to tell a failure by
_WARNING = re.compile(r" requires \S.*, but you(?:'ll)? have |which is incompatible")


@dataclass
class Run:
    """Fed with lines; knows the step, how far it is, and in the end the outcome."""

    plan: Plan
    nonce: str
    tell: Tell
    number: int = 0
    meter: Meter = field(default_factory=Meter)
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))
    warnings: list[str] = field(default_factory=list)
    proof: str | None = None
    packages: dict[str, dict[str, str]] = field(default_factory=lambda: {"before": {}, "after": {}, "undone": {}})
    refused: tuple[str, ...] = ()
    failed: int | None = None  # status of the command that failed
    free: int | None = None  # bytes, just then
    ended: int | None = None  # status of guard.sh

    @property
    def step(self) -> Step | None:
        """The step of the plan that is under way; None before the first."""
        return self.plan.steps[self.number - 1] if self.number else None

    @property
    def title(self) -> str:
        """What is being done, for display."""
        return self.step.title if self.step else "Prepare"

    @property
    def fraction(self) -> float:
        """How far the whole is, 0 to 1."""
        steps = self.plan.steps
        done = sum(step.share for step in steps[: max(0, self.number - 1)])
        now = (self.meter.fraction or 0.0) * self.step.share if self.step else 0.0
        return min(1.0, (done + now) / (sum(step.share for step in steps) or 1.0))

    def feed(self, line: bytes) -> None:
        """Take in one line; `tell` hears of it."""
        mark = f"\x1e{self.nonce} ".encode()
        if line.startswith(mark):
            word, *rest = line[len(mark) :].decode("utf-8", "replace").split(" ")
            _WORDS[word](self, *rest)
        elif text := clean_line(line, 4096):
            self._output(text)

    def _output(self, text: str) -> None:
        self.tail.append(text)
        self.meter.feed(text)
        if _WARNING.search(text):
            self.warnings.append(text)
        if self.step and self.step.proof:
            self.proof = text
        self.tell(Progress(self.title, text, self.fraction))

    def _step(self, number: str) -> None:
        self.number, self.meter = int(number), Meter()
        self.tail.clear()
        self.tell(Progress(self.title, None, self.fraction))

    def _package(self, when: str, dist: str) -> None:
        name, _, version = clean_line(dist).partition("-")
        self.packages[when][name.lower().replace(".", "_")] = version

    def _refused(self, *why: str) -> None:
        self.refused = why

    def _failed(self, status: str, free: str = "") -> None:
        self.failed = int(status)
        self.free = int(free) * 1024 if free.isdecimal() else None

    def _ended(self, status: str) -> None:
        self.ended = int(status)

    def outcome(self, host: str) -> Outcome:
        """Return what came of it, once it has ended on `host`. Raises InstallError."""
        if self.refused:
            raise refusal(f"{self.plan.prefix} on {host}", *self.refused)
        if self.ended != 0:
            raise self._error(host)
        changed = changes(self.packages["before"], self.packages["after"])
        return Outcome(self.plan.prefix, changed, self.proof, tuple(self.warnings))

    def _error(self, host: str) -> InstallError:
        why = Cause("It was ended from outside.") if self.failed is None else cause(self.tail, self.failed, self.free)
        ran = f"$ {self.step.command}" if self.step else ""
        return InstallError(
            f"Installing on {host} failed at “{self.title}”. {why.message} {self._aftermath()}",
            why.hint,
            step=self.title,
            detail="\n".join([ran, *list(self.tail)[-60:]]),
        )

    def _aftermath(self) -> str:
        where = self.plan.prefix
        if self.ended != 1:
            return f"{where} could not be cleared: it is marked as incomplete, and the next attempt clears it."
        if self.plan.new:
            return "Nothing was left behind."
        if differs := changes(self.packages["before"], self.packages["undone"]):
            return f"{where} is not as it was: {', '.join(map(str, differs))}."
        return f"{where} is as it was before."


_WORDS: Mapping[str, Callable[..., None]] = {
    "step": Run._step,
    "package": Run._package,
    "refused": Run._refused,
    "failed": Run._failed,
    "end": Run._ended,
}
