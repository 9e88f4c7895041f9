"""Trees of configuration files, made by chance from a seed: every value in them is another."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

STEMS = (
    "jupyter_server_config",
    "jupyter_server_config",
    "jupyter_lab_config",
    "jupyter_notebook_config",
    "jupyter_config",
)
PLACES = ("VENV/etc/jupyter", "HOME/.jupyter", "HOME/extra")
NUMBERS = ("port", "port_retries", "max_body_size", "min_open_files_limit", "shutdown_no_activity_timeout")
WORDS = ("certfile", "custom_display_url", "websocket_url", "allow_origin", "file_to_run", "browser", "default_url")
OTHERS = (
    "IdentityProvider.token", "IdentityProvider.hashed_password", "PasswordIdentityProvider.hashed_password",
    "ServerApp.password", "PasswordIdentityProvider.token", "ServerApp.token", "IdentityProvider.cookie_name",
    "MappingKernelManager.cull_interval", "AsyncMappingKernelManager.cull_interval",
    "MultiKernelManager.default_kernel_name",
    "MappingKernelManager.default_kernel_name", "ContentsManager.untitled_file", "FileContentsManager.untitled_file",
    "AsyncLargeFileManager.untitled_file", "LabApp.app_dir", "LabApp.default_url", "JupyterApp.answer_yes",
    "ServerApp.open_browser", "LabApp.open_browser", "ExtensionApp.open_browser", "ServerApp.quit_button",
    "NotebookApp.quit_button", "LabApp.quit_button",
)  # fmt: skip
BOOLEANS = ("answer_yes", "open_browser", "quit_button", "allow_root")


@dataclass
class Tree:
    files: dict[str, str] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)
    app: str = "lab"
    environ: dict[str, str] = field(default_factory=dict)
    traits: bool = False


class Maker:
    """Makes trees; numbers and words never come twice."""

    def __init__(self, seed: int) -> None:
        self._random, self._next = random.Random(seed), 1000
        self._pool: list[str] = []

    def tree(self) -> Tree:
        chance = self._random
        self._pool = [self._any_key() for _ in range(5)] + chance.sample(OTHERS[:6], 2)
        tree = Tree(app=chance.choice(["lab", "lab", "notebook", "server"]))
        if chance.random() < 0.3:
            tree.environ["JUPYTER_CONFIG_PATH"] = "HOME/extra"
        if chance.random() < 0.3:
            tree.environ["JUPYTER_PREFER_ENV_PATH"] = chance.choice(["0", "1"])
        if chance.random() < 0.4:
            tree.options = [f"--ServerApp.{name}={self._value(name)}" for name in chance.sample(NUMBERS, 2)]
        for _ in range(chance.randint(3, 8)):
            self._file(tree)
        return tree

    def _file(self, tree: Tree) -> None:
        chance = self._random
        place, stem = chance.choice(PLACES), chance.choice(STEMS)
        pairs = {self._key(): None for _ in range(chance.randint(1, 6))}
        values = {key: self._value(key.partition(".")[2]) for key in pairs}
        if chance.random() < 0.15:
            tree.files[f"{place}/jupyter_server_config.d/more{self._next}.json"] = _json(values)
        elif chance.random() < 0.1:
            tree.files[f"{place}/{stem}.json"] = _json(values)[:-4]
        elif chance.random() < 0.1:
            tree.files[f"{place}/{stem}.py"] = _py(values, chance) + "c.ServerApp.port = = 3\n"
        elif chance.random() < 0.5:
            tree.files[f"{place}/{stem}.json"] = _json(values)
        else:
            tree.files[f"{place}/{stem}.py"] = _py(values, chance)

    def _key(self) -> str:
        """Return one of a few keys, so that files disagree."""
        return self._random.choice(self._pool)

    def _any_key(self) -> str:
        kind = self._random.random()
        if kind < 0.4:
            return self._random.choice(OTHERS)
        section = "ServerApp" if kind < 0.75 else self._random.choice(["NotebookApp", "LabApp", "ServerApp"])
        return f"{section}.{self._random.choice(NUMBERS + WORDS)}"

    def _value(self, name: str) -> Any:
        self._next += 1
        if name in BOOLEANS:
            return self._random.choice([True, False])
        return self._next if name in NUMBERS or name == "cull_interval" else f"w{self._next}"


def _json(values: dict[str, Any]) -> str:
    tree: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        section, _, trait = key.partition(".")
        tree.setdefault(section, {})[trait] = value
    return json.dumps(tree, indent=2)


def _py(values: dict[str, Any], chance: random.Random) -> str:
    lines = ["# Configuration of Jupyter", "c = get_config()  #noqa", ""]
    for key, value in values.items():
        if chance.random() < 0.2:
            lines.append(f"c.{key} = {'0' if isinstance(value, int) else repr('before')}")
        section, _, trait = key.partition(".")
        lines.append(f"c[{section!r}].{trait} = {value!r}" if chance.random() < 0.1 else f"c.{key} = {value!r}  # why")
    return "\n".join(lines) + "\n"
