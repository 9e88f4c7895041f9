"""Which page of a server is opened."""

from __future__ import annotations

import pytest

from jupytui.jupyter.models import App, Server
from jupytui.jupyter.page import Page, origin, page
from jupytui.secret import Secret

TOKEN = "t&k=n #1"


@pytest.mark.parametrize(
    ("app", "path", "shown"),
    [
        (App.LAB, None, "lab"),
        (App.NOTEBOOK, None, "tree"),
        (App.CLASSIC, None, "tree"),
        (App.SERVER, None, ""),
        (App.LAB, "deep/a b#1?.ipynb", "lab/tree/deep/a%20b%231%3F.ipynb"),
        (App.NOTEBOOK, "é.ipynb", "notebooks/%C3%A9.ipynb"),
        (App.CLASSIC, "a.ipynb", "notebooks/a.ipynb"),
        (App.NOTEBOOK, "a.py", "edit/a.py"),
        (App.LAB, "work/console-1-8e2a", "lab"),  # a console has no file
        (App.LAB, "/outside/of/root.ipynb", "lab"),
        (App.LAB, "../../etc/passwd.d", "lab"),
    ],
)
def test_the_page_is_that_of_the_program_and_the_path_is_quoted(app: App, path: str | None, shown: str) -> None:
    assert page(Server("h:8888", 1, app), path) == shown


def test_the_token_is_quoted_and_seen_in_the_url_alone() -> None:
    opened = Page("h:8888", "http://127.0.0.1:8888/lab", Secret(TOKEN))
    assert opened.url.reveal() == "http://127.0.0.1:8888/lab?token=t%26k%3Dn%20%231"
    for seen in (opened.masked, str(opened), repr(opened), str(opened.url)):
        assert "t&k" not in seen
        assert "t%26k" not in seen
    assert Page("h:8888", "http://127.0.0.1:8888/lab").url.reveal() == "http://127.0.0.1:8888/lab"


def test_an_ipv6_address_has_brackets() -> None:
    assert origin("::1", 8888, tls=True) == "https://[::1]:8888"
