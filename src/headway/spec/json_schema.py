"""JSON Schema (draft 2020-12) of parameters: is a schema usable, and what is wrong with a value.

The library is imported by the first call. Schemas are written by authors and values by people of a team, and
both are checked in processes that serve others: so there are no references (one schema could be a billion), a pattern
has a time-out, and unequal items are found by their JSON. What is checked takes no longer than both are long.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, Final

import msgspec

from headway import clock
from headway.spec.carried import place
from headway.spec.errors import did_you_mean, listing
from headway.spec.keywords import INSTEAD, KEYWORDS, NAMED, ONE, SEVERAL

BYTES_MAX: Final = 16 * 1024  # of a schema, as JSON
PATTERN_MAX: Final = 1000
PATIENCE_S: Final = 1.0  # for all patterns of one value
Path = tuple[str | int, ...]


class BadSchema(ValueError):
    """A schema that cannot be used. ``hint`` says what to write."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raises BadSchema."""
    if len(msgspec.json.encode(schema)) > BYTES_MAX:
        raise BadSchema(f"its schema takes more than {BYTES_MAX:,} bytes as JSON")
    for path, each in schemas(schema):
        where = f" in {place(path)}" if path else ""
        for word in each:
            if word not in KEYWORDS:
                hint = INSTEAD.get(word) or did_you_mean(word, KEYWORDS)
                raise BadSchema(f'"{word}"{where} is not a keyword that Headway checks', hint)
        check_pattern(each.get("pattern"), where)
    check_form(schema)


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


def wrong(schema: Mapping[str, Any], value: object) -> tuple[Path, str] | None:
    """Return the path of what does not obey the schema and what it must be; None: all of it does."""
    from jsonschema.exceptions import best_match

    validator = made(*kinds())(schema, format_checker=formats())
    try:
        error = best_match(validator.iter_errors(value))
    except TimeoutError:
        return (), f"takes longer than {PATIENCE_S:g} s to compare with the patterns of its schema"
    return None if error is None else (tuple(error.absolute_path), said(error))


def kinds() -> tuple[Any, Any]:
    """Return the checks of patterns and unequal items, with a deadline for the first."""
    import regex
    from jsonschema import ValidationError

    deadline = clock.monotonic() + PATIENCE_S

    def pattern(validator: Any, pattern: str, text: object, schema: object) -> Iterator[Any]:
        left = deadline - clock.monotonic()
        if not isinstance(text, str):
            return
        if left <= 0:
            raise TimeoutError
        if not regex.search(pattern, text, timeout=left, concurrent=True):
            yield ValidationError("no match")

    def unequal(validator: Any, wanted: bool, items: object, schema: object) -> Iterator[Any]:
        if wanted and isinstance(items, list):
            known = {msgspec.json.encode(item, order="deterministic") for item in items}
            if len(known) < len(items):
                yield ValidationError("not unique")

    return pattern, unequal


def made(pattern: Any, unequal: Any) -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    return extend(Draft202012Validator, {"pattern": pattern, "uniqueItems": unequal})


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
        return (
            f"is {shown(error.instance)}, but must be {words.format(shown(error.validator_value))}"
        )
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
            hint = did_you_mean(odd[0], known) if odd else None
            more = f"; {hint}" if hint else f"; it may have {listing(known) or 'nothing'}"
            return f"has {listing(map(shown, odd))}, which is not allowed{more}"
        case "uniqueItems":
            return "has an item twice"
        case _:
            return f"does not obey its schema: {error.message:.300}"


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
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else f"{text[:80]}…"
