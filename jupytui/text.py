"""The one door through which text from outside comes in.

Notebook names, log lines, banners and error texts are written by others. An escape sequence in them would reach the
user's terminal (OSC 52 writes the clipboard, CSI 6n types an answer), a bidi control would reorder a line, and a lone
surrogate would crash the encoder. Square brackets are harmless here: whoever draws must not parse markup.
"""

from __future__ import annotations

import re

# C0 but tab and newline, DEL, C1, surrogates, line/paragraph separators, bidi controls, zero-width and BOM, tags.
_FOREIGN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def clean(text: str | bytes, limit: int = 4096) -> str:
    """Return `text` as one or more lines with nothing a terminal would obey, at most `limit` characters.

    Bytes are decoded as UTF-8 with replacement. Tabs and newlines stay; every other control character becomes
    U+FFFD, so that something odd is seen to be odd. A cut is marked by an ellipsis.
    """
    if isinstance(text, bytes):
        text = text[: limit * 4 + 4].decode("utf-8", "replace")
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return _FOREIGN.sub(REPLACEMENT, text)


def clean_line(text: str | bytes, limit: int = 1024) -> str:
    """Return `text` cleaned and on one line, as for a name or a path: tabs and newlines become spaces."""
    return clean(text, limit).replace("\n", " ").replace("\t", " ").strip()
