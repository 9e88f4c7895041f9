"""Rules on facts as they were recorded; tests/doctor/test_planted.py has real ones."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from jupytui.actions.doctor import scope_of
from jupytui.doctor.export import as_json, as_text
from jupytui.doctor.glance import suspicious
from jupytui.doctor.models import ORDER, Disk, DownUnit, HostFacts, PathFact, Plight, ServerFacts, Severity
from jupytui.doctor.repair import prepare
from jupytui.doctor.rules import HOST_RULES, RULES, diagnose, together
from jupytui.doctor.units import plight_of
from jupytui.fleet.models import HostView, System, Trouble
from jupytui.fleet.subject import Subject
from jupytui.hosts.state import HostState
from jupytui.jupyter.models import App, Auth, Health, Server, Tls, Unit
from jupytui.jupyter.settings.models import CannotEdit, ConfigFile, Found
from jupytui.jupyter.settings.splice import read
from jupytui.reachability.models import Cause, Fix, Outcome, Part, Report, Step
from jupytui.systemd.units import Service, Services

SERVER = Server(
    id="gpu1:8888", pid=9, app=App.LAB, version="2.21.1", port=8888, bind="loopback", auth=Auth.TOKEN,
    root_dir="/w", url="http://localhost:8888/",
)  # fmt: skip


def host(*servers: ServerFacts, **more: object) -> HostFacts:
    view = HostView("gpu1", **{"state": HostState.UP, "system": System(memory_used=1, memory_total=100), **more})  # type: ignore[arg-type]
    return HostFacts(view, servers, services=Services())


def ids(*servers: ServerFacts, **more: object) -> list[str]:
    return [finding.id for finding in diagnose(host(*servers, **more)).findings]


def configured(text: str) -> Found:
    path = "/h/.jupyter/jupyter_server_config.json"
    data = text.encode()
    file = ConfigFile(path, "/h/.jupyter", data, mode=0o600, reading=read(path, data))
    return Found("lab", files=(file,))


WELL = ServerFacts(
    SERVER, configured("{}"), uid=1000, root_exists=True, paths=(PathFact("/r", "runtime directory", 0o700, 1000),),
    disks=(Disk("/w", 10**12, 10**11),), versions={"jupyter_server": "2.21.1", "jupyterlab": "4.6.6"},
    through=Report("http://localhost:8888/", "gpu1", ()),
)  # fmt: skip


def test_a_healthy_server_has_no_finding_and_every_rule_ran() -> None:
    diagnosis = diagnose(host(WELL))
    assert diagnosis.findings == ()
    assert (diagnosis.passed, diagnosis.blind) == (len(RULES) + len(HOST_RULES), frozenset())
    assert diagnosis.verdicts == (("gpu1:8888", "loopback · token · http · 2.21.1 · safe"),)


def test_a_server_known_by_its_process_alone_breaks_no_rule() -> None:
    bare = Server(id="gpu1#7", pid=7, app=App.SERVER, health=Health.UNREADABLE)
    diagnosis = diagnose(host(ServerFacts(bare, unseen="It is another user's.")))
    assert diagnosis.findings == ()
    assert diagnosis.skipped == ("It is another user's.",)
    assert diagnosis.verdicts[0][1].endswith("not seen whole")


def blind(facts: ServerFacts | HostFacts) -> set[str]:
    """The rules that lacked their facts; no other rule may be left out of what passed."""
    diagnosis = diagnose(host(facts) if isinstance(facts, ServerFacts) else facts)
    assert diagnosis.passed + len(diagnosis.blind) + len(diagnosis.findings) == len(HOST_RULES) + len(RULES) * bool(
        diagnosis.verdicts
    )
    return {rule for _place, rule in diagnosis.blind}


def test_what_could_not_be_looked_at_is_not_counted_as_passed() -> None:
    foreign = Server(id="gpu1:8888", pid=9, app=App.LAB, port=8888, bind="loopback", health=Health.UNREADABLE)
    unseen = blind(ServerFacts(foreign, unseen="It is another user's.", uid=1001))
    assert {rule.name for rule in RULES} - unseen == {"in_clear", "direct", "root", "unit_memory", "lingering"}
    assert blind(replace(WELL, server=msgspec.structs.replace(SERVER, auth=Auth.UNKNOWN))) == {
        "open_door",
        "open_next_time",
    }
    assert {"configuration", "weak_hash", "any_origin"} <= blind(replace(WELL, found=None, unseen="It took too long."))
    assert blind(replace(WELL, found=configured('{"ServerApp": {"certfile": "/c.pem"}}'))) == {
        "certificate_dates",
        "certificate_pair",
        "certificate_served",
    }
    exposed = replace(WELL, server=msgspec.structs.replace(SERVER, bind="all", tls=Tls()))
    assert blind(exposed) == {"direct"}


def test_of_a_host_that_is_not_reached_nothing_else_has_passed() -> None:
    away = HostFacts(HostView("far", state=HostState.UNREACHABLE, error=Trouble("It is silent.", "")))
    assert blind(away) == {rule.name for rule in HOST_RULES} - {"host"}
    assert {"failed_units", "looping_units", "stopped_units"} == blind(replace(host(), services=None))


@pytest.mark.parametrize(("more", "word"), [({"auth": Auth.UNKNOWN}, "not known"), ({"bind": None}, "not known")])
def test_nothing_is_called_safe_of_which_nobody_knows_who_reaches_it_or_how(more: dict[str, Any], word: str) -> None:
    diagnosis = diagnose(host(replace(WELL, server=msgspec.structs.replace(SERVER, **more))))
    assert diagnosis.verdicts[0][1].endswith(f" · {word}")


def unit(**more: Any) -> Service:
    return Service("jupyter.service", "user", load="loaded", command="/opt/bin/jupyter-lab --no-browser", **more)


RUNS = msgspec.structs.replace(SERVER, unit=Unit("jupyter.service", "user"))


@pytest.mark.parametrize(
    ("service", "server", "plight"),
    [
        (unit(active="failed"), None, Plight.FAILED),
        (unit(active="activating", sub="auto-restart"), None, Plight.LOOPS),
        (unit(active="active", restarts=7), None, Plight.LOOPS),
        (unit(active="active", restarts=7), Health.STARTING, Plight.LOOPS),
        (unit(active="active", restarts=7), Health.OK, None),
        (unit(active="active"), Health.STARTING, None),
        (unit(active="inactive"), None, Plight.STOPPED),
        (Service("jupyter-backup.service", "user", load="loaded", active="inactive", command="/bin/sh"), None, None),
        (msgspec.structs.replace(unit(active="inactive"), load="masked"), None, None),
    ],
)
def test_a_unit_that_serves_nothing_is_told_from_one_that_does(
    service: Service, server: Health | None, plight: Plight | None
) -> None:
    seen = [msgspec.structs.replace(RUNS, health=server)] if server else []
    assert plight_of(service, seen) is plight


def test_units_that_serve_nothing_are_found_with_their_cause_and_what_shows_it() -> None:
    log = (
        "ValueError: '999.1.2.3' is no address",
        "jupyter.service: Main process exited, code=exited, status=1/FAILURE",
    )
    cause = "ValueError: '999.1.2.3' is no address"
    loops = DownUnit(unit(active="active", restarts=27), Plight.LOOPS, cause, log)
    failed, stopped = DownUnit(unit(active="failed"), Plight.FAILED, cause, log), DownUnit(unit(), Plight.STOPPED)
    told = {each.id: each for each in diagnose(replace(host(), down=(stopped, loops, failed))).findings}
    assert [each.severity.value for each in told.values()] == ["critical", "critical", "notice"]
    looping = told["health.unit-loops"]
    assert looping.title == "jupyter.service starts again and again: ValueError: '999.1.2.3' is no address"
    assert {*log, "started again 27 times so far"} <= set(looping.evidence)
    start = told["health.unit-stopped"].fix
    assert start and start.automatic and prepare(start, None).shown == "systemctl --user start jupyter.service"


def test_of_a_server_that_left_no_file_nothing_is_left_over() -> None:
    gone = msgspec.structs.replace(SERVER, health=Health.STALE)
    left = [replace(host(), stale=((gone, paths),)) for paths in (("/r/jpserver-9.json",), ())]
    assert [[each.id for each in diagnose(facts).findings] for facts in left] == [["health.stale"], []]


@pytest.mark.parametrize("state", [state for state in HostState if state is not HostState.UP])
@pytest.mark.parametrize("hint", ["Is it awake?", "", "Update the server."])
def test_a_fix_is_something_to_do_never_a_question(state: HostState, hint: str) -> None:
    away = HostFacts(HostView("far", state=state, error=Trouble("It is silent.", hint)))
    (finding,) = diagnose(away).findings
    assert finding.fix and finding.fix.words and "?" not in finding.fix.words
    assert hint in f"{finding.words} {finding.fix.words}"


@pytest.mark.parametrize(
    ("versions", "says"),
    [
        ({"jupyter_server": "2.17.0"}, "CVE-2026-40934"),
        ({"jupyter_server": "2.7.0"}, "GHSA-r726-vmfq-j9j3"),
        ({"jupyterlab": "4.5.6"}, "CVE-2026-40171"),
        ({"jupyterlab": "4.6.1"}, "CVE-2026-73415"),
        ({"notebook": "7.2.1"}, "CVE-2024-43805"),
    ],
)
def test_releases_with_known_flaws_are_named_with_their_source(versions: dict[str, str], says: str) -> None:
    server = msgspec.structs.replace(SERVER, version=versions.get("jupyter_server", "2.21.1"))
    facts = replace(WELL, server=server, versions={"jupyter_server": server.version or "", **versions})
    (finding,) = diagnose(host(facts)).findings
    assert finding.id == "exposure.vulnerable"
    assert any(says in line and "https://" in line for line in finding.evidence)


def test_a_flaw_that_needs_a_setting_is_told_only_where_it_is_set() -> None:
    old = msgspec.structs.replace(SERVER, version="2.17.0")
    facts = replace(WELL, server=old, versions={"jupyter_server": "2.17.0"})
    pattern = replace(facts, found=configured('{"ServerApp": {"allow_origin_pat": "https://lab"}}'))
    told = ["\n".join(diagnose(host(each)).findings[0].evidence) for each in (facts, pattern)]
    assert ["CVE-2026-40110" in text for text in told] == [False, True]


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        (".*", True),
        ("^https?://.+$", True),
        (r"https://[\w.]+", True),
        (r"https://.*\.example\.org", False),
        ("https://lab", False),
        ("*", False),  # no pattern: Jupyter lets nobody in with it
        ("", False),
    ],
)
def test_a_pattern_is_judged_by_whom_it_lets_in(pattern: str, told: bool) -> None:
    text = json.dumps({"ServerApp": {"allow_origin_pat": pattern}})
    assert ("exposure.origin" in ids(replace(WELL, found=configured(text)))) is told


def test_an_upgrade_without_a_restart_is_told() -> None:
    assert ids(replace(WELL, versions={"jupyter_server": "2.22.0"})) == ["exposure.old-release"]


def test_disks_memory_and_limits() -> None:
    full = replace(WELL, disks=(Disk("/w", 10**12, 10**9),))
    assert ids(full) == ["health.disk"]
    assert ids(replace(WELL, disks=(Disk("/w", 10**12, 10**11, files_free=0.001),))) == ["health.disk"]
    assert ids(replace(WELL, disks=(Disk("/w", 10**12, 10**11), Disk("/run", 10**7, 9 * 10**6)))) == []
    assert ids(WELL, system=System(memory_used=99, memory_total=100)) == ["health.machine-memory"]
    unit = Service("x.service", "user", memory=95, memory_max=100)
    assert ids(replace(WELL, service=unit)) == ["health.memory"]


def test_only_a_user_unit_needs_lingering() -> None:
    for scope, expected in (("user", ["health.linger"]), ("system", [])):
        server = msgspec.structs.replace(SERVER, unit=Unit("x.service", scope))
        assert ids(replace(WELL, server=server, linger=False)) == expected


def test_a_directory_that_nobody_enters_is_closed_whatever_may_be_listed() -> None:
    for mode, expected in ((0o700, []), (0o711, ["exposure.readable"]), (0o755, ["exposure.readable"])):
        assert ids(replace(WELL, paths=(PathFact("/r", "runtime directory, …", mode, 1),))) == expected


def test_the_worst_comes_first_over_several_hosts() -> None:
    away = HostFacts(HostView("far", state=HostState.UNREACHABLE, error=Trouble("It is silent.", "Is it on?")))
    both = together([diagnose(host(replace(WELL, uid=0))), diagnose(away)])
    assert [finding.host for finding in both.findings] == ["far", "gpu1"]
    order = [ORDER.index(finding.severity) for finding in both.findings]
    assert order == sorted(order) and both.worst is Severity.CRITICAL


SECRETS = (
    '{"ServerApp": {"ip": "::", "password": "sha1:abc:deadbeef"}, '
    '"IdentityProvider": {"token": "t0p-s3cret", "hashed_password": "argon2:$hidden"}}'
)


def test_nothing_that_lets_people_in_is_exported() -> None:
    diagnosis = diagnose(host(replace(WELL, found=configured(SECRETS))))
    assert {"exposure.hash", "health.config-loses"} <= {finding.id for finding in diagnosis.findings}
    told = as_text(diagnosis) + as_json(diagnosis, datetime.now(UTC)).decode() + repr(diagnosis)
    for secret in ("t0p-s3cret", "deadbeef", "hidden"):
        assert secret not in told


def test_the_json_is_a_document_with_every_field() -> None:
    diagnosis = diagnose(host(replace(WELL, uid=0)))
    document = json.loads(as_json(diagnosis, datetime(2026, 1, 2, tzinfo=UTC)))
    assert document["taken_at"] == "2026-01-02T00:00:00Z"
    (finding,) = document["findings"]
    assert set(finding) == {"id", "severity", "title", "words", "evidence", "host", "server", "fix"}


def test_text_from_a_host_reaches_nobodys_terminal() -> None:
    nasty = msgspec.structs.replace(SERVER, root_dir="/w\x1b]52;c;AAAA\x07\n")
    for finding in diagnose(host(replace(WELL, server=nasty, root_exists=False))).findings:
        assert "\x1b" not in repr([finding.title, finding.words, *finding.evidence]).replace("\\x1b", "\x1b")


def test_a_fix_of_settings_that_are_not_seen_is_refused() -> None:
    (finding,) = diagnose(host(replace(WELL, found=configured('{"ServerApp": {"allow_origin": "*"}}')))).findings
    assert finding.fix
    with pytest.raises(CannotEdit):
        prepare(finding.fix, None)


def refusing(auth: Auth) -> ServerFacts:
    """A server that refuses localhost, as the check of the way there tells it."""
    way = Fix("Name it.", {"ServerApp.local_hostnames": ["localhost", "localhost"]})
    step = Step(Part.HOST, Outcome.FAILED, "It is refused.", ("403",), Cause.HOST, (way,))
    server = msgspec.structs.replace(SERVER, auth=auth)
    names = configured('{"ServerApp": {"local_hostnames": ["a.example", "b.example"]}}')
    return replace(WELL, server=server, found=names, through=Report("http://localhost:8888/", "gpu1", (step,)))


def test_names_that_a_fix_adds_to_stay() -> None:
    first = diagnose(host(refusing(Auth.TOKEN))).findings[0]
    assert first.fix and first.id == "reach.host"
    assert first.fix.wishes == {"ServerApp.local_hostnames": ["localhost", "a.example", "b.example"]}


def test_a_server_that_asks_nobody_is_not_opened_further_by_a_key() -> None:
    first = diagnose(host(refusing(Auth.NONE))).findings[0]
    assert first.fix and first.id == "reach.host"
    assert first.fix.words and not first.fix.automatic


@pytest.mark.parametrize(
    ("names", "warned"), [("", True), (', "local_hostnames": ["localhost", "lab.example"]', False)]
)
def test_who_takes_the_proxys_server_off_the_network_is_told_what_its_name_needs(names: str, warned: bool) -> None:
    found = configured(f'{{"ServerApp": {{"trust_xheaders": true{names}}}}}')
    server = msgspec.structs.replace(SERVER, bind="all", tls=Tls())
    (finding,) = diagnose(host(replace(WELL, server=server, found=found))).findings
    assert finding.fix and finding.id == "exposure.xheaders"
    assert ("gets a 403" in finding.fix.words) is warned


def test_the_host_of_a_server_that_has_gone_is_looked_at_instead() -> None:
    views = [HostView("gpu1", servers=(SERVER,)), HostView("far")]
    assert scope_of(views, Subject("gpu1", "gpu1:8888")) == (Subject("gpu1", "gpu1:8888"),)
    assert scope_of(views, Subject("gpu1", "gpu1:8889")) == (Subject("gpu1"),)
    assert scope_of(views, Subject()) == (Subject("gpu1"), Subject("far"))


def test_at_a_glance_only_what_strangers_reach_or_nobody_answers_for_counts() -> None:
    open_ = msgspec.structs.replace(SERVER, auth=Auth.NONE, bind="all")
    local = msgspec.structs.replace(SERVER, auth=Auth.NONE)
    stale = msgspec.structs.replace(SERVER, health=Health.STALE)
    assert suspicious([HostView("a", servers=(SERVER, local)), HostView("b", servers=(open_, stale))]) == 2


def test_services_without_systemd_say_nothing_of_lingering() -> None:
    facts = HostFacts(HostView("gpu1", state=HostState.UP), (WELL,), services=Services(systemd=False))
    assert diagnose(facts).findings == ()
