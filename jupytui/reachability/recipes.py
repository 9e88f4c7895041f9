"""What to do on the other side: on a router, a reverse proxy or a service that gives Jupyter a public address.

Texts only; jupytui sets Jupyter's own side and proves the result with `check`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one way of publishing is set up. `enter` is the address that is typed in there; `lan` whether Jupyter
    must listen on its machine's address for that, because the other side is another machine.
    """

    title: str
    steps: tuple[str, ...]
    enter: str
    lan: bool = False


_HOST = "Hand the Host header on unchanged: Jupyter compares it with the address in the browser."
_WEBSOCKET = "Turn websockets on: kernels talk through them."
_IDLE = "Raise the idle timeout to an hour or more: a quiet notebook is still in use."
_PASSWORD = "Set a password on the server first: whoever knows the address meets its login page."


@dataclass(frozen=True, slots=True)
class _Text:
    title: str
    steps: tuple[str, ...]
    lan: bool = False


_TEXTS: Mapping[str, _Text] = {
    "ddnsto": _Text(
        "ddnsto on a router",
        (
            _PASSWORD,
            "Let the server listen on its machine's address, and give the machine a fixed address in the router.",
            "On the router: install the ddnsto plugin, enter your ddnsto token, switch it on.",
            "In the ddnsto console: add a domain mapping, choose its name, and enter {enter} as the target.",
            "A login of its own in front is a second lock, and stops tools that are no browser.",
            "If the check says that the Host is rewritten, take the fix that allows the public address as an Origin.",
        ),
        lan=True,
    ),
    "tailscale": _Text(
        "Tailscale",
        (
            _PASSWORD,
            "On the server's machine: “tailscale serve --bg {enter}” for your own devices; “tailscale funnel --bg "
            "{enter}” for everybody.",
            "Its address is https://MACHINE.TAILNET.ts.net/: “tailscale serve status” shows it.",
            "Host and websockets pass; there is nothing else to set.",
        ),
    ),
    "cloudflared": _Text(
        "Cloudflare Tunnel",
        (
            _PASSWORD,
            "On the server's machine: run cloudflared with a named tunnel, so that the address stays the same.",
            "In its configuration: “hostname: {domain}” and “service: {enter}”.",
            "Leave “httpHostHeader” unset, so that the Host is handed on unchanged.",
            "A rule of Cloudflare Access in front is a second lock, and stops tools that are no browser.",
            "Idle websockets are cut after some 100 seconds; JupyterLab keeps its own alive.",
        ),
    ),
    "proxy": _Text(
        "A reverse proxy",
        (
            _PASSWORD,
            "Pass https://{domain}/ on to {enter}; whole, without taking a prefix off the path.",
            _HOST + " nginx: “proxy_set_header Host $http_host;”.",
            "Say that TLS is spoken: “proxy_set_header X-Forwarded-Proto $scheme;”, with ServerApp.trust_xheaders.",
            _WEBSOCKET + " nginx: “proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header "
            'Connection "upgrade";”.',
            _IDLE + " nginx: “proxy_read_timeout 3600s;”.",
            "Let large notebooks through: “client_max_body_size 0; proxy_buffering off;”.",
        ),
    ),
}
KINDS = tuple(_TEXTS)


def recipe(kind: str, domain: str, port: int, lan_address: str, *, tls: bool = False) -> Recipe:
    """Return the recipe of one of `KINDS` for a server on `port`; `lan_address` is its machine's, "" if unknown."""
    text = _TEXTS[kind]
    host = (lan_address or "ADDRESS-OF-THE-MACHINE") if text.lan else "localhost"
    scheme = "https" if tls else "http"
    enter = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    steps = tuple(step.replace("{enter}", enter).replace("{domain}", domain) for step in text.steps)
    return Recipe(text.title, steps, enter, text.lan)
