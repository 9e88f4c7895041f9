"""What is a server, a stale file, another user's, somebody else's kernel: from processes, files and sockets alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from jupytui.fleet.contact import Answers
from jupytui.fleet.facts import Detail, Facts, Listener, Machine, Now, Owner, Process
from jupytui.fleet.gpus import Gpus
from jupytui.fleet.servers import kernel_of, kernels_of, log_of, server_id, server_of
from jupytui.fleet.sightings import ServerSighting, kernels_in, servers_in
from jupytui.jupyter.client import ApiKernel, ApiStatus
from jupytui.jupyter.models import App, Health, Log
from jupytui.jupyter.runtime import RuntimeFile, parse_runtime_file

BOOT = 1_000_000
LAB = ("/opt/v/bin/python", "/opt/v/bin/jupyter-lab", "--no-browser")
RUNTIME = "/home/a/.local/share/jupyter/runtime"


def process(pid: int, start: int = 100, *, ppid: int = 1, name: str = "x", cpu: int = 0, rss: int = 10) -> Process:
    return Process(f"{pid}:{start}:{name}", pid, ppid, start, name, "S", cpu, rss)


def runtime(pid: int, mtime: int = BOOT + 2, name: str = "jpserver", **fields: Any) -> RuntimeFile:
    text = json.dumps({"pid": pid, "port": 8888, "token": "t", "root_dir": "/home/a"} | fields)
    file = parse_runtime_file(f"{RUNTIME}/{name}-{pid}.json", mtime, text.encode())
    assert file
    return file


def facts(
    *processes: tuple[Process, tuple[str, ...]],
    files: tuple[RuntimeFile, ...] = (),
    listeners: tuple[Listener, ...] = (),
    owners: tuple[Owner, ...] = (),
    uid: int = 1000,
) -> Facts:
    return Facts(
        machine=Machine(uid=1000, boot_time=BOOT),
        now=Now(up=1000.0),
        processes={each.pid: each for each, _ in processes},
        details={each.key: Detail(argv=argv, uid=uid) for each, argv in processes},
        files=files,
        listeners=listeners,
        owners=owners,
    )


def health(seen: ServerSighting, known: Facts, answers: Answers | None = None) -> Health:
    return server_of("h", seen, answers or Answers(), (), known).health


def test_a_runtime_file_whose_process_is_gone_is_shown_as_stale() -> None:
    known = facts(files=(runtime(77),))
    (server,) = servers_in(known)
    assert (server.pid, health(server, known)) == (77, Health.STALE)
    assert server.access is None


def test_a_pid_that_was_reused_by_something_else_is_stale() -> None:
    known = facts((process(77, 50_000, name="sleep"), ("sleep", "60")), files=(runtime(77),))
    (server,) = servers_in(known)
    assert health(server, known) is Health.STALE


def test_a_pid_that_was_reused_by_another_jupyter_shows_both() -> None:
    known = facts(
        (process(77, 50_000), LAB),
        files=(runtime(77),),
        listeners=(Listener("127.0.0.1", 8890, 1000, 5),),
        owners=(Owner(77, 5),),
    )
    running, stale = servers_in(known)
    assert (running.port, running.file, health(running, known)) == (8890, None, Health.SILENT)
    assert health(stale, known) is Health.STALE


def test_a_server_on_a_machine_whose_clock_was_wrong_at_boot_is_no_stale_one() -> None:
    known = facts(
        (process(77, 50_000), LAB),
        files=(runtime(77, mtime=12),),
        listeners=(Listener("127.0.0.1", 8888, 1000, 5),),
        owners=(Owner(77, 5),),
    )
    assert [health(server, known) for server in servers_in(known)] == [Health.SILENT]


def test_a_program_that_embeds_a_server_is_known_by_its_file() -> None:
    known = facts((process(77), ("python", "app.py")), files=(runtime(77),))
    (server,) = servers_in(known)
    assert (server.app, server.process is not None) == (App.SERVER, True)


def test_a_server_without_a_runtime_file_is_found_by_its_process() -> None:
    known = facts(
        (process(5), (*LAB, "--ServerApp.base_url=/x")),
        listeners=(Listener("0.0.0.0", 8899, 1000, 5), Listener("::", 8899, 1000, 6)),
        owners=(Owner(5, 5), Owner(5, 6)),
    )
    (server,) = servers_in(known)
    assert (server.port, server.bind, server.base_url, server.file) == (8899, "all", "/x/", None)
    assert server_id("h", server) == "h:8899"


def test_another_users_server_shows_its_process_and_socket_only() -> None:
    known = facts(
        (process(5), (*LAB, "--port=8890")),
        listeners=(Listener("127.0.0.1", 8890, 1001, 5), Listener("127.0.0.1", 8890, 1000, 6)),
        uid=1001,
    )
    (server,) = servers_in(known)
    assert (server.port, server.foreign, health(server, known)) == (8890, True, Health.UNREADABLE)


def test_a_server_that_does_not_listen_yet_is_starting_and_later_silent() -> None:
    young = facts((process(5, 99_000), LAB))
    old = facts((process(5, 1_000), LAB))
    assert health(servers_in(young)[0], young) is Health.STARTING
    assert health(servers_in(old)[0], old) is Health.SILENT
    assert server_id("h", servers_in(old)[0]) == "h:#5"


def test_the_old_notebooks_file_makes_a_classic_server() -> None:
    known = facts(
        (process(5), ("/usr/bin/python3", "/usr/bin/jupyter-notebook")),
        files=(runtime(5, name="nbserver", notebook_dir="/n", root_dir=None),),
    )
    (server,) = servers_in(known)
    assert server.app is App.CLASSIC
    assert server.file and server.file.root_dir == "/n"


def test_the_bind_is_that_of_the_sockets_whatever_the_file_says() -> None:
    known = facts(
        (process(5), LAB),
        files=(runtime(5, hostname="localhost", url="http://localhost:8888/"),),
        listeners=(Listener("10.0.0.5", 8888, 1000, 5),),
        owners=(Owner(5, 5),),
    )
    (server,) = servers_in(known)
    assert server.bind == "10.0.0.5"
    assert server.access and server.access.address == "10.0.0.5"


def test_at_a_first_look_a_servers_cpu_is_what_it_used_since_it_started() -> None:
    known = facts((process(5, 90_000, cpu=2_500), LAB))  # 25 of its 100 seconds
    (server,) = servers_in(known)
    assert server_of("h:5", server, Answers(), (), known).cpu_percent == 25.0


def test_a_process_that_seems_to_start_in_the_future_has_no_cpu_share() -> None:
    known = facts((process(5, 200_000, cpu=2_500), LAB))
    (server,) = servers_in(known)
    assert server_of("h:5", server, Answers(), (), known).cpu_percent is None


def test_a_terminals_path_comes_out_harmless() -> None:
    assert log_of("/dev/pts/1\x1b]52;c;aGk=\x07", "", "") == Log(
        "terminal", "/dev/pts/1\N{REPLACEMENT CHARACTER}]52;c;aGk=\N{REPLACEMENT CHARACTER}"
    )


def test_what_a_wrong_clock_says_of_activity_is_told_by_ours() -> None:
    known = msgspec.structs.replace(facts((process(5), LAB)), ahead=3600.0)
    at = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    kernel = kernel_of(
        "k", ApiKernel("k", last_activity=at), None, None, died=False, restarts=None, facts=known, gpus=Gpus()
    )
    answers = Answers(status=ApiStatus(last_activity=at))
    server = server_of("h:5", servers_in(known)[0], answers, (kernel,), known)
    assert server.last_activity == kernel.last_activity == at - timedelta(hours=1)
    first = ApiKernel("k", last_activity=datetime.min.replace(tzinfo=UTC))  # before it there is no time
    kernel = kernel_of("k", first, None, None, died=False, restarts=None, facts=known, gpus=Gpus())
    assert kernel.last_activity is None


def kernel_argv(id_: str, directory: str = RUNTIME) -> tuple[str, ...]:
    return ("python", "-m", "ipykernel_launcher", "-f", f"{directory}/kernel-{id_}.json")


def test_a_kernels_memory_is_that_of_all_processes_below_it() -> None:
    known = facts(
        (process(5), LAB),
        (process(6, ppid=5), kernel_argv("k")),
        (process(7, ppid=6), kernel_argv("k")),  # a fork of it: a worker
        (process(8, ppid=7, rss=100), ("sh",)),
        (process(9, ppid=5), ("bash",)),
    )
    kernel = kernels_in(known)["k"]
    assert kernel.process.pid == 6
    assert sorted(each.pid for each in kernel.family) == [6, 7, 8]


def test_a_kernel_inside_a_kernel_is_its_own() -> None:
    known = facts((process(6, ppid=5), kernel_argv("k")), (process(7, ppid=6), kernel_argv("nested")))
    assert {id_: [each.pid for each in kernel.family] for id_, kernel in kernels_in(known).items()} == {
        "k": [6],
        "nested": [7],
    }


def test_a_console_on_a_kernel_is_no_kernel() -> None:
    argv = ("python", "/usr/bin/jupyter-console", "--existing", f"{RUNTIME}/kernel-k.json")
    assert kernels_in(facts((process(6), argv))) == {}


def test_kernels_of_a_locked_server_are_those_it_started_and_those_beside_its_file() -> None:
    known = facts(
        (process(5), LAB),
        (process(6, ppid=5), kernel_argv("child")),
        (process(7, ppid=1), kernel_argv("orphan")),
        (process(8, ppid=1), kernel_argv("elsewhere", "/tmp/x")),
        files=(runtime(5),),
    )
    (server,) = servers_in(known)
    orphans = frozenset({"orphan", "elsewhere"})
    assert [id_ for id_, *_ in kernels_of(server, Answers(), kernels_in(known), orphans)] == ["child", "orphan"]
    told = Answers(kernels=())
    assert [id_ for id_, *_ in kernels_of(server, told, kernels_in(known), orphans)] == ["child"]


def test_where_stdout_goes() -> None:
    user = "0::/user.slice/user-1.slice/user@1.service/app.slice/j.service"
    session = "0::/user.slice/user-1.slice/session-3.scope"
    assert log_of("socket:[12]", "9:12", user) == Log("journal", "j.service")
    assert log_of("socket:[12]", "9:12", session) == Log("journal", None)
    assert log_of("socket:[12]", "", session) == Log("unknown")
    assert log_of("/home/a/nohup.out", "", session) == Log("file", "/home/a/nohup.out")
    assert log_of("/dev/null", "", session) == Log("null")
    assert log_of("/dev/pts/3", "", session) == Log("terminal", "/dev/pts/3")
    assert log_of("pipe:[1]", "", session) == Log("pipe")
    assert log_of("", "", session) is None


def test_a_path_with_escape_sequences_is_shown_harmless_and_kept_as_it_is_for_use() -> None:
    evil = "/home/a/\x1b]52;c;aGk=\x07\u202e[/][@click=app.quit]"
    known = facts((process(5), LAB), files=(runtime(5, root_dir=evil, sock=evil),))
    (server,) = servers_in(known)
    model = server_of(server_id("h", server), server, Answers(), (), known)
    assert server.sock == evil
    for text in (model.id, model.root_dir, model.sock, model.url):
        assert text and "\x1b" not in text and "\x07" not in text and "\u202e" not in text
