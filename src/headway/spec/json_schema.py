"""JSON Schema (draft 2020-12) of parameters: is a schema usable, and what is wrong with a value.

The library is imported by the first call. Schemas are written by authors and values by people of a team, and
both are checked in processes that serve others: so there are no references (one schema could be a billion), every
keyword looks at a deadline, unequal items are found by their JSON, and a pattern has a time-out.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec

from headway import clock
from headway.spec.carried import place
from headway.spec.errors import cut, did_you_mean, listing
from headway.spec.keywords import CHECKED, INSTEAD, KEYWORDS, NAMED, ONE, SEVERAL
from headway.spec.patterns import size_of

BYTES_MAX: Final = 16 * 1024  # of a schema, as JSON
PATTERN_MAX: Final = 1000
REPEATS_MAX: Final = 20_000  # of one pattern, written out: the library does so, without a time-out
ERRORS_MAX: Final = 100  # of which the best is told
SAID_CHARS_MAX: Final = 300
DEEP: Final = "is nested too deeply to be compared with its schema"
Path = tuple[str | int, ...]


class BadSchema(ValueError):
    """A schema that cannot be used. ``hint`` says what to write."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class Patience(NamedTuple):
    """The time for which values may be compared: ``until`` a reading of the clock, ``limit_s`` after the begin."""

    until: float
    limit_s: float

    @property
    def left_s(self) -> float:
        """Return the seconds that are left. Raises TimeoutError if there are none."""
        if (left := self.until - clock.monotonic()) <= 0:
            raise TimeoutError
        return left


def ready() -> None:
    """Import the libraries, which takes longer than most comparisons."""
    import jsonschema
    import regex

    _ = jsonschema, regex


def patience(limit_s: float) -> Patience:
    return Patience(clock.monotonic() + limit_s, limit_s)


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raises BadSchema."""
    try:
        check_words(schema)
        check_form(schema)
    except RecursionError:
        raise BadSchema("its schema is nested too deeply", "write it with fewer levels") from None


def check_words(schema: Mapping[str, Any]) -> None:
    if len(msgspec.json.encode(schema)) > BYTES_MAX:
        raise BadSchema(f"its schema takes more than {BYTES_MAX:,} bytes as JSON")
    for path, each in schemas(schema):
        where = f" in {place(path)}" if path else ""
        for word in each:
            if word not in KEYWORDS:
                hint = INSTEAD.get(word) or did_you_mean(word, KEYWORDS)
                raise BadSchema(f'"{word}"{where} is not a keyword that Headway checks', hint)
        check_pattern(each.get("pattern"), where)


def check_form(schema: Mapping[str, Any]) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    checker = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    error = best_match(checker.iter_errors(schema))
    if error is not None:
        where = "".join(f"[{part!r}]" for part in error.absolute_path)
        raise BadSchema(f"{where or 'its schema'} of its schema: {said(error)}")


def check_pattern(pattern: object, where: str) -> None:
    if not isinstance(pattern, str):
        return
    if len(pattern) > PATTERN_MAX:
        raise BadSchema(f"the pattern{where} has more than {PATTERN_MAX:,} characters")
    if size_of(pattern) > REPEATS_MAX:
        raise BadSchema(
            f"the pattern{where} repeats more than {REPEATS_MAX:,} characters",
            "repeat less often within what is repeated, or use minLength and maxLength",
        )
    import regex

    try:
        regex.compile(pattern)
    except regex.error as error:
        raise BadSchema(f"the pattern{where} is not a regular expression: {error}") from None


def schemas(schema: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the schema and all in it."""
    yield path, schema
    for word in ONE:
        if isinstance(inner := schema.get(word), dict):
            yield from schemas(inner, (*path, word))
    for word in (*SEVERAL, *NAMED):
        inner = schema.get(word)
        several = inner.items() if isinstance(inner, dict) else enumerate(inner or ())
        for name, each in several:
            if isinstance(each, dict):
                yield from schemas(each, (*path, word, name))


def wrong(schema: Mapping[str, Any], value: object, within: Patience) -> tuple[Path, str] | None:
    """Return the path of what does not obey the schema and what it must be; None: all of it does.

    Raises TimeoutError if it takes too long to know.
    """
    from jsonschema.exceptions import best_match

    errors: list[Any] = []
    try:
        validator = made(within)(bare(schema), format_checker=formats())
        errors.extend(islice(validator.iter_errors(value), ERRORS_MAX))
    except TimeoutError:
        if not errors:
            raise
    except RecursionError:
        return (), DEEP
    error = best_match(errors)
    return None if error is None else (tuple(error.absolute_path), said(error))


def bare(schema: Any) -> Any:
    """Return the schema with the keywords that are checked; where there is none, as the schema that takes all.

    Else each item of a list would cost as much for a schema that says nothing, which looks at no deadline.
    """
    if not isinstance(schema, dict):
        return schema
    found = {word: within for word, within in schema.items() if word in CHECKED}
    for word in ONE:
        if word in found:
            found[word] = bare(found[word])
    for word in SEVERAL:
        if word in found:
            found[word] = [bare(each) for each in found[word]]
    for word in NAMED:
        if word in found:
            found[word] = {name: bare(each) for name, each in found[word].items()}
    return found or True


def made(within: Patience) -> Any:
    """Return the library's validator, of which every keyword looks at the time."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    own = {
        "pattern": pattern_until(within),
        "uniqueItems": unequal,
        "multipleOf": multiple(Draft202012Validator.VALIDATORS["multipleOf"]),
    }
    checks = {**Draft202012Validator.VALIDATORS, **own}
    return extend(
        Draft202012Validator, {word: timed(check, within) for word, check in checks.items()}
    )


def timed(check: Any, within: Patience) -> Any:
    def until(validator: Any, wanted: Any, value: Any, schema: Any) -> Iterator[Any]:
        _ = within.left_s
        for error in check(validator, wanted, value, schema) or ():
            error.message = error.message[:SAID_CHARS_MAX]  # the library puts the whole value in it
            yield error
            _ = within.left_s

    return until


def pattern_until(within: Patience) -> Any:
    import regex
    from jsonschema import ValidationError

    def pattern(validator: Any, pattern: str, text: object, schema: object) -> Iterator[Any]:
        if isinstance(text, str) and not regex.search(
            pattern, text, timeout=within.left_s, concurrent=True
        ):
            yield ValidationError("no match")

    return pattern


def unequal(validator: Any, wanted: bool, items: object, schema: object) -> Iterator[Any]:
    from jsonschema import ValidationError

    if wanted and isinstance(items, list):
        known = {msgspec.json.encode(item, order="deterministic") for item in items}
        if len(known) < len(items):
            yield ValidationError("not unique")


def multiple(check: Callable[..., Iterator[Any]]) -> Any:
    """Compare by fractions what the library cannot: numbers beyond those of floats."""
    from fractions import Fraction

    from jsonschema import ValidationError

    def multiple_of(validator: Any, divisor: Any, number: Any, schema: Any) -> Iterator[Any]:
        try:
            yield from check(validator, divisor, number, schema)
        except OverflowError:
            if (Fraction(number) / Fraction(divisor)).denominator != 1:
                yield ValidationError("not a multiple")

    return multiple_of


@lru_cache(1)
def formats() -> Any:
    """Return the formats that are checked: dates as elsewhere here, simple ones as the library does."""
    from jsonschema import FormatChecker

    checker = FormatChecker(["email", "ipv4", "ipv6", "uuid"])
    for name, read in READ.items():
        checker.checks(name, raises=ValueError)(reader(read))
    return checker


READ: Final[Mapping[str, Any]] = {
    "date": date.fromisoformat,
    "date-time": datetime.fromisoformat,
    "time": time.fromisoformat,
}


def reader(read: Any) -> Any:
    return lambda value: not isinstance(value, str) or bool(read(value) or True)


def said(error: Any) -> str:
    """Return what a value is, and what it must be: ``is 5, but must be at most 3``."""
    words = MUST.get(error.validator)
    if words is not None:
        limit = error.validator_value
        is_pattern = error.validator == "pattern"  # shown as it was written
        named = f'"{cut(limit)}"' if is_pattern else shown(limit)
        return f"is {shown(error.instance)}, but must be {words.format(named)}"
    match error.validator:
        case "type":
            return f"is {shown(error.instance)}, but must be {typed(error.validator_value)}"
        case "format":
            return f"is {shown(error.instance)}, but must be a {error.validator_value}"
        case "enum":
            return f"is {shown(error.instance)}, but must be one of {listing(map(shown, error.validator_value))}"
        case "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            return f"has no {listing(map(shown, missing))}"
        case "additionalProperties" if error.validator_value is False:
            known = error.schema.get("properties", {})
            odd = [name for name in error.instance if name not in known]
            hint = did_you_mean(cut(odd[0]), known) if odd else None
            more = f"; {hint}" if hint else f"; it may have {listing(known) or 'nothing'}"
            return f"has {listing(map(shown, odd))}, which is not allowed{more}"
        case "uniqueItems":
            return "has an item twice"
        case _:
            return f"does not obey its schema: {error.message:.{SAID_CHARS_MAX}}"


MUST: Final[Mapping[str, str]] = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters long",
    "maxLength": "at most {} characters long",
    "pattern": "a text that matches {}",
    "minItems": "a list of at least {} items",
    "maxItems": "a list of at most {} items",
    "minProperties": "an object of at least {} items",
    "maxProperties": "an object of at most {} items",
    "const": "{}",
}
ARTICLE: Final = {"integer": "an integer", "array": "an array", "object": "an object", "null": "null"}  # fmt: skip


def typed(types: object) -> str:
    """Return ``a string or null``."""
    known = [types] if isinstance(types, str) else list(types)  # type: ignore[call-overload]
    *first, last = [ARTICLE.get(each, f"a {each}") for each in known]
    return f"{', '.join(first)} or {last}" if first else last


def shown(value: object) -> str:
    """Return the value as JSON on one line, cut where it is long."""
    return cut(msgspec.json.encode(value).decode())
