"""Named sets of keys, each with its reason. Facts measured on jupyter_server 2.21."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jupytui.errors import UsageError
from jupytui.jupyter.settings.edit import REMOVE, Wishes


@dataclass(frozen=True, slots=True)
class Input:
    """Something to be asked for; stands for its value in a preset's keys."""

    name: str
    title: str
    default: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """One key, its value (an Input, REMOVE, or a list with Inputs in it) and why. `only_if` names an input."""

    key: str
    value: object
    reason: str
    only_if: str = ""


@dataclass(frozen=True, slots=True)
class Preset:
    """A set of keys. `package` must be installed for it; `off` are extensions that must not be enabled beside it."""

    id: str
    title: str
    summary: str
    keys: tuple[Key, ...]
    inputs: tuple[Input, ...] = ()
    package: str = ""
    off: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def wishes(self, given: Mapping[str, str]) -> Wishes:
        """Return what to `plan`. Raises UsageError: an input is missing."""
        values = {each.name: given.get(each.name, each.default).strip() for each in self.inputs}
        keys = [key for key in self.keys if not key.only_if or values.get(key.only_if) not in {"", "no"}]
        return {key.key: _filled(key.value, values) for key in keys}


def _filled(value: object, values: Mapping[str, str]) -> object:
    if isinstance(value, Input):
        if not values[value.name]:
            raise UsageError(f"{value.title} is needed.")
        text = values[value.name]
        return int(text) if text.isdecimal() else text
    return [_filled(each, values) for each in value] if isinstance(value, list) else value


ADDRESS = Input("address", "Address to listen on", "0.0.0.0")
CERTFILE = Input("certfile", "Combined PEM file (key and chain)")
DOMAIN = Input("domain", "Domain name of the public URL")
TLS_PROXY = Input("tls", "HTTPS ends at the proxy", "yes")
IDLE = Input("idle", "Seconds a kernel may be idle", "86400")
ROOM = "The port must not drift when it is taken: who connects expects it."
NO_BROWSER = "Nobody sits at that machine: a browser there would only fail."

LOCAL_NETWORK = Preset(
    "local-network",
    "Local network",
    "Other machines of the network reach the server at its address.",
    (
        Key("ServerApp.ip", ADDRESS, "The default listens on this machine alone."),
        Key("ServerApp.port_retries", 0, ROOM),
        Key("ServerApp.open_browser", False, NO_BROWSER),
    ),
    (ADDRESS,),
    notes=("Have a password or a token, and TLS if you do not trust the network.",),
)
TLS = Preset(
    "tls",
    "TLS",
    "The server speaks HTTPS with a certificate of yours.",
    (
        Key("ServerApp.certfile", CERTFILE, "One file holds key and chain, so that both are replaced in one step."),
        Key("ServerApp.keyfile", REMOVE, "The key is in the same file."),
    ),
    (CERTFILE,),
)
PUBLIC_URL = Preset(
    "public-url",
    "Behind a public URL",
    "A tunnel or a reverse proxy hands requests for a domain name on to the server.",
    (
        Key(
            "ServerApp.local_hostnames",
            ["localhost", DOMAIN],
            "Else requests for that name get a 403, as all other names still do.",
        ),
        Key("ServerApp.allow_remote_access", REMOVE, "It would let in requests for any name."),
        Key("ServerApp.trust_xheaders", True, "HTTPS ends at the proxy; the server must know.", "tls"),
        Key("ServerApp.port_retries", 0, ROOM),
        Key("ServerApp.open_browser", False, NO_BROWSER),
    ),
    (DOMAIN, TLS_PROXY),
    notes=("The proxy must pass the Host header through.",),
)  # fmt: skip
COLAB = Preset(
    "colab",
    "Colab local runtime",
    "A notebook of Google Colab runs on this server's kernels.",
    (
        Key("ServerApp.allow_origin", "https://colab.research.google.com", "Colab's page talks to the server."),
        Key("ServerApp.allow_credentials", True, "It sends the server's token along."),
        Key("ServerApp.port", 8888, "Colab looks for localhost:8888."),
        Key("ServerApp.port_retries", 0, ROOM),
        Key(
            "ServerApp.tornado_settings",
            {"headers": {"Access-Control-Allow-Private-Network": "true"}},
            "Chrome asks before a public page may talk to a private address.",
        ),
    ),
    off=("jupyter_http_over_ws",),  # cannot be loaded with notebook 7
    notes=(
        "It wants a token URL, http://localhost:8888/?token=…; a server with a password alone refuses it (403).",
        "A server on another machine must be tunnelled to port 8888 of the browser's machine.",
    ),
)
HEADLESS = Preset(
    "headless",
    "Headless service",
    "The server runs as a service and is reached through a tunnel.",
    (
        Key("ServerApp.ip", "127.0.0.1", "Only this machine reaches it; tunnels end here."),
        Key("ServerApp.port_retries", 0, ROOM),
        Key("ServerApp.open_browser", False, NO_BROWSER),
        Key("ServerApp.quit_button", False, "Nobody should shut down a service by a menu."),
    ),
)
TOGETHER = Preset(
    "together",
    "Several people at once",
    "Everybody with a page open sees the others' changes as they type.",
    (Key("YDocExtension.disable_rtc", REMOVE, "It would switch working together off."),),
    package="jupyter-collaboration",
    notes=("Everybody is one user of the server, with all its rights.",),
)
CULLING = Preset(
    "idle-culling",
    "Idle culling",
    "Kernels that nobody has used for long are shut down, and give their memory back.",
    (
        Key("MappingKernelManager.cull_idle_timeout", IDLE, "After so many seconds without a cell run."),
        Key("MappingKernelManager.cull_interval", 300, "Looked at every five minutes."),
        Key("MappingKernelManager.cull_connected", True, "A page left open must not keep a kernel for ever."),
        Key("MappingKernelManager.cull_busy", False, "What computes is left alone."),
    ),
    (IDLE,),
)
PRESETS = (LOCAL_NETWORK, TLS, PUBLIC_URL, COLAB, HEADLESS, TOGETHER, CULLING)
