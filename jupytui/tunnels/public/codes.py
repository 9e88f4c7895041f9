"""ngrok's error codes, each as a sentence and what to do (https://ngrok.com/docs/errors).

Its own words are never shown: those of 105 and 107 hold the token.
"""

from __future__ import annotations

import re

from jupytui.errors import JupytuiError

_CODE = re.compile(r"ERR_NGROK_(\d{1,6})")

TOKEN_PAGE = "https://dashboard.ngrok.com/get-started/your-authtoken"
REFUSED = 8012
WARNING_PAGE = 6024
# Gone by itself: an agent that was killed counts as online until ngrok's servers miss it.
PASSING = {108, 334}

QUOTA_NOTE = (
    "ngrok's free plan: 3 endpoints, 1 stable domain, 1 GB and 20 000 requests a month. "
    "An open JupyterLab asks its server every few seconds, also when nobody works: close the tab when you are done."
)

_TABLE = {
    105: ("ngrok does not accept this token: it does not look like one.", f"Copy it anew from {TOKEN_PAGE}."),
    107: ("ngrok does not accept this token: it was revoked, or is not one.", f"Copy it anew from {TOKEN_PAGE}."),
    108: (
        "Your ngrok account has as many agents online as it may have.",
        "Stop the other one (https://dashboard.ngrok.com/agents shows where it runs).",
    ),
    120: ("This ngrok agent is too old for ngrok.", "Run `ngrok update`, or remove it and let it be fetched anew."),
    121: ("This ngrok agent is too old for your account.", "Run `ngrok update`, or remove it and let it be fetched."),
    334: (
        "This address is already online, from another agent.",
        "Stop the other one (https://dashboard.ngrok.com/endpoints shows it), or choose another domain.",
    ),
    3200: ("Nothing is online at this address.", "Start the share again."),
    4018: ("ngrok wants to know who you are: no token of a verified account came.", f"Get one from {TOKEN_PAGE}."),
    WARNING_PAGE: ("ngrok shows its own warning page first.", "A click on it goes on; programs pass without."),
    REFUSED: (
        "Visitors reach ngrok, but the server behind the share refuses the connection.",
        "Start the server, or check its port.",
    ),
}


class NgrokError(JupytuiError):
    """ngrok or its agent did not do what it was asked; `code` is the number of ERR_NGROK_…, None without one.

    `retry` says whether the same attempt may succeed later without the user doing anything.
    """

    def __init__(
        self, message: str, hint: str = "", *, code: int | None = None, retry: bool = False, detail: str = ""
    ) -> None:
        super().__init__(message, hint, detail=detail)
        self.code = code
        self.retry = retry


class Unconfirmed(NgrokError):
    """The agent did not say whether it did what it was asked: nobody knows what is online."""


def find_code(text: str) -> int | None:
    """Return the last code in `text` (a log line, a body, the header `Ngrok-Error-Code`), None without one."""
    found = _CODE.findall(text)
    return int(found[-1]) if found else None


def explain(code: int) -> NgrokError:
    """Return what ERR_NGROK_`code` means."""
    if not (known := _TABLE.get(code)):
        hint = f"https://ngrok.com/docs/errors/err_ngrok_{code} says what it means."
        return NgrokError(f"ngrok refuses: ERR_NGROK_{code}.", hint, code=code)
    return NgrokError(*known, code=code, retry=code in PASSING)
