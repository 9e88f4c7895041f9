"""A client that handshakes all the time and counts what fails."""

from __future__ import annotations

import socket
import ssl
import threading
from types import TracebackType


class Handshaker(threading.Thread):
    """As a context: handshakes with `address` one after the other until it is left. `failed` are its errors."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(daemon=True)
        self._address = address
        self._ending = threading.Event()
        self.done = 0
        self.failed: list[str] = []
        self.seen: set[bytes] = set()

    def __enter__(self) -> Handshaker:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ending.set()
        self.join()

    def run(self) -> None:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        while not self._ending.is_set():
            try:
                self._once(context)
            except OSError as error:
                self.failed.append(repr(error))

    def _once(self, context: ssl.SSLContext) -> None:
        with socket.create_connection(self._address, 30) as sock, context.wrap_socket(sock) as secured:
            self.seen.add(secured.getpeercert(binary_form=True) or b"")
            self.done += 1
