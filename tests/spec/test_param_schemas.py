"""Parameters with JSON Schema: what is read, what is refused, and what a schema may say."""

from collections.abc import Callable
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from headway import clock
from headway.errors import UsageError
from headway.spec import json_schema
from headway.spec.errors import BadSpec
from headway.spec.model import Param
from headway.spec.params import check_params, params_from_text
from headway.spec.patterns import size_of
from headway.spec.validate import validate
from tests.spec.test_params import dag

NULLABLE = {"type": ["string", "null"]}
LIMITS: dict[str, Any] = {
    "properties": {
        "rows": {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1},
        "mode": {"enum": ["full", "part"]},
    },
    "required": ["rows"],
    "additionalProperties": False,
}


def one(type: Any = "any", **more: Any) -> Param:
    return Param(name="p", type=type, **more)


@pytest.mark.parametrize(
    ("param", "text", "value"),
    [
        (one("string", schema=NULLABLE), "null", None),
        (one("string", schema=NULLABLE), "5", "5"),
        (one(schema={"type": ["integer", "string"]}), "5", 5),
        (one(schema={"type": ["integer", "string"]}), "5x", "5x"),
        (one(schema={"type": ["integer", "string"]}), "1.5", "1.5"),
        (one("integer", schema={"type": ["integer", "null"], "minimum": 1}), "5", 5),
        (one("integer", schema={"minimum": 1}), "5.0", 5),
        (one("number", schema={"exclusiveMinimum": 0}), "1e3", 1000.0),
        (one("object", schema=LIMITS), '{"rows": [1, 2]}', {"rows": [1, 2]}),
        (one("string", format="date", schema=NULLABLE), "20130131", "2013-01-31"),
        (one("string", schema={"format": "time"}), "05:30", "05:30"),
        (one("string", schema={"pattern": r"^(?=.*\d)\w+$"}), "a1", "a1"),
        (one("array", schema={"uniqueItems": True}), "[1, true, 1.5]", [1, True, 1.5]),
    ],
)
def test_a_text_is_read_by_the_schema(param: Param, text: str, value: object) -> None:
    found = params_from_text(dag(param), {"p": text})["p"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("param", "given", "told"),
    [
        (one("integer", schema={"minimum": 1}), 0, "is 0, but must be at least 1"),
        (one("integer", schema={"maximum": 9}), 10, "is 10, but must be at most 9"),
        (one("string", schema=NULLABLE), 5, "is 5, but must be a string or null"),
        (one("string", schema={"pattern": "^a"}), "b", 'is "b", but must be a text that matches "\\^a"'),
        (one("string", schema={"format": "email"}), "b", 'is "b", but must be a email'),
        (one("string", schema={"format": "time"}), "25:00", 'is "25:00", but must be a time'),
        (one("string", schema={"maxLength": 2}), "abc", "at most 2 characters long"),
        (one("string", enum=("a", "b"), schema={"minLength": 1}), "c", 'must be one of "a", "b"'),
        (one("string", format="date", schema=NULLABLE), "x", 'is a date, not "x"'),
        (one("object", schema=LIMITS), {}, 'has no "rows"'),
        (one("object", schema=LIMITS), {"rows": [1, 0]}, r": p\['rows'\]\[1\] is 0, but must be at least 1"),
        (one("object", schema=LIMITS), {"rows": [1], "mood": 1}, "which is not allowed; did you mean \"mode\""),
        (one("array", schema={"uniqueItems": True}), [{"a": 1}, {"a": 1}], "has an item twice"),
        (one(schema={"anyOf": [{"type": "integer"}, {"maxLength": 2}]}), "abc", "does not obey|must be"),
    ],
)  # fmt: skip
def test_an_error_tells_the_path_the_value_and_what_is_allowed(
    param: Param, given: object, told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        check_params(dag(param), {"p": given})


def test_an_example_is_the_hint() -> None:
    param = one("integer", required=True, schema={"minimum": 1}, examples=(7, 8))
    with pytest.raises(UsageError) as refused:
        check_params(dag(param), {"p": 0})
    assert refused.value.hint == "for instance 7"


@pytest.mark.parametrize(
    ("schema", "told", "hint"),
    [
        ({"minimun": 1}, '"minimun" is not a keyword', 'did you mean "minimum"?'),
        ({"items": {"$ref": "#"}}, r"\"\$ref\" in \['items'\] is not a keyword", "write out"),
        ({"patternProperties": {}}, "patternProperties", "use propertyNames"),
        ({"pattern": "("}, "not a regular expression", ""),
        ({"type": ["text"]}, r"\['type'\]", ""),
        ({"minimum": "1"}, r"\['minimum'\] of its schema: is \"1\", but must be a number", ""),
        ({"description": "x" * 20_000}, "more than 16,384 bytes", ""),
    ],
)  # fmt: skip
def test_a_schema_that_cannot_be_used_is_an_error_of_the_file(
    schema: dict[str, Any], told: str, hint: str
) -> None:
    with pytest.raises(BadSpec, match=told) as refused:
        validate(dag(one(schema=schema)))
    assert refused.value.where == "d.py:3"
    assert hint in (refused.value.hint or "")


def test_a_default_obeys_the_schema() -> None:
    with pytest.raises(BadSpec, match=r"is 0, but must be at least 1 \(its default\)"):
        validate(dag(one("integer", default=0, schema={"minimum": 1})))
    validate(dag(one("integer", default=None, schema={"type": ["integer", "null"], "minimum": 1})))


def test_a_pattern_that_never_ends_is_given_up() -> None:
    param = one("string", required=True, schema={"pattern": "^(a|aa)+$"})
    with pytest.raises(UsageError, match="takes longer than 1 s"):
        check_params(dag(param), {"p": "a" * 90 + "!"})


LISTS: dict[str, Any] = {
    "anyOf": [{"items": {"type": "string", "minLength": n}} for n in range(300)]
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (LISTS, [7] * 60_000),  # 18 million comparisons, each with an error that holds the value
        ({"anyOf": [{"items": {"enum": [[n]] * 50}} for n in range(150)]}, [[7]] * 60_000),
        ({"not": {"allOf": [{"contains": {"const": n}} for n in range(500)]}}, [7] * 100_000),
    ],
)
def test_what_takes_too_long_to_compare_is_given_up(
    schema: dict[str, Any], value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processes that compare serve all teams."""
    monkeypatch.setattr("headway.spec.params.RUN_S", 0.05)  # less than the fastest machine needs
    with pytest.raises(UsageError) as refused:
        check_params(dag(one("array", required=True, schema=schema)), {"p": value})
    told = 'the parameter "p" of d takes longer than 0.05 s to compare with its schema'
    assert refused.value.message == told
    assert refused.value.hint == (
        "give a smaller value, or let the author of the DAG simplify the schema"
    )


def test_what_says_nothing_costs_nothing() -> None:
    """A schema without keywords looks at no deadline."""
    schema = {"items": {"title": "x", "items": {}}, "additionalProperties": {"description": "y"}}
    assert json_schema.bare(schema) == {"items": {"items": True}, "additionalProperties": True}
    assert json_schema.bare({"allOf": [{"title": "x"}], "properties": {"title": {"title": "x"}}}) == {
        "allOf": [True], "properties": {"title": True},
    }  # fmt: skip


def test_of_a_request_for_many_runs_all_are_compared_within_one_time() -> None:
    param = one("array", required=True, schema={"items": {"minimum": 1}})
    over = json_schema.Patience(clock.monotonic(), 5.0)
    with pytest.raises(UsageError, match="the parameters of d take longer than 5 s") as refused:
        check_params(dag(param), {"p": [1]}, over)
    assert "ask for fewer runs at once" in (refused.value.hint or "")
    assert check_params(dag(param), {"p": [1]}, json_schema.patience(60.0)) == {"p": [1]}


def test_errors_that_were_found_before_the_time_was_over_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = count()  # a millisecond passes with each look at the clock, on every machine
    monkeypatch.setattr(json_schema, "clock", SimpleNamespace(monotonic=lambda: next(looks) / 1000))
    param = one("array", schema={"items": {"type": "string"}, "not": LISTS})
    with pytest.raises(UsageError, match=r"p\[\d+\] is 7, but must be a string"):
        check_params(dag(param), {"p": [7] * 60_000})


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        ({"multipleOf": 0.5}, 10**900, True),
        ({"multipleOf": 1e308}, 10**900 + 1, False),
        ({"multipleOf": 10**400}, 1.5, False),
        ({"multipleOf": 1e-300}, 1e300, False),
        ({"maximum": 1.5}, 10**900, False),
        ({"minimum": 10**900}, 1.5, False),
        ({"enum": [10**900]}, 10**900, True),
        ({"uniqueItems": True}, [10**900, 10**900 + 1], True),
        ({"uniqueItems": True}, [10**900] * 2, False),
        ({"type": ["integer", "null"]}, 1e300, True),
    ],
)
def test_numbers_beyond_those_of_floats(schema: dict[str, Any], value: object, fits: bool) -> None:
    validate(dag(one(required=True, schema=schema)))
    if fits:
        check_params(dag(one(schema=schema)), {"p": value})
        return
    with pytest.raises(UsageError, match=r"must be|twice"):
        check_params(dag(one(schema=schema)), {"p": value})


DEEPER: dict[str, Callable[[Any], dict[str, Any]]] = {
    "items": lambda schema: {"items": schema},
    "not": lambda schema: {"not": schema},
    "allOf": lambda schema: {"allOf": [schema]},
    "properties": lambda schema: {"properties": {"x": schema}},
}


@pytest.mark.parametrize("word", DEEPER)
def test_a_schema_that_is_nested_too_deeply_is_an_error_of_the_file(word: str) -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(700):
        schema = DEEPER[word](schema)
    with pytest.raises(BadSpec, match="deep"):
        validate(dag(one(schema=schema)))


def test_what_is_nested_too_deeply_to_be_compared_is_said() -> None:
    value: list[Any] = []
    schema: dict[str, Any] = {}
    for _ in range(400):
        value, schema = [value], {"items": schema, "type": "array"}
    assert json_schema.wrong(schema, value, json_schema.patience(9.0)) == ((), json_schema.DEEP)


@pytest.mark.parametrize(
    "pattern", ["((((a{999}){999}){999}){999})", "(?:[)\\]a]{400}){400}", "(a\\){9}){9999}"]
)
def test_a_pattern_that_is_too_long_written_out_is_an_error_of_the_file(pattern: str) -> None:
    """The library writes out repeats when it compiles, and has no time-out there."""
    with pytest.raises(BadSpec, match="repeats more than 20,000 characters"):
        validate(dag(one("string", schema={"pattern": pattern})))


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\d{4}-\d{2}-\d{2}$",
        r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        r"^(\w{1,63}\.){0,9}\w{2,63}$",
        "^x{2,}\\{99999}[{99999}]$",
        ")({",
    ],
)  # fmt: skip
def test_repeats_as_people_write_them(pattern: str) -> None:
    assert size_of(pattern) < 100


@pytest.mark.parametrize(
    ("param", "value"),
    [
        (one("object", schema={"additionalProperties": False}), {"x" * 5000 + str(n): 1 for n in range(40)}),
        (one("object", schema={"required": ["y" * 5000] * 3}), {}),
        (one("string", schema={"enum": ["z" * 7000, "w" * 7000]}), "z" * 9000),
        (one("string", enum=("z" * 7000, "w" * 7000)), "z" * 9000),
        (one("any", schema={"not": {}}), "z" * 9000),
        (one("array", schema={"items": False}), ["z" * 9000] * 3),
    ],
)  # fmt: skip
def test_messages_are_short_whatever_was_given(param: Param, value: object) -> None:
    with pytest.raises(UsageError) as refused:
        check_params(dag(param), {"p": value})
    assert len(refused.value.message) + len(refused.value.hint or "") < 1500


def test_a_name_that_nobody_declared_is_cut() -> None:
    with pytest.raises(UsageError) as refused:
        check_params(dag(one()), {"q" * 9000: 1})
    assert len(refused.value.message) < 200


def test_what_is_too_large_is_not_compared() -> None:
    with pytest.raises(UsageError, match="take 400,019 bytes as JSON; the limit is 262,144"):
        check_params(
            dag(one("string", schema={"pattern": "^(a|aa)+$"})), {"p": "a" * 400_009 + "!!"}
        )


def test_null_may_be_given_in_place_of_a_default() -> None:
    param = one("string", default="x", schema=NULLABLE)
    assert check_params(dag(param), {"p": None}) == {"p": None}
    assert check_params(dag(param), {}) == {"p": "x"}
