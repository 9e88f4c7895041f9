"""Whether what a share leads to may be on the internet: a Jupyter, and one that keeps strangers out."""

from __future__ import annotations

from jupytui.hosts.local import LocalHost
from jupytui.jupyter.access import Access
from jupytui.jupyter.client import Door, JupyterApi
from jupytui.jupyter.http import ApiError, NotHttpError
from jupytui.tunnels.models import Address, Behind, Tunnel
from jupytui.tunnels.public.codes import NgrokError

_AGAIN = "Then bring the share up again."


async def is_shut(tunnel: Tunnel) -> bool:
    """Return whether a Jupyter that keeps strangers out answers where `tunnel` leads; False: nothing answers there.

    Raises NgrokError where something answers that must not be published.
    """
    to, behind = tunnel.to or Address(), tunnel.behind or Behind()
    api = JupyterApi(LocalHost(), Access(to.host, to.port, tls=behind.secure, base_url=behind.base_url))
    try:
        # Its version, to any who ask: a server that minds by which name it is asked would say no to us, not to visitors
        if not await api.version():
            raise _stranger(to)
        door = await api.door()
    except ApiError as error:
        if _is_silent(error):
            return False
        raise _stranger(to) from None
    finally:
        await api.close()
    if door is not Door.SHUT:
        raise _refusal(door, to)
    return True


def _is_silent(error: ApiError) -> bool:
    """Whether nothing answers, or something that will once it has started, or is less busy."""
    if error.status is None:
        return not isinstance(error, NotHttpError)
    return error.status == 429 or error.status >= 500


def _stranger(to: Address) -> NgrokError:
    return NgrokError(f"What answers at {to} is no Jupyter: not published.", f"Free its port. {_AGAIN}")


def _refusal(door: Door, to: Address) -> NgrokError:
    first = f"Set a password first: jupytui passwd SERVER. {_AGAIN}"
    if door is Door.OPEN:
        return NgrokError(f"The server at {to} lets anybody in without a password: not published.", first)
    return NgrokError(f"Nobody can tell whether the server at {to} asks for a password: not published.", retry=True)
