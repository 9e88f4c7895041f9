"""Renewal: everything due by one call, by the authority and by Pebble, and the timer that makes that call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from jupytui.certs import leaf, records, renew
from jupytui.certs.authority import Authority
from jupytui.certs.inspect import served
from jupytui.certs.install import install
from jupytui.certs.models import CertificateError, Pair, Urgency
from jupytui.certs.records import Acme, Installed, due, forget, hand_over, keep, load, remember
from jupytui.certs.renew import Means, renew_all, renew_due
from jupytui.certs.timer import NAME, schedule, service_text, unschedule
from jupytui.hosts.base import Host, HostState, HostTrouble, Nobody
from tests.certs.pebble import Pebble
from tests.certs.test_install import ACCESS, PLACE
from tests.jupyter.launch.conftest import Alice
from tests.lab.jupyter import JupyterServer

NOW = datetime.now(UTC)


def record(pair: Pair, host: str = "ct", **more: object) -> Installed:
    made = Installed(host, PLACE.certfile, pair.leaf.names, pair.leaf.not_before, pair.leaf.not_after, port=ACCESS.port)
    return msgspec.structs.replace(made, **more)


def soon(one: Installed, days: float) -> Installed:
    return msgspec.structs.replace(one, not_before=NOW - timedelta(days=200), not_after=NOW + timedelta(days=days))


@pytest.mark.usefixtures("careless")
def test_records_are_kept_by_file_and_private(ours: Authority, tmp_path: Path) -> None:
    directory = ours.path.parent
    one = record(leaf.issue(ours, ["ct"]))
    assert remember(directory, "ct", ACCESS, PLACE, leaf=leaf.issue(ours, ["ct"]).leaf).server == "ct:8888"
    keep(directory, soon(one, 3))
    keep(directory, msgspec.structs.replace(one, host="other", acme=Acme("https://acme", "dns-01")))
    assert [kept.server for kept in load(directory)] == ["ct:8888", "other:8888"]
    assert (directory / records.FILE).stat().st_mode & 0o777 == 0o600
    forget(directory, one)
    assert [kept.host for kept in load(directory)] == ["other"]
    (directory / records.FILE).write_text("[")
    with pytest.raises(CertificateError, match="cannot be read"):
        load(directory)


def test_a_record_goes_to_the_server_that_reads_the_file_still(ours: Authority) -> None:
    directory = ours.path.parent
    keep(directory, record(leaf.issue(ours, ["ct"])))
    hand_over(directory, "ct", "/another.pem")
    hand_over(directory, "ct", PLACE.certfile, replace(ACCESS, port=8889))
    assert [kept.server for kept in load(directory)] == ["ct:8889"]
    hand_over(directory, "ct", PLACE.certfile)
    assert load(directory) == ()


def test_what_is_due_comes_most_urgent_first(ours: Authority) -> None:
    fine = record(leaf.issue(ours, ["ct"]))
    found = due((soon(fine, 29), fine, soon(fine, -1), soon(fine, 5)), NOW)
    assert [one.urgency(NOW) for one in found] == [Urgency.EXPIRED, Urgency.WEEK, Urgency.MONTH]
    assert due((fine,), NOW, timedelta(days=390)) == (fine,)


@pytest.fixture
async def means(ours: Authority, far: Host) -> AsyncIterator[Means]:
    async def open_host(name: str) -> Host:
        if name != "ct":
            raise HostTrouble(HostState.UNREACHABLE, f"{name} does not answer.")
        return far

    yield Means(ours.path.parent, open_host)


async def test_everything_due_is_renewed_and_a_host_that_is_away_keeps_no_other(
    means: Means, ours: Authority, far: Host, secured: JupyterServer
) -> None:
    pid, pair = secured.pid, leaf.issue(ours, ["ct", "10.7.0.9"])
    await install(far, ACCESS, PLACE, pair)
    keep(means.directory, soon(record(pair, host="away"), 1))
    keep(means.directory, soon(record(pair), 2))
    keep(means.directory, record(pair, certfile="/home/alice/fine.pem"))
    away, here = await renew_due(means)
    assert (away.record.host, away.error and away.error.message) == ("away", "away does not answer.")
    assert here.installed
    shown = await served(far, ACCESS)
    assert shown == here.installed.certificate
    assert shown.der != pair.leaf.der
    assert shown.names == pair.leaf.names
    assert [one.host for one in due(load(means.directory))] == ["away"]
    assert secured.pid == pid


async def test_pebble_renews_by_dns_what_the_server_then_shows(
    means: Means, far: Host, secured: JupyterServer, ours: Authority, pebble: Pebble
) -> None:
    way = Acme(pebble.url, "dns-01", ca_file=pebble.ca_file)
    former = leaf.issue(ours, ["ct.example.org"])
    await install(far, ACCESS, PLACE, former)
    one = soon(record(former, acme=way), 1)
    (unattended,) = await renew_all(means, [one])
    assert unattended.error
    assert "must be set by hand" in unattended.error.message
    assert await served(far, ACCESS) == former.leaf
    (outcome,) = await renew_all(replace(means, show=pebble.set_record, dns_servers=[pebble.dns]), [one])
    assert outcome.installed, outcome.error
    assert (await served(far, ACCESS)).issuer.startswith("Pebble Intermediate")


@pytest.mark.parametrize("spoiled", ["stopped", "a link"])
async def test_nothing_is_ordered_that_could_not_be_installed(
    means: Means, far: Host, secured: JupyterServer, ours: Authority, monkeypatch: pytest.MonkeyPatch, spoiled: str
) -> None:
    async def never(*_: object, **__: object) -> Pair:
        raise AssertionError("it was ordered")

    monkeypatch.setattr(renew, "obtain", never)
    one = record(leaf.issue(ours, ["ct.example.org"]), acme=Acme("https://acme", "http-01", "/var/www"))
    if spoiled == "stopped":
        one = msgspec.structs.replace(one, port=9)
    else:
        secured.host.exec("ln -sf .jupyter/jupyter.pem renewed.pem", user="alice")
        one = msgspec.structs.replace(one, certfile="/home/alice/renewed.pem")
    (outcome,) = await renew_all(means, [one])
    assert outcome.error
    assert outcome.error.message.endswith(
        "Nothing was ordered." if spoiled == "stopped" else "something else looks after that file."
    )


async def test_a_rejected_challenge_installs_nothing_and_an_accepted_one_all(
    means: Means, far: Host, secured: JupyterServer, ours: Authority, pebble: Pebble
) -> None:
    former = leaf.issue(ours, ["ct.example.org"])
    await install(far, ACCESS, PLACE, former)
    before = await far.read(PLACE.certfile)
    pebble.every_name_is_at("127.0.0.1")  # where nobody answers: the responder is on the host
    one = soon(record(former, acme=Acme(pebble.url, "http-01", ca_file=pebble.ca_file)), 1)
    (outcome,) = await renew_all(replace(means, http_port=5080), [one])
    assert outcome.error
    assert "was not satisfied" in outcome.error.message
    assert "port 80 open" in outcome.error.hint
    assert await far.read(PLACE.certfile) == before
    assert await served(far, ACCESS) == former.leaf
    assert load(means.directory) == ()
    pebble.every_name_is_at(secured.host.address)
    (outcome,) = await renew_all(replace(means, prompter=Alice("lab")), [one])
    assert outcome.installed, outcome.error
    assert (await served(far, ACCESS)).issuer.startswith("Pebble Intermediate")
    assert [kept.host for kept in load(means.directory)] == ["ct"]


async def test_the_timer_runs_the_renewal_and_is_taken_away_again(far: Host, secured: JupyterServer) -> None:
    await schedule(far, Nobody(), ["/bin/echo", "a b"])
    await schedule(far, Nobody(), ["/bin/echo", "a b"])
    timers = secured.host.exec("systemctl --user list-timers --all", user="alice").stdout
    assert f"{NAME}.timer" in timers
    secured.host.exec("systemctl --user start $1", f"{NAME}.service", user="alice")
    assert "a b cert renew --due" in secured.host.exec("journalctl -b --no-pager").stdout
    await unschedule(far, Nobody())
    assert NAME not in secured.host.exec("systemctl --user list-timers --all", user="alice").stdout
    assert secured.host.exec("find .config/systemd -name '*cert-renew*'", user="alice").stdout == ""


def test_the_timers_command_is_quoted_for_systemd() -> None:
    assert 'ExecStart="/opt/a b/jupytui" cert renew --due' in service_text(["/opt/a b/jupytui"])
