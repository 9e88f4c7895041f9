"""How far an installer is, as far as its lines tell: a coarse fraction that never falls."""

from __future__ import annotations

import re
from dataclasses import dataclass

USUAL = 95  # packages that JupyterLab brings along (4.6: 96 in a new environment)

_COLLECTING = re.compile(r"\s*(?:Collecting|Processing) ")
_DOWNLOADED = re.compile(r"\s*Downloaded |Linking ")
_MARKS = (  # the first that matches: uv's and conda's one-line summaries, pip's last two lines
    (re.compile(r"Resolved \d+ package"), 0.2),
    (re.compile(r"Prepared \d+ package"), 0.7),
    (re.compile(r"Bytecode compiled"), 1.0),
    (re.compile(r"Installed \d+ package"), 0.9),
    (re.compile(r"\s*Installing collected packages"), 0.7),
    (re.compile(r"\s*Successfully installed"), 1.0),
    (re.compile(r"Collecting package metadata"), 0.05),
    (re.compile(r"Solving environment: .*done"), 0.2),
    (re.compile(r"Downloading and Extracting"), 0.25),
    (re.compile(r"Preparing transaction"), 0.7),
    (re.compile(r"(?:Executing transaction|Transaction starting)"), 0.8),
    (re.compile(r"(?:Executing transaction: .*done|Transaction finished)"), 1.0),
)


@dataclass
class Meter:
    """Fed with the lines of one command; `fraction` is 0 to 1, None until something was recognised."""

    fraction: float | None = None
    _collected: int = 0

    def feed(self, line: str) -> None:
        """Take in a line."""
        if (reached := self._reached(line)) is not None:
            self.fraction = max(self.fraction or 0.0, reached)

    def _reached(self, line: str) -> float | None:
        if _COLLECTING.match(line) or _DOWNLOADED.match(line):
            self._collected += 1
            return 0.7 * min(1.0, self._collected / USUAL)
        return max((share for pattern, share in _MARKS if pattern.match(line)), default=None)
