from __future__ import annotations

from pathlib import Path

import pytest

from jupytui.config.check import check_config
from jupytui.config.load import parse_config
from jupytui.errors import ConfigError

PATH = Path("/there/hosts.toml")
TWO = "[hosts.a]\n[hosts.b]\n[tunnels.x]\nhost = 'a'\nto = 1\nlocal = 9000\n[tunnels.y]\nhost = 'b'\nlocal = 9000\n"


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ("[settings]\nrefresh = 3\nssh_config = '/no/such'\n", 3, "settings.ssh_config: there is no file /no/such."),
        ("[hosts.gpu1]\n[tunnels.x]\nto = 1\nhost = 'gpu'\n", 4, "no host gpu in this file. Did you mean gpu1?"),
        ("[tunnels.x]\nhost = 'far'\nto = 1\n", 2, "List it: [hosts.far] takes what your ssh config knows."),
        (f"{TWO}to = 2\n", 9, "tunnels.y.local: tunnels.x listens at 9000 as well. Give each its own."),
        (f"{TWO}kind = 'socks'\n", 9, "tunnels.y.local: tunnels.x listens at 9000 as well."),
    ],
)
def test_what_cannot_work_is_named_by_file_line_and_key(source: str, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_config(parse_config(PATH, source.encode()))
    assert str(caught.value).startswith(f"{PATH}, line {line}: ")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "[settings]\nssh_config = 'none'\n",
        "[settings]\nssh_config = '/dev/null'\n",
        "[tunnels.x]\nhost = 'local'\nto = 1\n",
        f"{TWO}to = 2\nkind = 'remote'\n",
        "",
    ],
)
def test_what_can_work_is_let_be(source: str) -> None:
    check_config(parse_config(PATH, source.encode()))
