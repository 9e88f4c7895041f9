"""Files of another user, dealt with by root: no more rights than that user's, and owner and mode as they were."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from jupytui.certs import files as certs_files
from jupytui.certs import leaf, pem
from jupytui.certs.authority import Authority
from jupytui.certs.files import Files, Former, Rights, user_of_path, user_of_process
from jupytui.certs.inspect import Place
from jupytui.certs.install import read_pair
from jupytui.errors import CommandError
from jupytui.hosts.base import Host

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
USER = "daemon"


@pytest.fixture
def theirs(home: Path) -> Path:
    """A directory of another user's, which that user can reach."""
    home.chmod(0o711)
    place = home / "theirs"
    place.mkdir()
    own(place)
    return place


def own(path: Path) -> None:
    account = pwd.getpwnam(USER)
    os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def about(path: Path) -> tuple[str, str, int]:
    return path.owner(), path.group(), path.stat().st_mode & 0o7777


async def test_owner_group_and_mode_stay(here: Host, theirs: Path) -> None:
    file, files = theirs / "a.pem", Files(here, USER)
    await files.write(str(file), b"first")
    assert about(file) == (USER, USER, 0o600)
    file.chmod(0o640)
    former = await files.read(str(file))
    assert former == Former(b"first", Rights(0o640, str(file.stat().st_gid)))
    await files.write(str(file), b"second", former.rights)
    assert (about(file), file.read_bytes()) == ((USER, USER, 0o640), b"second")
    await files.put_back(str(file), former)
    assert (about(file), file.read_bytes()) == ((USER, USER, 0o640), b"first")
    await files.put_back(str(file), Former())
    assert list(theirs.iterdir()) == []


async def test_where_there_is_no_setpriv_a_python_of_roots_does(
    here: Host, theirs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certs_files, "_AS", certs_files._AS.replace("setpriv", "no-such-setpriv"))
    files = Files(here, USER)
    await files.make_directory(f"{theirs}/certs")
    await files.write(f"{theirs}/certs/-a b'.pem", b"\0key\n" * 9000)
    assert (await files.read(f"{theirs}/certs/-a b'.pem")).data == b"\0key\n" * 9000
    assert about(theirs / "certs/-a b'.pem") == (USER, USER, 0o600)
    assert about(theirs / "certs") == (USER, USER, 0o700)


async def test_a_user_who_is_not_known_is_refused_in_words(here: Host, theirs: Path) -> None:
    with pytest.raises(CommandError, match="was not written"):
        await Files(here, "no-such-user").write(f"{theirs}/a.pem", b"key")
    assert list(theirs.iterdir()) == []


async def test_a_group_that_cannot_be_kept_gets_nothing(here: Host, theirs: Path) -> None:
    await Files(here, USER).write(str(theirs / "a.pem"), b"key", Rights(0o640, "0"))
    assert about(theirs / "a.pem") == (USER, USER, 0o600)


async def test_root_keeps_the_group_of_its_own_files(here: Host, home: Path) -> None:
    file = home / "a.pem"
    file.write_bytes(b"first")
    file.chmod(0o640)
    os.chown(file, 0, pwd.getpwnam(USER).pw_gid)
    files = Files(here)
    await files.write(str(file), b"second", (await files.read(str(file))).rights)
    assert about(file) == ("root", USER, 0o640)


def test_a_key_is_never_everybodys() -> None:
    assert Rights(0o644, "5").private == Rights(0o640, "5")


async def test_a_planted_link_leads_root_nowhere(here: Host, home: Path, theirs: Path) -> None:
    secret = home / "secret"
    secret.write_text("of root")
    secret.chmod(0o600)
    (home / "roots").mkdir()
    for name, target in (("file.pem", secret), ("certs", home / "roots")):
        (theirs / name).symlink_to(target)
        own(theirs / name)
    files = Files(here, await user_of_path(here, str(theirs / "file.pem")))
    assert (await files.read(str(theirs / "file.pem"))).data is None
    await files.write(str(theirs / "file.pem"), b"new")
    assert secret.read_text() == "of root"
    with pytest.raises(PermissionError):
        await files.write(str(theirs / "certs/8888.pem"), b"new")
    assert list((home / "roots").iterdir()) == []


async def test_whose_a_place_is_the_first_on_the_way_decides(here: Host, home: Path, theirs: Path) -> None:
    (theirs / "roots").mkdir()
    (theirs / "out").symlink_to(home)
    own(theirs / "out")
    (home / "in").symlink_to(theirs)
    for path in ("theirs/a.pem", "theirs/roots/a.pem", "theirs/out/a.pem", "in/a.pem"):
        assert await user_of_path(here, str(home / path)) == USER, path
    assert await user_of_path(here, str(home / "a.pem")) == ""
    assert await user_of_process(here, os.getpid()) == ""


async def test_a_pair_that_may_not_be_read_is_none(here: Host, theirs: Path, ours: Authority) -> None:
    place = Place(str(theirs / "8888.pem"), user=USER)
    (theirs / "8888.pem").write_bytes(pem.combined_pem(leaf.issue(ours, ["localhost"])))
    (theirs / "8888.pem").chmod(0o600)
    assert await read_pair(here, place) is None
    own(theirs / "8888.pem")
    assert await read_pair(here, place)
