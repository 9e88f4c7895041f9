"""What ends when a kernel or a server does, by the names its owner knows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from jupytui import figures
from jupytui.actions.base import Loss
from jupytui.jupyter.models import Kernel, KernelState, Server


def of_kernel(kernel: Kernel, now: datetime | None = None) -> Loss:
    """Return what is lost with `kernel`; a busy one is grave, and so is one whose state nobody can tell."""
    since = figures.seconds_since(kernel.last_activity, now or datetime.now(UTC))
    how = f"{kernel.state} for {figures.duration(since)}" if since is not None else f"{kernel.state}"
    if kernel.state is KernelState.UNKNOWN:
        how = "nobody can tell whether it is busy"
    if kernel.gpu_memory:
        how += f", {figures.size(kernel.gpu_memory)} on the GPU"
    grave = kernel.state not in {KernelState.IDLE, KernelState.STARTING, KernelState.DEAD}
    name = kernel_name(kernel)
    # What is lost is what it holds in memory: the notebook stays.
    return Loss(f"{name}'s kernel" if kernel.path else name, how, grave)


def of_server(server: Server, now: datetime | None = None) -> Iterable[Loss]:
    """Return what is lost with all kernels of `server`."""
    return [of_kernel(kernel, now) for kernel in server.kernels]


def kernel_name(kernel: Kernel) -> str:
    """Return the name people know a kernel by: its notebook, else its spec and the start of its id."""
    if kernel.path:
        return kernel.path.rsplit("/", 1)[-1]
    return f"{kernel.spec or 'kernel'} {kernel.id[:8]} (no notebook)"
