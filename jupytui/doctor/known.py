"""Which facts are there: a rule that needs others finds nothing, and that says nothing."""

from __future__ import annotations

from jupytui.doctor.models import HostFacts, ServerFacts
from jupytui.jupyter.models import Auth, Health


def configuration(facts: ServerFacts) -> bool:
    """What its files and its command line say."""
    return facts.found is not None


def listens(facts: ServerFacts) -> bool:
    """Who can connect to it."""
    return bool(facts.server.bind or facts.server.sock)


def configuration_and_listens(facts: ServerFacts) -> bool:
    """Both."""
    return configuration(facts) and listens(facts)


def login(facts: ServerFacts) -> bool:
    """What it asks people for."""
    return facts.server.auth is not Auth.UNKNOWN


def configuration_and_login(facts: ServerFacts) -> bool:
    """Both."""
    return configuration(facts) and login(facts)


def user(facts: ServerFacts) -> bool:
    """Whose process it is."""
    return facts.uid is not None


def modes(facts: ServerFacts) -> bool:
    """Who may read the files around it."""
    return bool(facts.paths)


def directory(facts: ServerFacts) -> bool:
    """Whether what it serves is there."""
    return facts.root_exists is not None


def disks(facts: ServerFacts) -> bool:
    """How full they are."""
    return bool(facts.disks)


def releases(facts: ServerFacts) -> bool:
    """Which one runs, and which is installed."""
    return bool(facts.versions.get("jupyter_server") and facts.server.version)


def release(facts: ServerFacts) -> bool:
    """Which one runs, or is installed."""
    return bool(facts.versions or facts.server.version)


def unit(facts: ServerFacts) -> bool:
    """What its unit is, if one keeps it."""
    return facts.server.unit is None or facts.service is not None


def linger(facts: ServerFacts) -> bool:
    """Whether its unit outlives the login, if that is a user's."""
    own = facts.server.unit
    return own is None or own.scope != "user" or facts.linger is not None


def certificate(facts: ServerFacts) -> bool:
    """What its certificate is, or that it has none."""
    return facts.tls is not None or (configuration(facts) and not facts.value("ServerApp.certfile"))


def handshake(facts: ServerFacts) -> bool:
    """What certificate it shows, or that it has none."""
    return certificate(facts) and (facts.tls is None or facts.tls.sight.matches is not None)


def through(facts: ServerFacts) -> bool:
    """What came of reaching it on its own host."""
    return facts.through is not None or facts.server.health is Health.SILENT


def direct(facts: ServerFacts) -> bool:
    """What came of reaching it from here, where it listens for that."""
    return facts.direct is not None if facts.exposed else listens(facts)


# Of the host


def always(_facts: HostFacts) -> bool:
    """Whether it is reached is known of every host."""
    return True


def units(facts: HostFacts) -> bool:
    """What its units do."""
    return facts.up and facts.services is not None


def memory(facts: HostFacts) -> bool:
    """How much is free."""
    return facts.up and facts.view.system is not None and bool(facts.view.system.memory_total)


def leftovers(facts: HostFacts) -> bool:
    """Which files the servers left that have gone."""
    return facts.up and (bool(facts.stale) or all(each.health is not Health.STALE for each in facts.view.servers))
