"""Faults planted in real hosts: the cause is named first, and its fix, where one is offered, takes it away."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.doctor.planted import CONFIG, HOME, RUNTIME, examined
from tests.lab.host import LabHost
from tests.lab.jupyter import HASHED_PASSWORD, VENV, JupyterServer, Recipe, start_jupyter
from tests.lab.lab import Lab

TOKEN = "a-token-of-the-doctors-host"
PY = f"{HOME}/.jupyter/jupyter_server_config.py"
SHA1 = "sha1:67c9e60bb8b6:9ffede0825894254b2e042ea597d771089e11aed"


@pytest.fixture(scope="module")
def server(lab: Lab, installed: None) -> JupyterServer:
    """A healthy JupyterLab, kept by a user unit, on a host of its own."""
    recipe = Recipe("dr1", "user-unit", "a.ipynb", token=TOKEN)
    server = start_jupyter(lab, lab.host("dr1"), recipe)
    server.host.exec('cp "$1" /tmp/healthy.json', CONFIG)
    return server


@pytest.fixture
def host(server: JupyterServer) -> Iterator[LabHost]:
    """Its host; the files are as they were after the test."""
    yield server.host
    restore = (
        'cp /tmp/healthy.json "$1"; chown alice: "$1"; chmod 600 "$1"; rm -rf "$2" "$3.d" "$1".bak-*; '
        "umount /home/alice/work 2>/dev/null; [ -d /home/alice/work ] || mv /home/alice/gone /home/alice/work; "
        'chmod 700 "$4"; chmod 600 "$4"/jpserver-*.json "$4/jupyter_cookie_secret"; rm -f "$4"/jpserver-99999*; '
        "loginctl enable-linger alice"
    )
    server.host.exec(restore, CONFIG, PY, CONFIG.removesuffix(".json"), RUNTIME)


async def test_a_healthy_host_has_no_finding(host: LabHost, lab: Lab) -> None:
    async with examined(lab.ssh_config, "dr1", asks=True) as seen:
        assert seen.diagnosis.findings == ()
        assert seen.diagnosis.passed > 25
        assert seen.diagnosis.skipped == ()
        ((id_, words),) = seen.diagnosis.verdicts
        assert (id_, words.endswith("· safe")) == ("dr1:8888", True)
        through = seen.facts.servers[0].through
        assert through and through.proven, "the way to it is tried to the end"


async def test_a_look_is_no_activity(host: LabHost, server: JupyterServer, lab: Lab) -> None:
    before = server.api("GET", "api/status?no_track_activity=1")["last_activity"]
    async with examined(lab.ssh_config, "dr1", asks=True):
        assert server.api("GET", "api/status?no_track_activity=1")["last_activity"] == before


async def test_a_look_warns_of_nothing_in_the_log_but_of_the_stranger_who_was_refused(host: LabHost, lab: Lab) -> None:
    read = "journalctl --user -u jupyter -o cat --no-pager --since=@$1"
    since = host.exec("date +%s.%N").stdout.strip()
    async with examined(lab.ssh_config, "dr1") as seen:
        assert seen.diagnosis.findings == ()
    warned = [line for line in host.exec(read, since, user="alice").stdout.splitlines() if line.startswith("[W ")]
    assert warned
    assert not [line for line in warned if "Forbidden" not in line and "403 GET /api/status " not in line]


@dataclass(frozen=True, slots=True)
class Fault:
    """`app` are settings of ServerApp, `login` of IdentityProvider; `script` runs in the host as root.

    `cause` is the id of the finding that must come first, `says` what its title or words or evidence hold.
    """

    cause: str
    says: str
    app: tuple[tuple[str, object], ...] = ()
    login: tuple[tuple[str, object], ...] = ()
    script: str = ""
    py: str = ""
    asks: bool = False
    mended: bool = False
    seconds: float = 20.0


FAULTS = {
    "localhost left out": Fault("reach.localhost", "403", (("local_hostnames", ["lab.example"]),), mended=True),
    "IPv6 alone": Fault("reach.ipv6-only", "no IPv4", (("ip", "::"),), mended=True),
    "every name": Fault("exposure.any-host", "every name", (("allow_remote_access", True),), mended=True),
    "every page": Fault("exposure.origin", "Whatever page", (("allow_origin", "*"),), mended=True),
    "every page by a pattern": Fault("exposure.origin", "allow_origin_pat", (("allow_origin_pat", ".*"),)),
    "no check of forged requests": Fault("exposure.xsrf", "json:", (("disable_check_xsrf", True),), mended=True),
    "another port in the file": Fault("health.port-drifted", "uses 8888", (("port", 9999),)),
    "broken JSON": Fault("health.config-broken", "jupyter_server_config.json:2", script=f"echo '{{\n,' >{CONFIG}"),
    "broken .py": Fault("health.config-broken", "jupyter_server_config.py:1", py="c.ServerApp.port = = 1\n"),
    ".py that fails when it is run": Fault("health.config-broken", "no_such", py="import no_such\n", asks=True),
    "a typo": Fault("health.config-typo", "Did you mean port?", (("prot", 1),), asks=True),
    "a wrong file": Fault(
        "health.config-ignored", "counts for nothing",
        script=f"mkdir -p {HOME}/.jupyter/jupyter_server_config.d; chmod 755 {HOME}/.jupyter; "
        f"echo '{{\"ServerApp\": {{\"port\": 1}}}}' >{HOME}/.jupyter/jupyter_server_config.d/mine.json",
    ),
    "a value that loses": Fault(
        "health.config-loses", "loses to", login=(("hashed_password", HASHED_PASSWORD), ("token", "")),
        py=f"c.PasswordIdentityProvider.hashed_password = {HASHED_PASSWORD[:-1] + 'x'!r}\n",
    ),
    "a legacy name": Fault("health.config-legacy", "ServerApp.max_body_size", mended=True,
                           py="c.NotebookApp.max_body_size = 1000000\n"),
    "a weak hash": Fault("exposure.hash", "sha1", login=(("hashed_password", SHA1),)),
    "no hash": Fault("exposure.hash", "nobody gets in", login=(("hashed_password", "correct horse"),)),
    "open after the next start": Fault("exposure.open-next", "after its next start", login=(("token", ""),),
                                       mended=True),
    "configuration that others read": Fault("exposure.readable", "mode 0644", script=f"chmod 644 {CONFIG}",
                                            mended=True),
    "cookie secret that others read": Fault("exposure.readable", "cookie secret",
                                            script=f"chmod 644 {RUNTIME}/jupyter_cookie_secret", mended=True),
    "runtime file that others read": Fault("exposure.readable", "runtime file",
                                           script=f"chmod 644 {RUNTIME}/jpserver-*.json", mended=True),
    "runtime directory that others enter": Fault("exposure.readable", "mode 0755", mended=True,
                                                 script=f"chmod 755 {RUNTIME}"),
    "no root directory": Fault("health.root-dir", "no such directory", script=f"mv {HOME}/work {HOME}/gone"),
    "a full disk": Fault(
        "health.disk", "free",
        script=f"mount -t tmpfs -o size=64m,uid=1000 t {HOME}/work; head -c 62M /dev/zero >{HOME}/work/big",
    ),
    "no linger": Fault("health.linger", "Linger=no", script="loginctl disable-linger alice", mended=True),
    "a file of a server that is gone": Fault(
        "health.stale", "no process 99999", mended=True,
        script=f"sed 's/\"pid\": [0-9]*/\"pid\": 99999/; s/8888/8899/g' {RUNTIME}/jpserver-[0-9]*.json "
        f">{RUNTIME}/jpserver-99999.json; chown alice: {RUNTIME}/jpserver-99999.json; "
        f"chmod 600 {RUNTIME}/jpserver-99999.json",
    ),
    "a server that hangs": Fault(
        "reach.silent", "does not answer", script="pkill -STOP -u alice -f bin/jupyter-lab", seconds=1.0
    ),
}  # fmt: skip


def plant(host: LabHost, fault: Fault) -> None:
    config = json.loads(host.exec("cat /tmp/healthy.json").stdout)
    config["ServerApp"].update(fault.app)
    config["IdentityProvider"].update(fault.login)
    host.write(CONFIG, json.dumps(config, indent=2), user="alice")
    if fault.py:
        host.write(PY, fault.py, user="alice")
    host.exec(fault.script or ":")


@pytest.mark.parametrize("name", FAULTS)
async def test_its_cause_is_named_first_and_its_fix_works(name: str, host: LabHost, lab: Lab) -> None:
    fault = FAULTS[name]
    plant(host, fault)
    try:
        async with examined(lab.ssh_config, "dr1", asks=fault.asks, seconds=fault.seconds) as seen:
            first = seen.first
            assert first.id == fault.cause, seen.diagnosis.findings
            told = "\n".join([first.title, first.words, *first.evidence])
            assert fault.says in told
            assert first.evidence, "every finding has evidence"
            assert TOKEN not in repr(seen.diagnosis) and HASHED_PASSWORD not in repr(seen.diagnosis)
            if first.fix and first.fix.automatic and fault.mended:
                await seen.mend(first)
    finally:
        host.exec("pkill -CONT -u alice -f bin/jupyter-lab")
    if fault.mended:
        async with examined(lab.ssh_config, "dr1", asks=fault.asks) as after:
            assert fault.cause not in after.ids


REMOVE_UNITS = "rm .config/systemd/user/dr-*; systemctl --user reset-failed; systemctl --user daemon-reload"


def write_unit(host: LabHost, name: str, options: str, more: str = "") -> None:
    command = f"{VENV}/bin/jupyter-server --no-browser --ServerApp.port_retries=0 {options}"
    unit = f"[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart={command}\n{more}"
    host.write(f"{HOME}/.config/systemd/user/{name}.service", unit, user="alice", mode="644")
    host.exec("systemctl --user daemon-reload", user="alice")


async def test_units_that_fail_are_named_with_what_their_log_says(host: LabHost, lab: Lab) -> None:
    write_unit(host, "dr-taken", "--port=8888")
    write_unit(host, "dr-foreign", "--port=8877 --ip=192.0.2.1")
    host.exec("systemctl --user start dr-taken dr-foreign", user="alice")
    host.exec('until [ "$(systemctl --user --failed | grep -c dr-)" = 2 ]; do sleep 0.1; done', user="alice")
    try:
        async with examined(lab.ssh_config, "dr1") as seen:
            titles = {finding.title for finding in seen.diagnosis.findings if finding.id == "health.unit-failed"}
            assert titles == {
                "dr-taken.service does not run: its port is taken",
                "dr-foreign.service does not run: its address is not one of this machine",
            }
            assert set(seen.ids) == {"health.unit-failed"}
    finally:
        host.exec(REMOVE_UNITS, user="alice")


async def test_a_unit_that_starts_again_and_again_is_never_called_safe(host: LabHost, lab: Lab) -> None:
    write_unit(host, "dr-loop", "--port=8876 --ip=999.1.2.3", "Restart=on-failure\nRestartSec=100ms\n")
    host.exec("systemctl --user start dr-loop", user="alice")
    host.exec(
        'until [ "$(systemctl --user show -P NRestarts dr-loop)" -ge 2 ]; do sleep 0.1; done', user="alice", timeout=60
    )
    try:
        async with examined(lab.ssh_config, "dr1") as seen:
            first = seen.first
            assert (first.id, first.severity.value) == ("health.unit-loops", "critical")
            assert re.match(r"dr-loop.service starts again and again: \w+Error: .*999.1.2.3", first.title)
            evidence = "\n".join(first.evidence)
            assert "999.1.2.3" in evidence and "status=1/FAILURE" in evidence and "started again" in evidence
            others = [words for id_, words in seen.diagnosis.verdicts if id_ != "dr1:8888"]
            assert not [words for words in others if words.endswith("safe")]
    finally:
        host.exec(f"systemctl --user stop dr-loop; {REMOVE_UNITS}", user="alice")


async def test_a_unit_that_is_stopped_is_told_and_started_by_its_fix(host: LabHost, lab: Lab) -> None:
    write_unit(host, "dr-idle", "--port=8875")
    try:
        async with examined(lab.ssh_config, "dr1") as seen:
            (finding,) = seen.diagnosis.findings
            assert (finding.title, finding.severity.value) == ("dr-idle.service is stopped", "notice")
            await seen.mend(finding)
        async with examined(lab.ssh_config, "dr1") as after:
            assert "health.unit-stopped" not in after.ids
            assert "dr1:8875" in dict(after.diagnosis.verdicts)
    finally:
        host.exec(f"systemctl --user stop dr-idle; {REMOVE_UNITS}", user="alice")


# Hosts that are not reached


def ssh_config(lab: Lab, home: Path, block: str) -> Path:
    path = home / "ssh_config"
    path.write_text(block)
    return path


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ("name", "reach.host-unreachable"),
        ("drop", "reach.host-unreachable"),
        ("reject with tcp reset", "reach.host-refused"),
        ("wrong key", "reach.host-auth-failed"),
        ("other host key", "reach.host-key-changed"),
    ],
)
async def test_a_host_that_is_not_reached_is_said_to_be_so(
    how: str, cause: str, host: LabHost, lab: Lab, tmp_path: Path
) -> None:
    block = lab.ssh_host("dr1", host.address)
    if how == "name":
        block = re.sub("HostName .*", "HostName no-such-machine.invalid", block)
    elif how == "wrong key":
        block = re.sub("IdentityFile .*", f"IdentityFile {tmp_path}/none", block)
    elif how == "other host key":
        keys = tmp_path / "known_hosts"
        keys.write_text(f"{host.address} {lab.identity.with_suffix('.pub').read_text()}")
        block = re.sub("UserKnownHostsFile .*", f"UserKnownHostsFile {keys}", block)
    else:
        host.exec(
            "nft add table inet t; nft add chain inet t in '{ type filter hook input priority 0; }'; "
            'nft add rule inet t in tcp dport 22 "$@"',
            *how.split(),
        )
    try:
        path = ssh_config(lab, tmp_path, block + "  ConnectTimeout 2\n")
        async with examined(path, "dr1") as seen:
            assert seen.ids == [cause]
            assert seen.first.evidence and seen.first.fix
    finally:
        host.exec("nft flush ruleset")
