"""The user's private keys: each file is parsed once for all hosts (RSA is slow), each passphrase asked once."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncssh

from jupytui.secret import Secret

Ask = Callable[[str, bool], Awaitable[Secret | None]]  # (key file, again) -> passphrase
Unlock = Callable[[], Awaitable[asyncssh.SSHKey]]

PASSPHRASE_TRIES = 3
AGENT_PROBE = 2.0  # seconds: a hung agent otherwise blocks every login


class Identity:
    """One identity file. `key` is None while locked by a passphrase, or where only the public half is here."""

    def __init__(self, path: str, public: asyncssh.SSHKey | None, key: asyncssh.SSHKey | None, data: bytes) -> None:
        self.path = path
        self.public = public
        self.key = key
        self._data = data
        self._lock = asyncio.Lock()
        self._refusals = 0

    @property
    def usable(self) -> bool:
        """Whether the private half is here, locked or not."""
        return bool(self._data)

    async def unlock(self, ask: Ask) -> asyncssh.SSHKey:
        """Return the private key, asking for its passphrase once for all who wait. Raises ValueError if declined."""
        refusals = self._refusals
        async with self._lock:
            if self.key is None and self._refusals == refusals:
                self.key = await self._ask(ask)
            if self.key is None:
                self._refusals += 1
                raise ValueError("the passphrase was not given")
            return self.key

    async def _ask(self, ask: Ask) -> asyncssh.SSHKey | None:
        for attempt in range(PASSPHRASE_TRIES):
            passphrase = await ask(self.path, attempt > 0)
            if passphrase is None:
                return None
            try:
                # bcrypt takes a tenth of a second and more by design
                return await asyncio.to_thread(asyncssh.import_private_key, self._data, passphrase.reveal())
            except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
                continue
        return None


class LockedKeyPair(asyncssh.SSHKeyPair):
    """A key that is unlocked only once the server said that it would accept it."""

    def __init__(self, public: asyncssh.SSHKey, cert: asyncssh.SSHCertificate | None, unlock: Unlock) -> None:
        algorithms = public.sig_algorithms
        super().__init__(public.algorithm, public.algorithm, algorithms, algorithms, public.public_data, None, cert)
        self._unlock = unlock

    async def sign_async(self, data: bytes) -> bytes:
        """Sign, asking for the passphrase first. Raises ValueError if it was not given."""
        return (await self._unlock()).sign(data, self.sig_algorithm)


class KeyRing:
    """Identity files by path; a changed file is read again."""

    def __init__(self) -> None:
        self._loading: dict[tuple[str, int, int], asyncio.Task[Identity | None]] = {}

    async def identity(self, path: str) -> Identity | None:
        """Return the identity in `path`, None when there is none or it cannot be read."""
        stamp = _stamp(path)
        if stamp not in self._loading:
            self._loading[stamp] = asyncio.create_task(asyncio.to_thread(_load, path))
        return await asyncio.shield(self._loading[stamp])


def _stamp(path: str) -> tuple[str, int, int]:
    try:
        stat = Path(path).stat()
    except OSError:
        return path, 0, 0
    return path, stat.st_mtime_ns, stat.st_ino


def certificates(paths: list[str]) -> dict[bytes, asyncssh.SSHCertificate]:
    """Return the certificates that exist among `paths`, by the public key they are for."""
    found = {}
    for path in paths:
        try:
            certificate = asyncssh.read_certificate(path)
        except (OSError, ValueError):
            continue
        found[certificate.key.public_data] = certificate
    return found


def _load(path: str) -> Identity | None:
    try:
        data = Path(path).read_bytes()
        key = asyncssh.import_private_key(data)
    except OSError:
        return _public_only(path)
    except ValueError:  # KeyImportError: locked, of a kind not known here, or not a private key at all
        return _locked(path, data)
    return Identity(path, key, key, data)


def _locked(path: str, data: bytes) -> Identity | None:
    if b"PRIVATE KEY-----" not in data:
        return _public_only(path)
    public = _public(f"{path}.pub") or _public_inside(data)
    return Identity(path, public, None, data if _encrypted(data) else b"") if public else None


def _encrypted(data: bytes) -> bool:
    try:
        asyncssh.import_private_key(data)
    except (ValueError, asyncssh.KeyEncryptionError) as error:
        return "assphrase" in str(error)
    return False


def _public_only(path: str) -> Identity | None:
    """Return what IdentityFile means when only the public half exists: a key that an agent holds."""
    public = _public(f"{path}.pub") or _public(path)
    return Identity(path, public, None, b"") if public else None


def _public(path: str) -> asyncssh.SSHKey | None:
    try:
        return asyncssh.read_public_key(path)
    except (OSError, ValueError):
        return None


_MAGIC = b"openssh-key-v1\0"


def _public_inside(data: bytes) -> asyncssh.SSHKey | None:
    """Return the public half that an encrypted OpenSSH key file carries in clear (PROTOCOL.key of OpenSSH)."""
    try:
        body = b64decode(b"".join(data.strip().splitlines()[1:-1]))
        rest = body.removeprefix(_MAGIC)
        for _ in range(3):  # cipher, kdf, kdf options
            _, rest = _string(rest)
        blob, _ = _string(rest[4:])
        kind, _ = _string(blob)
        return asyncssh.import_public_key(kind + b" " + b64encode(blob))
    except (ValueError, IndexError):
        return None


def _string(data: bytes) -> tuple[bytes, bytes]:
    end = 4 + int.from_bytes(data[:4], "big")
    return data[4:end], data[end:]


async def agent_keys(path: str) -> tuple[asyncssh.SSHAgentClient | None, list[asyncssh.SSHKeyPair]]:
    """Return a client of the agent at `path` and its keys; (None, []) when none answers within two seconds."""
    client = asyncssh.SSHAgentClient(path)
    try:
        async with asyncio.timeout(AGENT_PROBE):
            return client, list(await client.get_keys())
    except (OSError, ValueError):  # TimeoutError is an OSError
        client.close()
        return None, []
