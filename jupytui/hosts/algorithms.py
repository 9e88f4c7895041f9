"""What ssh_config allows, of what asyncssh knows."""

from __future__ import annotations

from collections.abc import Sequence

from asyncssh.encryption import get_encryption_algs
from asyncssh.kex import get_kex_algs
from asyncssh.mac import get_mac_algs
from asyncssh.public_key import get_certificate_algs, get_public_key_algs

from jupytui.hosts.known_hosts import Known
from jupytui.hosts.ssh_config import Resolved

FASTEST = "aes128-gcm@openssh.com"  # with AES in hardware, about 1 GB/s (measured)


def chosen(hop: Resolved, known: Known) -> dict[str, Sequence[str]]:
    """Return asyncssh's `*_algs` options; a list that is not given, or of which nothing is known here, is left out."""
    said = hop.algorithms
    options = {
        "kex_algs": _known(said.get("kexalgorithms", ()), get_kex_algs()),
        "encryption_algs": sorted(_known(said.get("ciphers", ()), get_encryption_algs()), key=lambda a: a != FASTEST),
        "mac_algs": _known(said.get("macs", ()), get_mac_algs()),
        "signature_algs": _known(said.get("pubkeyacceptedalgorithms", ()), get_public_key_algs()),
        "server_host_key_algs": host_key(said.get("hostkeyalgorithms", ()), known),
    }
    return {name: found for name, found in options.items() if found}


def host_key(allowed: Sequence[str], known: Known) -> list[str]:
    """Return host key algorithms: those of known keys first, or a server would show another key than the known one.

    Certificates only where an authority is known for the host: without one OpenSSH ignores them, too.
    """
    plain = _known(allowed or _DEFAULT, get_public_key_algs())
    certified = _known(allowed, get_certificate_algs()) if known.authorities else []
    mine = [algorithm for algorithm in plain if algorithm in known.algorithms]
    return [*certified, *mine, *(algorithm for algorithm in plain if algorithm not in mine)]


_DEFAULT = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)


def _known(names: Sequence[str], here: Sequence[bytes]) -> list[str]:
    return [name for name in names if name.encode() in here]
