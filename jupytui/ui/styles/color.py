"""How many colours to use, and which theme goes with that. Imported before textual: its settings are read at import."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping

from jupytui.config.model import Color, Settings

_SYSTEMS = {Color.TRUECOLOR: "truecolor", Color.C256: "256", Color.ANSI: "standard"}


def prepare_terminal(settings: Settings, environ: MutableMapping[str, str] = os.environ) -> None:
    """Tell textual, by its own variables, the colours to use and to animate nothing."""
    environ["TEXTUAL_ANIMATIONS"] = "none"
    if settings.color in _SYSTEMS:
        environ["TEXTUAL_COLOR_SYSTEM"] = _SYSTEMS[settings.color]


def theme_name(settings: Settings, environ: Mapping[str, str] = os.environ) -> str:
    """Return the theme in force: the user's; else dark where there is true colour, else the terminal's palette.

    OpenSSH does not forward COLORTERM, and a dark theme in 256 colours is washed out.
    """
    if settings.theme:
        return settings.theme
    if settings.color is Color.AUTO:
        return "jupytui" if environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"} else "jupytui-ansi"
    return "jupytui-ansi" if settings.color is Color.ANSI else "jupytui"
