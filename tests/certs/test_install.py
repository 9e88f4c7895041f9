"""Certificates of a real Jupyter: swapped under load, refused, rolled back, turned on, in one file and in two."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from jupytui.certs import authority, leaf, pem
from jupytui.certs.authority import Authority
from jupytui.certs.check import Unfit
from jupytui.certs.configure import find_place, put, turning_on, wishes
from jupytui.certs.files import user_of_path, user_of_process
from jupytui.certs.inspect import NoHandshake, Place, look, served
from jupytui.certs.install import NotServed, Way, install, proven, read_pair
from jupytui.certs.instructions import instructions
from jupytui.certs.models import CertificateError, Pair
from jupytui.errors import CommandError
from jupytui.hosts.base import Destination, Host, Nobody
from jupytui.hosts.limits import Gates
from jupytui.hosts.open import open_host
from jupytui.jupyter.access import Access
from jupytui.jupyter.settings.apply import apply
from jupytui.jupyter.settings.diff import diff
from jupytui.jupyter.settings.discover import Whose
from jupytui.jupyter.settings.discover import look as settings
from jupytui.jupyter.settings.edit import plan
from tests.certs.client import Handshaker
from tests.certs.conftest import needs
from tests.jupyter.launch.conftest import reach
from tests.lab.jupyter import VENV, JupyterServer, Recipe, start_jupyter
from tests.lab.lab import Lab

PLACE = Place("/home/alice/.jupyter/jupyter.pem")
ACCESS = Access("127.0.0.1", 8888, tls=True)
SWAPS = 20


def mode(server: JupyterServer, path: str) -> str:
    return server.host.exec('stat -c "%a %U" "$1"', path).stdout.strip()


async def test_swaps_under_load_fail_no_handshake_and_lose_no_kernel(
    far: Host, secured: JupyterServer, ours: Authority
) -> None:
    before = secured.pid, secured.kernel_pid
    secured.execute("kept = 41")
    first = leaf.issue(ours, ["ct", secured.host.address])
    await install(far, ACCESS, PLACE, first)
    swapped = [first.leaf.der]
    with Handshaker((secured.host.address, 8888)) as client:
        for _ in range(SWAPS):
            pair = leaf.issue(ours, ["ct", secured.host.address], key=first.key)
            done = await install(far, ACCESS, PLACE, pair)
            swapped.append(pair.leaf.der)
            assert (done.certificate.der, done.way) == (pair.leaf.der, Way.COMBINED)
    assert client.failed == []
    assert client.done >= SWAPS
    assert client.seen <= set(swapped)
    assert (secured.pid, secured.kernel_pid) == before
    assert secured.execute("print(kept + 1)") == "42\n"
    assert mode(secured, PLACE.certfile) == "600 alice"


async def test_file_and_served_certificate_are_seen_side_by_side(
    far: Host, secured: JupyterServer, ours: Authority
) -> None:
    await install(far, ACCESS, PLACE, leaf.issue(ours, ["ct"]))
    assert (await look(far, ACCESS, PLACE)).matches is True
    assert (await look(far, ACCESS, Place("/home/alice/.jupyter/other.pem"))).trouble.startswith(
        "There is no other.pem"
    )
    with pytest.raises(NoHandshake, match="Nothing listens"):
        await served(far, replace(ACCESS, port=9))
    with pytest.raises(NoHandshake, match=r"handshake"):
        await served(far, replace(ACCESS, port=22), 5)


async def test_unfit_pairs_are_refused_before_the_server_sees_them(
    far: Host, secured: JupyterServer, ours: Authority
) -> None:
    before = await far.read(PLACE.certfile)
    good = leaf.issue(ours, ["ct"])
    expired = leaf.issue(ours, ["ct"], days=0)
    for pair, sentence in (
        (Pair(pem.new_key(), good.chain), "does not belong"),
        (expired, "expired on"),
    ):
        with pytest.raises(Unfit, match=sentence):
            await install(far, ACCESS, PLACE, pair)
    assert await far.read(PLACE.certfile) == before


async def test_a_certificate_that_is_not_shown_is_taken_back(
    far: Host, secured: JupyterServer, ours: Authority
) -> None:
    shown = await served(far, ACCESS)
    elsewhere = Place("/home/alice/.jupyter/nobody-reads-this.pem")
    with pytest.raises(NotServed, match="goes on showing its former certificate"):
        await install(far, ACCESS, elsewhere, leaf.issue(ours, ["ct"]))
    with pytest.raises(FileNotFoundError):
        await far.read(elsewhere.certfile)
    assert await served(far, ACCESS) == shown


async def test_a_failed_handshake_is_rolled_back(far: Host, secured: JupyterServer, ours: Authority) -> None:
    """The server is said to read its key from a file of its own, and does not: it is left without a key."""
    shown, before = await served(far, ACCESS), await far.read(PLACE.certfile)
    wrong = Place(PLACE.certfile, "/home/alice/.jupyter/key.pem")
    with pytest.raises(NotServed, match="The files are as they were; it serves its former") as failed:
        await install(far, ACCESS, wrong, leaf.issue(ours, ["ct"]), deadline=2)
    assert failed.value.restored
    assert await far.read(PLACE.certfile) == before
    assert await served(far, ACCESS) == shown
    assert secured.host.exec("ls -A .jupyter", user="alice").stdout.split() == [
        "jupyter.pem", "jupyter_server_config.json"
    ]  # fmt: skip


async def test_a_pair_that_may_not_be_read_is_mended_by_a_new_one(
    far: Host, secured: JupyterServer, ours: Authority
) -> None:
    """What `sudo cp new.pem …` leaves: the server cannot read it, and shows nothing."""
    secured.host.exec('cp "$1" new.pem; chmod 600 new.pem; mv new.pem "$1"', PLACE.certfile)
    assert mode(secured, PLACE.certfile) == "600 root"
    assert await read_pair(far, PLACE) is None
    pair = leaf.issue(ours, ["ct"])
    done = await install(far, ACCESS, PLACE, pair)
    assert (done.certificate.der, done.before) == (pair.leaf.der, None)
    assert mode(secured, PLACE.certfile) == "600 alice"


async def test_what_could_not_be_read_is_not_said_to_be_as_it_was(
    far: Host, secured: JupyterServer, ours: Authority
) -> None:
    elsewhere = Place("/home/alice/.jupyter/nobody-reads-this.pem")
    secured.host.exec('echo of root >"$1"; chmod 600 "$1"', elsewhere.certfile)
    pair = leaf.issue(ours, ["ct"])
    with pytest.raises(NotServed, match="The files stay replaced: what was there could not be read"):
        await install(far, ACCESS, elsewhere, pair)
    assert await read_pair(far, elsewhere) == pair
    secured.host.exec('rm "$1"', elsewhere.certfile)


async def test_two_files_of_which_one_cannot_be_replaced_stay_as_they_were(
    far: Host, secured: JupyterServer, ours: Authority
) -> None:
    """The key is root's in a sticky directory: the renaming of the second file fails."""
    place = Place("/home/alice/chain.pem", "/tmp/of-root.pem")
    await far.write(place.certfile, b"as it was")
    secured.host.exec("echo of root >/tmp/of-root.pem; chmod 644 /tmp/of-root.pem")
    with pytest.raises(CommandError, match="they are as they were"):
        await install(far, ACCESS, place, leaf.issue(ours, ["ct"]))
    assert await far.read(place.certfile) == b"as it was"
    assert await far.read("/tmp/of-root.pem") == b"of root\n"
    left = secured.host.exec("ls -A /home/alice /tmp | grep jupytui-; rm chain.pem", user="alice", check=False)
    assert left.stdout == ""


async def test_a_link_that_others_look_after_is_left_alone(far: Host, secured: JupyterServer, ours: Authority) -> None:
    link = Place("/home/alice/link.pem")
    secured.host.exec("ln -sf .jupyter/jupyter.pem link.pem", user="alice")
    with pytest.raises(CertificateError, match="something else looks after that file"):
        await install(far, ACCESS, link, leaf.issue(ours, ["ct"]))


@pytest.fixture
async def root(lab: Lab, secured: JupyterServer) -> AsyncIterator[Host]:
    """The host of `secured`, as root reaches it by SSH."""
    secured.host.exec("umask 077; mkdir -p /root/.ssh; cp /home/alice/.ssh/authorized_keys /root/.ssh/")
    host = open_host(Destination("ct", "root@ct", str(lab.ssh_config)), Nobody(), Gates())
    await host.connect()
    yield host
    await host.close()


async def test_what_root_installs_is_the_servers_own(root: Host, secured: JupyterServer, ours: Authority) -> None:
    place = replace(PLACE, user=await user_of_process(root, secured.pid))
    assert place.user == await user_of_path(root, PLACE.certfile) == "alice"
    pair = leaf.issue(ours, ["ct"])
    assert (await install(root, ACCESS, place, pair)).certificate.der == pair.leaf.der
    assert mode(secured, PLACE.certfile) == "600 alice"
    assert await read_pair(root, place) == pair


async def test_what_root_takes_back_is_the_servers_own(root: Host, secured: JupyterServer, ours: Authority) -> None:
    pair = leaf.issue(ours, ["ct"])
    await install(root, ACCESS, replace(PLACE, user="alice"), pair)
    wrong = Place(PLACE.certfile, "/home/alice/.jupyter/key.pem", user="alice")
    with pytest.raises(NotServed, match="The files are as they were; it serves its former") as failed:
        await install(root, ACCESS, wrong, leaf.issue(ours, ["ct"]), deadline=2)
    assert failed.value.restored
    assert mode(secured, PLACE.certfile) == "600 alice"
    assert await served(root, ACCESS) == pair.leaf


async def test_where_root_turns_tls_on_the_files_are_the_servers_own(
    root: Host, secured: JupyterServer, ours: Authority
) -> None:
    place, _edit = await turning_on(root, Whose(pid=secured.pid), 9999)
    await put(root, place, leaf.issue(ours, ["ct"]))
    assert mode(secured, place.certfile) == "600 alice"
    assert mode(secured, "/home/alice/.jupyter/certs") == "700 alice"
    secured.host.exec("rm -r .jupyter/certs", user="alice")


@pytest.fixture
async def plain(lab: Lab, secured: JupyterServer) -> AsyncIterator[tuple[JupyterServer, Host]]:
    recipe = Recipe("ctplain", "user-unit", "plain.ipynb", token="token-of-the-plain-host")
    server = start_jupyter(lab, lab.host("ctplain"), recipe)
    server.host.exec("echo umask 000 | tee -a .profile .bashrc", user="alice")
    host = await reach(lab, server.host)
    yield server, host
    await host.close()


async def restarted(server: JupyterServer, host: Host, pair: Pair) -> None:
    """Restart the server, as its owner has agreed to, and wait until the pair is shown."""
    server.host.exec("systemctl --user restart jupyter", user="alice")
    async with asyncio.timeout(90):
        while True:
            try:
                await proven(host, ACCESS, pair)
            except NotServed:
                await asyncio.sleep(0.1)
            else:
                return


async def test_tls_is_turned_on_and_two_files_are_handled_too(
    plain: tuple[JupyterServer, Host], ours: Authority
) -> None:
    server, host = plain
    whose = Whose(pid=server.pid)
    pair = leaf.issue(ours, ["localhost"])
    place, edit = await turning_on(host, whose, 8888)
    assert server.host.exec("ls -d .jupyter/certs", user="alice", check=False).stdout == ""
    await put(host, place, pair)
    assert "/home/alice/.jupyter/certs/8888.pem" in diff(edit)
    assert mode(server, place.certfile) == "600 alice"
    assert mode(server, "/home/alice/.jupyter/certs") == "700 alice"
    await apply(host, f"{VENV}/bin/python", edit)
    await restarted(server, host, pair)
    whose = Whose(pid=server.pid)

    two = Place("/home/alice/.jupyter/certs/chain.pem", "/home/alice/.jupyter/certs/key.pem")
    await host.write(two.certfile, pem.chain_pem(pair.chain))
    await host.write(two.keyfile or "", pair.key.reveal().encode())
    found = await settings(host, whose)
    await apply(host, found.python, plan(found, wishes(two)))
    await restarted(server, host, pair)
    pid = server.pid
    assert await find_place(host, Whose(pid=pid)) == two
    assert await read_pair(host, two) == pair
    renewed = await install(host, ACCESS, two, leaf.issue(ours, ["localhost"], key=pair.key))
    assert renewed.way is Way.CHAIN
    other = leaf.issue(ours, ["localhost"])
    assert (await install(host, ACCESS, two, other)).way is Way.BOTH
    assert await read_pair(host, two) == other
    assert server.pid == pid
    assert {mode(server, two.certfile), mode(server, two.keyfile or "")} == {"600 alice"}
    assert server.host.exec("ls -A .jupyter/certs", user="alice").stdout.split() == ["8888.pem", "chain.pem", "key.pem"]


CHROMIUM = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--dump-dom",
]


async def test_a_browser_that_trusts_the_authority_takes_it_by_name_and_by_address(
    far: Host, secured: JupyterServer, tmp_path: Path, home: Path
) -> None:
    needs("chromium", "certutil")
    ours = authority.load_or_make(tmp_path / "certs", ["lab.example", f"{secured.host.address}/24"])
    address = secured.host.address
    await install(far, ACCESS, PLACE, leaf.issue(ours, ["ct.lab.example", address]))
    ours.export(home / "jupytui.crt")

    def page(name: str, profile: str) -> str:
        url = f"https://{name}:8888/login"
        rules = f"--host-resolver-rules=MAP ct.lab.example {address}"
        done = subprocess.run(
            ["chromium", *CHROMIUM, f"--user-data-dir={tmp_path / profile}", rules, url],
            env=os.environ | {"HOME": str(home)}, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        return done.stdout

    assert "Jupyter Server" not in page("ct.lab.example", "before")
    (told,) = [one for one in instructions(home / "jupytui.crt") if one.system.startswith("Chromium")]
    for step in told.steps:
        subprocess.run(["/bin/sh", "-c", step], env=os.environ | {"HOME": str(home)}, check=True)
    for name in ("ct.lab.example", address):
        assert "Jupyter Server" in page(name, "after")
