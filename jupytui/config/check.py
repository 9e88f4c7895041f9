"""What is well formed in hosts.toml and yet cannot work, as far as that is seen without dialling."""

from __future__ import annotations

from pathlib import Path

from jupytui.config.load import key_error
from jupytui.config.model import Config, TunnelEntry, TunnelKind, did_you_mean


def check_config(config: Config) -> None:
    """Raise ConfigError for a file of ssh that is not there, a tunnel to nowhere, a port that two tunnels want."""
    _check_ssh_config(config)
    taken: dict[tuple[str, int | str], str] = {}
    for tunnel in config.tunnels:
        _check_host(config, tunnel)
        if tunnel.local is None:
            continue
        at = (tunnel.host if tunnel.kind is TunnelKind.REMOTE else "", tunnel.local)
        if other := taken.get(at):
            problem = f"tunnels.{other} listens at {tunnel.local} as well"
            raise key_error(config, ("tunnels", tunnel.name, "local"), problem, "Give each its own.")
        taken[at] = tunnel.name


def _check_ssh_config(config: Config) -> None:
    named = config.settings.ssh_config
    if named and named != "none" and not Path(named).expanduser().exists():  # to ssh -F, none is no file at all
        raise key_error(config, ("settings", "ssh_config"), f"there is no file {named}")


def _check_host(config: Config, tunnel: TunnelEntry) -> None:
    """A tunnel leads to a host of this file: what it is called there is what it is called everywhere."""
    known = [host.name for host in config.hosts]
    if tunnel.host not in known:
        hint = did_you_mean(tunnel.host, known) or f"List it: [hosts.{tunnel.host}] takes what your ssh config knows."
        raise key_error(config, ("tunnels", tunnel.name, "host"), f"there is no host {tunnel.host} in this file", hint)
