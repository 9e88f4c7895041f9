"""Reads the options of a running server: they beat every file."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from jupytui.jupyter.settings.models import Entry, Origin, guarded

# Aliases and flags of jupyter_server 2.21, jupyterlab 4.6 and notebook 7.6 that set a key people know.
ALIASES = {
    "ip": "ServerApp.ip",
    "port": "ServerApp.port",
    "port-retries": "ServerApp.port_retries",
    "sock": "ServerApp.sock",
    "sock-mode": "ServerApp.sock_mode",
    "transport": "KernelManager.transport",
    "keyfile": "ServerApp.keyfile",
    "certfile": "ServerApp.certfile",
    "client-ca": "ServerApp.client_ca",
    "notebook-dir": "ServerApp.root_dir",
    "preferred-dir": "ServerApp.preferred_dir",
    "browser": "ServerApp.browser",
    "gateway-url": "GatewayClient.url",
    "log-level": "Application.log_level",
    "config": "JupyterApp.config_file",
    "app-dir": "LabApp.app_dir",
}
FLAGS: dict[str, tuple[tuple[str, object], ...]] = {
    "no-browser": (("ServerApp.open_browser", False), ("ExtensionApp.open_browser", False)),
    "allow-root": (("ServerApp.allow_root", True),),
    "autoreload": (("ServerApp.autoreload", True),),
    "debug": (("ServerApp.log_level", "DEBUG"), ("ExtensionApp.log_level", "DEBUG")),
    "y": (("JupyterApp.answer_yes", True),),
    "script": (("FileContentsManager.save_script", True),),
    "no-script": (("FileContentsManager.save_script", False),),
}


def read_options(argv: Sequence[str]) -> tuple[Entry, ...]:
    """Return what the words after a server's program set. Words that set nothing are left out."""
    words = list(argv)
    found: dict[str, Entry] = {}
    while words:
        word = words.pop(0)
        if word == "--":
            break
        if word.startswith("-"):
            name, equals, text = word.lstrip("-").partition("=")
            if not equals and name not in FLAGS and words and not words[0].startswith("-"):
                text = words.pop(0)
            found.update((entry.key, entry) for entry in _option(name, text))
    return tuple(found.values())


def _option(name: str, text: str) -> Iterator[Entry]:
    if name in FLAGS:
        for key, value in FLAGS[name]:
            yield _entry(key, value)
    key = ALIASES.get(name, name)
    if "." in key and text:
        yield _entry(key, _value(text))


def _entry(key: str, value: object) -> Entry:
    section, _, trait = key.rpartition(".")
    return Entry(section, trait, guarded(trait, value), Origin.OPTION)


def _value(text: str) -> object:
    """Numbers, booleans and lists as they are meant; a trait that wants text takes the words as they are."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
