"""The agent's binary: the user's own, or one that was fetched because the user agreed."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jupytui.blocking import in_thread
from jupytui.config.paths import find_paths, private_directory
from jupytui.tunnels.public.codes import NgrokError

_PERCENT = re.compile(rb"(\d{1,3})%")
# pyngrok's installer says how far it is on its stdout, and writes to a name in the temporary directory that anybody
# can foresee: as a process of its own, both are ours. `get_ngrok_cdn_url` is what was shown to the user.
_INSTALL = """\
import sys
from pyngrok import installer
path, url = sys.argv[1:]
installer.get_ngrok_cdn_url = lambda version: url
try:
    installer.install_ngrok(path)
except Exception as error:
    sys.exit(str(error))
"""

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Offer:
    """What would be fetched: from `url`, `size` bytes packed (None: not told), to `path`. There is no checksum for it:
    that it comes from ngrok is what TLS vouches for.
    """

    url: str
    size: int | None
    path: Path


def ngrok_directory() -> Path:
    """Return where a fetched binary lies, and what an agent is started from while it runs."""
    return find_paths().state / "ngrok"


def find_binary(directory: Path) -> Path | None:
    """Return the `ngrok` on the PATH, else the one fetched into `directory` earlier, else None."""
    if found := shutil.which("ngrok"):
        return Path(found)
    fetched = directory / "bin" / "ngrok"
    return fetched if os.access(fetched, os.X_OK) else None


async def make_offer(directory: Path, *, deadline: float = 5.0) -> Offer:
    """Return what `fetch_binary` would do. Raises NgrokError where ngrok has nothing for this kind of machine."""
    url = await in_thread(_url)
    try:
        size = await in_thread(lambda: _size(url, deadline), deadline)
    except (OSError, ValueError):  # TimeoutError and URLError are OSErrors
        size = None
    return Offer(url, size, directory / "bin" / "ngrok")


async def fetch_binary(offer: Offer, progress: Progress = lambda _: None, *, deadline: float = 600.0) -> Path:
    """Fetch what the user agreed to and return its path; `progress` hears percents. Raises NgrokError.

    Cancelled or failed, nothing is left.
    """
    directory = private_directory(offer.path.parent)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=directory) as place:
        await _install(Path(place), offer.url, progress, deadline)
        return (Path(place) / "ngrok").replace(offer.path)


async def _install(place: Path, url: str, progress: Progress, deadline: float) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NGROK_")}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _INSTALL, str(place / "ngrok"), url),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        env=environ | {"TMPDIR": str(place)},
    )
    try:
        async with asyncio.timeout(deadline):
            await _follow(process, progress)
            _, said = await process.communicate()
    except TimeoutError:
        raise NgrokError("Fetching ngrok takes too long.", f"It comes from {url}.", retry=True) from None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode or not os.access(place / "ngrok", os.X_OK):
        last = said.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise NgrokError("ngrok could not be fetched.", f"It comes from {url}.", retry=True, detail="".join(last))


async def _follow(process: asyncio.subprocess.Process, progress: Progress) -> None:
    assert process.stdout
    told = -1
    while data := await process.stdout.read(4096):
        for percent in map(int, _PERCENT.findall(data)):
            if told < percent <= 100:
                told = percent
                progress(percent)


def _url() -> str:
    from pyngrok import installer
    from pyngrok.exception import PyngrokError

    try:
        return installer.get_ngrok_cdn_url("3")
    except PyngrokError:
        raise NgrokError("ngrok has no agent for this kind of machine.") from None


def _size(url: str, deadline: float) -> int | None:
    from urllib.request import Request, urlopen

    with urlopen(Request(url, method="HEAD"), timeout=deadline) as answer:
        length = answer.headers.get("Content-Length")
    return int(length) if length else None
