"""asyncssh is imported without what nobody needs, and nobody else notices."""

from __future__ import annotations

import ctypes.util
import subprocess
import sys

import pytest

from jupytui.hosts.ssh_import import LINKER_CACHE, soname

SCRIPT = """
import ctypes.util, importlib.util, sys, threading
from jupytui.hosts.ssh_import import import_ssh

def look():
    while not imported.is_set():
        seen.append(importlib.util.find_spec("OpenSSL") is not None)

asked, finders = ctypes.util.find_library, list(sys.meta_path)
imported, seen = threading.Event(), []
somebody_else = threading.Thread(target=look)
somebody_else.start()
sys.addaudithook(lambda event, args: event == "subprocess.Popen" and print("ran", args[0]))
import_ssh("jupytui.hosts.dial")
imported.set()
somebody_else.join()
print("OpenSSL" in sys.modules, all(seen), ctypes.util.find_library is asked, sys.meta_path == finders)
import OpenSSL
"""


def test_the_import_runs_nothing_hides_nothing_from_others_and_leaves_no_trace() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout.split()) == ("", ["False", "True", "True", "True"])


@pytest.mark.skipif(not LINKER_CACHE.is_file(), reason="no ld.so.cache here")
@pytest.mark.parametrize("name", ["c", "m", "z", "no-such-library", "pthread"])
def test_a_library_is_called_what_ldconfig_calls_it(name: str) -> None:
    assert soname(name, LINKER_CACHE.read_bytes()) == ctypes.util.find_library(name)
