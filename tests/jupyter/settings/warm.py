"""Reads trees of configuration as Jupyter does, in one process that has imported it: stdin and stdout are JSON lines.

Runs in the Python of an environment with Jupyter. For each tree it writes the files and, in a child of its own so that
nothing is left over, has the very programs that jupytui sends to hosts look and ask.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any


def main(look: str, ask: str) -> None:
    for name in ("jupyterlab.labapp", "notebook.app", "IPython.paths"):
        importlib.import_module(name)  # so that the children need not

    for line in sys.stdin:
        tree = json.loads(line)
        _clear(Path(tree["home"], ".jupyter"))
        _clear(Path(sys.prefix, "etc/jupyter"))
        for path, text in tree["files"].items():
            path = path.replace("VENV", sys.prefix).replace("HOME", tree["home"])
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text)
        print(json.dumps([_child(look, "look", tree), _child(ask, "answer", tree)], default=repr), flush=True)


def _clear(place: Path) -> None:
    for path in place.rglob("*"):
        if path.is_file() and path.name != "both.json":
            path.unlink()


def _child(source: str, function: str, tree: dict[str, Any]) -> Any:
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        os.environ.update(tree["environ"], HOME=tree["home"])
        job = dict(tree, with_options=True, cwd=tree["home"], interrupted=False)
        space: dict[str, Any] = {"__name__": "oracle", "JOB": job}
        try:
            exec(compile(source, function, "exec"), space)
            answer = space[function]()
        except BaseException as error:
            answer = {"failed": "test", "text": repr(error)}
        with os.fdopen(writing, "w") as pipe:
            json.dump(answer, pipe, default=repr)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = json.load(pipe)
    os.waitpid(pid, 0)
    return answer


if __name__ == "__main__":
    main(*json.loads(sys.stdin.readline()))
