"""Whose key is whose: new, known, changed and revoked ones. Nothing is sent to a host nobody vouches for."""

from __future__ import annotations

import asyncssh
import pytest

from jupytui.hosts.base import HostState
from tests.hosts.account import Account, Person, lets_in, trouble
from tests.hosts.server import Serve


async def test_a_new_host_is_trusted_by_a_person_once_and_written_down(account: Account, serve: Serve) -> None:
    server = await serve(keys=[account.key], known=False)
    person = Person(trusts=True)
    await lets_in(account, person)
    await lets_in(account, person)
    [question] = person.shown
    assert question.key.algorithm == "ED25519"
    assert question.key.fingerprint == server.host_keys[0].get_fingerprint()
    assert account.known_hosts.stat().st_mode & 0o777 == 0o600
    key = server.host_keys[0].export_public_key().decode().split()
    assert account.known_hosts.read_text() == f"[127.0.0.1]:{server.port} {key[0]} {key[1]}\n"


@pytest.mark.parametrize(("line", "asked"), [("StrictHostKeyChecking ask", 1), ("StrictHostKeyChecking yes", 0)])
async def test_nothing_is_sent_to_a_new_host_nobody_vouches_for(
    account: Account, serve: Serve, line: str, asked: int
) -> None:
    server = await serve(keys=[account.key], known=False, lines=(line,))
    person = Person(trusts=False)
    error = await trouble(account, person)
    assert error.state is HostState.KEY_UNKNOWN
    assert server.host_keys[0].get_fingerprint() in error.message
    assert len(person.shown) == asked
    assert not server.offers
    assert not account.known_hosts.exists()


async def test_accept_new_accepts_what_is_new_and_nothing_that_changed(account: Account, serve: Serve) -> None:
    server = await serve(keys=[account.key], known=False, lines=("StrictHostKeyChecking accept-new",))
    person = Person()
    await lets_in(account, person)
    assert not person.shown
    account.known_hosts.unlink()
    account.know(server.port, asyncssh.generate_private_key("ssh-ed25519"))
    assert (await trouble(account)).state is HostState.KEY_CHANGED


@pytest.mark.parametrize("line", ["StrictHostKeyChecking ask", "StrictHostKeyChecking no"])
@pytest.mark.parametrize("old", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
async def test_keys_and_passwords_are_never_offered_to_a_host_whose_key_changed(
    account: Account, serve: Serve, line: str, old: str
) -> None:
    server = await serve(keys=[account.key], password="right", known=False, lines=(line,))
    former = asyncssh.generate_private_key(old)
    account.know(server.port, former)
    person = Person(["right"], trusts=True)
    error = await trouble(account, person)
    assert error.state is HostState.KEY_CHANGED
    assert not error.retry
    assert not server.offers
    assert not person.asked
    assert not person.shown
    for part in (former.get_fingerprint(), server.host_keys[0].get_fingerprint(), f"{account.known_hosts}:1"):
        assert part in error.hint
        assert part in error.detail


async def test_a_revoked_key_is_refused_loudly(account: Account, serve: Serve) -> None:
    server = await serve(keys=[account.key])
    account.know(server.port, server.host_keys[0], "@revoked")
    error = await trouble(account, Person(trusts=True))
    assert error.state is HostState.KEY_CHANGED
    assert "revoked" in error.message
    assert f"{account.known_hosts}:2" in error.hint
    assert not server.offers


async def test_the_known_key_is_used_when_the_host_has_better_ones(account: Account, serve: Serve) -> None:
    keys = [asyncssh.generate_private_key(kind) for kind in ("ecdsa-sha2-nistp256", "ssh-ed25519")]
    await serve(keys=[account.key], host_keys=keys)
    await lets_in(account)


async def test_a_certificate_of_a_known_authority_vouches_for_a_host(account: Account, serve: Serve) -> None:
    authority = asyncssh.generate_private_key("ssh-ed25519")
    key = asyncssh.generate_private_key("ssh-ed25519")
    certificate = authority.generate_host_certificate(key, "box", principals=["127.0.0.1"])
    server = await serve(keys=[account.key], known=False, host_keys=[(key, certificate)])
    account.know(server.port, authority, "@cert-authority")
    await lets_in(account)


async def test_a_mess_in_known_hosts_disturbs_nobody(account: Account, serve: Serve) -> None:
    account.known_hosts.write_bytes(
        b"garbage\n@nonsense x y z\n|1|x|y ssh-rsa AAAA\n\xff\xfe ssh-ed25519 AAAA\n* ssh-rsa !\n"
    )
    await serve(keys=[account.key])
    await lets_in(account)
