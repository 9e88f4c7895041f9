"""The survey in every shell that is here, through the real resident shell of this machine."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jupytui.fleet.facts import Detail, Facts, Now, learn
from jupytui.fleet.sections import parse_look
from jupytui.fleet.sightings import servers_in
from jupytui.fleet.survey import Survey, clock_ahead, runtime_dirs, source
from jupytui.hosts.base import HostTrouble
from jupytui.hosts.local import LocalHost
from jupytui.jupyter.runtime import RuntimeFile

SHELLS = {"dash": ["dash"], "bash": ["bash"], "busybox": ["busybox", "ash"], "zsh": ["zsh", "--emulate", "sh"]}
WAIT = "import sys\nsys.stdin.read()"  # a command line of more than one line
NAMES = ("/usr/bin/jupyter-lab", "/run/kernel-1.json")
RUNTIME = b'{"pid": 1, "port": 8888, "base_url": "/", "token": "t", "root_dir": "/x", "version": "2.21.1"}'


@pytest.fixture
async def local() -> AsyncIterator[LocalHost]:
    host = LocalHost()
    yield host
    await host.close()


async def said(script: bytes, *shell: str) -> tuple[bytes, bytes]:
    """What a shell that is given `script` says on stdout and stderr."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*shell, stdin=pipe, stdout=pipe, stderr=pipe)
    return await process.communicate(script)


@pytest.mark.parametrize("name", SHELLS)
async def test_every_shell_answers_without_a_word_on_stderr(name: str, home: Path) -> None:
    if not shutil.which(SHELLS[name][0]):
        pytest.skip(f"{name} is not installed")
    runtime = home / ".local/share/jupyter/runtime"
    runtime.mkdir(parents=True)
    (runtime / "jpserver-999999999.json").write_bytes(RUNTIME)
    (runtime / "kernel-1.json").write_text("key")
    script = source() + b"jt_look one ad\nprintf '\\n%s\\n' ----\njt_look two w\n"
    out, err = await said(script, *SHELLS[name])
    first, _, second = out.partition(b"\n----\n")
    looks = parse_look(first, "one"), parse_look(second, "two")
    assert err == b""
    assert all(look.complete and look.now.load1 is not None for look in looks)
    assert looks[0].machine and looks[0].disk_free and looks[0].connections
    assert abs(looks[0].machine.clock - time.time()) < 60
    facts = learn(learn(Facts(), looks[0]), looks[1])
    assert 999999999 in [server.pid for server in servers_in(facts)]


@pytest.mark.parametrize("name", SHELLS)
async def test_a_pattern_that_nothing_is_called_like_is_no_file(name: str, home: Path) -> None:
    if not shutil.which(SHELLS[name][0]):
        pytest.skip(f"{name} is not installed")
    (home / ".local/share/jupyter/runtime").mkdir(parents=True)
    out, _ = await said(source() + b"jt_look one a\n", *SHELLS[name])
    section = out.partition(b"\none connections\n")[2].partition(b"\none ")[0]
    assert b"*" not in section
    look = parse_look(out, "one")
    assert look.machine and look.machine.cpus and look.machine.boot_time


@pytest.mark.parametrize("awk", ["mawk", "gawk", "busybox awk", "original-awk"])
async def test_whoever_names_jupyter_in_its_second_argument_is_found(awk: str, home: Path) -> None:
    """An awk that reads no further than a NUL sees first arguments only."""
    tool = shutil.which(awk.split(maxsplit=1)[0])
    if not tool:
        pytest.skip(f"{awk} is not installed")
    (home / "awk").symlink_to(tool)
    pipe = asyncio.subprocess.PIPE
    named = [await asyncio.create_subprocess_exec(sys.executable, "-c", WAIT, word, stdin=pipe) for word in NAMES]
    script = b"PATH=$HOME:$PATH\n" + source() + b"jt_look one a\njt_look two w\n"
    out, err = await said(script, "dash")
    await asyncio.gather(*(process.communicate(b"") for process in named))
    assert err == b""
    wanted = {process.pid for process in named}
    for nonce in ("one", "two"):
        assert wanted <= {process.pid for process in parse_look(out, nonce).processes if process.listed}


async def test_a_process_that_ends_while_it_is_looked_at_spoils_no_look(home: Path) -> None:
    """mawk gives up then; this stand-in for that moment gives up the first two times of each look."""
    (home / "awk").write_text(
        "#!/bin/sh\n"
        'case "$*" in *whole=*) printf x >>$HOME/tries ;; esac\n'
        "case $(($(wc -c <$HOME/tries) % 3)) in 0) ;; *) echo read error >&2; exit 2 ;; esac\n"
        f'exec {shutil.which("awk")} "$@"\n'
    )
    (home / "awk").chmod(0o755)
    script = b"PATH=$HOME:$PATH\n" + source() + b"jt_look one a\njt_look two w\n"
    out, err = await said(script, "sh")
    first, second = parse_look(out, "one"), parse_look(out, "two")
    assert err == b""
    assert first.machine and first.machine.cpus and first.machine.boot_id
    assert first.now.memory_total and second.now.memory_total


def be_a_mac(home: Path) -> bytes:
    """Put stand-ins into `home` that print what was written down by hand; returns what makes the survey use them."""
    recording = (Path(__file__).with_name("recordings") / "macos-made-by-hand.txt").read_text()
    parts = {
        part.partition("\n")[0]: part.partition("\n")[2] for part in recording.split("\n0123456789abcdef01234567 ")
    }
    memory = parts["mac"].partition("Mach")
    for tool, text in {"ps": parts["ps"], "lsof": parts["lsof"], "vm_stat": "".join(memory[1:])}.items():
        (home / tool).write_text(f"#!/bin/sh\ncat <<'E'\n{text}\nE\n")
    (home / "sysctl").write_text(
        "#!/bin/sh\ncase $2 in vm.loadavg) echo '{ 2.15 1 1 }' ;; *) echo 17179869184 ;; esac\n"
    )
    for path in home.glob("*"):
        path.chmod(0o755)
    return b"PATH=$HOME:$PATH\n" + source() + b"jt_linux() { jt_ps; }\n"


async def test_a_machine_without_proc_is_looked_at_with_ps_and_lsof(home: Path) -> None:
    out, err = await said(be_a_mac(home) + b"jt_look one ad\njt_look two w\n", "/bin/sh")
    first, second = parse_look(out, "one"), parse_look(out, "two")
    assert err == b""
    assert (
        [process.pid for process in first.processes] == [process.pid for process in second.processes] == [812, 840, 901]
    )
    assert first.now.load1 == 2.15 and first.now.memory_total == 16 * 2**30
    assert first.listeners and second.listeners is None
    assert first.now.up and abs(first.now.up - time.time()) < 60


FOUR_LOOKS = b"""
jt_look one ad "$HOME/files"
jt_look two w "$HOME/files"
echo >"$HOME/files/jpserver-812.json"
jt_look three w "$HOME/files"
jt_look four ws "$HOME/files"
"""


@pytest.mark.parametrize("name", SHELLS)
async def test_without_proc_sockets_are_looked_up_again_when_a_runtime_file_comes_or_one_is_awaited(
    name: str, home: Path
) -> None:
    """A server's process is there before it listens, and stays the same when it does."""
    if not shutil.which(SHELLS[name][0]):
        pytest.skip(f"{name} is not installed")
    (home / "files").mkdir()
    out, err = await said(be_a_mac(home) + FOUR_LOOKS, *SHELLS[name])
    assert err == b""
    looks = [parse_look(out, nonce) for nonce in ("one", "two", "three", "four")]
    assert [look.listeners is not None for look in looks] == [True, False, True, True]


async def test_a_kernels_connection_file_is_named_and_never_read(local: LocalHost, home: Path) -> None:
    runtime = home / ".local/share/jupyter/runtime"
    runtime.mkdir(parents=True)
    (runtime / "kernel-1.json").write_text('{"key": "hmac-key-of-the-kernel"}')
    shell = await local.shell()
    answer = await shell.ask(source() + b"jt_look n ad")
    assert b"kernel-1.json" in answer
    assert b"hmac-key" not in answer


async def test_looking_leaves_no_file_and_no_process(local: LocalHost, home: Path) -> None:
    before = sorted(home.rglob("*"))
    survey = Survey("local")
    shell = await local.shell()
    for _ in range(3):
        await survey.look(shell)
    assert sorted(home.rglob("*")) == before
    assert await shell.ask(b'jobs; cat /proc/$$/task/$$/children | while read -r a; do echo "$a"; done') in {b"", b"\n"}


def own(facts: Facts, home: Path) -> tuple[RuntimeFile, ...]:
    """Return the files below `home`: this machine may run Jupyters of others."""
    return tuple(file for file in facts.files if file.path.startswith(str(home)))


async def test_a_runtime_file_that_is_still_being_written_is_read_again(local: LocalHost, home: Path) -> None:
    runtime = home / ".local/share/jupyter/runtime"
    runtime.mkdir(parents=True)
    file = runtime / "jpserver-999999999.json"
    file.write_bytes(b"")
    survey = Survey("local")
    shell = await local.shell()
    assert own(await survey.look(shell), home) == ()
    file.write_bytes(RUNTIME)
    assert [found.port for found in own(await survey.look(shell), home)] == [8888]


async def test_a_huge_runtime_file_is_left_alone(local: LocalHost, home: Path) -> None:
    runtime = home / ".local/share/jupyter/runtime"
    runtime.mkdir(parents=True)
    (runtime / "jpserver-999999999.json").write_bytes(RUNTIME + b" " * 10_000_000)
    assert own(await Survey("local").look(await local.shell()), home) == ()


async def test_odd_names_in_a_runtime_directory_harm_nobody(local: LocalHost, home: Path) -> None:
    runtime = home / ".local/share/jupyter/runtime"
    runtime.mkdir(parents=True)
    (runtime / "jpserver-1\n; touch owned; $(touch owned) '\".json").write_bytes(RUNTIME)
    (runtime / "jpserver-*.json").write_bytes(RUNTIME)
    (runtime / "kernel-\x1b]0;x\x07.json").write_bytes(b"")
    (runtime / "jpserver-999999999.json").write_bytes(RUNTIME)
    facts = await Survey("local").look(await local.shell())
    assert 999999999 in [server.pid for server in servers_in(facts)]
    assert not (home / "owned").exists()


@pytest.mark.parametrize(
    ("theirs", "ahead"), [(1004, 0.0), (997, 0.0), (1020, 0.0), (4620, 3600.0), (900, -100.0), (0, 0.0), (10**17, 0.0)]
)
def test_a_clock_is_wrong_only_where_the_answers_way_cannot_explain_it(theirs: int, ahead: float) -> None:
    assert clock_ahead(theirs, 1000.0, 1020.0) == ahead


async def test_how_wrong_a_clock_is_is_found_out_once_and_kept() -> None:
    class Ahead:
        async def ask(self, script: bytes, deadline: float = 10.0) -> bytes:
            _, nonce, flags = script[script.rindex(b"jt_look ") :].split()
            told = b"\n%s host\nclock %d\n" % (nonce, time.time() + 3600) if b"a" in flags else b""
            return told + b"\n%s end\n" % nonce

    survey = Survey("h")
    assert [abs((await survey.look(Ahead())).ahead - 3600) < 60 for _ in range(3)] == [True] * 3


async def test_a_server_that_comes_up_has_its_sockets_looked_at_until_it_listens() -> None:
    flags: list[bytes] = []

    class ComesUp:
        async def ask(self, script: bytes, deadline: float = 10.0) -> bytes:
            _, nonce, flag = script[script.rindex(b"jt_look ") :].split()
            flags.append(flag)
            listens = b"\n%s lsof\np7\nn127.0.0.1:8888\n" % nonce if len(flags) == 3 else b""
            started = b"    7     1   501 S      0:01.00  91234 Thu Jan  1 00:00:50 1970     /bin/jupyter-lab"
            told = b"\n%s host\nuid 501\n\n%s mac\ntime 60\n\n%s ps\n%s\n" % (nonce, nonce, nonce, started)
            return told + listens + b"\n%s end\n" % nonce

    survey = Survey("h")
    for _ in range(4):
        await survey.look(ComesUp())
    assert flags == [b"ad", b"ws", b"ws", b"w"]


async def test_a_look_of_two_questions_takes_no_rates_between_them() -> None:
    recording = Path(__file__).with_name("recordings") / "dash.txt"
    asked: list[bytes] = []

    class Recorded:
        async def ask(self, script: bytes, deadline: float = 10.0) -> bytes:
            call = script[script.rindex(b"jt_look ") :].split()
            asked.append(call[2])
            answer = recording.read_bytes().split(b"\n0123456789abcdef01234567 next\n")[len(asked) - 1]
            return answer.replace(b"0123456789abcdef01234567", call[1])

    facts = await Survey("h").look(Recorded())
    assert asked == [b"ad", b"f"]
    assert facts.before == (Now(), {})


async def test_an_answer_that_was_cut_is_the_hosts_trouble() -> None:
    class Cut:
        async def ask(self, script: bytes, deadline: float = 10.0) -> bytes:
            return b"\nx host\n"

    with pytest.raises(HostTrouble):
        await Survey("h").look(Cut())


def test_the_directories_of_servers_that_run_are_looked_into() -> None:
    kernel = ("python", "-m", "ipykernel_launcher", "-f", "/scratch/r/kernel-1.json")
    details = {
        "1": Detail(env={"JUPYTER_RUNTIME_DIR": "/r1", "JUPYTER_DATA_DIR": "/d/", "HOME": "relative"}),
        "2": Detail(argv=kernel),
        "3": Detail(env={"XDG_DATA_HOME": "/x\n/y"}),
    }
    assert runtime_dirs(Facts(details=details)) == ("/d/runtime", "/r1", "/scratch/r")
