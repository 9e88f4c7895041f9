"""The few signs that are not letters, and what stands for them on a terminal that has only ASCII."""

from __future__ import annotations

UP = "●"
STARTING = "◐"
DOWN = "○"
WARNING = "▲"
FAILED = "✖"
UNKNOWN = "?"

OPEN = "▾"
FOLDED = "▸"
CURSOR = "›"
MARK = "✓"
RULE = "─"
DOT = "·"
THUMB = "┃"

# One cell for one cell, so that nothing moves.
ASCII = str.maketrans("●◐○▲✖▾▸›✓─·┃–…“”", '*~o!x-+>#-,|-.""')
