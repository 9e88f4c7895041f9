"""What the checks run against, made once for the module that asks."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.reachability.servers import DOMAIN


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and chain for `DOMAIN` in one file."""
    path = tmp_path_factory.mktemp("leaf") / "leaf.pem"
    authority.issue_cert(DOMAIN).private_key_and_cert_chain_pem.write_to_path(str(path))
    return path


@pytest.fixture(autouse=True, scope="session")
def names() -> Iterator[None]:
    """A stand-in for DNS: `DOMAIN` is this machine; all other names are looked up as ever."""
    real = socket.getaddrinfo

    def ask(host: Any, *args: Any, **kwargs: Any) -> Any:
        return real("127.0.0.1" if host == DOMAIN else host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", ask)
        yield
