"""Make a server reachable for others: by ngrok, at a URL made elsewhere, on the local network; each with its proof."""

from __future__ import annotations

from jupytui.actions import share_account, share_lan, share_ngrok, share_side, share_url
from jupytui.actions.base import Action
from jupytui.fleet.subject import Scope

NGROK = Action(
    id="share.ngrok",
    title="Share by ngrok",
    help="Puts the server on the internet through your ngrok account, behind its login, and proves that it works.",
    scope=Scope.SERVER,
    command=("share",),
    refuse=share_side.refuse,
    form=share_ngrok.form,
    run=share_ngrok.run,
)

STOP = Action(
    id="share.stop",
    title="Stop sharing by ngrok",
    help="Takes the server off the internet.",
    scope=Scope.SERVER,
    command=("share",),
    refuse=share_ngrok.refuse_stop,
    run=share_ngrok.stop,
)

FORGET = Action(
    id="share.forget",
    title="Forget ngrok's token",
    help="Removes the token of your ngrok account from where it is kept.",
    scope=Scope.FLEET,
    command=("share",),
    run=share_account.forget,
)

URL = Action(
    id="share.url",
    title="Share at a public URL",
    help="For an address made elsewhere (ddnsto, Tailscale, cloudflared, a proxy): sets up Jupyter, and proves it.",
    scope=Scope.SERVER,
    command=("share",),
    refuse=share_side.refuse_addressless,
    form=share_url.form,
    run=share_url.run,
)

LAN = Action(
    id="share.lan",
    title="Serve on the local network",
    help="Has the server listen on its machine's address, behind its login, and proves it from outside.",
    scope=Scope.SERVER,
    command=("share",),
    refuse=share_side.refuse_addressless,
    form=share_lan.form,
    run=share_lan.run,
)

OFF_LAN = Action(
    id="share.off-lan",
    title="Take off the local network",
    help="Has the server listen on its own machine alone again.",
    scope=Scope.SERVER,
    command=("share",),
    refuse=share_lan.refuse_undo,
    run=share_lan.undo,
)

CHECK = Action(
    id="share.check",
    title="Check a public URL",
    help="Tries an address of the server as others will: name, port, certificate, Host, login, POST, websocket.",
    scope=Scope.SERVER,
    command=("share",),
    changes=False,
    form=share_url.check_form,
    run=share_url.check,
)

ACTIONS = (NGROK, STOP, FORGET, URL, LAN, OFF_LAN, CHECK)
