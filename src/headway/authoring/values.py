"""Values between tasks as JSON that keeps types: what a task returns is what the next one gets.

Rules: plain JSON stays plain; anything else is ``{"__headway__": kind, "value": …}``. Never pickle.
Reading makes objects only of dataclasses, msgspec structs, enums and named tuples that the task's
own code defines at the top level of a module. Only the user's own process reads with ``from_json``.
"""

import sys
from collections.abc import Callable
from typing import Any, Final

from headway.errors import HeadwayError
from headway.spec.carried import TAG


class NotSerialisable(HeadwayError):
    """A result that cannot be stored: ``path`` is the place inside it."""

    def __init__(self, path: str, value: object, advice: str) -> None:
        kind = type(value)
        name = kind.__qualname__ if kind.__module__ == "builtins" else full_name(kind)
        super().__init__(f"{path} is of type {name}, which cannot be stored", hint=advice)
        self.path = path


def to_json(value: object, what: str = "the result") -> bytes:
    """Raises NotSerialisable, which names a place in ``what``."""
    from msgspec import json

    from headway.authoring.encoding import plain

    return json.encode(plain(value, what, 0))


def from_json(data: bytes | str) -> object:
    from msgspec import json

    return restore(json.decode(data))


def length_of(value: object) -> int | None:
    """Return how many instances a task mapped over ``value`` has. None: ``value`` cannot be mapped over."""
    return len(value) if isinstance(value, (list, tuple, dict)) else None


def item_at(value: object, position: int) -> object:
    """Return the item for the mapped instance at ``position``; for a dict, the pair of key and value."""
    if isinstance(value, dict):
        return list(value.items())[position]
    assert isinstance(value, (list, tuple)), f"mapped over a {type(value).__name__}"
    return value[position]


def restore(value: object) -> object:
    if isinstance(value, list):
        return [restore(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind: Any = value.get(TAG)
    if kind is None:
        return {name: restore(item) for name, item in value.items()}
    found = RESTORE.get(kind)
    if found is None:
        raise HeadwayError(f"a stored value is of the unknown kind {kind!r}")
    return found(value)


def class_named(name: str) -> type:
    """A class of the task's own code.

    Nothing but data classes: a forged value calls no function.
    """
    from importlib import import_module

    module_name, _, path = name.partition(":")
    found: Any = sys.modules.get(module_name) or import_module(module_name)
    for part in path.split("."):
        found = getattr(found, part)
    if not isinstance(found, type) or kind_of(found) is None:
        raise HeadwayError(f"a stored value names {name}, which is not a data class")
    return found


def kind_of(cls: type) -> str | None:
    if hasattr(cls, "__dataclass_fields__"):
        return "dataclass"
    if hasattr(cls, "__struct_fields__"):
        return "struct"
    enum = sys.modules.get("enum")
    if enum is not None and issubclass(cls, enum.Enum):
        return "enum"
    if issubclass(cls, tuple) and hasattr(cls, "_make") and hasattr(cls, "_fields"):
        return "namedtuple"
    return None


def full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def restore_object(tagged: dict[str, Any]) -> object:
    """Fields are put back as they were, without ``__init__`` and ``__post_init__``."""
    cls: Any = class_named(tagged["class"])
    fields = {name: restore(item) for name, item in tagged["value"].items()}
    if kind_of(cls) == "struct":
        return cls(**fields)
    made = object.__new__(cls)
    for name, item in fields.items():
        object.__setattr__(made, name, item)
    return made


def restore_datetime(tagged: dict[str, Any]) -> object:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    moment = datetime.fromisoformat(tagged["value"]).replace(fold=tagged.get("fold", 0))
    return moment.replace(tzinfo=ZoneInfo(tagged["zone"])) if "zone" in tagged else moment


def restore_time(tagged: dict[str, Any]) -> object:
    from datetime import time

    return time.fromisoformat(tagged["value"]).replace(fold=tagged.get("fold", 0))


def restore_date(tagged: dict[str, Any]) -> object:
    from datetime import date

    return date.fromisoformat(tagged["value"])


def restore_timedelta(tagged: dict[str, Any]) -> object:
    from datetime import timedelta

    return timedelta(*tagged["value"])


def restore_decimal(tagged: dict[str, Any]) -> object:
    from decimal import Decimal

    return Decimal(tagged["value"])


def restore_bytes(tagged: dict[str, Any]) -> bytes:
    from base64 import b64decode

    return b64decode(tagged["value"])


def restore_text(tagged: dict[str, Any]) -> str:
    return restore_bytes(tagged).decode("utf-8", "surrogatepass")


def restore_uuid(tagged: dict[str, Any]) -> object:
    from uuid import UUID

    return UUID(tagged["value"])


def restore_path(tagged: dict[str, Any]) -> object:
    from pathlib import Path, PurePosixPath, PureWindowsPath

    kinds = {"posix": PurePosixPath, "windows": PureWindowsPath}
    return kinds.get(tagged.get("flavour", ""), Path)(str(restore(tagged["value"])))


def restore_enum(tagged: dict[str, Any]) -> object:
    cls: Any = class_named(tagged["class"])
    return cls(restore(tagged["value"]))


def restore_namedtuple(tagged: dict[str, Any]) -> object:
    cls: Any = class_named(tagged["class"])
    return cls._make(map(restore, tagged["value"]))


RESTORE: Final[dict[str, Callable[[dict[str, Any]], object]]] = {
    "datetime": restore_datetime,
    "date": restore_date,
    "time": restore_time,
    "timedelta": restore_timedelta,
    "decimal": restore_decimal,
    "bytes": restore_bytes,
    "bytearray": lambda tagged: bytearray(restore_bytes(tagged)),
    "text": restore_text,
    "uuid": restore_uuid,
    "path": restore_path,
    "float": lambda tagged: float(tagged["value"]),
    "int": lambda tagged: int(tagged["value"], 16),
    "complex": lambda tagged: complex(*map(restore, tagged["value"])),  # type: ignore[call-overload]
    "tuple": lambda tagged: tuple(map(restore, tagged["value"])),
    "set": lambda tagged: set(map(restore, tagged["value"])),
    "frozenset": lambda tagged: frozenset(map(restore, tagged["value"])),
    "dict": lambda tagged: {restore(name): restore(item) for name, item in tagged["value"]},
    "enum": restore_enum,
    "dataclass": restore_object,
    "struct": restore_object,
    "namedtuple": restore_namedtuple,
}
