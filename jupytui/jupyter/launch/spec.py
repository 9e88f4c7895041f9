"""What server is wanted, and the exact command that gives it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from jupytui.jupyter.models import App

# A broken configuration file only logs an error and the server starts with defaults, its password ignored; with this
# it exits instead (jupyterlab#5614; measured on jupyter_server 2.21.1).
ENVIRONMENT = {"TRAITLETS_APPLICATION_RAISE_CONFIG_FILE_ERROR": "1"}

_MODULES = {App.LAB: "jupyterlab", App.NOTEBOOK: "notebook", App.SERVER: "jupyter_server"}
_TITLES = {App.LAB: "JupyterLab", App.NOTEBOOK: "Jupyter Notebook", App.SERVER: "Jupyter Server"}


class Keep(StrEnum):
    """What keeps a server alive when nobody is logged in."""

    USER_UNIT = "user-unit"
    SYSTEM_UNIT = "system-unit"
    PROCESS = "process"

    @property
    def scope(self) -> str:
        """The systemd manager's name, "" for none."""
        return self.value.removesuffix("-unit") if self is not Keep.PROCESS else ""


class Spec(msgspec.Struct, frozen=True):
    """A server to be. Without `port` Jupyter takes the first free one from 8888 on; with it, that one or none.

    `python` is absolute, on the host; `root_dir` may begin with "~"; `address` "" leaves it to the configuration.
    `memory_max` ("8G") and `cpu_quota` ("400%") are systemd's; `log` is "file" or "journal" (units only).
    """

    python: str
    app: App = App.LAB
    root_dir: str = "~"
    port: int | None = None
    address: str = ""
    extra: tuple[str, ...] = ()
    keep: Keep = Keep.USER_UNIT
    name: str = ""
    memory_max: str | None = None
    cpu_quota: str | None = None
    hardening: tuple[tuple[str, str], ...] = ()
    log: str = "file"
    allow_root: bool = False

    @property
    def called(self) -> str:
        """The name of its unit (without ".service") and its files."""
        return self.name or (f"jupyter-{self.port}" if self.port else f"jupyter-{self.app}")

    @property
    def title(self) -> str:
        """What it is, for people."""
        return _TITLES[self.app] + (f" on port {self.port}" if self.port else "")

    @property
    def program(self) -> str:
        """The name of its script in an environment."""
        return f"jupyter-{self.app}"


def command(spec: Spec, root_dir: str, script: str) -> tuple[str, ...]:
    """Return the command line for `spec`: by its environment's `script`, or as a module where there is none.

    The script is given to the Python, not executed: its first line may name another Python since it was moved. `-m`
    would put the working directory before everything else that is imported.
    """
    start = (script,) if script else ("-m", _MODULES[spec.app])
    port = (f"--ServerApp.port={spec.port}", "--ServerApp.port_retries=0") if spec.port else ()
    return (
        *(spec.python, *start, "--no-browser", f"--ServerApp.root_dir={root_dir}", *port),
        *((f"--ServerApp.ip={spec.address}",) if spec.address else ()),
        *(("--allow-root",) if spec.allow_root else ()),
        *spec.extra,
    )
