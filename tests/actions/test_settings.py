"""What is asked before settings are changed; tests/e2e/test_settings.py changes real ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupytui.actions.base import why_not
from jupytui.actions.presets import edit_of, preset_named
from jupytui.actions.settings import editing, value_field, value_of, wrong_key, wrong_value
from jupytui.actions.settings_edit import Seen, restart_or_wait
from jupytui.actions.table import BY_ID
from jupytui.errors import UsageError
from jupytui.fleet.subject import Subject
from jupytui.hosts.local import LocalHost
from jupytui.jupyter.settings.diff import diff
from jupytui.jupyter.settings.discover import Answer
from jupytui.jupyter.settings.edit import Edit, FileChange, plan
from jupytui.jupyter.settings.extensions import enabled
from jupytui.jupyter.settings.models import ConfigFile, Directory, Found
from jupytui.jupyter.settings.presets import PRESETS
from jupytui.jupyter.settings.read_options import read_options
from jupytui.jupyter.settings.splice import read
from jupytui.jupyter.settings.traits import Trait, Type
from jupytui.secret import Secret
from tests.actions.front import ScriptedFront, context
from tests.ui.fleets import gpu1

SERVER = Subject("gpu1", "gpu1:8888")
PLACE = "/home/a/.jupyter"
OLD_EXTENSION = {"ServerApp": {"jpserver_extensions": {"jupyter_http_over_ws": True}}}


def seen(*files: ConfigFile, options: tuple[str, ...] = ()) -> Seen:
    found = Found("lab", (Directory(PLACE, True, True),), files, read_options(options), 7, user_directory=PLACE)
    return Seen(SERVER, gpu1().servers[0], LocalHost(), found, Answer("2.21", {}, {}))


def file(name: str, text: str) -> ConfigFile:
    path, data = f"{PLACE}/{name}", text.encode()
    return ConfigFile(path, PLACE, data, 0o600, 7, 0.0, writable=True, reading=read(path, data))


def said(changes: tuple[FileChange, ...]) -> dict[str, object]:
    return {change.path.removeprefix(PLACE): json.loads(change.after or b"null") for change in changes}


@pytest.mark.parametrize("verb", ["edit", "remove", "preset", "migrate", "undo"])
def test_read_only_mode_changes_no_setting(verb: str) -> None:
    only = context(ScriptedFront(), gpu1(), read_only=True)
    assert "--read-only" in (why_not(BY_ID[f"settings.{verb}"], only, [SERVER]) or "")
    assert "--read-only" in (why_not(editing("ServerApp.port"), only, [SERVER]) or "")


def test_a_typo_is_named_with_what_was_perhaps_meant() -> None:
    known = {"ServerApp.port": 1, "ServerApp.ip": 1}
    assert wrong_key("ServerApp.port", known) is None
    assert wrong_key("ServerApp.prot", known) == "Jupyter has no setting ServerApp.prot. Did you mean ServerApp.port?"
    assert wrong_key("ip", known) == "Jupyter has no setting ip. Did you mean ServerApp.ip?"
    assert wrong_key("A.b", {}) is None, "a Jupyter that ends at once tells no names, and must be mended nevertheless"
    assert wrong_key("", known) == "Jupyter has no setting without a name."


def test_a_form_knows_type_choices_default_and_help_and_hides_secrets() -> None:
    flag = value_field(Trait("A.on", Type.BOOLEAN, "Helps.\nA lot.", "False"), True)
    assert (flag.choices, flag.value, flag.help) == (
        ("True", "False"),
        "True",
        "A boolean; default False. Helps. A lot.",
    )
    choice = value_field(Trait("A.c", Type.CHOICE, values=("x", "y"), optional=True), "y")
    assert (choice.choices, choice.value) == (("x", "y", "None"), "y")
    number = value_field(Trait("A.n", Type.WHOLE), 3)
    assert (number.check("4"), number.check("x")) == (None, "A.n is a whole number.")
    hidden = value_field(Trait("A.client_secret", Type.TEXT), Secret("s3cret"))
    assert (hidden.secret, hidden.value) == (True, "")
    assert isinstance(value_of(Trait("A.client_secret", Type.TEXT), "s3cret"), Secret)
    assert wrong_value(Trait("A.m", Type.MAPPING), "[1]") == "A.m is a mapping."


def test_a_preset_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(UsageError, match="local-network"):
        preset_named("lan")


def test_colab_switches_the_old_extension_off_where_it_is_on() -> None:
    old = file("jupyter_server_config.d/jupyter_http_over_ws.json", json.dumps(OLD_EXTENSION))
    changes = said(edit_of(seen(old), preset_named("colab"), {}).files)
    assert changes["/jupyter_server_config.d/jupyter_http_over_ws.json"] == {
        "ServerApp": {"jpserver_extensions": {"jupyter_http_over_ws": False}}
    }
    assert "/jupyter_server_config.json" in changes
    assert not enabled(seen().found)
    assert list(said(edit_of(seen(), preset_named("colab"), {}).files)) == ["/jupyter_server_config.json"]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.id)
def test_every_preset_fits_a_server_that_was_started_without_a_browser(preset: object) -> None:
    assert isinstance(preset, type(PRESETS[0]))
    given = {"domain": "lab.example.org", "certfile": "/etc/ssl/lab.pem"}
    edit_of(seen(options=("--no-browser",)), preset, given)


async def test_without_consent_a_change_is_left_pending_and_kernels_are_named_first() -> None:
    front = ScriptedFront(yes=False)
    nothing: dict[str, Any] = {"python": "", "edit": Edit(())}
    done = await restart_or_wait(context(front, gpu1()), SERVER, {}, "Written.", **nothing)
    assert done == "Written. Pending: it counts after a restart of gpu1:8888."
    (question,) = front.confirmed
    assert [loss.what for loss in question.losses] == ["train.ipynb's kernel", "eval.ipynb's kernel"]
    assert question.typed == "gpu1", "one of them is busy"
    assert "restart" in question.runs
    front.confirmed.clear()
    assert "Pending" in await restart_or_wait(context(front, gpu1()), SERVER, {"restart": "no"}, "Written.", **nothing)
    assert not front.confirmed


def test_no_secret_of_anybodys_class_is_in_what_is_shown_first() -> None:
    text = '{\n "Mine": {\n  "api_key": "s3cret",\n  "x": 1\n },\n "ServerApp": {"port": 1}\n}'
    mine = file("jupyter_server_config.json", text)
    edit = plan(seen(mine).found, {"ServerApp.port": 2, "Mine.x": 2})
    assert "s3cret" not in diff(edit)
    assert "api_key" in diff(edit)
