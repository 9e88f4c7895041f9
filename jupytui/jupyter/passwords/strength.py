"""How long a password would hold, in words and in bits; and passphrases that hold."""

from __future__ import annotations

import math
import secrets
from typing import NamedTuple

from jupytui.secret import Secret

_READ = 72  # characters that zxcvbn looks at
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_GROUPS, _SYLLABLES = 5, 3  # 70 syllables: 6.1 bits each, 92 in all
_WORDS = ((28, "guessed at once"), (40, "weak"), (56, "fair"), (72, "good"))


class Strength(NamedTuple):
    """`bits`: the logarithm of the guesses somebody needs who knows how people choose. `advice` may be empty."""

    bits: int
    word: str
    advice: str = ""

    def __str__(self) -> str:
        advice = f" {self.advice}" if self.advice else ""
        return f"{self.word}, about {self.bits} bits.{advice}"


def strength(password: Secret) -> Strength:
    """Weigh a password; 0.1 s the first time, then milliseconds."""
    from zxcvbn import zxcvbn

    text = password.reveal()[:_READ]
    if not text:
        return Strength(0, "empty")
    result = zxcvbn(text)
    bits = round(float(result["guesses_log10"]) / math.log10(2))
    word = next((word for limit, word in _WORDS if bits < limit), "strong")
    return Strength(bits, word, str(result["feedback"]["warning"]))


def generated() -> Secret:
    """Return a passphrase of random syllables that can be read out and typed: "kavoti-lumeza-…", 92 bits."""
    return Secret("-".join("".join(_syllable() for _ in range(_SYLLABLES)) for _ in range(_GROUPS)))


def _syllable() -> str:
    return secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS)


def new_token() -> Secret:
    """Return a token like those Jupyter makes: 24 random bytes in hex."""
    return Secret(secrets.token_hex(24))
