"""A fleet as people have it, and one made by somebody who means harm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from jupytui.fleet.models import Gpu, HostView, System, Trouble
from jupytui.fleet.store import Store
from jupytui.hosts.base import HostState
from jupytui.jupyter.models import App, Auth, Health, Kernel, KernelState, Log, Server, Tls, Unit

NOW = datetime.now(UTC)
G = 2**30
WILD = "[/] [@click=app.quit]x[/] \x1b]52;c;eA==\x07"  # what somebody may call a host
TAMED = "[/] [@click=app.quit]x[/]"  # the same on the screen
HOSTILE = (
    "[/]",
    "[@click=app.quit]x[/]",
    "数据分析ノートブック実験結果.ipynb",
    "😀" * 20,
    "x" * 200,
    "a[bold red]b.ipynb",
)


def ago(**how_long: float) -> datetime:
    return NOW - timedelta(seconds=20, **how_long)


def kernel(name: str | None, state: KernelState = KernelState.IDLE, **fields: object) -> Kernel:
    values: dict[str, object] = {
        "spec": "python3",
        "path": name,
        "pid": 11802,
        "cpu_percent": 0.0,
        "rss": int(0.7 * G),
        "clients": 1,
        "restarts": 0,
        "last_activity": ago(minutes=3),
    }
    fields.setdefault("id", f"kernel-{name}")
    return Kernel(state=state, **(values | fields))  # type: ignore[arg-type]


def local() -> HostView:
    fit = kernel("fit.ipynb", KernelState.BUSY, cpu_percent=93.0, rss=G, last_activity=ago(minutes=1))
    notes = Server(
        id="local:8888",
        pid=70,
        app=App.LAB,
        version="2.21.1",
        port=8888,
        root_dir="/home/me/notes",
        url="http://localhost:8888/",
        bind="loopback",
        auth=Auth.TOKEN,
        unit=Unit("jupyter.service", "user"),
        started_at=ago(days=3),
        cpu_percent=1.0,
        rss=int(0.2 * G),
        kernels=(fit,),
    )
    system = System("Debian GNU/Linux 12", 0.9, 8, int(7.1 * G), 16 * G, 200 * G, "b", (), 12.0)
    return HostView("local", "local", HostState.UP, None, 0.2, system, (notes,), NOW)


def gpu1() -> HostView:
    train = kernel(
        "experiments/train.ipynb",
        KernelState.BUSY,
        spec="torch",
        pid=40211,
        cpu_percent=612.0,
        rss=30 * G,
        gpu_memory=int(11.4 * G),
        last_activity=ago(minutes=41),
    )
    evaluate = kernel("experiments/eval.ipynb", spec="torch", pid=40377, rss=int(1.1 * G))
    lab = Server(
        id="gpu1:8888",
        pid=40100,
        app=App.LAB,
        version="2.21.1",
        port=8888,
        root_dir="/home/alice/experiments",
        url="https://localhost:8888/lab",
        bind="loopback",
        auth=Auth.PASSWORD,
        tls=Tls("gpu1", NOW + timedelta(days=27, hours=3), True),
        unit=Unit("lab.service", "user"),
        log=Log("journal", "lab.service"),
        started_at=ago(hours=6),
        cpu_percent=3.0,
        rss=int(0.2 * G),
        kernels=(train, evaluate),
    )
    old = Server(
        id="gpu1:8890",
        pid=11700,
        app=App.NOTEBOOK,
        version="2.14.0",
        port=8890,
        root_dir="/home/alice/old",
        url="http://gpu1:8890/",
        bind="all",
        auth=Auth.NONE,
        health=Health.OPEN,
        started_at=ago(days=9),
        cpu_percent=0.0,
        rss=int(0.1 * G),
        kernels=tuple(kernel(None, id=f"k{i}", last_activity=ago(days=9)) for i in range(3)),
    )
    gpu = Gpu(0, "RTX 6000 Ada", int(11.4 * G), 48 * G, 71)
    system = System("Ubuntu 24.04.1 LTS", 6.4, 8, 48 * G, 126 * G, 800 * G, "b", (gpu,), 64.0)
    return HostView("gpu1", "alice@10.0.0.5:22", HostState.UP, None, 12.1, system, (lab, old), NOW, tags=("gpu",))


def locked() -> HostView:
    server = Server(
        id="pi:8888",
        pid=5,
        app=App.LAB,
        port=8888,
        health=Health.LOCKED,
        auth=Auth.PASSWORD,
        bind="loopback",
        started_at=ago(days=40),
        rss=G // 8,
        kernels=(Kernel("k9", "python3", pid=99, rss=G // 4, cpu_percent=3.0),),
    )
    system = System("Raspbian 12", 0.1, 4, G, 4 * G, 9 * G, "b", (), 3.0)
    return HostView("pi", "pi@192.168.1.20:22", HostState.UP, None, 48.0, system, (server,), NOW)


def stale() -> HostView:
    view = gpu1()
    trouble = Trouble("gpu2 does not answer on port 22 (no reply for 10 s).", "Is it awake? r tries again.")
    servers = tuple(
        Server(id=server.id.replace("gpu1", "gpu2"), pid=server.pid, app=server.app, port=server.port, rss=server.rss,
               kernels=server.kernels, started_at=server.started_at, auth=server.auth, root_dir=server.root_dir)
        for server in view.servers
    )  # fmt: skip
    return HostView(
        "gpu2", "alice@10.0.0.6:22", HostState.UNREACHABLE, trouble, None, view.system, servers, ago(minutes=5)
    )


def waiting() -> HostView:
    return HostView("hpc", "alice@login.hpc.example.org:22", waiting="asks for a code")


def changed_key() -> HostView:
    trouble = Trouble(
        "lab-pi shows another key than the one in ~/.ssh/known_hosts:12; jupytui did not log in.",
        "Either the machine was installed anew or somebody sits in between. Press enter to see both keys.",
    )
    return HostView("lab-pi", "pi@lab-pi:22", HostState.KEY_CHANGED, trouble)


def hostile() -> HostView:
    kernels = tuple(kernel(name, id=f"h{i}") for i, name in enumerate(HOSTILE))
    server = Server(
        id="[/]:8888", pid=1, app=App.LAB, port=8888, root_dir="/srv/" + HOSTILE[1], kernels=kernels, url="x" * 300
    )
    return HostView("[/]", "root@[@click=app.quit]evil[/]:22", HostState.UP, None, 1.0, System(), (server,), NOW)


def hostile_name() -> HostView:
    return HostView("数据" * 60, "x" * 200, HostState.DOWN, Trouble("[/red] " + "長い説明 " * 40, "[@click=app.quit]x"))


def fleet() -> Store:
    return Store((local(), gpu1(), waiting(), changed_key()))


def everything() -> Store:
    return Store((local(), gpu1(), locked(), stale(), waiting(), changed_key(), hostile(), hostile_name()))


def many_kernels(count: int) -> Store:
    states = (KernelState.IDLE, KernelState.BUSY, KernelState.IDLE, KernelState.UNKNOWN)
    kernels = [
        kernel(f"work/notebook-{i:05}.ipynb", states[i % 4], id=f"k{i:05}", pid=1000 + i, rss=i * 2**20)
        for i in range(count)
    ]
    hosts = []
    for number in range(10):
        mine = tuple(kernels[number::10])
        server = Server(id=f"h{number}:8888", pid=number, app=App.LAB, port=8888, kernels=mine)
        hosts.append(HostView(f"h{number}", f"h{number}:22", HostState.UP, None, 1.0, System(cpus=8), (server,), NOW))
    return Store(hosts)
