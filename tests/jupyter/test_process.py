from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui.jupyter.models import App
from jupytui.jupyter.process import app_of, kernel_of, option


@pytest.mark.parametrize(
    ("command", "app"),
    [
        ("/v/bin/python /v/bin/jupyter-lab --no-browser", App.LAB),
        ("/v/bin/python3.12 -X utf8 -m jupyterlab", App.LAB),
        ("/v/bin/python3 /v/bin/jupyter lab", App.LAB),
        ("/opt/conda/bin/python3.11 /opt/conda/bin/jupyter-notebook --port 1", App.NOTEBOOK),
        ("python -m notebook", App.NOTEBOOK),
        ("python -m jupyter_server", App.SERVER),
        ("python /v/bin/jupyter-server", App.SERVER),
        ("python /v/bin/jupyter-nbclassic", App.CLASSIC),
        ("/usr/bin/python /usr/bin/ipython notebook", App.CLASSIC),
        ("python /v/bin/jupyterhub-singleuser --port=1", App.HUB),
        ("python /v/bin/jupyter-lab build", None),
        ("python /v/bin/jupyter-server list", None),
        ("python /v/bin/jupyter-lab password", None),
        ("sh -c jupyter-lab", None),
        ("tmux new-session -d jupyter lab", None),
        ("vim jupyter-notebook.md", None),
        ("python -m ipykernel_launcher -f /r/kernel-1.json", None),
        ("python", None),
        ("", None),
    ],
)
def test_which_program_a_command_line_runs(command: str, app: App | None) -> None:
    assert app_of(command.split()) == app


@pytest.mark.parametrize(
    ("command", "kernel"),
    [
        ("python -m ipykernel_launcher -f /r/kernel-ab-1.json", ("ab-1", "/r")),
        ("python -m ipykernel_launcher --f=/r/kernel-v2-9x.json", ("v2-9x", "/r")),
        ("/usr/lib/R/bin/exec/R --slave -e IRkernel::main() --args /r/kernel-ab.json", ("ab", "/r")),
        ("python /v/bin/jupyter-console --existing /r/kernel-ab.json", None),
        ("vim /r/kernel-ab.json", None),
        ("python /v/bin/jupyter-lab", None),
        ("", None),
    ],
)
def test_which_kernel_a_command_line_runs(command: str, kernel: tuple[str, str] | None) -> None:
    assert kernel_of(command.split()) == kernel


def test_the_last_option_counts_with_and_without_its_class() -> None:
    argv = ["jupyter-lab", "--port", "1", "--ServerApp.port=2", "--ServerApp.base_url=/x"]
    assert option(argv, "port") == "2"
    assert option(argv, "base_url", "base-url") == "/x"
    assert option(argv, "sock") is None


@given(st.lists(st.text()))
def test_no_command_line_makes_it_raise(argv: list[str]) -> None:
    app_of(argv)
    kernel_of(argv)
    option(argv, "port")
