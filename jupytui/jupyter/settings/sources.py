"""The programs of this package that run on hosts."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def source(name: str) -> str:
    """Return the text of `on_host/NAME.py`."""
    return files("jupytui.jupyter.settings.on_host").joinpath(f"{name}.py").read_text("utf-8")
