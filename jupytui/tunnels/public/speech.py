"""What the agent and pyngrok say, in our words. Theirs hold the token: they are read for codes and never passed on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeVar

from jupytui.tunnels.public.codes import NgrokError, Unconfirmed, explain, find_code

if TYPE_CHECKING:
    from pyngrok.log import NgrokLog

T = TypeVar("T")


class Event(Enum):
    """What an agent says about its session or an endpoint."""

    LOST = auto()  # it has lost ngrok's servers and looks for them by itself
    BACK = auto()
    CONNECTION = auto()  # a visitor's
    REFUSED = auto()  # a visitor came, and nothing listens where the endpoint leads to


def find_event(log: NgrokLog) -> Event | None:
    """Return what a line of the agent's log means, None when it means nothing to us."""
    said = log.msg or ""
    if "failed to open private leg" in said:
        return Event.REFUSED
    if "join connections" in said:
        return Event.CONNECTION
    if "client session established" in said:
        return Event.BACK
    if "reconnect" in said or "session closed" in said:
        return Event.LOST
    return None


def silence() -> None:
    """Keep pyngrok's logging from every log and screen: it repeats all that the agent says."""
    logging.getLogger("pyngrok").setLevel(logging.CRITICAL + 1)


def translated(call: Callable[[], T]) -> T:
    """Return what `call` returns, or raise NgrokError for what pyngrok raises."""
    from pyngrok.exception import PyngrokError, PyngrokNgrokError, PyngrokNgrokHTTPError, PyngrokNgrokURLError

    try:
        return call()
    except PyngrokNgrokHTTPError as error:  # its `ngrok_error_code` is always None; the code is in the body
        raise _meaning(error.body, f"The ngrok agent answers with HTTP {error.status_code}.") from None
    except (PyngrokNgrokURLError, TimeoutError, ConnectionError):
        raise silent() from None
    except PyngrokNgrokError as error:
        said = f"{error.ngrok_error or ''} {' '.join(log.line for log in error.ngrok_logs)}"
        raise _meaning(said, "The ngrok agent does not start.") from None
    except (PyngrokError, OSError, ValueError):
        raise not_understood() from None


def _meaning(said: str, otherwise: str) -> NgrokError:
    if code := find_code(said):
        return explain(code)
    if any(word in said for word in ("dial tcp", "no such host", "i/o timeout", "failed to dial")):
        return NgrokError(
            "The ngrok agent cannot reach ngrok's servers.", "Is there a way to the internet from here?", retry=True
        )
    return NgrokError(otherwise, "`ngrok diagnose` may say more.", retry=True)


def silent() -> NgrokError:
    """Return what to say of an agent that says nothing."""
    return Unconfirmed(
        "The ngrok agent does not answer.", "It is tried again; `ngrok diagnose` may say why.", retry=True
    )


def not_understood() -> NgrokError:
    """Return what to say of an agent that says what no agent that we know says."""
    return Unconfirmed("The ngrok agent is not understood.", "It may be too old: `ngrok update`.")
