"""Server extensions: switched on and off in jupyter_server_config.d, as `jupyter server extension` does."""

from __future__ import annotations

from jupytui.jupyter.settings.edit import Edit, changes, writable, written
from jupytui.jupyter.settings.models import CannotEdit, ConfigFile, Found
from jupytui.jupyter.settings.splice import set_key

_KEY = "ServerApp.jpserver_extensions"


def enabled(found: Found) -> dict[str, bool]:
    """Return by package what the files say: directories from weak to strong, and in one the drop-ins first."""
    result: dict[str, bool] = {}
    for directory in reversed(found.directories):
        files = [file for file in found.files if file.directory == directory.path and file.path.endswith(".json")]
        for file in [f for f in files if f.drop_in] + [f for f in files if f.name == "jupyter_server_config.json"]:
            for entry in file.reading.entries:
                if entry.key == _KEY and isinstance(entry.value, dict):
                    result |= {str(name): bool(on) for name, on in entry.value.items()}
    return result


def switched(found: Found, package: str, *, on: bool) -> Edit:
    """Return the edit after which `package` is enabled or not; empty where it is so already. Raises CannotEdit."""
    if enabled(found).get(package, False) is on:
        return Edit(())
    for directory in found.directories:
        path = f"{directory.path}/jupyter_server_config.d/{package}.json"
        try:
            file = found.file(path)
            writable(found, file, path)
            said = next((e.value for e in file.reading.entries if e.key == _KEY), {}) if file else {}
            value = {**(said if isinstance(said, dict) else {}), package: on}
            trial = written(found, path, _with(file, path, value))
        except CannotEdit:
            continue
        if enabled(trial).get(package) is on:
            return Edit(changes(found, trial), uid=found.uid)
    way = "on" if on else "off"
    raise CannotEdit(f"There is no file that may be written in which {package} could be switched {way}.")


def _with(file: ConfigFile | None, path: str, value: dict[str, object]) -> bytes:
    section, _, trait = _KEY.partition(".")
    return set_key(path, file.data if file else None, section, trait, value)
