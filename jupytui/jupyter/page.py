"""Which page of a server a person wants, and the address that opens it."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from urllib.parse import quote

from jupytui.jupyter.models import App, Server
from jupytui.secret import MASK, Secret

_MAIN = {App.LAB: "lab", App.NOTEBOOK: "tree", App.CLASSIC: "tree"}


@dataclass(frozen=True, slots=True)
class Page:
    """What to open: `bare` is the address without `token` (false where there is none); `notes` are to be read first.

    `title` is the server's id.
    """

    title: str
    bare: str
    token: Secret = field(default_factory=lambda: Secret(""))
    notes: tuple[str, ...] = ()

    @property
    def url(self) -> Secret:
        """The address with its token: whoever has it is let in."""
        return Secret(f"{self.bare}?token={quote(self.token.reveal(), safe='')}") if self.token else Secret(self.bare)

    @property
    def masked(self) -> str:
        """The address as it may be seen."""
        return f"{self.bare}?token={MASK}" if self.token else self.bare


def page(server: Server, path: str | None = None) -> str:
    """Return the page of the file at `path` (of the whole, if None) as a path below base_url, quoted.

    `path` is as the server's sessions tell it, below root_dir. A console has none: its `path` names no file, and what
    is shown is the whole. The forms are those of JupyterLab's URL docs ("/lab/tree/path") and of Notebook.
    """
    main = _MAIN.get(server.app, "")
    if not path or not _is_file(path):
        return main
    quoted = quote(path)
    if main == "tree":
        return f"notebooks/{quoted}" if path.lower().endswith(".ipynb") else f"edit/{quoted}"
    return f"lab/tree/{quoted}"


def _is_file(path: str) -> bool:
    """Whether a session's path is that of a file; a console's is "DIRECTORY/console-1-UUID"."""
    name = posixpath.basename(path)
    return not path.startswith("/") and "." in name and ".." not in path.split("/")


def origin(host: str, port: int, *, tls: bool) -> str:
    """Return `https://127.0.0.1:8888` and the like."""
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
