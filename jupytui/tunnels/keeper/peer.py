"""Who is at the other end of a unix socket: the kernel says so, the peer cannot."""

from __future__ import annotations

import os
import socket
import struct
import sys

from jupytui.errors import JupytuiError


def check_peer(connection: socket.socket) -> None:
    """Make sure that the other end runs as we do. Raises JupytuiError."""
    if (uid := peer_uid(connection)) != os.geteuid():
        raise JupytuiError(f"The other end of the keeper's socket belongs to another user (uid {uid}).")


def peer_uid(connection: socket.socket) -> int:
    """Return the effective user of the process at the other end. Raises OSError."""
    if sys.platform == "darwin":  # struct xucred of <sys/ucred.h>: version, uid, number of groups, 16 groups
        found = connection.getsockopt(0, 1, struct.calcsize("=IIh2x16I"))  # SOL_LOCAL, LOCAL_PEERCRED: unix(4)
        return int(struct.unpack_from("=II", found)[1])
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))  # struct ucred
    return int(struct.unpack("3i", found)[1])
