"""What is asked before something is shared, and what is refused, without a server."""

from __future__ import annotations

import msgspec
import pytest

from jupytui.actions.base import Confirmation, why_not
from jupytui.actions.share import LAN, NGROK, STOP, URL
from jupytui.actions.share_ngrok import check_domain, name_of
from jupytui.actions.share_side import Draft, agree, public_wishes
from jupytui.actions.share_url import check_url
from jupytui.fleet.models import HostView
from jupytui.fleet.subject import Subject
from jupytui.jupyter.models import App, Auth, Health, Server, Tls
from jupytui.jupyter.settings.discover import Whose
from jupytui.jupyter.settings.edit import Edit, FileChange
from jupytui.jupyter.settings.models import Found
from jupytui.reachability.target import Target
from tests.actions.front import ScriptedFront, context

SERVER = Subject("gpu1", "gpu1:8888")


@pytest.mark.parametrize("action", [NGROK, URL, LAN], ids=lambda action: str(action.id))
@pytest.mark.parametrize(
    ("auth", "health", "word"),
    [
        (Auth.NONE, Health.OPEN, "lets anybody in"),
        (Auth.PASSWORD, Health.OPEN, "lets anybody in"),
        (Auth.UNKNOWN, Health.OK, "Nobody can tell"),
        (Auth.PASSWORD, Health.UNREADABLE, "another user"),
    ],
)
def test_what_asks_for_no_password_is_refused_and_told_how_to_get_one(
    action: object, auth: Auth, health: Health, word: str
) -> None:
    server = Server("gpu1:8888", 11, App.LAB, port=8888, auth=auth, health=health)
    where = context(ScriptedFront(), HostView("gpu1", servers=(server,)))
    assert word in (why_not(action, where, [SERVER]) or "")  # type: ignore[arg-type]


@pytest.mark.parametrize("action", [URL, LAN], ids=lambda action: str(action.id))
def test_a_unix_socket_has_no_address_to_lead_to(action: object) -> None:
    subject = Subject("gpu1", "gpu1:/run/lab.sock")
    server = Server("gpu1:/run/lab.sock", 11, App.LAB, sock="/run/lab.sock", auth=Auth.PASSWORD)
    where = context(ScriptedFront(), HostView("gpu1", servers=(server,)))
    assert "unix socket, which has no address" in (why_not(action, where, [subject]) or "")  # type: ignore[arg-type]


def test_only_what_is_shared_can_be_stopped() -> None:
    server = Server("gpu1:8888", 11, App.LAB, port=8888, auth=Auth.TOKEN)
    where = context(ScriptedFront(), HostView("gpu1", servers=(server,)))
    assert why_not(STOP, where, [SERVER]) == "gpu1:8888 is not shared."


def test_a_name_is_let_in_beside_localhost_and_an_address_needs_none() -> None:
    plain, tls = Server("a:1", 1, App.LAB), Server("a:1", 1, App.LAB, tls=Tls())
    names = {"ServerApp.local_hostnames": ["localhost", "lab.example"]}
    assert public_wishes(plain, Target.parse("https://lab.example")) == names | {"ServerApp.trust_xheaders": True}
    assert public_wishes(tls, Target.parse("https://lab.example")) == names
    assert public_wishes(plain, Target.parse("http://lab.example")) == names
    assert public_wishes(plain, Target.parse("http://10.0.0.1")) == {}


def test_fields_are_checked_as_they_are_typed() -> None:
    assert check_domain("") is check_domain("lab.ngrok.app") is check_url("https://lab.example/") is None
    assert check_domain("https://lab.ngrok.app")
    assert check_domain("lab")
    assert check_url("http://localhost:8888/")
    assert check_url("ftp://lab.example/")


def test_a_shares_name_is_one_that_a_tunnel_may_have() -> None:
    assert name_of(Subject("h", "h:/run/user/1000/jupyter.sock")) == "share-h-run-user-1000-jupyter.sock"


async def test_what_is_written_wants_consent_and_names_the_servers_that_may_read_it_too() -> None:
    here, other, gone = (Server(f"gpu1:{port}", port, App.LAB, port=port) for port in (8888, 8890, 8892))
    gone = msgspec.structs.replace(gone, health=Health.STALE)
    front = ScriptedFront()
    where = context(front, HostView("gpu1", servers=(here, other, gone)))
    edit = Edit((FileChange("/home/alice/.jupyter/jupyter_server_config.json", b"{}", b'{"a": 1}'),))
    question = Confirmation("Share", (), "")
    for restart in ("no", "yes"):
        await agree(where, SERVER, Draft(Whose(App.LAB), Found("lab"), edit), question, {"restart": restart})
    await agree(where, SERVER, Draft(Whose(App.LAB), Found("lab"), Edit(())), question, {})
    asked, restarted, nothing = front.confirmed
    assert asked.notes == ("If gpu1:8890 read the same files, the change counts there after their next start.",)
    assert (asked.expressly, restarted.expressly, nothing.expressly) == (True, False, False)
    assert nothing.notes == ()
