"""What the certificate actions ask, refuse and say. tests/e2e/test_certs.py has them on a real server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from jupytui.actions import cert_install, cert_off, certs
from jupytui.actions.base import Answers, Context, Refused, perform, why_not
from jupytui.actions.cert_install import Ready, Spot, deliver
from jupytui.actions.cert_sources import DNS, HERE, OTHER, imported, names_of
from jupytui.actions.table import BY_ID
from jupytui.certs import configure, pem, private, records
from jupytui.certs.inspect import Place
from jupytui.certs.models import CertificateError, Pair
from jupytui.errors import CommandError, WrongAnswer
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Destination, HostState, HostTrouble
from jupytui.jupyter.settings.commit import NotConfirmed, NotTakenBack
from jupytui.jupyter.settings.edit import Edit
from jupytui.jupyter.settings.models import CannotEdit
from tests.actions.front import ScriptedFront, context
from tests.ui.fleets import gpu1, local

LAB, PLAIN = Subject("gpu1", "gpu1:8888"), Subject("gpu1", "gpu1:8890")


@pytest.mark.parametrize("verb", ["cert.issue", "cert.renew", "cert.import", "cert.acme", "cert.off", "cert.timer"])
def test_read_only_mode_changes_no_certificate(verb: str) -> None:
    assert "--read-only" in (why_not(BY_ID[verb], context(ScriptedFront(), gpu1(), read_only=True), [LAB]) or "")


@pytest.mark.parametrize("verb", ["cert.renew", "cert.off"])
def test_what_has_no_tls_has_nothing_to_renew_or_to_turn_off(verb: str) -> None:
    assert why_not(BY_ID[verb], context(ScriptedFront(), gpu1()), [PLAIN]) == "gpu1:8890 has TLS off."


@pytest.mark.parametrize("verb", ["cert.issue", "cert.import", "cert.acme"])
def test_a_server_on_a_unix_socket_is_not_offered_what_jupyter_cannot_do(verb: str) -> None:
    view = gpu1()
    server = replace(view.servers[1], id="gpu1:/run/j.sock", port=None, sock="/run/j.sock", url="http+unix://x/")
    known = context(ScriptedFront(), replace(view, servers=(server,)))
    assert "speaks no TLS" in (why_not(BY_ID[verb], known, [Subject("gpu1", server.id)]) or "")


async def test_the_names_of_the_host_are_filled_in_within_what_the_authority_may_vouch_for() -> None:
    known = context(ScriptedFront(), local())
    known.fleet.add(Destination("local"))
    names = await names_of(known, Subject("local"))
    assert {"localhost", "127.0.0.1", "::1"} <= set(names)
    assert os.uname().nodename.lower() in {name.lower() for name in names}
    assert await names_of(known, Subject("local"), ["127.0.0.0/8"]) == ["127.0.0.1"]
    await known.fleet.close()


async def test_the_authority_is_made_once_and_exported_with_what_to_do(home: Path) -> None:
    front = ScriptedFront(answers={"permitted": "lab.example", "path": "~/ca.crt"})
    assert "It vouches only for lab.example" in (await perform(BY_ID["cert.authority"], context(front)) or "")
    with pytest.raises(Refused, match="You have one"):
        await perform(BY_ID["cert.authority"], context(front))
    await perform(BY_ID["cert.export"], context(front))
    assert b"PRIVATE" not in (home / "ca.crt").read_bytes()
    steps = front.forms[-1].fields[0].value
    assert f"sudo cp {home}/ca.crt" in steps
    assert front.copied == [steps]


async def test_without_an_authority_there_is_nothing_to_export() -> None:
    with pytest.raises(Refused, match="no authority yet"):
        await perform(BY_ID["cert.export"], context(ScriptedFront()))


async def test_nothing_is_due_where_nothing_was_installed() -> None:
    assert "No certificate is due" in (await perform(BY_ID["cert.due"], context(ScriptedFront())) or "")


def files(directory: Path, pair: Pair, key: bytes) -> Answers:
    (directory / "cert").write_bytes(pem.chain_pem(pair.chain))
    (directory / "key").write_bytes(key)
    return {"where": HERE, "cert": str(directory / "cert"), "key": str(directory / "key")}


async def test_a_pair_that_fits_is_described_and_agreed_to(spot: Spot, pair: Pair, tmp_path: Path) -> None:
    answers = files(tmp_path, pair, pair.key.reveal().encode())
    front = ScriptedFront()
    assert await imported(context(front), spot, answers) == pair
    assert "For localhost; ECDSA P-256; 397 days left" in front.confirmed[0].runs
    assert "does not hold the certificate of" in front.confirmed[0].notes[0]
    assert await imported(context(ScriptedFront(yes=False)), spot, answers) is None
    assert pair.key.reveal().split("\n")[1] not in repr(front.confirmed)


async def test_a_passphrase_nobody_gives_refuses_the_pair_with_the_fix(spot: Spot, pair: Pair, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as s

    locked = s.load_pem_private_key(pair.key.reveal().encode(), None).private_bytes(
        s.Encoding.PEM, s.PrivateFormat.PKCS8, s.BestAvailableEncryption(b"secret")
    )
    with pytest.raises(CertificateError, match="protected by a passphrase") as refused:
        await imported(context(ScriptedFront()), spot, files(tmp_path, pair, locked))
    assert "Give the passphrase" in refused.value.hint


async def test_a_file_that_is_not_there_can_be_mended_in_its_field(spot: Spot) -> None:
    for where in (HERE, "local"):
        with pytest.raises(WrongAnswer, match="/no/such cannot be read") as wrong:
            await imported(context(ScriptedFront()), spot, {"where": where, "cert": "/no/such", "key": ""})
        assert wrong.value.field == "cert"


# TLS on and off


@pytest.fixture
async def known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Context]:
    """Two servers of this machine, one of which could get TLS; what its Jupyter would say is made up."""

    async def off(*_: object) -> None:
        return None

    async def turning_on(*_: object) -> tuple[Place, Edit]:
        return Place(str(tmp_path / "8888.pem")), Edit(())

    monkeypatch.setattr(configure, "find_place", off)
    monkeypatch.setattr(configure, "turning_on", turning_on)
    view = local()
    neighbour = replace(view.servers[0], id="local:8889", pid=71, port=8889)
    known = context(ScriptedFront(), replace(view, servers=(*view.servers, neighbour)))
    known.fleet.add(Destination("local"))
    yield known
    await known.fleet.close()


ORDER: Answers = {
    "service": OTHER, "url": "https://acme", "email": "", "names": "a.example.org", "way": DNS, "webroot": "",
}  # fmt: skip


def front_of(known: Context) -> ScriptedFront:
    assert isinstance(known.front, ScriptedFront)
    return known.front


async def test_nothing_is_ordered_made_or_taken_away_before_turning_tls_on_is_agreed_to(
    known: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        raise AssertionError("it was ordered")

    monkeypatch.setattr(certs, "by_acme", never)
    (tmp_path / "8888.pem").write_text("of an earlier time")
    front_of(known).yes = False
    subject = Subject("local", "local:8888")
    assert await perform(BY_ID["cert.acme"], known, [subject], ORDER) == ""
    assert await perform(BY_ID["cert.issue"], known, [subject], {"names": "localhost"}) == ""
    assert [asked.title for asked in front_of(known).confirmed] == ["Turn TLS on for local:8888"] * 2
    assert (tmp_path / "8888.pem").read_text() == "of an earlier time"
    assert not private.default_directory().exists()


async def test_nothing_is_ordered_where_the_configuration_cannot_be_changed(
    known: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stuck(*_: object) -> tuple[Place, Edit]:
        raise CannotEdit("The command line decides it.")

    async def never(*_: object) -> None:
        raise AssertionError("it was ordered")

    monkeypatch.setattr(configure, "turning_on", stuck)
    monkeypatch.setattr(certs, "by_acme", never)
    with pytest.raises(CannotEdit):
        await perform(BY_ID["cert.acme"], known, [Subject("local", "local:8888")], ORDER)


async def test_who_turns_tls_on_is_told_whom_else_it_may_concern(known: Context) -> None:
    front_of(known).yes = False
    await perform(BY_ID["cert.issue"], known, [Subject("local", "local:8888")], {"names": "localhost"})
    assert "If local:8889 read the same files" in front_of(known).confirmed[0].notes[-1]


@pytest.mark.parametrize("before", [None, "of an earlier time"])
@pytest.mark.parametrize(
    ("error", "named"),
    [
        (CannotEdit("It has changed."), False),
        (NotConfirmed("Jupyter applies another value."), False),
        (asyncio.CancelledError(), False),
        (NotTakenBack("It stays."), True),
        (CommandError("Who knows."), True),
        (HostTrouble(HostState.DOWN, "The connection was lost."), True),
    ],
)
async def test_a_certificate_that_the_configuration_may_name_stays(
    spot: Spot,
    pair: Pair,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    named: bool,
    before: str | None,
) -> None:
    async def fail(*_: object) -> None:
        assert file.read_bytes() == pem.combined_pem(pair)
        raise error

    file = tmp_path / "certs/8888.pem"
    if before:
        file.parent.mkdir()
        file.write_text(before)
    monkeypatch.setattr(cert_install, "change", fail)
    with pytest.raises(type(error)):
        await deliver(context(ScriptedFront(), local()), Ready(spot, Place(str(file)), Edit(())), pair)
    if named:
        assert file.read_bytes() == pem.combined_pem(pair)
    elif before:
        assert file.read_text() == before
    else:
        assert not file.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
async def test_a_place_that_the_servers_user_may_not_write_is_refused_in_words(
    spot: Spot, pair: Pair, tmp_path: Path
) -> None:
    tmp_path.chmod(0o700)
    where = Ready(spot, Place(str(tmp_path / "8888.pem"), user="daemon"))
    with pytest.raises(Refused, match="may not be written") as refused:
        await deliver(context(ScriptedFront(), local()), where, pair)
    assert refused.value.hint == "It is done as daemon, whose server it is."


@pytest.mark.parametrize("shared", [True, False])
async def test_turning_tls_off_keeps_the_renewal_of_a_file_that_another_server_reads(
    spot: Spot, pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    place = Place("/home/me/.jupyter/certs/8888.pem")

    async def there(*_: object) -> Place | None:
        return place if shared else Place("/another.pem")

    monkeypatch.setattr(configure, "find_place", there)
    view = local()
    neighbour = replace(view.servers[0], id="local:8889", port=8889, url="https://localhost:8889/")
    known = context(ScriptedFront(), replace(view, servers=(*view.servers, neighbour)))
    known.fleet.add(Destination("local"))
    directory = private.default_directory()
    records.remember(directory, "local", spot.access, place, leaf=pair.leaf)
    await cert_off.hand_over(known, spot, place)
    await known.fleet.close()
    assert [record.server for record in records.load(directory)] == (["local:8889"] if shared else [])
