from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import keyring
import pytest

from jupytui.config.vault import KeyringSilentError, Place, Vault, VaultError
from jupytui.secret import Secret
from tests.config import stand_in_keyring
from tests.config.stand_in_keyring import CONTENT, InTheOpen, Kept, Locked, Silent, use

NAME = "ngrok-token"
WORD = Secret("MARKER-of-a-secret")


@pytest.fixture(autouse=True)
def no_content() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    CONTENT.clear()
    stand_in_keyring.Silent.asked = 0
    keyring.set_keyring(before)


@pytest.fixture
def headless() -> None:
    """What keyring finds on a Linux without a desktop: it says "No recommended backend"."""
    from keyring.backends.fail import Keyring

    use(Keyring)


def modes(directory: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in directory.rglob("*")}


async def test_without_a_keyring_it_is_a_file_that_only_the_user_can_read_also_under_umask_000(
    headless: None, tmp_path: Path
) -> None:
    vault = Vault(tmp_path / "state" / "secrets")
    assert await vault.get(NAME) is None
    assert await vault.place() is Place.FILE
    mask = os.umask(0)
    try:
        assert await vault.set(NAME, WORD) is Place.FILE
    finally:
        os.umask(mask)
    assert modes(tmp_path) == {0o700, 0o600}
    assert str(tmp_path) in vault.describe(Place.FILE)
    assert await Vault(tmp_path / "state" / "secrets").get(NAME) == WORD
    await vault.forget(NAME)
    assert await vault.get(NAME) is None
    assert not list((tmp_path / "state" / "secrets").iterdir())


async def test_with_a_keyring_no_file_holds_it(tmp_path: Path) -> None:
    use(Kept)
    vault = Vault(tmp_path / "secrets")
    assert await vault.place() is Place.KEYRING
    assert await vault.set(NAME, WORD) is Place.KEYRING
    assert await vault.get(NAME) == WORD
    assert not list(tmp_path.rglob("*"))
    await vault.forget(NAME)
    assert await vault.get(NAME) is None
    assert not CONTENT
    await vault.forget(NAME)


async def test_a_keyring_that_keeps_secrets_in_the_open_is_not_used(tmp_path: Path) -> None:
    use(InTheOpen)
    assert await Vault(tmp_path / "secrets").set(NAME, WORD) is Place.FILE
    assert not CONTENT


async def test_a_keyring_that_does_not_answer_costs_its_deadline_once(tmp_path: Path) -> None:
    use(Silent)
    vault = Vault(tmp_path / "secrets", deadline=0.2)
    began = monotonic()
    assert await vault.set(NAME, WORD) is Place.FILE
    with pytest.raises(KeyringSilentError):
        await vault.get("another")
    assert await vault.get(NAME) == WORD
    assert monotonic() - began < 5
    assert Silent.asked == 1


async def test_what_was_set_while_the_keyring_was_locked_beats_what_it_holds_from_before(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "secrets")
    use(Kept)
    await vault.set(NAME, Secret("old"))
    use(Locked)
    assert await vault.set(NAME, WORD) is Place.FILE
    use(Kept)
    assert await vault.get(NAME) == WORD
    assert await vault.set(NAME, Secret("newest")) is Place.KEYRING
    assert await vault.get(NAME) == Secret("newest")
    assert not modes(tmp_path) & {0o600}


@pytest.mark.parametrize("backend", [Locked, Silent])
async def test_what_a_keyring_may_keep_that_does_not_answer_is_not_called_missing(
    tmp_path: Path, backend: type[Kept]
) -> None:
    use(backend)
    with pytest.raises(KeyringSilentError, match="does not answer"):
        await Vault(tmp_path / "secrets", deadline=0.2).get(NAME)


@pytest.mark.parametrize("backend", [Locked, Silent])
async def test_forgetting_never_claims_what_it_cannot_know(tmp_path: Path, backend: type[Kept]) -> None:
    use(backend)
    with pytest.raises(VaultError) as raised:
        await Vault(tmp_path / "secrets", deadline=0.2).forget(NAME)
    assert f"jupytui/{NAME}" in raised.value.hint


async def test_where_no_file_can_be_made_the_user_is_asked_each_time(headless: None, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    vault = Vault(tmp_path / "taken" / "secrets")
    assert await vault.set(NAME, WORD) is Place.NOWHERE


async def test_a_planted_link_is_neither_read_nor_written_through(headless: None, tmp_path: Path) -> None:
    vault, theirs = Vault(tmp_path / "secrets"), tmp_path / "theirs"
    theirs.write_text("planted")
    theirs.chmod(0o600)
    (tmp_path / "secrets").mkdir(mode=0o700)
    (tmp_path / "secrets" / NAME).symlink_to(theirs)
    with pytest.raises(VaultError, match="symbolic link"):
        await vault.get(NAME)
    assert await vault.set(NAME, WORD) is Place.FILE
    assert theirs.read_text() == "planted"
    assert await vault.get(NAME) == WORD


async def test_a_directory_that_is_a_planted_link_is_refused(headless: None, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "secrets").symlink_to(tmp_path / "theirs")
    vault = Vault(tmp_path / "secrets")
    with pytest.raises(VaultError, match="symbolic link"):
        await vault.get(NAME)
    assert await vault.set(NAME, WORD) is Place.NOWHERE
    assert not list((tmp_path / "theirs").iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604])
async def test_a_file_that_others_may_have_read_is_not_used(headless: None, tmp_path: Path, mode: int) -> None:
    vault = Vault(tmp_path / "secrets")
    await vault.set(NAME, WORD)
    (tmp_path / "secrets" / NAME).chmod(mode)
    with pytest.raises(VaultError, match="open to others"):
        await vault.get(NAME)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_what_belongs_to_another_user_is_refused(headless: None, tmp_path: Path) -> None:
    vault = Vault(tmp_path / "secrets")
    await vault.set(NAME, WORD)
    os.chown(tmp_path / "secrets" / NAME, 12345, -1)
    with pytest.raises(VaultError, match="not yours"):
        await vault.get(NAME)
    os.chown(tmp_path / "secrets", 12345, -1)
    with pytest.raises(VaultError, match="not yours"):
        await vault.get("another")


async def test_an_open_directory_of_ours_is_closed(headless: None, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir(mode=0o755)
    await Vault(tmp_path / "secrets").set(NAME, WORD)
    assert modes(tmp_path) == {0o700, 0o600}


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "UPPER", "a\n", "x" * 101])
async def test_a_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        await Vault(tmp_path).get(name)
