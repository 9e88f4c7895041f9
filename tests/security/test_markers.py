"""A marker for every kind of secret is planted, the program is used as people use it, and then all places are searched.

What is not promised: that a process of a few hundred microseconds is seen on a machine that is busy with others.
"""

from __future__ import annotations

import base64
import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupytui.secret import MASK
from tests.certs.pebble import running
from tests.lab.jupyter import PASSWORD
from tests.lab.lab import Lab
from tests.security import sampler
from tests.security.marks import key_parts, outside
from tests.security.places import in_files, in_journal, trees_of
from tests.security.scene import NAME, PASSWORD_SERVER, START, TOKEN_SERVER, Scene, host_now
from tests.security.terminal import Quiet
from tests.security.watching import Watched, watching

CERTS = "/.local/share/jupytui/certs/"
# Where each kind may be: as a file of that name, or as what becomes that file.
INTENDED = {
    "jupyter-token": r"/b/(jupyter_\w+\.json|log)$|/jpserver-\d+(\.json|-open\.html)$|^stdout of jupytui open ",
    "ngrok-token": r"/jupytui/secrets/(ngrok-token|\.ngrok-token\.[0-9a-f]{8})$"
    r"|/jupytui/ngrok/agent-\w+/(ngrok\.yml|\.ngrok\.yml\.[0-9a-f]{8})$",
    "otp-code": r"^(file .*)?/codes/\.google_authenticator(~\w*)?$",
    "authority-key": rf"{CERTS}(authority\.pem|\.authority\.pem\.[0-9a-f]{{8}})$",
    "account-key": rf"{CERTS}acme/([0-9a-f]{{16}}\.json|\.[0-9a-f]{{16}}\.json\.[0-9a-f]{{8}})$",
    "certificate-key": r"/\.jupyter/certs/(8888\.pem|\.jupytui-[0-9a-f]{16})$",
}
JUPYTERS_OWN = re.compile(
    r"/(\.local/share/jupyter|\.ipython|\.cache|\.npm|work|\.jupyter/(lab|migrated)|b)(/|$)|/run/user/\d+/(systemd|bus)"
)


@pytest.fixture
def scene(lab: Lab, home: Path, tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(lab, home, tmp_path)
    scene.prepare()
    before = os.umask(0)
    yield scene
    os.umask(before)
    scene.end()


@pytest.mark.timeout(400)
def test_no_secret_is_left_anywhere_and_nothing_of_ours_can_be_read_by_others(scene: Scene, tmp_path: Path) -> None:
    since = host_now(scene.host)
    trees = trees_of(scene.host)
    watched_trees = [scene.home, trees["/home"], trees["/tmp"], trees["/run"] / "user"]
    before = {f"file {path}" for tree in watched_trees for path, _ in sampler.walk(str(tree))}
    with watching(*watched_trees) as watched:
        use(scene, tmp_path / "pebble")
        scene.end()
    keys(scene, watched)
    scene.host.exec("journalctl --sync")
    found = [found for sight in watched.sights for found in scene.marks.search(sight.place, sight.data)]
    found += in_files(scene.marks, {"": scene.home}, since)
    found += in_files(scene.marks, trees, since)
    found += in_journal(scene.marks, scene.host)
    for what, data in scene.given.items():
        found += scene.marks.search(what, data)
    print(watched.looks, "looks,", watched.programs, "programs,", len(watched.sights), "sights")
    assert not (leaked := outside(found, INTENDED)), "\n".join(f"{one.kind}: {one.place}" for one in leaked)
    assert set(INTENDED) <= {one.kind for one in found}, "where a secret should be, it was found"
    assert not (left := open_to_others(before, watched)), "\n".join(left)


def use(scene: Scene, pebble: Path) -> None:
    """Use what there is that has to do with secrets."""
    secrets = scene.secrets
    scene.run("status", NAME)
    assert f"token={secrets['jupyter-token']}" in scene.run("open", TOKEN_SERVER, "--print")
    assert MASK in scene.run("logs", TOKEN_SERVER)
    said = scene.converse(
        "passwd", PASSWORD_SERVER, "--stdin", "--restart", stdin=f"{secrets['jupyter-old']}\n{PASSWORD}\n"
    )
    assert "old password is refused" in said
    said = scene.converse("share", PASSWORD_SERVER, "--ngrok")
    assert "ok: the same server" in said
    scene.converse("share", PASSWORD_SERVER, "--stop")
    scene.converse("cert", "issue", PASSWORD_SERVER)
    acme(scene, pebble)
    scene.converse("stop", PASSWORD_SERVER)
    scene.converse("start", f"{NAME}:jupyter")
    on_the_screen(scene)
    scene.crash("status", "words", seen="assword", answer=secrets["ssh-password"])
    scene.crash("--host", "words", seen="asks for a password", answer=secrets["ssh-password"])
    crashes = [*scene.home.glob("**/jupytui.log"), *scene.home.glob("**/crash-*.log")]
    assert [crash.read_text().count("in stumble") for crash in crashes] == [1, 1]


def acme(scene: Scene, directory: Path) -> None:
    """Order a certificate: the challenge is answered on the host's port 80, by sudo."""
    with running(directory) as pebble:
        pebble.every_name_is_at(scene.host.address)
        order = ("--directory", pebble.url, "--directory-ca", pebble.ca_file, "--agree-terms")
        scene.converse("cert", "acme", PASSWORD_SERVER, "--names", "mk1.example", "--responder", *order)


def on_the_screen(scene: Scene) -> None:
    """Answer every host's question, see every pane, change a password."""
    with Quiet([*scene.program, "--config", str(scene.config)], env=scene.env) as terminal:
        answer_all(scene, terminal)
        for digits in ("22", "3", "44", "55", "66", "77", "8", "99"):  # twice: of all hosts
            terminal.send(*digits)
            terminal.wait_quiet(0.5, START)
        change_password(scene, terminal)
        scene.saw("the screen", terminal)


def answer_all(scene: Scene, terminal: Quiet) -> None:
    """Answer what each host asks, row by row; the second question of one comes by itself."""
    for host, *kinds in (("words", "ssh-password"), ("keyed", "passphrase"), ("codes", "otp-password", "otp-code")):
        terminal.wait_until(re.compile(rf"{host} .*press enter"), START)
        go_to(terminal, host)
        terminal.send("Enter")
        for kind in kinds:
            terminal.wait_until("Verification code" if kind == "otp-code" else f"─ {host} asks for", START)
            scene.type(terminal, kind)
            terminal.send("Enter")
        terminal.wait_until(re.compile(rf"{host} .*● up"), START)


def go_to(terminal: Quiet, row: str) -> None:
    """Put the cursor on a row."""
    terminal.send("g")
    for _ in range(20):
        terminal.wait_quiet(0.2, START)
        if re.search(rf"^› .*{row}", terminal.screen(), re.MULTILINE):
            return
        terminal.send("Down")
    raise AssertionError(f"no row {row}:\n{terminal.screen()}")


def change_password(scene: Scene, terminal: Quiet) -> None:
    """By the form, to count after a restart."""
    terminal.send("6")
    terminal.wait_until(re.compile(rf"{PASSWORD_SERVER} .*(fine|see below)"), START)
    go_to(terminal, PASSWORD_SERVER)
    terminal.send("p")
    terminal.wait_until("New password", START)
    for kind in ("jupyter-new", "jupyter-new", "jupyter-old"):
        scene.type(terminal, kind)
        terminal.wait_until("bits", START)
        terminal.send("Enter")
    terminal.send("Down", "Enter")  # later
    terminal.wait_until("Change of the password on", START)
    terminal.send("y")
    terminal.wait_until("counts after a restart", START)


def keys(scene: Scene, watched: Watched) -> None:
    """Search for the keys that the program has made."""
    certs = scene.home / CERTS.strip("/")
    scene.marks.add("authority-key", *key_parts((certs / "authority.pem").read_bytes()))
    (account,) = (certs / "acme").glob("*.json")
    scene.marks.add("account-key", base64.urlsafe_b64decode(json.loads(account.read_bytes())["d"] + "=="))
    installed = [sight.data for sight in watched.sights if sight.place.endswith("/.jupyter/certs/8888.pem")]
    assert len(installed) == 2, "one of the own authority, one by ACME"
    for pair in installed:
        scene.marks.add("certificate-key", *key_parts(pair))


def open_to_others(before: set[str], watched: Watched) -> list[str]:
    """What was made meanwhile and others could have looked into, but for what Jupyter itself makes."""
    made = [sight for sight in watched.sights if sight.mode and sight.place not in before]
    ours = [sight for sight in made if not JUPYTERS_OWN.search(sight.place) and not stat.S_ISLNK(sight.mode)]
    return sorted({f"{sight.place} {sight.mode:o}" for sight in ours if sight.mode & 0o077})
