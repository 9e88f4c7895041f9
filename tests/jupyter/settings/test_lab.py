"""The same from afar: by SSH, as a user of that host."""

from __future__ import annotations

import json

import msgspec

from jupytui.jupyter.settings.apply import apply, work
from jupytui.jupyter.settings.commit import commit
from jupytui.jupyter.settings.discover import Whose, look
from jupytui.jupyter.settings.edit import plan
from jupytui.jupyter.settings.sources import source
from jupytui.secret import Secret
from tests.jupyter.launch.conftest import reach
from tests.lab.host import LabHost
from tests.lab.jupyter import VENV
from tests.lab.lab import Lab

CONFIG = "/home/alice/.jupyter/jupyter_server_config.json"


async def test_by_ssh_an_edit_is_proven_and_undone(lab: Lab, fresh_host: LabHost) -> None:
    text = '{"ServerApp": {"port": 9000}, "mine": [1, 2]}'
    fresh_host.write(CONFIG, text, user="alice", mode="644")
    host = await reach(lab, fresh_host)
    try:
        whose = Whose(python=f"{VENV}/bin/python")
        found = await look(host, whose)
        assert found.directories[0].path == "/home/alice/.jupyter", "the environment is root's"
        edit = plan(found, {"IdentityProvider.token": Secret("s3cret"), "ServerApp.port": 9001})
        done = await commit(host, whose, found.python, edit)
        written = fresh_host.exec('cat "$1"; stat -c "%U %a" "$1"', CONFIG).stdout
        assert written.endswith("alice 600\n")
        assert json.loads(written.rpartition("}")[0] + "}") == {
            "ServerApp": {"port": 9001},
            "mine": [1, 2],
            "IdentityProvider": {"token": "s3cret"},
        }
        await apply(host, found.python, done.undo, backups=False)
        assert fresh_host.exec('cat "$1"; stat -c " %U %a" "$1"', CONFIG).stdout == f"{text} alice 644\n"
        job = msgspec.json.encode(work(edit, backups=False)).decode()
        by_root = fresh_host.exec('exec "$1" -I -S -c "$2"', whose.python, source("change"), input=job).stdout
        assert json.loads(by_root) == {"backups": [], "recovered": 0}
        assert fresh_host.exec('stat -c "%U %a" "$1"', CONFIG).stdout == "alice 600\n", "root's edits leave it hers"
    finally:
        await host.close()
