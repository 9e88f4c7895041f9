"""What can be taken away from a Jupyter service without taking its GPUs, its compilers or its users' files.

Each line is a setting of [Service], what it prevents, and in which scopes it works: a user's manager has no rights of
its own to make namespaces with. Left out on purpose: PrivateDevices and DevicePolicy (hide GPUs),
MemoryDenyWriteExecute (breaks numba, torch and every JIT), ProtectClock (implies
DevicePolicy=closed), PrivateNetwork, ProtectHome (notebooks live there),
ProtectProc (jupytui and nvidia-smi look there), SystemCallFilter (CUDA, perf and debuggers need more than
@system-service).
"""

from __future__ import annotations

from typing import NamedTuple

from jupytui.systemd.settings import settings


class Option(NamedTuple):
    """One setting; `user`: a user's manager can do it as well."""

    key: str
    value: str
    reason: str
    user: bool = False


OPTIONS = (
    Option("NoNewPrivileges", "yes", "nothing started from a notebook gains rights: sudo in a terminal ends", True),
    Option("PrivateTmp", "yes", "a /tmp of its own: other users' programs cannot reach into it"),
    Option("ProtectSystem", "full", "the system's own directories are read-only"),
    Option("ProtectKernelTunables", "yes", "kernel settings are read-only"),
    Option("ProtectKernelModules", "yes", "no kernel module is loaded"),
    Option("ProtectKernelLogs", "yes", "the kernel's log is not read"),
    Option("ProtectControlGroups", "yes", "limits of other services are not changed"),
    Option("ProtectHostname", "yes", "the machine's name is not changed"),
    Option("RestrictSUIDSGID", "yes", "no file that gives its starter other rights is made", True),
    Option("RestrictRealtime", "yes", "no process takes a CPU for itself alone", True),
    Option("RestrictNamespaces", "yes", "no container is started from a notebook", True),
    Option("LockPersonality", "yes", "the kernel's old personalities are not used", True),
    Option("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK", "only the usual networks", True),
    Option("SystemCallArchitectures", "native", "only this machine's own system calls", True),
    Option("CapabilityBoundingSet", "", "no right of root, whatever happens"),
)


def hardening(scope: str) -> tuple[Option, ...]:
    """Return the options for a service of this scope."""
    return tuple(option for option in OPTIONS if scope == "system" or option.user)


def missing(scope: str, text: str) -> tuple[Option, ...]:
    """Return the options that a unit file does not set yet, so that each would take something away."""
    options = hardening(scope)
    return tuple(option for option in options if (option.key, option.value) not in settings(text))


def lines(scope: str, keys: frozenset[str] | None = None) -> tuple[tuple[str, str], ...]:
    """Return the settings as (key, value), all of them or only `keys`."""
    return tuple((option.key, option.value) for option in hardening(scope) if keys is None or option.key in keys)
