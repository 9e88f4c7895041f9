"""Runs in a host: makes one request to its Jupyter. stdin: {server, method, path, body, wait} as JSON.

Prints [status, body] as JSON. Signs in as the server wants it: by token, or by the login form. `wait` is for how many
seconds a server that does not listen yet is asked again.
"""

import http.client
import json
import socket
import ssl
import sys
import time
import urllib.parse
from http.cookies import SimpleCookie
from typing import Any


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def connection(server: dict[str, Any]) -> http.client.HTTPConnection:
    if server["sock"]:
        return UnixConnection(server["sock"])
    if server["tls"]:
        context = ssl._create_unverified_context()
        return http.client.HTTPSConnection(server["ip"], server["port"], context=context)
    return http.client.HTTPConnection(server["ip"], server["port"])


def exchange(
    server: dict[str, Any], method: str, path: str, body: "str | None", headers: dict[str, str]
) -> "tuple[int, bytes, SimpleCookie]":
    conn = connection(server)
    conn.request(method, server["base_url"] + path, body, {"Host": "localhost", **headers})
    answer = conn.getresponse()
    cookies: SimpleCookie = SimpleCookie()
    for header in answer.headers.get_all("Set-Cookie", []):
        cookies.load(header)
    return answer.status, answer.read(), cookies


def header_of(cookies: SimpleCookie) -> str:
    return "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())


def credentials(server: dict[str, Any]) -> dict[str, str]:
    if server["token"]:
        return {"Authorization": f"token {server['token']}"}
    _, _, cookies = exchange(server, "GET", "login", None, {})
    xsrf = cookies["_xsrf"].value
    form = urllib.parse.urlencode({"password": server["password"], "_xsrf": xsrf})
    headers = {"Cookie": header_of(cookies), "Content-Type": "application/x-www-form-urlencoded"}
    status, _, session = exchange(server, "POST", "login", form, headers)
    if status != 302:
        raise SystemExit(f"the login was answered with {status}")
    cookies.update(session)
    return {"Cookie": header_of(cookies), "X-XSRFToken": cookies["_xsrf"].value}


def until_it_listens(server: dict[str, Any], wait: float) -> None:
    until = time.monotonic() + wait
    while True:
        try:
            exchange(server, "GET", "api", None, {})
        except (OSError, http.client.HTTPException):  # a Jupyter that looks for a free port listens for a moment
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def main() -> None:
    wanted = json.load(sys.stdin)
    server = wanted["server"]
    until_it_listens(server, wanted["wait"])
    body = None if wanted["body"] is None else json.dumps(wanted["body"])
    status, answer, _ = exchange(server, wanted["method"], wanted["path"], body, credentials(server))
    try:
        print(json.dumps([status, json.loads(answer or b"null")]))
    except ValueError:
        print(json.dumps([status, answer.decode(errors="replace")]))


main()
