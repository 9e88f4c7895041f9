"""Lines of styled text that write to the terminal only what changed.

Textual repaints a widget's whole region and does not compare cells; over SSH that is kilobytes for one digit. Here
the strips on screen are remembered, and only the part of a line up to its last changed cell is asked to be written
(the compositor always writes from the widget's left edge).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from jupytui.text import clean_line
from jupytui.ui.format.glyphs import ASCII
from jupytui.ui.format.line import Line, cells, length, merge

_NOWHERE = Size(-1, -1)


class Lines(Widget):
    """The base: a subclass says with `strips` what its lines are now, and calls `repaint` when they may differ.

    Style names of spans are component classes; `$muted` and `$rule` come from styles/theme.py. With the class `-ascii`
    on the app only ASCII signs are drawn.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"good", "warn", "bad", "dim", "rule", "accent", "title", "selected"}
    DEFAULT_CSS = """
    Lines {
        height: 1fr;
        & > .good { color: $success; }
        & > .warn { color: $warning; }
        & > .bad { color: $error; }
        & > .dim { color: $muted; }
        & > .rule { color: $rule; }
        & > .accent { color: $accent; }
        & > .title { text-style: bold; }
        & > .selected { background: $block-cursor-background; color: $block-cursor-foreground; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._drawn: list[Strip] = []
        self._drawn_size = _NOWHERE
        self._palette: dict[tuple[str, bool], Style] = {}

    def strips(self) -> Sequence[Strip]:
        """Return the lines as they should be now, from the top; fewer than the height leaves the rest blank."""
        raise NotImplementedError

    def repaint(self) -> None:
        """Compare what should be with what is on screen, and have the differences written."""
        if self._drawn_size != self.size:
            self.refresh()
            return
        before = self._drawn
        self._draw()
        for y, (old, new) in enumerate(zip(before, self._drawn, strict=True)):
            if end := changed_until(old, new):
                self.refresh(Region(0, y, end, 1))

    def render_line(self, y: int) -> Strip:
        """Return what `repaint` compares with, so that the two cannot differ."""
        if self._drawn_size != self.size:
            self._draw()
        return self._drawn[y] if y < len(self._drawn) else self._blank()

    def notify_style_update(self) -> None:
        """Forget the colours: the theme changed."""
        super().notify_style_update()
        self._palette.clear()
        self._drawn_size = _NOWHERE

    def strip(self, line: Line, width: int, *, selected: bool = False) -> Strip:
        """Return `line` in its colours, exactly `width` cells."""
        # On the colour of a selection no other one can be read, and every change of style costs bytes.
        line = merge((self._safe(text), "" if selected else style) for text, style in line)
        segments = [Segment(text, self._style(style, selected)) for text, style in line]
        long = length(line)
        if long < width:
            last = segments.pop() if segments else Segment("", self._style("", selected))
            segments.append(Segment(last.text + " " * (width - long), last.style))
        strip = Strip(segments, max(long, width))
        return strip.crop(0, width) if long > width else strip

    def _draw(self) -> None:
        self._drawn_size = self.size
        strips = [*self.strips()][: self.size.height]
        self._drawn = strips + [self._blank()] * (self.size.height - len(strips))

    def _blank(self) -> Strip:
        return Strip.blank(self.size.width, self._style("", False))

    def _style(self, name: str, selected: bool) -> Style:
        style = self._palette.get((name, selected))
        if style is None:
            classes = filter(None, ["selected" if selected else name])
            style = self._palette[name, selected] = self.get_visual_style(*classes).rich_style
        return style

    def _safe(self, text: str) -> str:
        # The second lock: what arrives here was cleaned where it came in.
        if not text.isprintable():
            text = " " * (len(text) - len(text.lstrip(" "))) + clean_line(text)
        return text.translate(ASCII) if self.app.has_class("-ascii") else text


class Block(Lines):
    """Some lines that somebody else words for the width there is; as high as they are many."""

    DEFAULT_CSS = "Block { height: auto; }"

    def __init__(self, draw: Callable[[int], Sequence[Line]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._word = draw

    def redraw(self) -> None:
        """Word the lines anew, and write what differs."""
        if len(self._word(self.size.width)) == self.size.height:
            self.repaint()
        else:
            self._drawn_size = _NOWHERE  # it may come back to the size it has now, with other lines
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the number of lines."""
        return len(self._word(width))

    def strips(self) -> Sequence[Strip]:
        """Return the lines in colour."""
        return [self.strip(line, self.size.width) for line in self._word(self.size.width)]


def changed_until(old: Strip, new: Strip) -> int:
    """Return the number of cells from the left up to the last one that differs, 0 when none does."""
    if old is new:
        return 0
    before, after, width = list(old), list(new), new.cell_length
    while before and after and before[-1] == after[-1]:
        width -= before.pop().cell_length
        after.pop()
    if not before and not after:
        return 0
    if before and after and before[-1].style == after[-1].style:
        width -= cells(_common_tail(before[-1].text, after[-1].text))
    return width


def _common_tail(one: str, other: str) -> str:
    # By halving: whatever ends alike in n characters does so in fewer.
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[-middle:] == other[-middle:]:
            least = middle
        else:
            most = middle - 1
    return one[len(one) - least :]
