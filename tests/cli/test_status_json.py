from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec

from jupytui import __version__
from jupytui.cli.status_json import encode_status
from jupytui.fleet.models import Gpu, HostView, System, Trouble
from jupytui.hosts.base import HostState
from jupytui.jupyter.models import App, Auth, Kernel, KernelState, Log, Server, Unit

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

KERNEL = Kernel(
    *("k1", "python3", KernelState.IDLE, "a.ipynb", 151, 0.0, 4096, None, 1, 0),
    last_activity=NOW.astimezone(timezone(timedelta(hours=2))),
)
SERVER = Server(
    *("gpu1:8888", 150, App.LAB, "2.21.1", 8888, None, "/", "/home/a", "http://localhost:8888/", "loopback"),
    auth=Auth.TOKEN,
    unit=Unit("lab.service", "user"),
    log=Log("journal", "lab.service"),
    started_at=NOW,
    cpu_percent=3.0,
    rss=5,
    kernels=(KERNEL,),
)
SYSTEM = System("Debian", 0.4, 8, 1, 2, 3, "boot", (Gpu(0, "A100", 1, 2, 50),), cpu_percent=9.0)
UP = HostView("gpu1", "alice@10.0.0.5:22", HostState.UP, None, 12.1, SYSTEM, (SERVER,), NOW, "asks", ("tag",))


def _decoded(*views: HostView) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(encode_status(views, NOW))
    return decoded


def test_every_field_is_there_in_the_documented_order_and_no_other() -> None:
    status = _decoded(UP)
    assert list(status) == ["jupytui", "taken_at", "hosts", "tunnels"]
    host = status["hosts"][0]
    assert list(host) == ["name", "address", "state", "error", "rtt_ms", "system", "servers"]
    assert " ".join(host["system"]) == "os load1 cpus memory_used memory_total disk_free boot_id gpus"
    assert " ".join(host["system"]["gpus"][0]) == "index name memory_used memory_total utilization"
    assert " ".join(host["servers"][0]) == (
        "id pid app version port sock base_url root_dir url bind auth tls unit log health"
        " started_at last_activity kernels"
    )
    assert " ".join(host["servers"][0]["kernels"][0]) == (
        "id spec state path pid cpu_percent rss gpu_memory clients restarts last_activity"
    )


def test_values_are_plain_and_times_are_utc() -> None:
    status = _decoded(UP)
    assert (status["jupytui"], status["taken_at"], status["tunnels"]) == (__version__, "2026-11-21T12:00:00.000Z", [])
    server = status["hosts"][0]["servers"][0]
    assert (server["app"], server["auth"], server["health"]) == ("lab", "token", "ok")
    assert server["unit"] == {"name": "lab.service", "scope": "user"}
    assert server["log"] == {"kind": "journal", "where": "lab.service"}
    assert server["kernels"][0]["last_activity"] == "2026-11-21T12:00:00.000Z"


def test_times_are_as_a_host_with_a_wrong_clock_says_them() -> None:
    server = _decoded(msgspec.structs.replace(UP, ahead=3600.0))["hosts"][0]["servers"][0]
    assert server["started_at"] == "2026-11-21T12:00:00.000Z"
    assert server["kernels"][0]["last_activity"] == "2026-11-21T13:00:00.000Z"  # kept by our clock
    assert server["last_activity"] is None


def test_what_is_unknown_is_null_and_never_left_out() -> None:
    server = Server("x:1", 1, App.SERVER, kernels=(Kernel("k"),))
    host = _decoded(HostView("x", state=HostState.UP, system=System(), servers=(server,)))["hosts"][0]
    assert {name for name, value in host["system"].items() if value is not None} == {"gpus"}
    assert {name for name, value in host["servers"][0]["kernels"][0].items() if value is not None} == {"id", "state"}
    assert host["servers"][0]["last_activity"] is None


def test_a_host_that_is_not_up_says_why() -> None:
    host = _decoded(HostView("x", "x", HostState.KEY_CHANGED, Trouble("Its key changed.", "Look.")))["hosts"][0]
    assert (host["state"], host["error"], host["system"]) == (
        "key-changed", {"message": "Its key changed.", "hint": "Look."}, None
    )  # fmt: skip


def test_no_byte_of_foreign_text_reaches_a_terminal_unescaped() -> None:
    path = "\x1b]52;c;aGk=\x07 \x9b31m [/] [@click=x] \u202e \udc80 ü.ipynb"
    view = HostView("x", state=HostState.UP, servers=(Server("x:1", 1, App.LAB, kernels=(Kernel("k", path=path),)),))
    encoded = encode_status([view], NOW)
    assert all(byte == 0x0A or 0x20 <= byte < 0x7F for byte in encoded)
    assert json.loads(encoded)["hosts"][0]["servers"][0]["kernels"][0]["path"] == path
