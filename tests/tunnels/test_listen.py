"""What a tunnel listens at on this machine is its own, for nobody else, and nothing of others is touched."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from jupytui.errors import JupytuiError
from jupytui.tunnels import listen
from jupytui.tunnels.models import Address


@pytest.fixture
def path(home: Path) -> Path:
    return home / "run" / "t.sock"


def at(path: Path) -> Address:
    return Address(path=str(path))


def test_a_unix_socket_is_for_its_owner_alone_and_gone_at_the_end(path: Path) -> None:
    mask = os.umask(0)
    try:
        made = listen.listen(at(path))
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert listen.where(made) == at(path)
    listen.close(made)
    assert not path.exists()


def test_one_that_was_left_behind_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    listen.close(listen.listen(at(path)))


def test_one_that_somebody_listens_at_is_not(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(JupytuiError, match="listens at"):
            listen.listen(at(path))
        assert path.exists()


def test_a_symlink_is_refused_and_not_followed(path: Path, home: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(home / "other.sock"))
    path.symlink_to(home / "other.sock")
    with pytest.raises(JupytuiError, match="no socket"):
        listen.listen(at(path))
    assert (home / "other.sock").exists()


def test_a_file_is_refused(path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(JupytuiError, match="no socket"):
        listen.listen(at(path))
    assert path.read_text() == "precious"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_socket_of_another_user_is_refused(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as squatted:
        squatted.bind(str(path))
    os.chown(path, 12345, -1)
    with pytest.raises(JupytuiError, match="another user"):
        listen.listen(at(path))


def test_no_directory_for_it_is_said(home: Path) -> None:
    with pytest.raises(JupytuiError, match="cannot listen"):
        listen.listen(at(home / "missing" / "t.sock"))


def test_without_an_address_it_is_any_port_of_this_machine_alone() -> None:
    made = listen.listen(None)
    assert listen.where(made).host == "127.0.0.1"
    listen.close(made)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(JupytuiError, match="no address"):
        listen.listen(Address("192.0.2.1", 0))
