"""A terminal into which secrets are typed without a trace of their own: tmux's arguments are seen by everybody."""

from __future__ import annotations

import re
import shlex
import subprocess
import time

from tests.e2e.tmux import Tmux


class Quiet(Tmux):
    """`whisper` is `type` by tmux's stdin."""

    def whisper(self, text: str) -> None:
        command = f"send-keys -l {shlex.quote(text)}\n"
        argv = ["tmux", "-S", str(self._socket), "source-file", "-"]
        subprocess.run(argv, input=command, text=True, check=True, env=self._env, timeout=10)

    def converse(self, answers: dict[str, str], deadline: float) -> int:
        """Answer each question that ends in one of these patterns until the program ends; its exit status."""
        until, answered = time.monotonic() + deadline, 0
        while self._ask("#{pane_dead}") != "1":
            assert time.monotonic() < until, f"it goes on after {deadline} s:\n{self.everything()}"
            said = re.sub(rb"\r?\n", b"", self.output()[answered:])
            for question, answer in answers.items():
                if re.search(question.encode() + rb" ?$", said):
                    answered = len(self.output())
                    self.whisper(answer)
                    self.send("Enter")
                    break
            time.sleep(0.05)
        return self.exit_status()

    def everything(self) -> str:
        """The screen, and what was scrolled off it."""
        return self._tmux("capture-pane", "-p", "-J", "-S", "-")
