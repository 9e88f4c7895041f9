"""What a command line says: which Jupyter program it is, which kernel, which options it was given."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jupytui.jupyter.models import App

_PYTHON = re.compile(r"(python|pypy)[0-9.]*[a-z]?|Python")
_VALUE_FLAGS = frozenset({"-X", "-W", "-Q"})
_CONNECTION = re.compile(r"(?:.*=)?(?P<dir>(?:.*/)?)kernel-(?P<id>[^/]+)\.json", re.S)
_PROGRAMS = {
    "jupyter-lab": App.LAB,
    "jupyterlab": App.LAB,
    "jupyterlab.labapp": App.LAB,
    "jupyter-notebook": App.NOTEBOOK,
    "notebook": App.NOTEBOOK,
    "notebook.app": App.NOTEBOOK,
    "jupyter-server": App.SERVER,
    "jupyter_server": App.SERVER,
    "jupyter-nbclassic": App.CLASSIC,
    "nbclassic": App.CLASSIC,
    "notebook.notebookapp": App.CLASSIC,
    "ipython-notebook": App.CLASSIC,
    "jupyter-labhub": App.HUB,
    "jupyterlab.labhubapp": App.HUB,
    "jupyterhub-singleuser": App.HUB,
    "jupyterhub.singleuser": App.HUB,
    "batchspawner-singleuser": App.HUB,
}
# `jupyter lab build` and its like end by themselves and serve nothing.
_ERRANDS = re.compile(
    "build|clean|disable|enable|extension|install|labextension|licenses|list|password|paths?|serverextension|stop|"
    "uninstall|workspaces?"
)
# Programs that talk to a kernel somebody else started: its connection file is in their command line too.
_CLIENTS = re.compile(r"jupyter-(console|qtconsole|run|execute)|qtconsole|spyder.*|tail|less|cat|vim?|nano")


def app_of(argv: Sequence[str]) -> App | None:
    """Return which server program `argv` runs, None when it is none of them."""
    program, rest = _program(argv)
    if program in {"jupyter", "ipython"} and rest:
        program, rest = f"{program}-{rest[0]}", rest[1:]
    app = _PROGRAMS.get(program)
    return None if app and rest and _ERRANDS.fullmatch(rest[0]) else app


def kernel_of(argv: Sequence[str]) -> tuple[str, str] | None:
    """Return the id of the kernel that `argv` runs and the directory of its connection file, or None.

    A kernel is given its connection file by name, whatever its language (jupyter_client's kernelspec "argv").
    """
    if not argv or _CLIENTS.fullmatch(_program(argv)[0]):
        return None
    for word in argv[1:]:
        if word != "--existing" and (match := _CONNECTION.fullmatch(word)):
            return match["id"], match["dir"].rstrip("/")
    return None


def option(argv: Sequence[str], *names: str) -> str | None:
    """Return the last value given to one of `names` ("port" matches --port and --ServerApp.port), None if none was."""
    found = None
    for word, following in zip(argv, [*argv[1:], ""], strict=False):
        flag, equals, value = word.partition("=")
        if flag.startswith("--") and flag[2:].rpartition(".")[2] in names:
            found = value if equals else following
    return found


def _program(argv: Sequence[str]) -> tuple[str, Sequence[str]]:
    words = list(argv)
    if words and _PYTHON.fullmatch(_name(words[0])):
        words.pop(0)
        while words and words[0].startswith("-"):
            flag = words.pop(0)
            if flag == "-m":
                return (words[0] if words else ""), words[1:]
            if flag in _VALUE_FLAGS and words:
                words.pop(0)
    return (_name(words[0]), words[1:]) if words else ("", [])


def _name(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".py").removesuffix("-script")
