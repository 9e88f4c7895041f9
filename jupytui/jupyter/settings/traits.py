"""What can be set, for forms: type, default and help of each trait, as the server's own Jupyter tells them."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jupytui.errors import UsageError
from jupytui.text import clean


class Type(StrEnum):
    """How a value is asked for."""

    BOOLEAN = "boolean"
    WHOLE = "whole number"
    NUMBER = "number"
    TEXT = "text"
    CHOICE = "choice"
    LIST = "list"
    MAPPING = "mapping"
    OTHER = "other"  # a class, a callable: written as Python would


_TRUE, _FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})
_TYPES = {
    "Bool": Type.BOOLEAN, "CBool": Type.BOOLEAN, "Int": Type.WHOLE, "Integer": Type.WHOLE, "CInt": Type.WHOLE,
    "Long": Type.WHOLE, "Float": Type.NUMBER, "CFloat": Type.NUMBER, "Unicode": Type.TEXT, "CUnicode": Type.TEXT,
    "TraitletsDottedObjectName": Type.TEXT, "DottedObjectName": Type.TEXT, "ObjectName": Type.TEXT,
    "CRegExp": Type.TEXT, "Type": Type.TEXT, "Enum": Type.CHOICE, "CaselessStrEnum": Type.CHOICE,
    "UseEnum": Type.CHOICE, "List": Type.LIST, "Set": Type.LIST, "Tuple": Type.LIST, "TypedTuple": Type.LIST,
    "Dict": Type.MAPPING,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trait:
    """One of them. `default` is Python's way of writing it; `optional`: None may be given too."""

    key: str
    type: Type
    help: str = ""
    default: str = ""
    values: tuple[str, ...] = ()
    optional: bool = False

    def value(self, text: str) -> object:
        """Return what somebody who types `text` means. Raises UsageError: it is no value of this type."""
        text = text.strip()
        if self.optional and text == "None":
            return None
        if self.type is Type.TEXT or (self.type is Type.CHOICE and text in self.values):
            return text
        if self.type is Type.BOOLEAN:
            return self._boolean(text)
        if self.type is Type.LIST and not text.startswith(("[", "(", "{")):
            return [part.strip() for part in text.split(",") if part.strip()]
        return self._literal(text)

    def _boolean(self, text: str) -> bool:
        words = {
            "true": True,
            "yes": True,
            "on": True,
            "1": True,
            "false": False,
            "no": False,
            "off": False,
            "0": False,
        }
        if text.lower() not in words:
            raise UsageError(f"{self.key} is either true or false.")
        return words[text.lower()]

    def _literal(self, text: str) -> object:
        kinds: dict[Type, tuple[type, ...]] = {
            Type.WHOLE: (int,), Type.NUMBER: (int, float), Type.LIST: (list, tuple, set), Type.MAPPING: (dict,),
        }  # fmt: skip
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            value = None
        wanted = kinds.get(self.type, (object,))
        if value is None or isinstance(value, bool) or not isinstance(value, wanted):
            raise UsageError(f"{self.key} is a {self.type}.")
        return list(value) if isinstance(value, tuple | set) else value


def traits_of(told: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Trait]:
    """Return by "Class.trait" what `Answer.traits` holds, cleaned."""
    found = ((f"{name}.{trait}", facts) for name, own in told.items() for trait, facts in own.items())
    return {key: _trait(key, facts) for key, facts in found}


def _trait(key: str, facts: Mapping[str, Any]) -> Trait:
    values = tuple(clean(str(value)) for value in facts.get("values", ()))
    return Trait(
        key=key,
        type=Type.CHOICE if values else _TYPES.get(str(facts.get("type")), Type.OTHER),
        help=clean(str(facts.get("help", ""))),
        default=clean(str(facts.get("default", ""))),
        values=values,
        optional=bool(facts.get("none")),
    )
