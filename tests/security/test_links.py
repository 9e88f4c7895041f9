"""Symlinks that somebody planted where we write: what they point at stays as it is, whatever becomes of the writing."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupytui.actions.browser import lead_to
from jupytui.certs import private
from jupytui.config.crash import write_crash
from jupytui.config.log import LOG, log_to
from jupytui.config.paths import Paths, find_paths
from jupytui.config.replace import replace_file
from jupytui.config.vault import Vault
from jupytui.errors import JupytuiError
from jupytui.fleet.memory import FILE as PICTURE
from jupytui.fleet.memory import remember
from jupytui.hosts.local import LocalHost
from jupytui.logs.ring import Ring
from jupytui.logs.save import save
from jupytui.secret import Secret
from jupytui.tunnels.keeper import memory
from jupytui.tunnels.keeper.lair import Lair
from jupytui.tunnels.keeper.log import open_log
from jupytui.tunnels.keeper.place import find_place, make_private
from jupytui.tunnels.models import Address
from jupytui.tunnels.public.leash import Leash
from jupytui.tunnels.remembered import RememberedPorts

NAME = "secret-of-the-test"


@dataclass(frozen=True, slots=True)
class Ground:
    """Where we are, and what writing there is done by; each does what the program does at that place."""

    home: Path
    paths: Paths

    def picture(self) -> None:
        remember(self.paths.cache, self.paths.hosts, ())

    def mistake(self) -> None:
        root = logging.getLogger()
        before = list(root.handlers)
        log_to(self.paths.logs)
        try:
            root.warning("something")
        finally:
            for handler in set(root.handlers) - set(before):
                root.removeHandler(handler)
                handler.close()

    def crash(self) -> None:
        write_crash(self.paths.logs, RuntimeError("crash"))

    def keep(self) -> None:
        asyncio.run(Vault().set(NAME, Secret("a")))

    def become_keeper(self) -> None:
        if lair := Lair.take(find_place(self.paths)):
            lair.hide()
            lair.close()

    def keepers_log(self) -> None:
        make_private(find_place(self.paths).logs)
        open_log(find_place(self.paths).log)
        for handler in list(logging.getLogger("jupytui.keeper").handlers):
            logging.getLogger("jupytui.keeper").removeHandler(handler)
            handler.close()

    def keepers_memory(self) -> None:
        make_private(self.paths.state)
        memory.save(find_place(self.paths).memory, ())

    def port(self) -> None:
        RememberedPorts.at(find_place(self.paths)).port("gpu", Address("127.0.0.1", 8888))

    def browse(self) -> None:
        lead_to(Secret("http://127.0.0.1/"))

    def certify(self) -> None:
        private.write(private.default_directory() / "authority.pem", b"key", was=None)

    def share(self) -> None:
        Leash(self.paths.state / "ngrok", Path("/bin/true"), Secret("token")).drop()

    def configure(self) -> None:
        replace_file(self.paths.hosts, b"# new\n", was=self.paths.hosts.read_bytes())

    def save(self) -> None:
        asyncio.run(save(Ring(), self.home / "saved.log"))

    def write(self) -> None:
        asyncio.run(LocalHost("local").write(str(self.home / "written"), b"new", 0o600))


Act = Callable[[Ground], None]
# A file of ours, or a directory of ours, by what writes there.
FILES: dict[str, tuple[Callable[[Ground], Path], Act]] = {
    "the last picture": (lambda g: g.paths.cache / PICTURE, Ground.picture),
    "the log": (lambda g: g.paths.logs / LOG, Ground.mistake),
    "a kept secret": (lambda g: g.paths.state / "secrets" / NAME, Ground.keep),
    "the keeper's lock": (lambda g: find_place(g.paths).lock, Ground.become_keeper),
    "the keeper's socket": (lambda g: find_place(g.paths).socket, Ground.become_keeper),
    "the keeper's log": (lambda g: find_place(g.paths).log, Ground.keepers_log),
    "the keeper's memory": (lambda g: find_place(g.paths).memory, Ground.keepers_memory),
    "the remembered ports": (lambda g: g.paths.state / "ports.json", Ground.port),
    "the authority": (lambda _: private.default_directory() / "authority.pem", Ground.certify),
    "a saved log": (lambda g: g.home / "saved.log", Ground.save),
    "a written file": (lambda g: g.home / "written", Ground.write),
}
DIRECTORIES: dict[str, tuple[Callable[[Ground], Path], Act]] = {
    "the cache": (lambda g: g.paths.cache, Ground.picture),
    "the logs": (lambda g: g.paths.logs, Ground.mistake),
    "the crashes": (lambda g: g.paths.logs, Ground.crash),
    "the vault": (lambda g: g.paths.state / "secrets", Ground.keep),
    "the state": (lambda g: g.paths.state, Ground.become_keeper),
    "the keeper's": (lambda g: find_place(g.paths).run, Ground.become_keeper),
    "the browser's": (lambda g: g.home / "run/jupytui/open", Ground.browse),
    "the certificates": (lambda _: private.default_directory(), Ground.certify),
    "the agent's": (lambda g: g.paths.state / "ngrok", Ground.share),
    "the ports": (lambda g: g.paths.state, Ground.port),
}


@pytest.fixture
def ground(home: Path) -> Iterator[Ground]:
    hosts = home / "hosts.toml"
    hosts.write_text("[hosts.gpu]\n")
    before, raised = os.umask(0), logging.raiseExceptions
    yield Ground(home, find_paths(str(hosts)))
    os.umask(before)
    logging.raiseExceptions = raised


@pytest.mark.parametrize("name", FILES)
def test_a_link_in_place_of_a_file_of_ours_is_replaced_or_refused(ground: Ground, tmp_path: Path, name: str) -> None:
    place, act = FILES[name]
    victim = tmp_path / "victim"
    victim.write_text("victim's")
    os.utime(victim, (1, 1))
    place(ground).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    place(ground).symlink_to(victim)
    with suppress(JupytuiError, OSError):
        act(ground)
    assert (victim.read_text(), victim.stat().st_mtime) == ("victim's", 1)


@pytest.mark.parametrize("name", DIRECTORIES)
def test_a_link_in_place_of_a_directory_of_ours_is_refused(ground: Ground, tmp_path: Path, name: str) -> None:
    place, act = DIRECTORIES[name]
    victim = tmp_path / "victim"
    victim.mkdir()
    os.utime(victim, (1, 1))
    place(ground).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    place(ground).symlink_to(victim)
    with suppress(JupytuiError, OSError):
        act(ground)
    assert (list(victim.iterdir()), victim.stat().st_mtime) == ([], 1), "nothing is there, and nothing was"


@pytest.mark.parametrize("name", [*FILES, *DIRECTORIES])
def test_nothing_that_is_written_can_be_read_by_others_under_the_most_careless_umask(ground: Ground, name: str) -> None:
    before = set(ground.home.rglob("*"))
    (FILES | DIRECTORIES)[name][1](ground)
    made = set(ground.home.rglob("*")) - before
    assert made
    assert [f"{path} {path.lstat().st_mode:o}" for path in made if path.lstat().st_mode & 0o077] == []


def test_a_hosts_toml_that_is_a_link_of_its_owner_is_written_where_it_points_and_privately(ground: Ground) -> None:
    target = ground.home / "dotfiles.toml"
    ground.paths.hosts.rename(target)
    ground.paths.hosts.symlink_to(target)
    ground.configure()
    assert ground.paths.hosts.is_symlink()
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("# new\n", 0o600)
