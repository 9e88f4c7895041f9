"""Reads a .py configuration file without running it: what is plainly assigned is certain, the rest is left open."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import replace

from jupytui.jupyter.settings.models import Entry, Note, Reading, Span, guarded

BOM = b"\xef\xbb\xbf"
_LINE = re.compile(rb"\r\n|\r|\n")
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_COMPUTED = "is computed"
_SOMETIMES = "depends on the code around it"


def read_py(data: bytes, path: str) -> Reading:
    """Return what the file says, in order. Syntax newer than our own Python's looks `broken` too: ask Jupyter."""
    try:
        data.removeprefix(BOM).decode("utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data.removeprefix(BOM))
    except SyntaxError as error:
        return Reading(broken=Note(error.lineno or 1, f"is no Python: {error.msg}"))
    except UnicodeDecodeError as error:
        return Reading(unclear=(Note(data.count(b"\n", 0, error.start) + 1, "is not UTF-8"),))
    except (ValueError, RecursionError, MemoryError) as error:
        return Reading(broken=Note(1, f"cannot be read: {type(error).__name__}"))
    return _Reader(data, path).read(tree)


def plain_text(data: bytes) -> bool:
    """Whether positions in the file are what they seem: UTF-8, and said to be nothing else."""
    coding = [match[1].lower() for line in _LINE.split(data, 2)[:2] if (match := _CODING.match(line))]
    return all(name in {b"utf-8", b"utf8", b"utf-8-sig"} for name in coding)


class Positions:
    """Turns what `ast` says of a place (line, byte in it) into a byte of the file."""

    def __init__(self, data: bytes) -> None:
        self._shift = len(BOM) if data.startswith(BOM) else 0
        body = data[self._shift :]
        self._starts = [0] + [match.end() for match in _LINE.finditer(body)]

    def span(self, node: ast.expr | ast.stmt) -> Span:
        """Return where `node` stands."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return Span(self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset))

    def _at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column + self._shift


class _Reader:
    """Walks the statements of one file; `names` are those that stand for the configuration."""

    def __init__(self, data: bytes, path: str) -> None:
        self._path = path
        self._positions = Positions(data)
        self._editable = plain_text(data)
        self._names = {"c"}
        self._lost = False
        self._unclear: list[Note] = []

    def read(self, tree: ast.Module) -> Reading:
        entries = [entry for statement in tree.body for entry in self._statement(statement)]
        return Reading(tuple(entries), None, tuple(self._unclear))

    def _statement(self, node: ast.stmt) -> Iterator[Entry]:
        if isinstance(node, ast.Assign) and self._binds(node):
            return
        if isinstance(node, ast.Assign | ast.AnnAssign) and (paths := self._paths(node)):
            yield from (self._assigned(node, path, only=len(paths) == 1) for path in paths)
        else:
            yield from self._within(node)

    def _binds(self, node: ast.Assign) -> bool:
        """Whether it gives a name to the configuration, or takes that name for something else."""
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        if len(names) != len(node.targets):
            return False
        value = node.value
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "get_config":
            self._names.update(names)
            return True
        if isinstance(value, ast.Name) and value.id in self._names:
            self._names.update(names)
            return True
        return False

    def _paths(self, node: ast.Assign | ast.AnnAssign) -> list[tuple[str, ...]]:
        """Return what is assigned to as ("ServerApp", "port"), [] unless all of it is configuration."""
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        paths = [self._path_of(target) for target in targets]
        return [path for path in paths if len(path) >= 2] if all(len(path) >= 2 for path in paths) else []

    def _path_of(self, node: ast.expr) -> tuple[str, ...]:
        """Return ("ServerApp", "port") for `c.ServerApp.port` and c["ServerApp"]["port"], () for anything else."""
        if isinstance(node, ast.Attribute):
            base, name = node.value, node.attr
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            base, name = node.value, str(node.slice.value)
        else:
            return ()
        if isinstance(base, ast.Name):
            return (name,) if base.id in self._names else ()
        above = self._path_of(base)
        return (*above, name) if above else ()

    def _assigned(self, node: ast.Assign | ast.AnnAssign, path: tuple[str, ...], *, only: bool) -> Entry:
        entry = self._entry(path, node)
        if node.value is None:
            return replace(entry, certain=False, why=_COMPUTED)
        try:
            value = ast.literal_eval(node.value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return replace(entry, certain=False, why=self._why(node.value))
        if self._lost:
            return replace(entry, certain=False, why=_SOMETIMES)
        sure = only and self._editable
        whole = self._positions.span(node)
        return replace(
            entry,
            value=guarded(entry.trait, value),
            span=self._positions.span(node.value) if sure else None,
            whole=whole if sure else None,
        )

    def _entry(self, path: tuple[str, ...], node: ast.stmt | ast.expr) -> Entry:
        return Entry(".".join(path[:-1]), path[-1], path=self._path, line=node.lineno)

    def _why(self, node: ast.expr) -> str:
        return "comes from the environment" if "environ" in ast.dump(node) else _COMPUTED

    def _within(self, node: ast.stmt) -> Iterator[Entry]:
        """Keys that a compound statement or an expression mentions, and whether it may do more than that."""
        mentioned = {}
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute | ast.Subscript) and len(path := self._path_of(part)) >= 2:
                mentioned[path[:2] if path[1][:1].islower() else path[:3]] = part
        for path, part in mentioned.items():
            if len(path) >= 2:
                yield replace(self._entry(path, part), certain=False, why=_SOMETIMES)
        if note := self._open(node):
            self._unclear.append(note)
        if any(name in self._names for name in _bound(node)):
            self._lost = True
            self._unclear.append(Note(node.lineno, "gives the name of the configuration to something else"))

    def _open(self, node: ast.stmt) -> Note | None:
        for part in ast.walk(node):
            if isinstance(part, ast.Call):
                name = part.func.id if isinstance(part.func, ast.Name) else ""
                if name in {"load_subconfig", "exec", "eval", "execfile", "globals"}:
                    return Note(part.lineno, f"{name}() may set anything")
                called = part.func
                if isinstance(called, ast.Attribute) and called.attr in {"update", "merge", "setdefault"}:
                    base = called.value
                    if (isinstance(base, ast.Name) and base.id in self._names) or len(self._path_of(base)) == 1:
                        return Note(part.lineno, f"{called.attr}() may set anything")
                if any(isinstance(given, ast.Name) and given.id in self._names for given in part.args):
                    return Note(part.lineno, f"{name or 'a call'} is given the configuration")
            elif isinstance(part, ast.Assign) and any(len(self._path_of(target)) == 1 for target in part.targets):
                return Note(part.lineno, "sets all of a class at once")
            elif isinstance(part, ast.ImportFrom) and part.names[0].name == "*":
                return Note(part.lineno, "imports all names of another file")
        return None


def _bound(node: ast.stmt) -> Iterator[str]:
    """Names that a statement gives a new meaning, those inside of functions and classes left out."""
    inner = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    for part in [] if inner else ast.walk(node):
        if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
            yield part.id
        elif isinstance(part, ast.alias):
            yield (part.asname or part.name).partition(".")[0]
    if inner:
        yield node.name  # type: ignore[attr-defined]
