"""The ports of this machine that lead to servers: the same one for a server every time, and no two for one."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupytui.errors import JupytuiError
from jupytui.tunnels import ports
from jupytui.tunnels.models import Address
from jupytui.tunnels.remembered import FILE, RememberedPorts

HOSTS = st.sampled_from(["gpu1", "gpu2", "hpc"])
TARGETS = st.one_of(
    st.sampled_from([8888, 8889, 9000]).map(lambda port: Address("127.0.0.1", port)),
    st.sampled_from(["/run/a.sock", "/run/b.sock"]).map(lambda path: Address(path=path)),
)
ASKED = st.tuples(st.sampled_from(["one", "two"]), HOSTS, TARGETS, st.sampled_from(["/", "/team/"]))


def all_free(_port: int) -> bool:
    return True


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(asked=st.lists(ASKED, max_size=25), taken=st.sets(st.integers(8880, 8900)))
def test_a_target_keeps_its_port_over_restarts_and_no_two_share_one(
    tmp_path_factory: pytest.TempPathFactory, asked: Sequence[tuple[str, str, Address, str]], taken: set[int]
) -> None:
    state = tmp_path_factory.mktemp("state")
    first: dict[tuple[str, str, Address, str], int] = {}
    for one in asked:
        key, host, to, base = one
        port = RememberedPorts(state, key).port(host, to, base, is_free=lambda port: port not in taken)
        assert first.setdefault(one, port) == port
        assert port not in taken
    assert len(set(first.values())) == len(first)
    for (key, host, to, base), port in first.items():  # what is taken by now is remembered all the same
        assert RememberedPorts(state, key).port(host, to, base, is_free=lambda _port: False) == port


def test_the_servers_own_port_comes_first_and_then_the_next_one(tmp_path: Path) -> None:
    remembered = RememberedPorts(tmp_path, "k")
    to = Address("127.0.0.1", 8888)
    assert [remembered.port(host, to, is_free=all_free) for host in ("gpu1", "gpu2", "gpu1")] == [8888, 8889, 8888]
    assert remembered.port("gpu3", Address(path="/j.sock"), is_free=all_free) == 8890


def test_the_file_is_private_whatever_the_mask_and_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    mask = os.umask(0)
    try:
        RememberedPorts(state, "k").port("gpu1", Address("127.0.0.1", 8888), is_free=all_free)
    finally:
        os.umask(mask)
    assert stat.S_IMODE((state / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    (state / FILE).unlink()
    (state / FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JupytuiError, match="symbolic link"):
        RememberedPorts(state, "k").port("gpu1", Address("127.0.0.1", 8888), is_free=all_free)


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"ports": {"k gpu1 x /": 99999, "y": "z"}}', b"\xff"])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, text: bytes) -> None:
    (tmp_path / FILE).write_bytes(text)
    (tmp_path / FILE).chmod(0o600)
    assert RememberedPorts(tmp_path, "k").port("gpu1", Address("127.0.0.1", 8888), is_free=all_free) == 8888


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_port_that_somebody_listens_on_is_not_free_and_its_holder_is_named(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as listening:
        listening.bind((address, 0))
        listening.listen()
        port = listening.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.next_free(port) != port
        assert f"process {os.getpid()}" in ports.holder(port)
    assert ports.is_free(port)


def test_a_module_that_python_runs_is_named_by_its_own_name() -> None:
    command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        port = int(server.stdout.readline().split(" port ")[1].split()[0])
        assert ports.holder(port) == f"http.server (process {server.pid})"
        server.terminate()
