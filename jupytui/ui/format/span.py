"""Text in a style, which is what every formatter returns. Drawing it is `line`'s, and takes a library of the screen's;
this does not, so that the command line says things in the same words.

A style is a name (`good`, `warn`, `bad`, `dim`, `rule`, `accent`, `title`; "" is plain) to which the theme gives its
colours.
"""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """Some text in one style."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


def plain(text: str) -> Line:
    """Return a line in the plain style; no text is no line."""
    return (Span(text),) if text else ()
