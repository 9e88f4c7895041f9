"""Has Jupyter itself read its configuration, and tells what it would apply. Nothing is started, bound or written.

Jupyter's own `--show-config-json` binds the server's port, so that it fails where that server runs with port_retries
0, and writes a cookie secret (strace, jupyter_server 2.21.1). This does all that comes before: reading files and the
command line, linking extensions, making the objects that hold the values.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import warnings
from typing import Any

JOB: dict[str, Any] = globals()["JOB"]
# The objects of a server whose values people set.
OBJECTS = ("identity_provider", "authorizer", "kernel_manager", "contents_manager", "kernel_spec_manager")
APPS = {
    "lab": ("jupyterlab.labapp", "LabApp"),
    "notebook": ("notebook.app", "JupyterNotebookApp"),
    "server": ("jupyter_server.serverapp", "ServerApp"),
}

# jsonschema, which Jupyter imports, does without it. To import it (1.1.0) builds a grammar: 1.1 of 1.5 s.
SLOW = "rfc3987_syntax"

# Before it passwords and tokens are other keys: what is written under today's would be read by nobody.
OLDEST = 2


class Lines(logging.Handler):
    """Keeps what Jupyter says while it reads: files with errors, keys it does not know."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line and the exception it is about."""
        error = record.exc_info[1] if record.exc_info else None
        text = "%s: %s" % (type(error).__name__, error) if error else ""
        self.lines.append([record.levelname, record.getMessage()[:2000], text[:2000]])


def ask(app: str, options: list[str]) -> dict[str, Any]:
    """Return the configuration that `app` ends up with when it is given `options`."""
    sys.modules[SLOW] = None  # type: ignore[assignment] # as if it were not installed
    ServerApp = _of("jupyter_server.serverapp", "ServerApp")  # noqa: N806 - a class
    if int(str(ServerApp.version).partition(".")[0]) < OLDEST:
        return {"failed": "old", "text": ServerApp.version}
    os.environ.pop("TRAITLETS_APPLICATION_RAISE_CONFIG_FILE_ERROR", None)
    lines = Lines()
    _tame(ServerApp, lines)
    module, name = APPS.get(app, APPS["server"])
    program = _of(module, name)
    if program is ServerApp:
        server = ServerApp.instance()
        server.initialize(argv=options)
    else:
        server = program.initialize_server(argv=options)
    return {
        "config": server.config,
        "command_line": server.cli_config,
        "loaded": list(server.loaded_config_files),
        "said": lines.lines,
        "objects": {each.__class__.__name__: _values(each) for each in _objects(server)},
        "applications": _applications(server),
        "ancestry": {each.__class__.__name__: _ancestry(each) for each in _objects(server)},
        "version": ServerApp.version,
    }


def _of(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def _tame(server_class: Any, lines: Lines) -> None:
    """Leave out whatever starts, binds or writes: all of it comes after the configuration is known."""
    later = ("init_webapp", "init_signal", "load_server_extensions", "init_shutdown_no_activity", "init_metrics")
    for name in (*later, "init_httpserver", "init_resources", "init_mime_overrides", "init_event_logger"):
        if hasattr(server_class, name):
            setattr(server_class, name, lambda self, *args, **options: None)
    server_class._write_cookie_secret_file = lambda self, secret: None
    core: Any = importlib.import_module("jupyter_core.application")
    core.ensure_dir_exists = lambda *args, **options: None
    core.JupyterApp.migrate_config = lambda self: None
    core.JupyterApp._configure_logging = lambda self: _listen(self, lines)
    specs = _of("jupyter_client.kernelspec", "KernelSpecManager")
    specs._kernel_dirs_default = lambda self: []  # would make ~/.ipython


def _listen(app: Any, lines: Lines) -> None:
    log = logging.getLogger(app.__class__.__name__)
    log.handlers[:], log.propagate = [lines], False
    log.setLevel(logging.WARNING)
    app._logging_configured = True


def _objects(server: Any) -> list[Any]:
    found = [getattr(server, name, None) for name in OBJECTS]
    return [server] + [each for each in found if each is not None]


def _values(each: Any) -> dict[str, Any]:
    """Return the values that were configured for an object and what it made of them."""
    names = {name for section in each.__class__.mro() for name in each.config.get(section.__name__, {})}
    names |= {"hashed_password", "token", "password_required", "password", "cookie_secret_file"}
    known = each.trait_names(config=True)
    return {name: getattr(each, name) for name in sorted(names & set(known))}


def _ancestry(each: Any) -> list[str]:
    return [cls.__name__ for cls in each.__class__.mro() if hasattr(cls, "class_traits")]


def _applications(server: Any) -> list[Any]:
    """Return the extension applications in the order in which they are linked, with the traits that stay theirs."""
    found = []
    for name, extension in server.extension_manager.sorted_extensions.items() if _has_extensions(server) else ():
        for point in extension.extension_points.values():
            if point.app is not None:
                found.append(_application(name, point.app))
    return found


def _has_extensions(server: Any) -> bool:
    return hasattr(getattr(server, "extension_manager", None), "sorted_extensions")


def _application(package: str, app: Any) -> dict[str, Any]:
    classes = [cls.__name__ for cls in app.__class__.mro()]
    return {
        "package": package,
        "name": app.__class__.__name__,
        "file": app.config_file_name,
        "shims": "NotebookConfigShimMixin" in classes,
        "traits": sorted(app.class_trait_names()),
        "ancestry": _ancestry(app),
        "defaults": [[name, getattr(app, name)] for name in ("default_url", "file_url_prefix")],
    }


def traits(server: Any) -> dict[str, Any]:
    """Return every trait that can be configured: by class its type, default and help."""
    return {cls.__name__: {name: _trait(cls, name, trait) for name, trait in cls.class_own_traits(config=True).items()}
            for cls in server._classes_inc_parents()}  # fmt: skip


def _trait(cls: Any, name: str, trait: Any) -> dict[str, Any]:
    values = getattr(trait, "values", None)
    return {
        "type": trait.__class__.__name__,
        "help": " ".join((trait.help or "").split())[:2000],
        "default": trait.default_value_repr(),
        "values": [str(each) for each in values] if isinstance(values, (list, tuple)) else [],
        "none": bool(trait.allow_none),
    }


def answer() -> dict[str, Any]:
    """Return the answer, or why there is none. What libraries print meanwhile goes to stderr."""
    warnings.simplefilter("ignore")
    try:
        found = ask(JOB["app"], JOB["options"] if JOB["with_options"] else [])
        if JOB.get("traits") and "failed" not in found:
            found["traits"] = traits(_of("jupyter_server.serverapp", "ServerApp").instance())
    except SystemExit as error:
        return {"failed": "exit", "text": str(error.code)}
    except Exception as error:
        return {"failed": "ask", "text": "%s: %s" % (type(error).__name__, error)}
    return found


if __name__ != "oracle":
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    json.dump(answer(), out, default=repr)
    out.close()
    sys.stderr.flush()
    os._exit(0)
