"""Parameters: what is typed is read as its type, and checked as it."""

from typing import Any

import msgspec
import pytest

from headway.errors import UsageError
from headway.spec.errors import BadSpec
from headway.spec.model import Dag, Param, Task
from headway.spec.params import check_params, params_from_text
from headway.spec.validate import validate


def dag(*params: Param, schedule: dict[str, Any] | None = None) -> Dag:
    return Dag(
        dag_id="d",
        file="d.py",
        tasks=(Task(task_id="a"),),
        params=params,
        schedule=schedule,
        line=3,
    )


def test_an_open_dag_takes_what_it_does_not_declare_if_it_can_be_stored() -> None:
    opened = msgspec.structs.replace(dag(Param(name="p", default=1)), open_params=True)
    assert check_params(opened, {"other": [1], "a b": None}) == {"p": 1, "other": [1], "a b": None}
    assert params_from_text(opened, {"other": "2"}) == {"p": 1, "other": 2}
    for given in ({"a\0b": 1}, {"other": "\0"}, {"other": "x" * 300_000}, {"p": "\0"}):
        with pytest.raises(UsageError):
            check_params(opened, given)
    with pytest.raises(UsageError, match="no parameter"):
        check_params(dag(), {"other": 1})


@pytest.mark.parametrize(
    ("param", "text", "value"),
    [
        *(
            (Param(name="p", type="string"), text, text)
            for text in ("42", "1.10", "true", "null", "0123", "", '"3"', "[1]", "a=b")
        ),
        (Param(name="p"), "42", 42),
        (Param(name="p"), "1.5", 1.5),
        (Param(name="p"), "1.10", "1.10"),
        (Param(name="p"), "1e3", "1e3"),
        (Param(name="p"), "-0", "-0"),
        (Param(name="p"), "007", "007"),
        (Param(name="p"), "true", True),
        (Param(name="p"), "True", True),
        (Param(name="p"), "null", None),
        (Param(name="p"), "[1.10]", [1.1]),
        (Param(name="p"), "x y", "x y"),
        (Param(name="p"), "[" * 100_000, "[" * 100_000),  # no JSON: a text
        (Param(name="p", type="number"), "1e3", 1000.0),
        (Param(name="p", type="integer"), str(2**70), 2**70),
        (Param(name="p", type="boolean"), "FALSE", False),
        (Param(name="p", type="object"), '{"a": 1}', {"a": 1}),
        (Param(name="p", enum=(1, "a", "1.10")), "1.10", "1.10"),
        (Param(name="p", enum=(1, "a")), "1", 1),
        (Param(name="p", type="string", format="date"), "20130131", "2013-01-31"),
        (Param(name="p", type="string", format="date-time"), "2013-01-31 05:00Z",
         "2013-01-31T05:00:00+00:00"),
    ],
)  # fmt: skip
def test_a_text_is_read_as_its_type(param: Param, text: str, value: object) -> None:
    found = params_from_text(dag(param), {"p": text})["p"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("param", "given", "told"),
    [
        (Param(name="p", type="integer"), "0123", 'is an integer, not "0123"'),
        (Param(name="p", type="number"), "NaN", "is nan, which JSON cannot represent"),
        (Param(name="p", type="number"), "Infinity", "is inf, which JSON cannot represent"),
        (Param(name="p", type="string", format="date"), "nonsense", 'is a date, not "nonsense"'),
        (Param(name="p", type="string", format="date"), "2013-02-29", "is a date, not"),
        (Param(name="p", type="string", format="date-time"), "5 o'clock", "is a date-time, not"),
        (Param(name="p", type="string", enum=("de", "fr")), "xx", 'is one of "de", "fr", not "xx"'),
        (Param(name="p", enum=(1, "a")), "true", 'is one of 1, "a", not true'),
    ],
)
def test_what_is_not_of_its_type_is_refused(param: Param, given: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        params_from_text(dag(param), {"p": given})


def test_a_schedule_gives_no_parameters() -> None:
    needed = Param(name="country", type="string", required=True)
    validate(dag(needed))
    for schedule in ({"cron": "0 5 * * *"}, {"once": True}):
        with pytest.raises(
            BadSpec, match="scheduled runs have no value for the parameter country"
        ) as refused:
            validate(dag(needed, schedule=schedule))
        assert (refused.value.where, "a default" in (refused.value.hint or "")) == ("d.py:3", True)


def test_none_is_right_only_where_it_is_the_default() -> None:
    day = Param(name="p", type="string", format="date")
    empty: dict[str, Any] = {"p": None}
    assert check_params(dag(day), empty) == empty
    with pytest.raises(UsageError, match="is a string"):
        check_params(dag(Param(name="p", type="string", required=True)), empty)
