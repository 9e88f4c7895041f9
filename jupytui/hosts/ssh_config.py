"""What the user's ssh_config says about a host, as OpenSSH itself reads it (`ssh -G`, 3 ms).

asyncssh's own parser fails on things OpenSSH accepts (`ConnectTimeout 1m`, a trailing comment, newer Match keywords,
measured), so it is used only where there is no `ssh`.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import re
import shutil
import socket
import subprocess
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path
from typing import Any

from jupytui.hosts.base import HostState, HostTrouble
from jupytui.text import clean, clean_line

SSH_G_DEADLINE = 10.0  # seconds; `Match exec` runs programs


@dataclass(frozen=True, slots=True)
class Resolved:
    """How to reach one machine. Paths are expanded, algorithm lists as OpenSSH names them, `None` is "not said"."""

    alias: str
    hostname: str
    user: str
    port: int = 22
    identity_files: tuple[str, ...] = ()
    certificate_files: tuple[str, ...] = ()
    identities_only: bool = False
    agent: str | None = None
    jumps: tuple[str, ...] = ()
    proxy_command: str | None = None
    user_known_hosts: tuple[str, ...] = ()
    global_known_hosts: tuple[str, ...] = ()
    hash_known_hosts: bool = False
    strict: str = "ask"  # "yes", "ask", "accept-new" or "no"
    host_key_alias: str | None = None
    connect_timeout: float | None = None
    family: int = socket.AF_UNSPEC
    bind_address: str | None = None
    methods: tuple[str, ...] = ("publickey", "keyboard-interactive", "password")
    password_prompts: int = 3
    algorithms: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """`user@host:port`, as shown."""
        host = f"[{self.hostname}]" if ":" in self.hostname else self.hostname
        return f"{self.user}@{host}:{self.port}"

    @property
    def target(self) -> str:
        """`host:port`, which is where the server's own limits count."""
        return f"{self.hostname}:{self.port}"


_DESTINATION = re.compile(r"^(?:(?P<user>[^@]+)@)?(?P<host>[^@:\[\]]+|\[[^\]]+\]):(?P<port>\d+)$")


def arguments(destination: str, config: str | None) -> list[str]:
    """Return the arguments of `ssh -G` for a destination such as `gpu1`, `me@gpu1` or `me@gpu1:2222`.

    Raises HostTrouble for one that ssh would take for an option.
    """
    host = destination.rpartition("@")[2]
    if destination.startswith("-") or host.startswith("-") or not host.strip():
        raise HostTrouble(HostState.UNREACHABLE, f"“{clean_line(destination)}” is not a name ssh can use.")
    options = ["-F", str(Path(config).expanduser())] if config else []
    if (found := _DESTINATION.match(destination)) and not destination.startswith("ssh://"):
        user = f"{found['user']}@" if found["user"] else ""
        return ["-G", *options, "-p", found["port"], "--", user + found["host"].strip("[]")]
    return ["-G", *options, "--", destination]


async def resolve(destination: str, config: str | None = None) -> Resolved:
    """Ask ssh how it would reach `destination`. Raises HostTrouble when it cannot say."""
    # A thread that runs a child costs half of what the event loop's child watcher does (measured, Python 3.11).
    return await asyncio.get_running_loop().run_in_executor(_threads, _resolve, destination, config)


_threads = ThreadPoolExecutor(2, "jupytui-ssh-config")


def _resolve(destination: str, config: str | None) -> Resolved:
    ssh = shutil.which("ssh")
    if not ssh:
        arguments(destination, config)  # it may be no destination at all
        return _without_ssh(destination, config)
    return resolved(said_by(ssh, destination, config), destination)


def said_by(ssh: str, destination: str, config: str | None) -> dict[str, list[str]]:
    """Return what the program `ssh` says with -G, by keyword. Raises HostTrouble when it cannot say, or OSError."""
    return _options(_ask(ssh, arguments(destination, config), destination))


def _ask(ssh: str, args: list[str], destination: str) -> str:
    try:
        done = subprocess.run(
            [ssh, *args], stdin=subprocess.DEVNULL, capture_output=True, timeout=SSH_G_DEADLINE, check=False
        )
    except subprocess.TimeoutExpired:
        message = f"ssh took too long to read its configuration for {destination}."
        raise HostTrouble(HostState.UNREACHABLE, message) from None
    if done.returncode:
        words = clean(done.stderr.replace(b"\r\n", b"\n")).strip()  # as ssh ends its lines
        raise HostTrouble(
            HostState.UNREACHABLE,
            f"Your ssh configuration does not work for {destination}.",
            clean_line(words.splitlines()[0]) if words else "",
            detail=f"ssh {' '.join(args)}\n{words}",
        )
    return done.stdout.decode("utf-8", "surrogateescape")


def parse(said: str, destination: str) -> Resolved:
    """Return what `ssh -G` printed (lines of "keyword value") as values."""
    return resolved(_options(said), destination)


def _options(said: str) -> dict[str, list[str]]:
    options: dict[str, list[str]] = defaultdict(list)
    for line in said.splitlines():
        keyword, _, value = line.partition(" ")
        options[keyword.lower()].append(value.strip())
    return options


# `ssh -G` says true and false for yes and no.
_STRICT = {"true": "yes", "yes": "yes", "accept-new": "accept-new", "false": "no", "no": "no", "off": "no"}
_FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}
_ALGORITHMS = (
    "kexalgorithms",
    "ciphers",
    "macs",
    "hostkeyalgorithms",
    "pubkeyacceptedalgorithms",
    "casignaturealgorithms",
)


def resolved(options: Mapping[str, Sequence[str]], destination: str) -> Resolved:
    """Return the values of what `ssh -G` says, by keyword."""

    def one(keyword: str, default: str = "") -> str:
        value = options.get(keyword, [default])[0]
        return default if value == "none" else value

    def yes(keyword: str, default: str = "no") -> bool:
        return one(keyword, default) in {"yes", "true"}

    hostname, user, port = one("hostname", destination), one("user", getpass.getuser()), int(one("port", "22"))
    alias = one("host", _split(destination)[1])
    said = {
        "h": hostname,
        "j": one("proxyjump"),
        "k": one("hostkeyalias") or alias,
        "n": alias,
        "p": str(port),
        "r": user,
    }
    tokens = _tokens(said)

    def paths(keyword: str) -> tuple[str, ...]:
        return tuple(_path(value, tokens) for value in options.get(keyword, ()) if value not in {"none", ""})

    def files(keyword: str) -> tuple[str, ...]:
        return tuple(_path(value, tokens) for value in one(keyword).split() if value != "/dev/null")

    return Resolved(
        alias=alias,
        hostname=hostname,
        user=user,
        port=port,
        identity_files=paths("identityfile"),
        certificate_files=paths("certificatefile"),
        identities_only=yes("identitiesonly"),
        agent=_agent(options, tokens),
        jumps=tuple(jump for jump in one("proxyjump").split(",") if jump),
        proxy_command=_expand(one("proxycommand"), tokens) or None,
        user_known_hosts=files("userknownhostsfile"),
        global_known_hosts=files("globalknownhostsfile"),
        hash_known_hosts=yes("hashknownhosts"),
        strict=_STRICT.get(one("stricthostkeychecking"), "ask"),
        host_key_alias=one("hostkeyalias") or None,
        connect_timeout=float(one("connecttimeout", "0")) or None,
        family=_FAMILIES.get(one("addressfamily"), socket.AF_UNSPEC),
        bind_address=one("bindaddress") or None,
        methods=_methods(one("preferredauthentications"), yes),
        password_prompts=int(one("numberofpasswordprompts", "3")),
        algorithms={keyword: tuple(one(keyword).split(",")) for keyword in _ALGORITHMS if one(keyword)},
    )


def _methods(preferred: str, yes: Callable[[str, str], bool]) -> tuple[str, ...]:
    switch = {
        "publickey": "pubkeyauthentication",
        "keyboard-interactive": "kbdinteractiveauthentication",
        "password": "passwordauthentication",
    }
    wanted = preferred.split(",") if preferred else list(switch)
    return tuple(method for method in wanted if method in switch and yes(switch[method], "yes"))


def _agent(options: Mapping[str, Sequence[str]], tokens: dict[str, str]) -> str | None:
    said = options.get("identityagent", ["SSH_AUTH_SOCK"])[0]
    if said == "none":
        return None
    if said == "SSH_AUTH_SOCK":
        return os.environ.get("SSH_AUTH_SOCK") or None
    if said.startswith("$"):
        return os.environ.get(said.strip("${}")) or None
    return _path(said, tokens)


def _tokens(said: dict[str, str]) -> dict[str, str]:
    """Return the tokens of ssh_config(5), which `ssh -G` leaves in its values."""
    local = socket.gethostname()
    everything = "".join((local, said["h"], said["p"], said["r"], said["j"]))
    return said | {
        "%": "%",
        "d": str(Path.home()),
        "i": str(os.getuid()),
        "L": local.partition(".")[0],
        "l": local,
        "u": getpass.getuser(),
        "C": sha1(everything.encode(), usedforsecurity=False).hexdigest(),
    }


def _expand(value: str, tokens: dict[str, str]) -> str:
    return re.sub(r"%(.)", lambda found: tokens.get(found[1], found[0]), value)


def _path(value: str, tokens: dict[str, str]) -> str:
    value = _expand(value.strip('"'), tokens)
    value = re.sub(r"\$\{(\w+)\}", lambda found: os.environ.get(found[1], ""), value)
    return str(Path(value).expanduser())


def _without_ssh(destination: str, config: str | None) -> Resolved:
    """Read the configuration with asyncssh's parser, which knows less of it."""
    import asyncssh

    user, host, port = _split(destination)
    path = Path(config or "~/.ssh/config").expanduser()
    given: dict[str, Any] = {key: value for key, value in {"username": user, "port": port}.items() if value}
    try:
        options = asyncssh.SSHClientConnectionOptions(
            host=host, config=[str(path)] if path.is_file() else None, client_keys=None, known_hosts=None, **given
        )
    except (OSError, ValueError, asyncssh.Error) as error:
        message = f"Your ssh configuration does not work for {destination}."
        raise HostTrouble(HostState.UNREACHABLE, message, clean_line(str(error))) from None
    named: Any = options.config.get("IdentityFile", ())
    said = {
        "host": [host],
        "hostname": [options.host],
        "user": [options.username],
        "port": [str(options.port)],
        "proxyjump": [options.tunnel if isinstance(options.tunnel, str) else ""],
        "identityfile": [str(name) for name in named or _IDENTITIES],
        "identitiesonly": ["yes" if options.config.get("IdentitiesOnly") else "no"],
        "userknownhostsfile": ["~/.ssh/known_hosts"],
        "globalknownhostsfile": ["/etc/ssh/ssh_known_hosts"],
    }
    return resolved(said, destination)


_IDENTITIES = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")


def _split(destination: str) -> tuple[str | None, str, int | None]:
    if found := _DESTINATION.match(destination):
        return found["user"], found["host"].strip("[]"), int(found["port"])
    user, _, host = destination.rpartition("@")
    return user or None, host, None
