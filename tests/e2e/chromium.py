"""A real Chromium, driven by its DevTools protocol."""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.lab.addresses import unchanged

# Without a screen, and without asking Google for anything.
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0"),
)
_ABOUT = "`${document.title} ${location} ${document.body.innerText}`"


def arguments() -> Iterator[str]:
    """The command line of every process here."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield file.read_text(errors="replace")


class Chromium:
    """A browser that is not there yet: `command` is what starts it, for $BROWSER. Leaving ends it.

    Every waiting has one deadline (seconds), for all of it together.
    """

    def __init__(self, home: Path, deadline: float = 90) -> None:
        chromium = shutil.which("chromium")
        if not chromium:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("chromium is not installed")
        self._profile = home / "profile"
        self.command = home / "browser"
        self.command.write_text(f'#!/bin/sh\nexec {chromium} {" ".join(FLAGS)} --user-data-dir={self._profile} "$@"\n')
        self.command.chmod(stat.S_IRWXU)
        self._until = time.monotonic() + deadline
        self._number = 0
        self._page: ClientConnection | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(unchanged())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if (self._profile / "DevToolsActivePort").exists():
            with connect(self._url(), proxy=None) as browser:
                browser.send(json.dumps({"id": 1, "method": "Browser.close"}))
                browser.recv()
        while any(str(self._profile) in words for words in arguments()):
            time.sleep(0.02)  # they write into the profile until the last of them has gone

    def _url(self) -> str:
        port, path = (self._profile / "DevToolsActivePort").read_text().split()
        return f"ws://127.0.0.1:{port}{path}"

    def attach(self) -> None:
        """Wait for the browser, and take hold of its page."""
        self.wait((self._profile / "DevToolsActivePort").exists)
        with connect(self._url(), proxy=None) as browser:
            page = self.wait(lambda: next((t for t in _targets(browser) if t["type"] == "page"), None))
        url = f"{self._url().partition('/devtools')[0]}/devtools/page/{page['targetId']}"
        self._page = self._stack.enter_context(connect(url, proxy=None))

    def wait(self, seen: Any) -> Any:
        """Return what `seen` returns as soon as that is something."""
        while not (found := seen()):
            assert time.monotonic() < self._until, f"not seen in time; the page is {self._page and self.run(_ABOUT)}"
            time.sleep(0.1)
        return found

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page, None while there is no page to ask."""
        answer = self._ask("Runtime.evaluate", expression=script, returnByValue=True)
        return answer.get("result", {}).get("result", {}).get("value")

    def type(self, text: str) -> None:
        """Type text where the cursor is."""
        self._ask("Input.insertText", text=text)

    def shift_enter(self) -> None:
        """Press shift and enter."""
        key = {"modifiers": 8, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
        for kind in ("rawKeyDown", "keyUp"):
            self._ask("Input.dispatchKeyEvent", type=kind, **key)

    def _ask(self, method: str, **params: object) -> dict[str, Any]:
        assert self._page
        self._number += 1
        return _ask(self._page, self._number, method, params)


def _ask(connection: ClientConnection, number: int, method: str, params: dict[str, object]) -> dict[str, Any]:
    connection.send(json.dumps({"id": number, "method": method, "params": params}))
    while (answer := json.loads(connection.recv(30))).get("id") != number:
        pass  # an event
    assert isinstance(answer, dict)
    return answer


def _targets(browser: ClientConnection) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _ask(browser, 1, "Target.getTargets", {})["result"]["targetInfos"]
    return found
