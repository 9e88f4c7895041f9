"""Promises of the store: views are replaced whole, and only real changes are told."""

from __future__ import annotations

from jupytui.fleet.models import HostView
from jupytui.fleet.store import Store
from jupytui.fleet.subject import Gone, Scope, Subject
from jupytui.hosts.base import HostState
from jupytui.jupyter.models import App, Kernel, Server

SERVER = Server("a:8888", 1, App.LAB, kernels=(Kernel("k1"),))


def test_listeners_hear_of_changes_only() -> None:
    store, heard = Store(), list[str]()
    stop = store.subscribe(heard.append)
    store.apply(HostView("a"))
    store.apply(HostView("a"))
    store.patch("a", state=HostState.UP)
    store.patch("a", state=HostState.UP)
    store.patch("gone", state=HostState.UP)
    store.remove("a")
    store.remove("a")
    stop()
    store.apply(HostView("b"))
    assert heard == ["a", "a", "a"]


def test_a_listener_may_stop_while_it_is_told() -> None:
    store, heard = Store(), list[str]()
    stop = store.subscribe(lambda _name: stop())
    store.subscribe(heard.append)
    store.apply(HostView("a"))
    assert heard == ["a"]


def test_things_are_found_by_their_keys() -> None:
    store = Store([HostView("a", servers=(SERVER,))])
    assert store.kernel("a", "a:8888", "k1") == Kernel("k1")
    assert store.server("a", "a:1") is None
    assert store.server("b", "a:8888") is None
    assert [view.name for view in store] == ["a"]


def test_a_subject_widens_and_says_when_it_is_gone() -> None:
    store = Store([HostView("a", servers=(SERVER,))])
    subject = Subject("a", "a:8888", "k1")
    assert subject.scope is Scope.KERNEL
    assert subject.at(Scope.SERVER) == Subject("a", "a:8888")
    assert subject.at(Scope.FLEET) == Subject()
    assert subject.kernel_in(store).id == "k1"
    store.remove("a")
    for find in (subject.host_in, subject.server_in, subject.kernel_in):
        try:
            find(store)
        except Gone as gone:
            assert gone.message
        else:
            raise AssertionError("found what is gone")
