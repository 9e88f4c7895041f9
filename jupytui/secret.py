"""A value that must not be seen: masked wherever Python would print it."""

from __future__ import annotations

import hmac
from typing import NoReturn

MASK = "••••••"


class Secret:
    """Holds a password, token or passphrase; only `reveal()` gives it away.

    Masked in repr, str and format, so a traceback with locals, a log line or an f-string cannot leak it; cannot be
    pickled or encoded.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """Return the plain value."""
        return self.__value

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self.__value.encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash(("Secret", self.__value))

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never pickled")
