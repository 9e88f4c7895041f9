"""Secrets in log lines, made unreadable on the way to the screen or to a file."""

from __future__ import annotations

import re

from jupytui.secret import MASK

# Jupyter before 2.3 logs `GET /?token=…`; every version prints its own URL with the token at start, `login?next=`
# carries it percent-encoded, and command lines are echoed by some launchers (`--ServerApp.token=…`).
_NAME = (
    r"((?:token|passw(?:or)?d|secret|_xsrf|api_?key|access_?key|hashed_password)"
    r"[\"']?(?:\s?=\s?|:\s?|%3D|%253D)[bu]?"
)
_VALUE = r"[^\s&\"'<>]+"
_QUOTED = re.compile(_NAME + r"[\"'])[^\"'\n]+", re.IGNORECASE)
_PLAIN = re.compile(_NAME + rf")(?!\[secret\]){_VALUE}", re.IGNORECASE)
_HEADER = re.compile(r"(\bauthorization[\"']?\s*[:=]\s*[\"']?(?:token|bearer|basic)\s+)" + _VALUE, re.IGNORECASE)
_COOKIE = re.compile(r"(\b(?:set-)?cookie[\"']?:\s*[\"']?)[^\"'\n]+", re.IGNORECASE)
_HASH = re.compile(r"(argon2:\$argon2\w*\$|sha1:)[^\s\"']+")
_HINT = re.compile(r"token|passw|secret|xsrf|key|authori|cookie|argon2|sha1:", re.IGNORECASE)


def mask(text: str) -> str:
    """Return `text` with the values of tokens, passwords, keys, cookies and hashes replaced by `••••••`.

    Names stay, so the line can still be understood; masking twice changes nothing.
    """
    if not _HINT.search(text):
        return text
    for pattern in (_HASH, _COOKIE, _HEADER, _QUOTED, _PLAIN):
        text = pattern.sub(rf"\1{MASK}", text)
    return text
