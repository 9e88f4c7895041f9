"""The sh programs of this package, put together."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def source(name: str) -> str:
    """Return the program `name` with what it shares with the others before it."""
    package = files(__package__)
    return "".join(package.joinpath(part).read_text("utf-8") for part in ("owner.sh", f"{name}.sh"))
