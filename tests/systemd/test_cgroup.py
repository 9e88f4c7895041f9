from __future__ import annotations

import pytest

from jupytui.systemd.cgroup import Owner, owning_unit

USER = "/user.slice/user-1000.slice/user@1000.service"


@pytest.mark.parametrize(
    ("cgroup", "owner"),
    [
        ("0::/system.slice/jupyter.service", Owner("jupyter.service", "system")),
        ("0::/system.slice/system-jupyter.slice/jupyter@ada.service", Owner("jupyter@ada.service", "system")),
        (f"0::{USER}/app.slice/lab.service", Owner("lab.service", "user")),
        (f"0::{USER}/app.slice/lab.service/inner", Owner("lab.service", "user")),
        (f"9:name=systemd:{USER}/lab.service\n4:memory:/x.service\n0::/", Owner("lab.service", "user")),
        ("4:memory:/system.slice/x.service\n0::/", None),
        ("0::/user.slice/user-1000.slice/session-4.scope", None),
        (f"0::{USER}/init.scope", None),
        (f"0::{USER}/tmux-spawn-1.scope", None),
        ("0::/system.slice/ssh.service", None),
        ("0::/system.slice/cron.service", None),
        ("0::/", None),
        ("", None),
        ("garbage", None),
    ],
)
def test_the_unit_that_keeps_a_process_alive(cgroup: str, owner: Owner | None) -> None:
    assert owning_unit(cgroup) == owner
