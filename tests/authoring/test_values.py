"""What a task returns is what the next one gets, of the same types, or a clear error."""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.authoring.values import NotSerialisable, from_json, item_at, length_of, to_json
from headway.errors import HeadwayError


class Colour(Enum):
    RED = (1, 0)


class Level(IntEnum):
    HIGH = 3


class Word(StrEnum):
    A = "a"


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: Decimal
    tags: set[str] = field(default_factory=set)


class Row(msgspec.Struct):
    when: date
    inner: Point


class Pair(NamedTuple):
    left: object
    right: object


BERLIN = ZoneInfo("Europe/Berlin")
KEPT = [
    None,
    True,
    0,
    -(2**63),
    2**64,
    -(10**30),
    1.5,
    float("inf"),
    "",
    "naïve \U0001f600 \0",
    "\udcff",
    [],
    [1, [2, (3, {4})]],
    {},
    {"a": 1, "b\nc": 2},
    {1: "a", (1, 2): "b", None: "c"},
    {"__headway__": "datetime", "value": "forged"},
    (),
    {1, 2},
    frozenset({"a"}),
    b"\x00\xff",
    bytearray(b"ab"),
    1 + 2j,
    datetime(2024, 1, 1, 12, 30, 1, 5),  # noqa: DTZ001
    datetime(2024, 1, 1, tzinfo=UTC),
    datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=1),
    date(2024, 1, 1),
    time(12, 30, fold=1),
    timedelta(days=-1, microseconds=3),
    Decimal("1.10"),
    UUID(int=5),
    Path("a/b"),
    PurePosixPath("/x"),
    PureWindowsPath("c:/x"),
    Colour.RED,
    Level.HIGH,
    Word.A,
    Point(1, Decimal("2.5"), {"t"}),
    Row(date(2024, 1, 1), Point(1, Decimal(2))),
    Pair({"a"}, b"b"),
]


@pytest.mark.parametrize("value", KEPT, ids=repr)
def test_kept_with_its_type(value: object) -> None:
    again = from_json(to_json(value))
    assert again == value
    assert type(again) is type(value)
    if isinstance(value, datetime):
        assert isinstance(again, datetime)
        assert (again.fold, str(again.tzinfo)) == (value.fold, str(value.tzinfo))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    )
)
def test_any_plain_value(value: object) -> None:
    assert from_json(to_json(value)) == value


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (numpy.int64(3), 3),
        (numpy.float32(0.5), 0.5),
        (numpy.float64(0.5), 0.5),
        (numpy.bool_(True), True),
        (numpy.str_("a"), "a"),
        (numpy.datetime64("2024-01-01"), date(2024, 1, 1)),
        (defaultdict(list, a=[1]), {"a": [1]}),
        (OrderedDict(a=1), {"a": 1}),
        (Counter("a"), {"a": 1}),
    ],
    ids=repr,
)
def test_becomes_its_plain_kin(value: object, plain: object) -> None:
    again = from_json(to_json(value))
    assert again == plain
    assert type(again) is type(plain)


def test_not_a_number() -> None:
    again = from_json(to_json([float("nan")]))
    assert isinstance(again, list)
    assert str(again) == "[nan]"


def local_class() -> object:
    @dataclass
    class Local:
        x: int

    return Local(1)


def endless() -> list[object]:
    value: list[object] = []
    value.append(value)
    return value


class Opaque:
    pass


REFUSED: list[tuple[Callable[[], object], str]] = [
    (
        lambda: {"rows": [1, Opaque()]},
        "the result['rows'][1] is of type tests.authoring.test_values.Opaque, "
        "which cannot be stored\n"
        "  return plain data (numbers, text, lists, dicts, dates, dataclasses), or write the data "
        "to a file and return its path",
    ),
    (
        lambda: (n for n in [1]),
        "the result is of type generator, which cannot be stored\n  return list(…) instead",
    ),
    (
        lambda: numpy.zeros(2),
        "the result is of type numpy.ndarray, which cannot be stored\n"
        "  return array.tolist(), or write the data to a file and return its path",
    ),
    (
        lambda: [len],
        "the result[0] is of type builtin_function_or_method, which cannot be stored\n"
        "  a function cannot be sent to another process; return its result instead",
    ),
    (
        local_class,
        "the result is of type tests.authoring.test_values.local_class.<locals>.Local, "
        "which cannot be stored\n"
        "  define Local at the top level of a module, not inside a function",
    ),
    (
        endless,
        f"the result{'[0]' * 24}"[:80] + "… is of type list, which cannot be stored\n"
        "  it is nested deeper than 200 levels, or contains itself",
    ),
]


@pytest.mark.parametrize(("make", "told"), REFUSED)
def test_what_cannot_be_stored(make: Callable[[], object], told: str) -> None:
    with pytest.raises(NotSerialisable) as raised:
        to_json(make())
    assert str(raised.value) == told


@pytest.mark.parametrize(
    "forged",
    [
        b'{"__headway__": "os.system", "value": "true"}',
        b'{"__headway__": "struct", "class": "os:system", "value": {}}',
        b'{"__headway__": "enum", "class": "builtins:eval", "value": "1"}',
        b'{"__headway__": "dataclass", "class": "subprocess:Popen", "value": {}}',
    ],
)
def test_a_forged_value_makes_nothing(forged: bytes) -> None:
    with pytest.raises(HeadwayError, match=r"unknown kind|not a data class"):
        from_json(forged)


def test_lengths_and_items() -> None:
    assert [length_of(v) for v in ([1], (1, 2), {"a": 1}, "abc", {1}, None)] == [
        1,
        2,
        1,
        None,
        None,
        None,
    ]
    assert (item_at([5, 6], 1), item_at({"a": 1}, 0)) == (6, ("a", 1))
