"""What a line says, without what Jupyter and Python's logging begin it with: that has columns of its own."""

from __future__ import annotations

import re

_JUPYTER = re.compile(r"\[[DIWEC] (?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d(?:[.,]\d+)? ?([^\]]{0,80})\] ?")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,6})?(?:Z|[+-]\d\d:?\d\d)?(?: ?[-|,:] |\s+)")
_USUAL = {"", "ServerApp", "LabApp", "NotebookApp"}


def message(text: str) -> str:
    """Return the message of a line as it is shown; an unusual speaker is named before it."""
    if found := _JUPYTER.match(text):
        who, rest = found[1], text[found.end() :]
        return rest if who in _USUAL or rest.startswith(who) else f"{who}: {rest}"
    found = _STAMP.match(text)
    return text[found.end() :] if found else text
