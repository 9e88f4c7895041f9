"""Tries the ways in as anybody could: by password, by the cookie of an old session, by token, by nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from jupytui.errors import WrongAnswer
from jupytui.hosts.base import Host
from jupytui.jupyter.access import Access
from jupytui.jupyter.client import Door, JupyterApi
from jupytui.jupyter.http import ApiError, HttpClient
from jupytui.jupyter.launch.proof import usable
from jupytui.jupyter.login import WrongPassword, sign_in
from jupytui.secret import Secret

_QUIET = "api/status?no_track_activity=1"


class Step(NamedTuple):
    """One thing that was done or tried; `ok` False: it is not as it should be."""

    words: str
    ok: bool = True

    def __str__(self) -> str:
        return f"{'✓' if self.ok else '✗'} {self.words}"


Told = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Old:
    """What let people in until now, as far as it is known; `cookies` are headers of a session begun with it."""

    password: Secret = field(default_factory=lambda: Secret(""))
    token: Secret = field(default_factory=lambda: Secret(""))
    cookies: Mapping[str, bytes] = field(default_factory=dict, repr=False)


async def old_ways(host: Host, access: Access, password: Secret) -> Old:
    """Sign in with what is known, so that the old session can be tried later; one that anybody may enter has none.

    Raises WrongAnswer, ApiError, HostTrouble.
    """
    token = access.token if usable(access.token) else Secret("")
    client, api = HttpClient(host, access), JupyterApi(host, access)
    try:
        if await api.door() is not Door.SHUT or not (password or token):
            return Old(password, token)
        return Old(password, token, await sign_in(client, password or token))
    except WrongPassword:
        if not password:
            return Old(password, token)
        raise WrongAnswer("The server does not take this as its password until now.", field="old") from None
    finally:
        await client.close()
        await api.close()


async def opens_already(host: Host, access: Access, password: Secret) -> bool:
    """Whether the server that runs takes this password. Raises ApiError, HostTrouble."""
    client = HttpClient(host, access)
    try:
        await sign_in(client, password)
    except WrongPassword:
        return False
    finally:
        await client.close()
    return True


class Unproven(ApiError):
    """The server does not behave as it should after a change."""


class Prover:
    """Tries one server; each try is told, and raises Unproven when it does not come out as it should."""

    def __init__(self, host: Host, access: Access, told: Told) -> None:
        self._host, self._access, self._told = host, access, told
        self._client = HttpClient(host, access)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.close()

    async def shut(self) -> None:
        """Nobody gets in with nothing."""
        api = JupyterApi(self._host, self._access)
        try:
            self._say("without anything nobody gets in", await api.door() is Door.SHUT)
        finally:
            await api.close()

    async def opens(self, password: Secret, name: str = "new password") -> None:
        """A password lets us in, and the session it begins is good."""
        try:
            headers = await sign_in(self._client, password)
            status = await self._status(headers)
        except WrongPassword as refused:
            self._say(f"{name} is accepted ({refused.status})", ok=False)
        else:
            self._say(f"{name} is accepted (302, session {status})", status == 200)

    async def refuses(self, password: Secret) -> None:
        """A password does not let us in any more."""
        try:
            await sign_in(self._client, password)
        except WrongPassword as refused:
            self._say(f"old password is refused ({refused.status})")
        else:
            self._say("old password is refused", ok=False)

    async def refuses_session(self, cookies: Mapping[str, bytes]) -> None:
        """A session from before has ended."""
        status = await self._status(cookies)
        self._say(f"old session is refused ({status})", status != 200)

    async def token(self, token: Secret, name: str, *, opens: bool) -> None:
        """A token lets us in, or does not."""
        status = await self._status({"Authorization": f"token {token.reveal()}".encode()})
        self._say(f"{name} is {'accepted' if opens else 'refused'} ({status})", (status == 200) is opens)

    async def _status(self, headers: Mapping[str, bytes]) -> int:
        return (await self._client.request("GET", self._access.base_url + _QUIET, headers, deadline=15.0)).status

    def _say(self, words: str, ok: bool = True) -> None:
        self._told(Step(words, ok))
        if not ok:
            raise Unproven(f"It should be so, and is not: {words}.")
