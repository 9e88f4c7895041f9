"""What forbids a launch, and what a person should know before one: pure."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from jupytui.jupyter.launch.causes import explain
from jupytui.jupyter.launch.ground import Gravity, Ground, problems
from jupytui.jupyter.launch.spec import Keep, Spec
from jupytui.jupyter.launch.start import plan

GROUND = Ground(
    uid=1000, user="alice", home="/home/alice", state="/home/alice/.local/state", config="/home/alice/.config",
    systemd=True, manager=True, linger=False, root_dir="/home/alice", root_dir_is="writable",
    script="/v/bin/jupyter-lab",
)  # fmt: skip
SPEC = Spec("/v/bin/python", port=8888)


def test_nothing_is_wrong_with_the_usual() -> None:
    assert not problems(SPEC, GROUND)


@pytest.mark.parametrize(
    ("spec", "ground", "field", "word", "gravity"),
    [
        ({}, {"uid": 0}, "extra", "as root", "fatal"),
        ({}, {"root_dir": "/home/alice/.x", "root_dir_is": "writable"}, "root_dir", "hidden", "warning"),
        ({}, {"root_dir_is": "missing"}, "root_dir", "no directory", "fatal"),
        ({}, {"root_dir_is": "file"}, "root_dir", "not a directory", "fatal"),
        ({}, {"root_dir_is": "readonly"}, "root_dir", "may not write", "warning"),
        ({}, {"port_holder": "process 7 (nginx)"}, "port", "taken by process 7", "fatal"),
        ({"port": 443}, {}, "port", "root alone", "fatal"),
        ({"port": 70000}, {}, "port", "not a port", "fatal"),
        ({"address": "0.0.0.0"}, {}, "address", "everybody", "warning"),
        ({"extra": ("--ServerApp.token=abc",)}, {}, "extra", "seen by every user", "fatal"),
        ({"extra": ("--IdentityProvider.hashed_password=abc",)}, {}, "extra", "seen by every user", "fatal"),
        ({}, {"systemd": False}, "keep", "no systemd", "fatal"),
        ({}, {"manager": False}, "keep", "no systemd user manager", "fatal"),
        ({"keep": Keep.PROCESS, "memory_max": "8G"}, {}, "keep", "need systemd", "fatal"),
        ({"memory_max": "lots"}, {}, "memory_max", "not a size", "fatal"),
        ({"name": "../x"}, {}, "name", "cannot name", "fatal"),
        ({}, {"name_taken": ("/home/alice/.config/systemd/user/jupyter-8888.service",)}, "name", "already", "fatal"),
    ],
)
def test_each_problem_is_said_in_words(
    spec: dict[str, Any], ground: dict[str, Any], field: str, word: str, gravity: str
) -> None:
    (found,) = problems(msgspec.structs.replace(SPEC, **spec), msgspec.structs.replace(GROUND, **ground))
    assert (found.field, found.gravity) == (field, Gravity(gravity))
    assert word in found.message


@pytest.mark.parametrize("keep", Keep)
def test_every_launch_makes_a_broken_configuration_fatal_and_fixes_its_port(keep: Keep) -> None:
    made = plan(msgspec.structs.replace(SPEC, keep=keep), GROUND)
    assert "--ServerApp.port_retries=0" in made.command
    if keep is not Keep.PROCESS:
        assert "TRAITLETS_APPLICATION_RAISE_CONFIG_FILE_ERROR=1" in made.unit_text


def test_the_log_of_a_system_unit_lies_where_its_user_can_plant_no_link() -> None:
    assert plan(msgspec.structs.replace(SPEC, keep=Keep.SYSTEM_UNIT), GROUND).log == "/var/log/jupytui/jupyter-8888.log"


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({"kind": "os", "errno": 28, "text": "x", "path": "/a"}, "the disk is full"),
        (
            {"kind": "ended", "code": "exited", "status": 1, "log": "OSError: [Errno 28] No space left on device"},
            "disk is full",
        ),
        (
            {"kind": "ended", "code": "exited", "status": 1, "log": "ERROR: the port 8888 is already in use"},
            "port is taken",
        ),
        ({"kind": "ended", "code": "exited", "status": 1, "log": "The port 8888 is already in use"}, "port is taken"),
        ({"kind": "ended", "code": "killed", "status": 9, "log": ""}, "was killed by SIGKILL"),
        (
            {"kind": "ended", "code": "exited", "status": 1, "log": "a\nValueError: certfile gone\n"},
            "ValueError: certfile gone",
        ),
        ({"kind": "silent", "seconds": 60}, "did not answer in time"),
        ({}, "ended"),
    ],
)
def test_causes_are_told_in_words(facts: dict[str, Any], cause: str) -> None:
    assert cause in explain(facts, "JupyterLab").message


def test_escapes_in_a_log_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in explain({"kind": "ended", "log": "\x1b[31mred"}, "x").log
