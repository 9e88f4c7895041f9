"""What somebody elsewhere gets from a server: a browser that signs in, and asks as a page of any origin would."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.doctor.planted import SECONDS
from tests.lab.jupyter import PASSWORD


class Browser:
    """One that trusts `authority` (a PEM file) alone; `address` is where the name in its address bar leads."""

    def __init__(self, url: str, authority: Path, address: str = "") -> None:
        name = urlsplit(url)
        self._address = (address or name.hostname or "", name.port or 443)
        self.origin, self._authority = url, authority
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Host"] = name.netloc

    def ask(
        self, path: str, headers: dict[str, str] | None = None, form: dict[str, str] | None = None
    ) -> requests.Response:
        """Ask for a path, or post a form to it; redirects are answers like others."""
        return self._session.request(
            "POST" if form else "GET", "https://{}:{}/".format(*self._address) + path, headers=headers, data=form,
            timeout=SECONDS, allow_redirects=False, verify=str(self._authority),
        )  # fmt: skip

    def sign_in(self) -> requests.Response:
        """Get in by the password; the answer that lets in."""
        self.ask("login")
        reply = self.ask("login", form={"password": PASSWORD, "_xsrf": self._session.cookies["_xsrf"] or ""})
        assert reply.status_code == 302, reply.text
        return reply

    def as_page_of(self, origin: str) -> tuple[int, int]:
        """The statuses of a request and of a websocket that a page of `origin` has it send, signed in."""
        return self.ask("api/status", {"Origin": origin}).status_code, self._websocket(origin)

    def _websocket(self, origin: str) -> int:
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._session.cookies)
        headers = {"Cookie": cookies, "Origin": origin}
        context = ssl.create_default_context(cafile=self._authority)
        sock = socket.create_connection(self._address, SECONDS)
        url = f"wss{self.origin.removeprefix('https')}/api/events/subscribe"
        try:
            with connect(url, sock=sock, ssl=context, additional_headers=headers, proxy=None) as opened:
                assert opened.response
                return opened.response.status_code
        except InvalidStatus as refused:
            return refused.response.status_code
