"""Answers one ACME challenge on this machine's port until stdin ends. Runs on hosts, by any Python from 3.7 on.

Arguments: port, path, answer. Prints "listening", or why it cannot, in one line. It ends with whoever started it,
also when that is root by sudo and the link was cut: nothing else can reach it then.
"""

from __future__ import annotations

import errno
import http.server
import os
import socket
import sys
import threading


class Answer(http.server.BaseHTTPRequestHandler):
    """Knows one path."""

    timeout = 10
    known = ""
    answer = b""

    def do_GET(self) -> None:
        """Answer it."""
        found = self.path == self.known
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(self.answer) if found else 0))
        self.end_headers()
        self.wfile.write(self.answer if found else b"")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """On all addresses, of both families where there are two."""

    daemon_threads = True

    def server_bind(self) -> None:
        """Take IPv4 on an IPv6 socket too."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def listen(port: int) -> Server:
    """Return the server on both families, or on IPv4 where the other is off. Raises OSError."""
    try:
        Server.address_family = socket.AF_INET6
        return Server(("::", port), Answer)
    except OSError as error:
        if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            raise
        Server.address_family = socket.AF_INET
        return Server(("0.0.0.0", port), Answer)


def main() -> None:
    """Answer until stdin ends."""
    Answer.known, Answer.answer = sys.argv[2], sys.argv[3].encode()
    try:
        server = listen(int(sys.argv[1]))
    except OSError as error:
        print(errno.errorcode.get(error.errno or 0, "error"), flush=True)
        sys.exit(1)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("listening", flush=True)
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
