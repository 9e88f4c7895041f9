"""Every colour of the program: two themes of ours, and the names by which the rest of the screen asks for colours.

`$success`, `$warning` and `$error` are for states, `$accent` and `$block-cursor-*` for what is selected, `$muted` for
what matters less, `$rule` for lines.
"""

from __future__ import annotations

from textual.theme import BUILTIN_THEMES, Theme

from jupytui.config.load import key_error
from jupytui.config.model import Config, did_you_mean

# For themes that are not ours.
DEFAULTS = {"muted": "#8a8f98", "rule": "#4a4f58"}

DARK = Theme(
    name="jupytui",
    primary="#7aa2e8",
    accent="#7aa2e8",
    success="#7ec891",
    warning="#e2b45c",
    error="#ef7d7d",
    foreground="#d5d8df",
    background="#15171c",
    surface="#1b1e25",
    panel="#242832",
    variables={
        "muted": "#858c9a",
        "rule": "#343a46",
        "block-cursor-background": "#2a4166",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "none",
        "input-cursor-background": "#d5d8df",
        "input-cursor-foreground": "#15171c",
    },
)

# The terminal's own palette: half the bytes, and right on terminals that cannot say what colours they have.
ANSI = Theme(
    name="jupytui-ansi",
    ansi=True,
    primary="ansi_cyan",
    accent="ansi_cyan",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    variables={
        "muted": "ansi_bright_black",
        "rule": "ansi_bright_black",
        "border": "ansi_bright_black",
        "ansi-background": "ansi_default",
        "block-cursor-background": "ansi_blue",
        "block-cursor-foreground": "ansi_bright_white",
        "block-cursor-text-style": "none",
    },
)

THEMES = {theme.name: theme for theme in (DARK, ANSI)}


def check_theme(config: Config) -> None:
    """Raise ConfigError for a theme that does not exist."""
    known, name = sorted({*BUILTIN_THEMES, *THEMES}), config.settings.theme
    if name and name not in known:
        hint = f"{did_you_mean(name, known)} There are {', '.join(known)}.".lstrip()
        raise key_error(config, ("settings", "theme"), f"there is no theme {name}", hint)
