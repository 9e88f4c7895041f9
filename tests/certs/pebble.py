"""Pebble, a real ACME server, and its DNS: what ACME is tested against."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jupytui.certs import authority, leaf, pem
from jupytui.certs.acme_account import Service
from jupytui.certs.dns01 import Record

START_DEADLINE = 60.0


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Pebble:
    """`url` is its directory, `ca_file` what its own TLS is checked against, `dns` "address#port" of its names."""

    url: str
    ca_file: str
    dns: str
    manage: str

    def service(self) -> Service:
        return Service(self.url, agreed=True, ca_file=self.ca_file)

    def _set(self, what: str, **fields: str) -> None:
        request = urllib.request.Request(f"{self.manage}/{what}", json.dumps(fields).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=30):
            pass

    def every_name_is_at(self, address: str) -> None:
        self._set("set-default-ipv4", ip=address)

    async def set_record(self, record: Record) -> None:
        self._set("set-txt", host=f"{record.name}.", value=record.value)

    async def clear_record(self, record: Record) -> None:
        self._set("clear-txt", host=f"{record.name}.")


@contextmanager
def running(directory: Path, *, http_port: int = 80, nonce_reject: int = 0) -> Iterator[Pebble]:
    """Start Pebble and its name server on loopback; `nonce_reject` percent of the good nonces are called bad."""
    directory.mkdir(parents=True)
    made = authority.load_or_make(directory / "authority")
    made.export(directory / "ca.pem")
    pair = leaf.issue(made, ["localhost", "127.0.0.1"])
    (directory / "cert.pem").write_bytes(pem.chain_pem(pair.chain))
    (directory / "key.pem").write_text(pair.key.reveal())
    listen, manage, dns, dns_manage = (free_port() for _ in range(4))
    config = {
        "listenAddress": f"127.0.0.1:{listen}",
        "managementListenAddress": f"127.0.0.1:{manage}",
        "certificate": str(directory / "cert.pem"),
        "privateKey": str(directory / "key.pem"),
        "httpPort": http_port,
        "tlsPort": 5001,
        "domainBlocklist": ["blocked.example"],
    }
    (directory / "config.json").write_text(json.dumps({"pebble": config}))
    reject = {"PEBBLE_WFE_NONCEREJECT": str(nonce_reject), "PEBBLE_AUTHZREUSE": "0", "PEBBLE_VA_NOSLEEP": "1"}
    names = ["pebble-challtestsrv", "-dns01", f"127.0.0.1:{dns}", "-management", f"127.0.0.1:{dns_manage}"]
    names += ["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""]
    acme = ["pebble", "-config", str(directory / "config.json"), "-dnsserver", f"127.0.0.1:{dns}"]
    with _process(names, {}, directory / "names.log", dns_manage), _process(acme, reject, directory / "log", listen):
        yield Pebble(
            f"https://localhost:{listen}/dir",
            str(directory / "ca.pem"),
            f"127.0.0.1#{dns}",
            f"http://127.0.0.1:{dns_manage}",
        )


@contextmanager
def _process(argv: list[str], variables: dict[str, str], log: Path, port: int) -> Iterator[None]:
    with log.open("wb") as file:
        process = subprocess.Popen(argv, env=os.environ | variables, stdout=file, stderr=file)
    try:
        _wait_for(process, port, log)
        yield
    finally:
        process.kill()
        process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_DEADLINE
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(log.read_text())
