"""Removes a lab when the process that holds it has ended in whatever way: `python -m tests.lab.undertaker SLOT`."""

import signal
import sys

from tests.lab.slot import Slot

if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdin.buffer.read()
    Slot(int(sys.argv[1])).clear()
