"""Parameters with JSON Schema: what is read, what is refused, and what a schema may say."""

from typing import Any

import pytest

from headway.errors import UsageError
from headway.spec.errors import BadSpec
from headway.spec.model import Param
from headway.spec.params import check_params, params_from_text
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


def test_null_may_be_given_in_place_of_a_default() -> None:
    param = one("string", default="x", schema=NULLABLE)
    assert check_params(dag(param), {"p": None}) == {"p": None}
    assert check_params(dag(param), {}) == {"p": "x"}
