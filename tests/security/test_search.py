"""The search finds what was leaked, in every kind of place: else it would prove nothing."""

from __future__ import annotations

import base64
import os
import subprocess
import time
from pathlib import Path

import pytest

from jupytui.certs import pem
from tests.lab.lab import Lab
from tests.security.marks import Found, Marks, key_parts, marker, outside
from tests.security.places import in_files, in_journal, trees_of
from tests.security.watching import Watched, watching

SECRET = marker("leak")


@pytest.fixture
def marks() -> Marks:
    marks = Marks()
    marks.add("leak", SECRET)
    return marks


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("code", [base64.b64encode, base64.urlsafe_b64encode, bytes.hex])
def test_a_secret_is_found_within_encoded_text(marks: Marks, before: str, code: object) -> None:
    assert callable(code)
    coded = code(f"{before}user:{SECRET}:more".encode())
    assert marks.search("here", coded if isinstance(coded, bytes) else coded.encode()) == [Found("leak", "here")]
    assert not marks.search("here", base64.b64encode(marker("other").encode()))


def test_a_private_key_is_found_as_pem_and_as_der_and_its_certificate_is_not() -> None:
    key, marks = pem.new_key(), Marks()
    marks.add("key", *key_parts(key.reveal().encode()))
    body = key.reveal().split("\n")[1:-2]
    assert marks.search("pem", key.reveal().encode())
    assert marks.search("der", base64.b64decode("".join(body)))
    assert all(marks.search("a line", line.encode()) for line in body[:2])
    assert not marks.search("another", pem.new_key().reveal().encode())


def test_a_code_is_found_by_itself_and_not_within_a_longer_number() -> None:
    marks = Marks()
    marks.add("code", "12345678")
    assert marks.search("", b"code=12345678\n")
    assert not marks.search("", b"at 912345678 ns")


def test_what_is_intended_is_so_for_one_kind_in_one_place() -> None:
    found = [Found("token", "/run/jpserver-1.json"), Found("token", "/tmp/log"), Found("key", "/run/jpserver-1.json")]
    assert outside(found, {"token": r"jpserver-\d+\.json$"}) == found[:0:-1]


# Has the first line of its stdin in an argument and in an environment, and says so.
LEAKING = "read -r s; NOT_HERE=$s sh -c 'echo; read -r _' $s"


def seen(marks: Marks, watched: Watched) -> set[str]:
    """In what of processes a secret was seen."""
    found = [found for sight in watched.sights for found in marks.search(sight.place, sight.data)]
    return {place for place in ("cmdline", "environ") if any(one.place.startswith(place) for one in found)}


def leak(process: subprocess.Popen[bytes], watched: Watched) -> None:
    with process:
        assert process.stdin and process.stdout
        process.stdin.write(f"{SECRET}\n".encode())
        process.stdin.flush()
        assert process.stdout.readline() == b"\n"
        watched.look()
        process.stdin.close()


def test_an_argument_and_an_environment_are_seen(marks: Marks) -> None:
    with watching() as watched:
        leak(subprocess.Popen(["sh", "-c", LEAKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE), watched)
    assert seen(marks, watched) == {"cmdline", "environ"}


def test_a_file_that_is_gone_by_now_was_seen_with_its_mode(marks: Marks, tmp_path: Path) -> None:
    file = tmp_path / "soon-gone"
    with watching(tmp_path) as watched:
        file.write_text(SECRET)
        file.chmod(0o644)
        watched.look()
        file.unlink()
    found = [sight for sight in watched.sights if marks.search(sight.place, sight.data)]
    assert {(sight.place, sight.mode & 0o777) for sight in found} == {(f"file {file}", 0o644)}


def test_files_are_found_by_content_name_and_link_and_old_ones_are_not(marks: Marks, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text(SECRET)
    os.utime(old, (1, 1))
    since = time.time() + 0.01
    while time.time() < since + 0.05:  # ctime has the kernel's tick
        pass
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/file").write_bytes(b"\0" * (2**24 - 5) + SECRET.encode())  # across two blocks
    (tmp_path / SECRET).touch()
    (tmp_path / "link").symlink_to(SECRET)
    places = {found.place for found in in_files(marks, {"": tmp_path}, since)}
    assert places == {"/deep/file", f"the name of /{SECRET}", "/link"}


def test_it_is_found_in_a_host_in_its_processes_files_and_both_journals(lab: Lab, marks: Marks) -> None:
    host, since = lab.host("mk1"), time.time() - 1
    host.exec("loginctl enable-linger alice; systemctl start user@$(id -u alice).service")
    with watching() as watched:
        host.exec("exec 3>/run/leak; cat >&3; cp /run/leak /var/tmp/leak; cp /run/leak /home/alice/leak", input=SECRET)
        leak(host.spawn(LEAKING), watched)
        host.exec("read -r s; echo $s | systemd-cat -t leaking", input=f"{SECRET}\n")
        host.exec("read -r s; echo $s | systemd-cat -t too", input=f"{SECRET}\n", user="alice")
        host.exec("journalctl --sync")
    trees = trees_of(host)
    places = {found.place for found in in_files(marks, trees, since)}
    assert {"/run/leak", "/var/tmp/leak", "/home/alice/leak"} <= places
    entries = [found.place for found in in_journal(marks, host)]
    assert all(any(f"SYSLOG_IDENTIFIER={name}\n" in entry for entry in entries) for name in ("leaking", "too"))
    assert seen(marks, watched) == {"cmdline", "environ"}
    host.exec("rm /run/leak /var/tmp/leak /home/alice/leak; journalctl --rotate --vacuum-time=1s -q")
