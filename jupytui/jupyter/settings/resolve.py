"""Which value wins: what Jupyter does with its files and options, step by step, with every value's origin kept.

From the sources of traitlets 5, jupyter_core 5, jupyter_server 2 and notebook_shim 0.2; held against Jupyter's own
answer on generated trees of files by tests/jupyter/settings/test_winner.py. What surprises: LabApp.port beats even
`--port` on the command line, a deprecated ServerApp.password beats IdentityProvider.hashed_password, and of two
ServerApp.password in files of different names the weaker file's wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jupytui.jupyter.settings.models import Application, ConfigFile, Entry, Found, Origin, Setting, plain
from jupytui.jupyter.settings.programs import ANCESTRY, DEPRECATED, IGNORED, NOTEBOOK_TRAITS, SERVER, STARTERS

Config = dict[str, dict[str, Entry]]


def resolve(
    found: Found, applications: Iterable[Application], ancestry: Iterable[tuple[str, ...]] = ANCESTRY
) -> tuple[Setting, ...]:
    """Return every key that anything says something about, sorted. `applications` in the order they are linked.

    `ancestry`: the classes of each object of the server, most special first: a value for a more special class wins.
    """
    applications = tuple(applications)
    config = _Server(found, applications).load()
    lines = tuple(ancestry)
    settings: dict[str, list[Entry]] = {}
    for entry in _all(found):
        settings.setdefault(home_of(entry.section, entry.trait, applications, lines), []).append(entry)
    return tuple(_setting(key, entries, config, lines) for key, entries in sorted(settings.items()))


def _all(found: Found) -> Iterator[Entry]:
    yield from found.options
    for file in found.files:
        yield from (entry for entry in file.reading.entries if entry.trait != "jpserver_extensions")


def home_of(section: str, trait: str, applications: Iterable[Application], ancestry: Iterable[tuple[str, ...]]) -> str:
    """Return the key that a value for "section.trait" is really about: that of the object that would take it."""
    section = SERVER if moves(section, trait, applications) else section
    section, trait = DEPRECATED.get(f"{section}.{trait}", (section, trait))
    line = next((line for line in ancestry if section in line), None)
    return f"{line[0] if line else section}.{trait}"


def moves(section: str, trait: str, applications: Iterable[Application]) -> bool:
    """Whether a value for `section` is handed on to ServerApp."""
    for app in applications:
        if app.shims and section == app.name:
            return trait not in app.traits | IGNORED
        if app.shims and section == "NotebookApp":
            return trait not in NOTEBOOK_TRAITS | IGNORED
    return False


def _setting(key: str, entries: list[Entry], config: Config, lines: tuple[tuple[str, ...], ...]) -> Setting:
    section, _, trait = key.rpartition(".")
    line = next((line for line in lines if line[0] == section), (section,))
    winner = next((config[name][trait] for name in line if trait in config.get(name, {})), None)
    return Setting(key, winner, tuple(entry for entry in entries if entry is not winner))


class _Server:
    """Does what jupyter_server.serverapp.ServerApp.initialize does with configuration."""

    def __init__(self, found: Found, applications: tuple[Application, ...]) -> None:
        self._found, self._applications = found, applications
        self._config: Config = {}
        self._old: dict[str, object] = {}  # the values of deprecated traits as the server last saw them

    def load(self) -> Config:
        options = _config(self._found.options)
        self._update(options)
        first = _copy(self._config)
        for stem in ("jupyter_config", "jupyter_server_config"):
            config = self._files(stem)
            _merge(config, options)
            self._update(config)
        self._update(first)
        linked = {app.name: self._link(app) for app in self._applications}
        if starter := STARTERS.get(self._found.app):
            self._start(linked, starter)
        return self._config

    def _files(self, stem: str) -> Config:
        """Weaker directories first; in one directory .json after .py."""
        config: Config = {}
        given = [file for file in self._found.files if not file.directory]
        instead = stem == "jupyter_server_config" and any(entry.trait == "config_file" for entry in self._found.options)
        files = given if instead else [f for f in self._found.files if f.stem == stem and f.directory and not f.drop_in]
        places = [directory.path for directory in self._found.directories]
        for file in sorted(files, key=lambda file: _rank(file, places)):
            if not file.reading.broken:
                _merge(config, _config(file.reading.entries))
        return config

    def _update(self, config: Config) -> None:
        _merge(self._config, config)
        for key, (section, trait) in DEPRECATED.items():
            entry = self._config.get(SERVER, {}).get(key.rpartition(".")[2])
            if entry and self._changed(key, entry):
                self._config.setdefault(section, {}).setdefault(trait, entry)

    def _changed(self, key: str, entry: Entry) -> bool:
        """Observers hear of a value only when it is another than before; at first all of these are empty."""
        value = plain(entry.value) if entry.certain else object()
        before, self._old[key] = self._old.get(key), value
        return value != before if key in self._old and before is not None else bool(value) or not entry.certain

    def _link(self, app: Application) -> Config:
        own: Config = {}
        for stem in ("jupyter_config", app.file):
            _merge(own, _shimmed(app, self._files(stem)))
        _merge(own, _shimmed(app, self._config))
        self._update(own)
        return own

    def _start(self, linked: dict[str, Config], starter: str) -> None:
        """The application that was started has the last word on a few keys."""
        app = next((app for app in self._applications if app.name == starter), None)
        if app is None:
            return
        mine, server = linked[app.name], self._config.setdefault(SERVER, {})
        for trait in ("default_url", "open_browser", "file_url_prefix"):
            set_by = next((mine[name][trait] for name in app.ancestry if trait in mine.get(name, {})), None)
            if set_by:
                server[trait] = set_by
            elif trait in dict(app.defaults):
                server[trait] = Entry(app.name, trait, dict(app.defaults)[trait], Origin.APPLICATION, app.name)


def _shimmed(app: Application, config: Config) -> Config:
    """Return what is left of `config` when `app` has handed on to ServerApp what is not its own.

    As notebook_shim does: NotebookApp's values over ServerApp's, then the application's own over both. What was moved
    or taken is gone from `config` itself.
    """
    if not app.shims:
        return _copy(config)
    notebook, server, own = (config.pop(name, {}) for name in ("NotebookApp", SERVER, app.name))
    rest = _copy(config)
    server = dict(server)
    stays: dict[str, Entry] = {}
    mine: dict[str, Entry] = {}
    for trait, entry in notebook.items():
        (stays if trait in NOTEBOOK_TRAITS | IGNORED else server)[trait] = entry
    for trait, entry in own.items():
        (mine if trait in app.traits | IGNORED else server)[trait] = entry
    rest |= {"NotebookApp": stays, SERVER: server}
    if mine:
        rest[app.name] = mine
    return rest


def _config(entries: Iterable[Entry]) -> Config:
    config: Config = {}
    for entry in entries:
        config.setdefault(entry.section, {})[entry.trait] = entry
    return config


def _merge(config: Config, other: Config) -> None:
    for section, traits in other.items():
        config.setdefault(section, {}).update(traits)


def _copy(config: Config) -> Config:
    return {section: dict(traits) for section, traits in config.items()}


def _rank(file: ConfigFile, places: list[str]) -> tuple[int, bool]:
    return -places.index(file.directory) if file.directory in places else 0, file.path.endswith(".json")
