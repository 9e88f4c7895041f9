"""One login: what asyncssh asks us during it, and what we answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence

import asyncssh

from jupytui.hosts.base import Prompter, SecretKind, SecretPrompt
from jupytui.hosts.clock import Clock
from jupytui.hosts.keys import Identity, KeyRing, LockedKeyPair, agent_keys, certificates
from jupytui.hosts.ssh_config import Resolved
from jupytui.secret import Secret
from jupytui.text import clean, clean_line

_PASSWORD = re.compile(r"(?<!one.time )password", re.IGNORECASE)  # what PAM asks for; "One-time password" is a code
LOGIN_DEADLINE = 30.0  # seconds without news from the server, once the keys are exchanged (PAM and LDAP are slow)


class Login(asyncssh.SSHClient):
    """Answers for one attempt. No answer is ever sent twice: a refused one is asked again, from the person."""

    def __init__(
        self, hop: Resolved, name: str, prompter: Prompter, ring: KeyRing, *, clock: Clock, leave: Callable[[], None]
    ) -> None:
        self._hop, self._name, self._prompter, self._ring = hop, name, prompter, ring
        self._clock, self._leave = clock, leave
        self._keys: AsyncIterator[asyncssh.SSHKeyPair] | None = None
        self._agent: asyncssh.SSHAgentClient | None = None
        self._rounds = {SecretKind.PASSWORD: 0, SecretKind.CODE: 0}
        self.connection: asyncssh.SSHClientConnection | None = None
        self.lost: Exception | None = None
        self.ended = asyncio.Event()
        self.offered: asyncssh.SSHKey | None = None  # a host key that nobody vouched for
        self.banner = ""
        self.tried: list[str] = []
        self.declined = False

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Keep the connection for what it knows of the server."""
        self.connection = conn

    def connection_lost(self, exc: Exception | None) -> None:
        """Keep the reason."""
        self.lost = exc
        self.ended.set()
        self.close()

    @property
    def mute(self) -> bool:
        """Whether something was connected and the server has not said its version."""
        return self.connection is not None and not self.connection.get_extra_info("server_version")

    def close(self) -> None:
        """Let go of the agent."""
        if self._agent:
            self._agent.close()
            self._agent = None

    def auth_banner_received(self, msg: str, lang: str) -> None:
        """Keep what the server says before the login, for the detail of a failure."""
        self.banner = clean(self.banner + msg)

    def auth_completed(self) -> None:
        """Nothing is asked any more."""
        self._exchanged()
        self.close()

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Refuse: keys that are vouched for do not come here. Whether this one is new or changed is decided outside."""
        self.offered = key
        return False

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Refuse, as above."""
        return False

    def _exchanged(self) -> None:
        self._clock.allow(LOGIN_DEADLINE)
        self._leave()

    async def public_key_auth_requested(self) -> asyncssh.SSHKeyPair | None:
        """Return the next key to try."""
        self._exchanged()
        if self._keys is None:
            self._keys = self._candidates()
        pair = await anext(self._keys, None)
        if pair:
            self.tried.append(clean_line(pair.get_comment(errors="replace") or pair.get_algorithm()))
        return pair

    async def _candidates(self) -> AsyncIterator[asyncssh.SSHKeyPair]:
        """Yield keys as OpenSSH orders them: the agent's that are also configured, the agent's others, then files."""
        found = [await self._ring.identity(path) for path in self._hop.identity_files]
        identities = {i.public.public_data: i for i in found if i and i.public}
        certs = certificates([*self._hop.certificate_files, *(f"{i.path}-cert.pub" for i in identities.values())])
        held = await self._held_by_agent()
        configured = [pair for pair in held if pair.key_public_data in identities]
        others = [] if self._hop.identities_only else [pair for pair in held if pair not in configured]
        for pair in (*configured, *others):
            yield pair
        seen = {pair.key_public_data for pair in held}
        for blob, identity in identities.items():
            if blob not in seen and identity.usable:
                for pair in self._pairs(identity, certs.get(blob)):
                    yield pair

    async def _held_by_agent(self) -> list[asyncssh.SSHKeyPair]:
        if not self._hop.agent:
            return []
        self._agent, pairs = await agent_keys(self._hop.agent)
        return pairs

    def _pairs(self, identity: Identity, cert: asyncssh.SSHCertificate | None) -> Sequence[asyncssh.SSHKeyPair]:
        if identity.key:
            return asyncssh.load_keypairs([(identity.key, cert), identity.key] if cert else [identity.key])
        assert identity.public
        chain = [cert, None] if cert else [None]
        return [LockedKeyPair(identity.public, one, lambda: self._unlock(identity)) for one in chain]

    async def _unlock(self, identity: Identity) -> asyncssh.SSHKey:
        with self._clock.stopped():  # also while another host's login asks for the same key
            return await identity.unlock(self._passphrase)

    async def _passphrase(self, path: str, again: bool) -> Secret | None:
        return await self._ask(SecretKind.PASSPHRASE, f"Passphrase for the key {path}", again=again)

    async def password_auth_requested(self) -> str | None:
        """Ask the person for the password, as often as ssh_config allows."""
        self._exchanged()
        if not self._another(SecretKind.PASSWORD):
            return None
        again = self._rounds[SecretKind.PASSWORD] > 1
        answer = await self._ask(SecretKind.PASSWORD, f"Password for {self._hop.address}", again=again)
        return answer.reveal() if answer else None

    async def kbdint_auth_requested(self) -> str | None:
        """Agree to be asked questions, as often as ssh_config allows."""
        self._exchanged()
        return "" if self._another(SecretKind.CODE) else None

    def _another(self, kind: SecretKind) -> bool:
        self._rounds[kind] += 1
        return not self.declined and self._rounds[kind] <= self._hop.password_prompts

    async def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> Sequence[str] | None:
        """Ask the person each question of the host; a round without questions is answered by no answers."""
        answers = []
        for question, echo in prompts:
            text = "\n".join(part for part in (clean(instructions, 500).strip(), clean_line(question)) if part)
            kind = SecretKind.PASSWORD if _PASSWORD.search(question) else SecretKind.CODE
            answer = await self._ask(kind, text, echo=echo, again=self._rounds[SecretKind.CODE] > 1)
            if answer is None:
                return None
            answers.append(answer.reveal())
        return answers

    async def _ask(self, kind: SecretKind, text: str, *, echo: bool = False, again: bool = False) -> Secret | None:
        if self.declined:
            return None
        with self._clock.stopped():
            answer = await self._prompter.secret(SecretPrompt(self._name, kind, text, echo, again))
        self.declined = answer is None and kind is not SecretKind.PASSPHRASE
        return answer
