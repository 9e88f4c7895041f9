"""The survey's answers, as recorded in hosts of the lab (dash, bash, busybox) and as made by hand (macOS)."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui.fleet.contact import Answers
from jupytui.fleet.facts import Facts, Listener, Look, Now, learn
from jupytui.fleet.gpus import Gpus
from jupytui.fleet.sections import parse_look
from jupytui.fleet.servers import is_coming_up, server_of, system_of
from jupytui.fleet.sightings import kernels_in, servers_in
from jupytui.jupyter.models import App, Health, Log, Unit

RECORDINGS = Path(__file__).with_name("recordings")
NONCE = "0123456789abcdef01234567"
SHELLS = ["dash", "bash", "busybox"]


def recorded(name: str) -> list[Look]:
    answers = (RECORDINGS / f"{name}.txt").read_bytes().split(f"\n{NONCE} next\n".encode())
    return [parse_look(answer, NONCE) for answer in answers]


def facts_of(looks: list[Look]) -> Facts:
    facts = Facts()
    for look in looks:
        facts = learn(facts, look)
    return facts


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_tells_the_server_and_its_kernel(shell: str) -> None:
    facts = facts_of(recorded(shell)[:1])
    (server,) = servers_in(facts)
    (kernel,) = kernels_in(facts).values()
    assert (server.app, server.port, server.bind, server.sock) == (App.LAB, 8888, "loopback", None)
    assert server.file and server.file.root_dir == "/home/alice/work"
    assert kernel.process.ppid == server.pid
    assert kernel.notebook == "/home/alice/work/analysis.ipynb"
    model = server_of("h:8888", server, Answers(), (), facts)
    assert (model.unit, model.log) == (Unit("jupyter.service", "user"), Log("journal", "jupyter.service"))
    system = system_of(facts, Gpus())
    assert system.os == "Debian GNU/Linux 12 (bookworm)"
    assert system.cpus == 2
    assert system.memory_total and system.disk_free and system.boot_id


@pytest.mark.parametrize("shell", SHELLS)
def test_a_second_look_leaves_out_what_is_as_before_and_nothing_is_forgotten(shell: str) -> None:
    first, second = recorded(shell)
    assert second.complete
    assert not second.details and second.listeners is None and second.connections is None and not second.files
    before, after = facts_of([first]), facts_of([first, second])
    assert [server.pid for server in servers_in(after)] == [server.pid for server in servers_in(before)]
    assert after.files == before.files and after.disk_free == before.disk_free and after.details == before.details


def test_a_mac_is_read_from_ps_and_lsof() -> None:
    facts = facts_of(recorded("macos-made-by-hand"))
    lab, other = servers_in(facts)
    assert (lab.app, lab.pid, lab.port, lab.bind, lab.foreign) == (App.LAB, 812, 8888, "loopback", False)
    assert (other.app, other.pid, other.foreign) == (App.NOTEBOOK, 901, True)
    (kernel,) = kernels_in(facts).values()
    assert (kernel.process.pid, kernel.process.ppid, kernel.process.cpu) == (840, 812, 307)
    system = system_of(facts, Gpus())
    assert (system.os, system.load1, system.cpus) == ("macOS (Darwin) 24.5.0 arm64", 2.15, 10)
    assert system.memory_used == 450_000 * 16384
    assert facts.processes[901].cpu == (26 * 3600 + 3 * 60 + 4) * 100


def test_a_macs_server_has_an_age_a_share_of_cpu_and_no_excuse_to_be_silent() -> None:
    facts = facts_of(recorded("macos-made-by-hand"))
    lab, _ = servers_in(facts)
    model = server_of("h:8888", lab, Answers(), (), facts)
    assert model.cpu_percent == 15.6  # 62.5 of its 400 seconds
    assert model.health is Health.SILENT
    assert not is_coming_up(facts)
    young = msgspec.structs.replace(facts, now=Now(up=1795162502 + 10.0), listeners=(), owners=())
    (lab, _) = servers_in(young)
    assert server_of("h:#812", lab, Answers(), (), young).health is Health.STARTING
    assert is_coming_up(young)


def test_a_section_cannot_be_forged_without_the_nonce_of_this_look() -> None:
    forged = b"\n" + NONCE.encode() + b" procs\n= 1:2:evil 1 S 0 0 0\n"
    look = parse_look(b"\nfresh-nonce cmd 5:6:x\n" + forged + b"\nfresh-nonce end\n", "fresh-nonce")
    assert look.processes == ()
    assert look.complete


def test_an_answer_cut_anywhere_is_known_to_be_cut() -> None:
    whole = (RECORDINGS / "dash.txt").read_bytes().split(f"\n{NONCE} next\n".encode())[0]
    for end in range(0, len(whole) - 6, 7):
        assert not parse_look(whole[:end], NONCE).complete


def test_addresses_are_read_from_proc_net_tcp() -> None:
    text = (
        "0100007F:22B8 1000 1\n00000000000000000000000001000000:22B9 1000 2\n"
        "0000000000000000FFFF00000100007F:22BA 0 3\n"
        "00000000000000000000000000000000:0016 0 4\nnonsense\n0100007F:zzzz 1 2\n"
    )
    look = parse_look(f"\nn listen\n{text}".encode(), "n")
    assert look.listeners == (
        Listener("127.0.0.1", 8888, 1000, 1),
        Listener("::1", 8889, 1000, 2),
        Listener("127.0.0.1", 8890, 0, 3),
        Listener("::", 22, 0, 4),
    )


NAMES = ["host", "now", "procs", "cmd 1:2:x", "uid 1:2:x", "cgroup 1:2:x", "out 1:2:x", "cwd 1:2:x", "env 1:2:x", "fds"]
NAMES += ["listen", "own", "connections", "file 12 /a/jpserver-1.json", "disk", "mac", "ps", "lsof", "end", "what"]
LINES = ["up 1.5", "cpu 1 2 3 4 5 6 7 8", "memory 5 4", "= 1:2:x 0 S 1 2 3", "+ 1:2:y 1 S 1 2 -", "btime 9", "1 2 /x y"]
BODIES = st.lists(st.one_of(st.sampled_from(LINES), st.text(max_size=40)), max_size=5).map("\n".join)
SECTIONS = st.lists(st.tuples(st.sampled_from(NAMES), st.one_of(BODIES.map(str.encode), st.binary(max_size=60))))


@given(SECTIONS)
def test_nothing_a_host_answers_makes_the_parsers_raise(sections: list[tuple[str, bytes]]) -> None:
    look = parse_look(b"".join(b"\nn " + name.encode() + b"\n" + body for name, body in sections), "n")
    facts = learn(learn(Facts(), look), look)
    for server in servers_in(facts):
        server_of("h", server, Answers(), (), facts)
    kernels_in(facts)
    system_of(facts, Gpus())


@given(st.binary(max_size=300), st.integers(0, 3000))
def test_nor_does_a_real_answer_with_a_hole_in_it(garbage: bytes, at: int) -> None:
    whole = (RECORDINGS / "dash.txt").read_bytes()
    facts = learn(Facts(), parse_look(whole[:at] + garbage + whole[at + len(garbage) :], NONCE))
    for server in servers_in(facts):
        server_of("h", server, Answers(), (), facts)
    kernels_in(facts)
