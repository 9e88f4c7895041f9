"""Hashes of passwords as Jupyter keeps them. Made here, so that the password itself never reaches the host."""

from __future__ import annotations

import hashlib
import hmac

from jupytui.blocking import in_thread
from jupytui.secret import Secret

# jupyter_server.auth.security.passwd
_MEMORY, _TIME, _LANES = 10240, 10, 8


async def hashed(password: Secret) -> Secret:
    """Return "argon2:$argon2id$…" with Jupyter's own parameters; some 0.1 s of CPU, in a thread."""
    return await in_thread(lambda: _hashed(password))


def _hashed(password: Secret) -> Secret:
    from argon2 import PasswordHasher

    hasher = PasswordHasher(memory_cost=_MEMORY, time_cost=_TIME, parallelism=_LANES)
    return Secret(f"argon2:{hasher.hash(password.reveal())}")


async def fits(hash_: str, password: Secret) -> bool:
    """Whether `password` is the one of `hash_`, argon2 or "ALGORITHM:SALT:HEX", as Jupyter's passwd_check has it."""
    return await in_thread(lambda: _fits(hash_, password))


def _fits(hash_: str, password: Secret) -> bool:
    algorithm, _, rest = hash_.partition(":")
    if algorithm == "argon2":
        from argon2 import PasswordHasher
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            return PasswordHasher().verify(rest, password.reveal())
        except (VerificationError, InvalidHashError):
            return False
    salt, _, digest = rest.partition(":")
    if algorithm not in hashlib.algorithms_available:
        return False
    made = hashlib.new(algorithm, password.reveal().encode() + salt.encode("ascii", "replace"), usedforsecurity=False)
    return hmac.compare_digest(made.hexdigest() if made.digest_size else "", digest)
