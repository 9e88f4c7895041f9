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

asked = ctypes.util.find_library
other = []

class Elsewhere:
    # While asyncssh is imported here, somebody else imports what is hidden.
    def find_spec(self, name, path, target=None):
        if name == "asyncssh.public_key":
            thread = threading.Thread(target=lambda: other.append(importlib.util.find_spec("OpenSSL")))
            thread.start()
            thread.join()

sys.meta_path.insert(0, Elsewhere())
finders = list(sys.meta_path)
sys.addaudithook(lambda event, args: event == "subprocess.Popen" and print("ran", args[0]))
import_ssh("jupytui.hosts.dial")
print("OpenSSL" in sys.modules, other[0] is not None, ctypes.util.find_library is asked, sys.meta_path == finders)
import OpenSSL
"""


def test_the_import_runs_nothing_hides_nothing_from_others_and_leaves_no_trace() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout.split()) == ("", ["False", "True", "True", "True"])


@pytest.mark.skipif(not LINKER_CACHE.is_file(), reason="no ld.so.cache here")
@pytest.mark.parametrize("name", ["c", "m", "z", "no-such-library", "pthread"])
def test_a_library_is_called_what_ldconfig_calls_it(name: str) -> None:
    assert soname(name, LINKER_CACHE.read_bytes()) == ctypes.util.find_library(name)
