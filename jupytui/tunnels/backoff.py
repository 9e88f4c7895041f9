"""How long to wait before the next try."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST, LONGEST = 0.5, 30.0  # seconds


class Backoff:
    """Up to 0.5 s, doubling up to 30 s, with full jitter: of a hundred links lost together not all return at once."""

    def __init__(self, jitter: Callable[[float, float], float] = random.uniform) -> None:
        self._jitter = jitter
        self._tries = 0

    def next(self) -> float:
        """Return the seconds to wait before the next try."""
        longest = min(LONGEST, FIRST * 2.0 ** min(self._tries, 10))
        self._tries += 1
        return self._jitter(0, longest)

    def reset(self) -> None:
        """Begin anew: it has been up for a while, or somebody asked for a try."""
        self._tries = 0
