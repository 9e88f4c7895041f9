"""Logging in: who is asked what, and when nobody is. Against asyncssh's own server, in this process."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import asyncssh
import pytest

from jupytui.hosts import auth, dial
from jupytui.hosts.base import HostState, SecretKind
from jupytui.hosts.limits import Gates
from tests.hosts.account import Account, Person, lets_in, trouble
from tests.hosts.server import Serve


async def test_a_key_lets_in_and_nobody_is_asked(account: Account, serve: Serve) -> None:
    await serve(keys=[account.key])
    person = Person()
    await lets_in(account, person)
    assert not person.asked
    assert not person.shown


async def test_a_password_is_asked_for_once(account: Account, serve: Serve) -> None:
    server = await serve(password="right")
    person = Person(["right"])
    await lets_in(account, person)
    assert [(prompt.host, prompt.kind, prompt.again) for prompt in person.asked] == [
        ("box", SecretKind.PASSWORD, False)
    ]
    assert server.credentials == ["password right"]


async def test_a_wrong_password_is_never_sent_again_but_asked_again(account: Account, serve: Serve) -> None:
    server = await serve(password="right")
    person = Person(["wrong", "worse", "right"])
    await lets_in(account, person)
    assert [prompt.again for prompt in person.asked] == [False, True, True]
    assert server.credentials == ["password wrong", "password worse", "password right"]


async def test_who_declines_is_not_asked_again_and_nothing_is_sent(account: Account, serve: Serve) -> None:
    server = await serve(password="right", rounds=[("Code: ", "1")])
    person = Person([None])
    error = await trouble(account, person)
    assert error.state is HostState.AUTH_FAILED
    assert not error.retry
    assert "none was given" in error.hint
    assert len(person.asked) == 1
    assert not server.credentials


async def test_three_wrong_passwords_are_an_authentication_failure(account: Account, serve: Serve) -> None:
    server = await serve(password="right")
    error = await trouble(account, Person(["first", "second", "third", "right"]))
    assert error.state is HostState.AUTH_FAILED
    assert server.credentials == ["password first", "password second", "password third"]
    assert not any(word in str(error) + error.detail for word in ("first", "second", "third"))


async def test_a_one_time_code_is_asked_with_the_hosts_words_and_the_empty_round_is_answered(
    account: Account, serve: Serve
) -> None:
    server = await serve(rounds=[("Password: ", "pw"), ("One-time \x1b[31mcode: ", "123456"), ("", "")])
    person = Person(["pw", "123456"])
    await lets_in(account, person)
    assert [prompt.kind for prompt in person.asked] == [SecretKind.PASSWORD, SecretKind.CODE]
    assert person.asked[1].text == "One-time \N{REPLACEMENT CHARACTER}[31mcode:"
    assert server.credentials == ["answers ['pw']", "answers ['123456']", "answers []"]


async def test_typing_may_take_longer_than_every_clock_of_the_login(
    account: Account, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "CONNECT_DEADLINE", 0.6)
    monkeypatch.setattr(auth, "LOGIN_DEADLINE", 0.6)
    await serve(rounds=[("Code: ", "1"), ("Next code: ", "2")])
    await lets_in(account, Person(["1", "2"], pause=1))


async def test_a_key_with_a_passphrase_is_unlocked_once_for_all_hosts(account: Account, serve: Serve) -> None:
    key = account.new_key("id", "secret words")
    person = Person(["wrong", "secret words"], pause=0.05)
    gates = Gates()
    for name in ("one", "two", "three"):
        await serve(name, keys=[key])
    hosts = [account.open(name, person, gates) for name in ("one", "two", "three")]
    await asyncio.gather(*(host.connect() for host in hosts))
    await asyncio.gather(*(host.close() for host in hosts))
    assert [(prompt.kind, prompt.again) for prompt in person.asked] == [
        (SecretKind.PASSPHRASE, False),
        (SecretKind.PASSPHRASE, True),
    ]


async def test_no_passphrase_is_asked_for_a_key_that_the_host_does_not_want(account: Account, serve: Serve) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519")
    account.new_key("id", "secret words")
    await serve(keys=[other])
    person = Person(["secret words"])
    assert (await trouble(account, person)).state is HostState.AUTH_FAILED
    assert not person.asked


async def test_a_hung_agent_is_passed_over(
    account: Account, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupytui.hosts.keys.AGENT_PROBE", 0.2)
    path = str(tmp_path / "agent")
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(path)
        agent.listen()
        await serve(keys=[account.key], lines=(f"IdentityAgent {path}",))
        await lets_in(account)
