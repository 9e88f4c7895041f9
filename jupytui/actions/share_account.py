"""What ngrok needs besides a server: its agent, found or fetched with consent, and the token of the user's account."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from jupytui import figures
from jupytui.actions.base import Answers, Confirmation, Context, Refused, Subjects
from jupytui.errors import JupytuiError
from jupytui.fleet.subject import Subject
from jupytui.tunnels.models import Status

if TYPE_CHECKING:
    from pathlib import Path

_BAD_TOKEN = (105, 107)


async def binary(context: Context) -> Path | None:
    """Return the agent: found, or fetched because the person agreed. None when they did not."""
    from jupytui.tunnels.public.binary import fetch_binary, find_binary, make_offer, ngrok_directory

    if found := find_binary(ngrok_directory()):
        return found
    context.progress("Asking what ngrok has for this machine")
    offer = await make_offer(ngrok_directory())
    size = f", {figures.size(offer.size)}" if offer.size else ""
    notes = ("ngrok's agent is not installed here. ngrok offers no checksum; TLS vouches that it comes from them.",)
    runs = f"fetch {offer.url}{size}, to {offer.path}"
    question = Confirmation("Fetch ngrok's agent", (), runs, notes=notes, expressly=True)
    if not await context.front.confirm(question):
        return None
    return await fetch_binary(offer, lambda percent: context.progress("Fetching ngrok", percent / 100))


async def token(context: Context, subject: Subject) -> tuple[str, ...]:
    """Have a token: one that is kept, or asked for once and kept from now on; says where. Raises Refused without."""
    from jupytui.config.vault import KeyringSilentError, Place, Vault
    from jupytui.hosts.base import SecretKind, SecretPrompt
    from jupytui.tunnels.public.codes import TOKEN_PAGE
    from jupytui.tunnels.public.ngrok import NGROK_TOKEN

    vault = Vault()
    with suppress(KeyringSilentError):  # as where nobody can unlock it: what is typed goes into a file
        if await vault.get(NGROK_TOKEN):
            return ()
    prompt = SecretPrompt("ngrok", SecretKind.TOKEN, f"Auth token of your ngrok account ({TOKEN_PAGE})")
    secret = await context.fleet.prompter(subject.host or "").secret(prompt)
    if not secret:
        raise Refused("ngrok needs the token of your account.", f"Get one from {TOKEN_PAGE}.")
    place = await vault.set(NGROK_TOKEN, secret)
    if place is Place.NOWHERE:  # it is the keeper that needs it, also long after we are gone
        raise JupytuiError("ngrok's token can be kept nowhere.", f"It would be {vault.describe(Place.FILE)}.")
    return (f"ngrok's token is kept {vault.describe(place)}.",)


async def failure(status: Status) -> JupytuiError:
    """Return why a share is not online; a token that ngrok does not take is forgotten."""
    from jupytui.config.vault import Vault
    from jupytui.tunnels.public.codes import explain
    from jupytui.tunnels.public.ngrok import NGROK_TOKEN

    trouble = status.error
    if trouble is None:
        return JupytuiError("ngrok does not come online.", "Its state may say why: see the tunnels.")
    if any(trouble.message == explain(code).message for code in _BAD_TOKEN):
        await Vault().forget(NGROK_TOKEN)
        return JupytuiError(trouble.message, f"{trouble.hint} It was forgotten: you will be asked again.")
    return JupytuiError(trouble.message, trouble.hint)


async def forget(_context: Context, _subjects: Subjects, _answers: Answers) -> str:
    """Forget the token. Raises VaultError."""
    from jupytui.config.vault import Vault
    from jupytui.tunnels.public.ngrok import NGROK_TOKEN

    await Vault().forget(NGROK_TOKEN)
    return "ngrok's token is forgotten. What is shared stays online until it is stopped."
