"""A QR code in half blocks: two modules above each other in a cell. Dark on light, so it must be drawn so."""

from __future__ import annotations

from collections.abc import Sequence

QUIET = 2  # modules of margin: the norm has 4, readers need less, and a narrow terminal has no more
_BLOCKS = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}


def qr(text: str) -> Sequence[str]:
    """Return the rows, all of one width: 41 cells and 21 rows for an address with a token."""
    import segno

    rows = [bytes(row) for row in segno.make(text, error="l", micro=False, boost_error=False).matrix_iter(border=QUIET)]
    rows += [bytes(len(rows[0]))] * (len(rows) % 2)
    return [
        "".join(_BLOCKS[pair] for pair in zip(*two, strict=True)) for two in zip(rows[::2], rows[1::2], strict=True)
    ]
