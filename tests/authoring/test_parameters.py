"""Parameters of a DAG file whose annotations are text, as the first line makes them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import Enum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NewType
from typing import Literal as OneOf

import pytest

from headway import Param, dag, task
from headway.authoring.loading import load_file
from headway.errors import UsageError
from headway.testing import run_dag
from tests.authoring.files import mistake

if TYPE_CHECKING:
    from decimal import Decimal as Amount

Country = NewType("Country", str)
Size = OneOf["s", "m"]


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Level(Enum):
    LOW = (1, "low")
    HIGH = (2, "high")


@dag
def noted(
    country: OneOf["de", "fr"],
    size: Size | None = None,
    count: int | None = None,
    mixed: OneOf[1, "a"] = 1,
    either: int | str = 3,
    whatever: Any = 3,
    land: Country = Country("x"),
    part: Annotated[int, "of ten"] = 3,
    amount: Amount | None = None,
    day: date = date(2024, 2, 29),
    at: datetime | None = None,
    colour: Colour = Colour.RED,
    level: Level = Level.LOW,
    chosen: OneOf[Level.HIGH] = Level.HIGH,
    many: list[str] = ["a"],  # noqa: B006
) -> None:
    @task
    def show(**values: object) -> list[Any]:
        return [values[name] for name in ("day", "at", "colour", "level", "chosen")]

    show(day=day, at=at, colour=colour, level=level, chosen=chosen)


def test_annotations_that_are_text_say_what_they_name() -> None:
    spec = noted.make_itself().spec("d.py")
    found = {each.name: (each.type, each.format, each.enum) for each in spec.params}
    assert found == {
        "country": ("string", "", ("de", "fr")),
        "size": ("string", "", ("s", "m")),
        "count": ("integer", "", ()),
        "mixed": ("any", "", (1, "a")),
        "either": ("any", "", ()),
        "whatever": ("any", "", ()),
        "land": ("string", "", ()),
        "part": ("integer", "", ()),
        "amount": ("any", "", ()),
        "day": ("string", "date", ()),
        "at": ("string", "date-time", ()),
        "colour": ("string", "", ("red", "blue")),
        "level": ("array", "", ([1, "low"], [2, "high"])),
        "chosen": ("array", "", ([2, "high"],)),
        "many": ("array", "", ()),
    }
    assert {each.name: each.default for each in spec.params}["day"] == "2024-02-29"


def test_dates_and_members_of_enums_arrive_as_such() -> None:
    def shown(**params: object) -> Any:
        return run_dag(noted, params={"country": "de", **params})["show"].value

    assert shown() == [date(2024, 2, 29), None, Colour.RED, Level.LOW, Level.HIGH]
    at = datetime(2013, 1, 31, 5, tzinfo=UTC)
    given = shown(day="2013-01-31", at=at.isoformat(), colour="blue", level=[2, "high"])
    assert given == [date(2013, 1, 31), at, Colour.BLUE, Level.HIGH, Level.HIGH]
    assert type(given[0]) is date
    assert shown(day=date(2013, 1, 31), at=at, colour=Colour.BLUE, level=Level.HIGH) == given


@pytest.mark.parametrize(
    "wrong",
    [
        {"country": "xx"},
        {"size": "l"},
        {"day": "nonsense"},
        {"day": 5},
        {"at": "soon"},
        {"colour": "green"},
        {"level": [1, "high"]},
        {"mixed": True},
    ],
)
def test_a_value_that_is_not_allowed_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        run_dag(noted, params={"country": "de", **wrong})


def test_dates_in_params_of_a_dag_are_dates() -> None:
    @dag(params={"day": date(2024, 2, 29), "until": Param(datetime(2024, 3, 1, tzinfo=UTC))})
    def flow() -> None:
        @task
        def show(params: dict[str, Any]) -> list[Any]:
            return [params["day"], params["until"]]

        show()

    result = run_dag(flow, params={"until": "2024-03-02T00:00Z"})["show"].value
    assert result == [date(2024, 2, 29), datetime(2024, 3, 2, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("default", "told"),
    [
        ("math.inf", "the default of the parameter x is inf, which JSON cannot represent"),
        ("math.nan", "the default of the parameter x is nan, which JSON cannot represent"),
        ("[{'a': -math.inf}]", "x is -inf, which JSON cannot represent"),
        ("time(5)", "a value of the parameter x is a time, which JSON cannot represent"),
        ("timedelta(1)", "is a timedelta, which JSON cannot represent"),
        ("Decimal(1)", "is a Decimal, which JSON cannot represent"),
        ("b'x'", "is a bytes, which JSON cannot represent"),
        ("Path('x')", "is a PosixPath, which JSON cannot represent"),
    ],
)
def test_a_default_that_json_cannot_say_is_refused(tmp_path: Path, default: str, told: str) -> None:
    head = "import math\nfrom datetime import time, timedelta\nfrom decimal import Decimal\n"
    head += "from pathlib import Path\nfrom headway import dag, task\n\n\n"
    body = f"@dag\ndef d(x={default}):\n    @task\n    def a(): ...\n    a()\n"
    assert told in mistake(tmp_path, head + body)


REPORT = Path(__file__).parents[2] / "examples" / "params" / "report.py"


def test_the_example_takes_what_its_schemas_allow() -> None:
    (made,) = load_file(REPORT, REPORT.parent)
    given = {"day": "2026-01-31", "days": 31, "to": ["ada@example.com"], "limits": {"rows": 1}}
    told = run_dag(made, params=given)["make"].value
    assert told == {"from": "2026-01-31", "shop": "fr", "code": "A-1", "note": "", **given}
    for wrong, why in (
        ({"days": 32}, 'the parameter "days" of report is 32, but must be at most 31'),
        ({"code": "a"}, r'is "a", but must be a text that matches "\^\[A-Z\]-\\d\+\$"'),
        ({"to": ["ada"]}, r'of report: to\[0\] is "ada", but must be a email'),
        ({"limits": {"row": 1}}, 'has "row", which is not allowed; did you mean "rows"?'),
    ):
        with pytest.raises(UsageError, match=why):
            run_dag(made, params=wrong)


def test_what_a_param_says_beside_its_schema_is_in_the_spec() -> None:
    (made,) = load_file(REPORT, REPORT.parent)
    found = {each.name: each for each in made.spec("report.py").params}
    assert (found["day"].type, found["day"].format) == ("string", "date")
    assert found["day"].schema == {"type": ["string", "null"]}
    assert (found["days"].section, found["days"].examples) == ("Period", (1, 7, 31))
    assert found["shop"].values_display == {"fr": "France", "de": "Germany"}
    assert found["note"].schema == {"format": "multiline"}


def test_a_call_of_the_dag_changes_the_default_and_no_more() -> None:
    @dag
    def flow(n: int = Param(3, type="integer", minimum=1, title="N")) -> None:  # type: ignore[assignment]
        @task
        def show(n: int) -> int:
            return n

        show(n)

    (param,) = flow(n=5).spec("flow.py").params
    assert (param.default, param.title, param.schema) == (5, "N", {"minimum": 1})
