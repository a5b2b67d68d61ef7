"""The writing half of ``values``: any value to plain JSON types, tagged where JSON has none."""

import math
from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, Final
from uuid import UUID

from headway.authoring.values import NotSerialisable, full_name, kind_of
from headway.spec.carried import TAG

INT64: Final = 2**63
DEPTH_MAX: Final = 200
RETURN_DATA: Final = (
    "return plain data (numbers, text, lists, dicts, dates, dataclasses), or write the data to a "
    "file and return its path"
)


def plain(value: object, path: str, depth: int) -> object:
    """``path`` names the place for a person: ``the result["rows"][3]``."""
    if value is None or type(value) is bool:
        return value
    if type(value) is str:
        return text(value)
    if type(value) is int:
        return value if -INT64 <= value < INT64 else tagged("int", hex(value))
    if type(value) is float:
        return value if math.isfinite(value) else tagged("float", str(value))
    if depth > DEPTH_MAX:
        raise NotSerialisable(
            path[:80] + "…",
            value,
            f"it is nested deeper than {DEPTH_MAX} levels, or contains itself",
        )
    if type(value) is list:
        return items(value, path, depth)
    if type(value) is dict:
        return mapping(value, path, depth)
    return other(value, path, depth)


# A subclass travels as its base.
BASES: Final[tuple[Any, ...]] = (int, float, str, list, dict)


def tagged(kind: str, value: object, **more: object) -> dict[str, object]:
    return {TAG: kind, "value": value, **more}


def text(value: str) -> object:
    """Check for lone surrogates, as in file names that are not UTF-8, which JSON cannot represent."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raw = value.encode("utf-8", "surrogatepass")
        return tagged("text", b64encode(raw).decode())
    return value


def items(value: Iterable[object], path: str, depth: int) -> list[object]:
    return [plain(item, f"{path}[{place}]", depth + 1) for place, item in enumerate(value)]


def mapping(value: dict[Any, Any], path: str, depth: int) -> object:
    if all(type(name) is str and name != TAG and name.isprintable() for name in value):
        return {name: plain(item, f"{path}[{name!r}]", depth + 1) for name, item in value.items()}
    pairs = [
        [plain(name, f"a key of {path}", depth + 1), plain(item, f"{path}[{name!r}]", depth + 1)]
        for name, item in value.items()
    ]
    return tagged("dict", pairs)


def other(value: object, path: str, depth: int) -> object:
    if isinstance(value, Enum):
        return enum(value, path, depth)
    data = kind_of(type(value))
    if data is not None:
        return structure(data, value, path, depth)
    for base in BASES:
        if isinstance(value, base) and type(value) is not base:
            return plain(base(value), path, depth)
    for kind, write in WRITE:
        if isinstance(value, kind):
            return write(value, path, depth)
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:  # a scalar of numpy's
        return plain(value.item(), path, depth)
    raise NotSerialisable(path, value, advice(value))


def enum(value: Enum, path: str, depth: int) -> object:
    return tagged("enum", plain(value.value, path, depth + 1), **{"class": named(value, path)})


def structure(kind: str, given: object, path: str, depth: int) -> object:
    value: Any = given
    name = named(value, path)
    if kind == "namedtuple":
        return tagged(kind, items(value, path, depth), **{"class": name})
    fields = getattr(value, "__dataclass_fields__", None) or value.__struct_fields__
    found = {
        field: plain(getattr(value, field), f"{path}.{field}", depth + 1)
        for field in fields
        if hasattr(value, field)
    }
    return tagged(kind, found, **{"class": name})


def named(value: object, path: str) -> str:
    cls = type(value)
    if "<locals>" in cls.__qualname__:
        raise NotSerialisable(
            path,
            value,
            f"define {cls.__name__} at the top level of a module, not inside a function",
        )
    return f"{cls.__module__}:{cls.__qualname__}"


def moment(value: datetime, path: str, depth: int) -> object:
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime(warn=False)
    if type(value).__name__ == "NaTType":
        raise NotSerialisable(path, value, "return None instead of a missing time")
    zone = getattr(value.tzinfo, "key", None)
    more: dict[str, object] = {"fold": value.fold} if value.fold else {}
    if zone is None:
        return tagged("datetime", value.isoformat(), **more)
    return tagged("datetime", value.replace(tzinfo=None).isoformat(), zone=zone, **more)


def clock_time(value: time, path: str, depth: int) -> object:
    more: dict[str, object] = {"fold": value.fold} if value.fold else {}
    return tagged("time", value.isoformat(), **more)


def file_path(value: PurePath, path: str, depth: int) -> object:
    if isinstance(value, Path):
        return tagged("path", text(str(value)))
    flavour = "posix" if isinstance(value, PurePosixPath) else "windows"
    return tagged("path", text(str(value)), flavour=flavour)


def unordered(value: set[Any] | frozenset[Any], path: str, depth: int) -> object:
    """Sorted if it can be, so that equal sets give equal bytes."""
    try:
        ordered: Any = sorted(value)
    except TypeError:
        ordered = value
    kind = "set" if isinstance(value, set) else "frozenset"
    return tagged(kind, [plain(item, f"an item of {path}", depth + 1) for item in ordered])


def raw(value: bytes | bytearray, path: str, depth: int) -> object:
    kind = "bytearray" if isinstance(value, bytearray) else "bytes"
    return tagged(kind, b64encode(value).decode())


# The order matters: a datetime is a date.
WRITE: Final[tuple[tuple[type | tuple[type, ...], Callable[[Any, str, int], object]], ...]] = (
    (datetime, moment),
    (date, lambda value, path, depth: tagged("date", value.isoformat())),
    (time, clock_time),
    (
        timedelta,
        lambda value, path, depth: tagged(
            "timedelta", [value.days, value.seconds, value.microseconds]
        ),
    ),
    (Decimal, lambda value, path, depth: tagged("decimal", str(value))),
    (UUID, lambda value, path, depth: tagged("uuid", str(value))),
    (PurePath, file_path),
    ((bytes, bytearray), raw),
    (tuple, lambda value, path, depth: tagged("tuple", items(value, path, depth))),
    ((set, frozenset), unordered),
    (
        complex,
        lambda value, path, depth: tagged(
            "complex", [plain(value.real, path, depth), plain(value.imag, path, depth)]
        ),
    ),
)


def advice(value: object) -> str:
    name = full_name(type(value))
    package = name.partition(".")[0]
    if package == "numpy":
        return "return array.tolist(), or write the data to a file and return its path"
    if package in ("pandas", "polars", "pyarrow", "duckdb"):
        return "write the data to a file, for instance Parquet, and return its path"
    if hasattr(value, "model_dump"):
        return "return value.model_dump()"
    if type(value).__name__ in ("generator", "map", "filter", "zip", "dict_keys", "dict_values"):
        return "return list(…) instead"
    if callable(value):
        return "a function cannot be sent to another process; return its result instead"
    return RETURN_DATA
