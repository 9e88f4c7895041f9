"""What a keeper and its front ends say to each other: one JSON object per line, the kind of message in `type`.

The front end begins with Hello and gets Welcome. Every request has an `id`, which Done, Failed or Statuses repeats.
Messages may get new fields with defaults; what is unknown in one is passed over. Anything else needs a new PROTOCOL.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from jupytui import __version__
from jupytui.errors import CommandError, ConfigError, DeadlineError, JupytuiError, UsageError
from jupytui.hosts.base import SecretPrompt, UnknownKey
from jupytui.secret import Secret
from jupytui.tunnels.models import Status, Tunnel

PROTOCOL = 1
LONGEST_REQUEST = 64 * 1024  # bytes of one line
LONGEST_REPLY = 8 * 2**20


class Message(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower, omit_defaults=True):
    """What all of them are."""


class Hello(Message, frozen=True):
    """A front end introduces itself. `asks`: it can put a question to the person. `agent`: its SSH_AUTH_SOCK."""

    protocol: int = 0
    version: str = "0"
    asks: bool = False
    agent: str = ""


class Add(Message, frozen=True):
    """Take on a tunnel and bring it up."""

    id: int
    tunnel: Tunnel


class Up(Message, frozen=True):
    """Bring up a tunnel that is down or has failed."""

    id: int
    name: str


class Down(Message, frozen=True):
    """Take a tunnel down."""

    id: int
    name: str


class Retry(Message, frozen=True):
    """Try again now."""

    id: int
    name: str


class Remove(Message, frozen=True):
    """Take a tunnel down and forget it."""

    id: int
    name: str


class List(Message, frozen=True):
    """Say how all tunnels stand."""

    id: int


class Watch(Message, frozen=True):
    """Say how all tunnels stand, and from then on each change."""

    id: int


class Stop(Message, frozen=True):
    """Take everything down and leave."""

    id: int


class Handover(Message, frozen=True):
    """Give everything to the newer keeper that asks."""

    id: int


class Taken(Message, frozen=True):
    """The newer keeper has everything."""


class Answer(Message, frozen=True):
    """A person's answer; neither `secret` nor `trust` means that they declined."""

    question: int
    secret: Secret | None = None
    trust: bool | None = None


Request = Hello | Add | Up | Down | Retry | Remove | List | Watch | Stop | Handover | Taken | Answer


class Welcome(Message, frozen=True):
    """The keeper introduces itself."""

    protocol: int
    version: str
    pid: int


class Done(Message, frozen=True):
    """A request was fulfilled; `status` is that of the tunnel it was about, as far as it is still there."""

    id: int
    status: Status | None = None


class Failed(Message, frozen=True):
    """A request was not: a JupytuiError, `kind` is its class. `id` is 0 where the line could not be understood."""

    id: int
    message: str
    hint: str = ""
    detail: str = ""
    kind: str = ""


class Statuses(Message, frozen=True):
    """How all tunnels stand."""

    id: int
    statuses: tuple[Status, ...]


class Changed(Message, frozen=True):
    """How one tunnel stands now."""

    status: Status


class Removed(Message, frozen=True):
    """A tunnel is there no more."""

    name: str


class Asked(Message, frozen=True):
    """A question for the person, one of the two."""

    question: int
    secret: SecretPrompt | None = None
    key: UnknownKey | None = None


class Withdrawn(Message, frozen=True):
    """A question is answered, or of no interest any more."""

    question: int


class Remembered(Message, frozen=True):
    """A tunnel as it is kept for the next keeper: in a file, or in a hand-over, where `socket` says that its listening
    socket comes along.
    """

    tunnel: Tunnel
    up: bool
    local: str = ""  # where it listened
    socket: bool = False


class Handed(Message, frozen=True):
    """The last word of a hand-over; with it come the lock and the socket for front ends."""


Reply = Welcome | Done | Failed | Statuses | Changed | Removed | Asked | Withdrawn | Remembered | Handed


def _reveal(value: Any) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(type(value))


def _wrap(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise NotImplementedError(kind)


_encoder = msgspec.json.Encoder(enc_hook=_reveal)
_requests: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request, dec_hook=_wrap)
_replies: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)


def encode(message: Message) -> bytes:
    """Return the line of `message`. Raises UsageError for text that is no Unicode."""
    try:
        return _encoder.encode(message) + b"\n"
    except UnicodeEncodeError:
        raise UsageError("Names and paths of tunnels must be Unicode.") from None


def read_request(line: bytes) -> Request:
    """Return what a front end said. Raises JupytuiError."""
    try:
        return _requests.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        # The decoder's own words may quote what was sent.
        raise UsageError("The keeper does not understand that request.") from None


def read_reply(line: bytes) -> Reply | None:
    """Return what a keeper said; None for a message of a kind that only newer ones know."""
    try:
        return _replies.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


_KINDS = {kind.__name__: kind for kind in (UsageError, ConfigError, DeadlineError, CommandError)}


def failed(identity: int, error: JupytuiError) -> Failed:
    """Return how `error` travels."""
    kind = next((name for name, kind in _KINDS.items() if isinstance(error, kind)), "")
    return Failed(identity, error.message, error.hint, error.detail, kind)


def error_of(message: Failed) -> JupytuiError:
    """Return the error that travelled."""
    return _KINDS.get(message.kind, JupytuiError)(message.message, message.hint, detail=message.detail)


def is_newer(version: str, than: str) -> bool:
    """Whether one version of jupytui is newer than another."""
    return _numbers(version) > _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d{1,6}", version)[:4])


def hello(*, asks: bool = False, agent: str = "") -> Hello:
    """Return how we introduce ourselves."""
    return Hello(PROTOCOL, __version__, asks, agent)
