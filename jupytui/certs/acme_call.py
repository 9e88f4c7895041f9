"""One exchange with an ACME server: in a thread, its bad nonces tried again, its refusals as sentences."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from jupytui.blocking import in_thread
from jupytui.certs.models import CertificateError
from jupytui.text import clean_line

if TYPE_CHECKING:
    from acme.messages import Error

P = ParamSpec("P")
R = TypeVar("R")
ATTEMPTS = 6  # each of them two: the library tries a bad nonce once more itself

# RFC 8555, 6.7. What is not here is told in the server's own words.
_SENTENCES = {
    "rateLimited": (
        "The authority's rate limit is reached.",
        "It says when to try again; until then the certificate in use stays. Its staging directory has higher limits.",
    ),
    "rejectedIdentifier": ("The authority does not sign for this name.", "Public authorities sign public names only."),
    "unsupportedIdentifier": (
        "The authority does not sign for this kind of name.",
        "Addresses need a profile that allows them (Let's Encrypt: shortlived).",
    ),
    "caa": ("The domain's CAA record forbids this authority.", "Add it to the CAA record, or choose another."),
    "externalAccountRequired": (
        "The authority wants an account made on its site first.",
        "Give the key id and HMAC key that it shows there.",
    ),
    "userActionRequired": ("The authority wants something done first.", "It says what; mostly new terms to agree to."),
    "unauthorized": ("The authority does not allow it.", "The name may belong to another account there."),
    "badCSR": ("The authority does not take the request.", "It may refuse this kind of key or these names."),
    "serverInternal": ("The authority has trouble of its own.", "Try it again later."),
    "badNonce": ("The authority refused every one of our requests as a replay.", "Is a proxy keeping its answers?"),
    "orderNotReady": ("The authority lost track of the order.", "Try it again."),
}


class AcmeError(CertificateError):
    """The authority said no; `code` is the last part of its error type (RFC 8555, 6.7)."""

    def __init__(self, message: str, hint: str, *, code: str = "", detail: str = "") -> None:
        super().__init__(message, hint, detail=detail)
        self.code = code


def refused(error: Error) -> AcmeError:
    """Return an ACME problem document as ours."""
    code, said = str(error.code or ""), clean_line(str(error.detail or ""), 400)
    message, hint = _SENTENCES.get(code, ("The authority refused.", ""))
    return AcmeError(f"{message} It says: {said}" if said else message, hint, code=code, detail=clean_line(str(error)))


async def call(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run one exchange of the library in a thread and return its result. Raises AcmeError.

    errors.TimeoutError, IssuanceError and ConflictError of the library pass: they are answers to polls.
    """
    from acme import messages

    for _ in range(ATTEMPTS - 1):
        try:
            return await _once(function, *args, **kwargs)
        except messages.Error as error:
            if error.code != "badNonce":
                raise refused(error) from None
    try:
        return await _once(function, *args, **kwargs)
    except messages.Error as error:
        raise refused(error) from None


async def _once(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    import requests
    from acme import errors, messages

    try:
        return await in_thread(partial(function, *args, **kwargs))
    except requests.exceptions.SSLError:
        raise AcmeError(
            "The ACME directory's own certificate is not trusted here.", "For a private one, give its root's file."
        ) from None
    except (requests.exceptions.Timeout, TimeoutError):
        raise AcmeError("The ACME directory does not answer.", "Try it again later.") from None
    except requests.exceptions.RequestException as error:
        raise AcmeError(
            "The ACME directory cannot be reached.", "Is its URL right?", detail=clean_line(str(error), 300)
        ) from None
    except (messages.Error, errors.TimeoutError, errors.IssuanceError, errors.ConflictError):
        raise
    except (errors.Error, ValueError) as error:
        raise AcmeError(
            "What answers there does not speak ACME as it should.",
            "Is the URL that of its directory?",
            detail=clean_line(f"{type(error).__name__}: {error}", 300),
        ) from None
