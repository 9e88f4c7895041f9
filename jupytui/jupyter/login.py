"""Signing in as a browser does: with a password (or the token) on the login page, and by the cookies it gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from jupytui.jupyter.http import ApiError, HttpClient, Reply
from jupytui.secret import Secret


class WrongPassword(ApiError):
    """The server does not take it."""


async def sign_in(client: HttpClient, password: Secret) -> Mapping[str, bytes]:
    """Return the headers that let requests in; a token does as a password (LoginFormHandler.post).

    Raises WrongPassword, ApiError, HostTrouble.
    """
    target = client.access.base_url + "login"
    cookies = _cookies(await client.request("GET", target, {}))
    fields = {"password": password.reveal(), "_xsrf": cookies.get(b"_xsrf", b"").decode("ascii", "replace")}
    form = {"Content-Type": b"application/x-www-form-urlencoded"}
    reply = await client.request("POST", target, _headers(cookies) | form, urlencode(fields).encode(), deadline=15.0)
    # notebook < 7 and jupyter_server answer 401 to a wrong one, and go on to a page by 302 after the right one.
    if not 300 <= reply.status < 400:
        raise WrongPassword("The server does not take this password.", status=reply.status)
    return _headers(cookies | _cookies(reply))


def _cookies(reply: Reply) -> dict[bytes, bytes]:
    pairs = (value.partition(b";")[0].partition(b"=") for name, value in reply.headers if name == b"set-cookie")
    return {name.strip(): value for name, _, value in pairs}


def _headers(cookies: Mapping[bytes, bytes]) -> dict[str, bytes]:
    return {"Cookie": b"; ".join(_joined(cookies)), "X-XSRFToken": cookies.get(b"_xsrf", b"")}


def _joined(cookies: Mapping[bytes, bytes]) -> Iterable[bytes]:
    return (b"%b=%b" % pair for pair in cookies.items())
