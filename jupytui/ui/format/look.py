"""What a formatter must know besides the model."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

STALE = 60.0  # seconds without a look after which figures are marked as old


class Look(Struct, frozen=True):
    """The moment at which things are looked at (aware), and the home directory on this machine."""

    now: datetime
    home: str = ""
