"""Keys that name times: ``2026-01-31T05``, ``2026-W05`` is none, ``2026-Q1`` is.

Without a format a key is a date or a time as ISO 8601 writes it, cut where one likes, with an offset or on the clock of
the zone, or a year, month, quarter (``2026-Q1``) or week (its Monday: ``2026-01-26 (W05)``), as Airflow writes them.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from headway.core.partitions.periods import YEARS, Period, start_of
from headway.core.partitions.words import BadKey, BadMapping

FORMATS: Final = {
    Period.MINUTE: "%Y-%m-%dT%H:%M",
    Period.HOUR: "%Y-%m-%dT%H",
    Period.DAY: "%Y-%m-%d",
    Period.WEEK: "%Y-%m-%d (W%V)",
    Period.MONTH: "%Y-%m",
    Period.QUARTER: "%Y-Q{quarter}",
    Period.YEAR: "%Y",
}
FORMAT_CHARS_MAX: Final = 100
FREE: Final = re.compile(
    r"(?P<Y>\d{4})(?:-(?:Q(?P<quarter>[1-4])|(?P<m>\d\d)(?:-(?P<d>\d\d)(?: \(W\d\d\)|"
    r"[T ](?P<H>\d\d)(?::?(?P<M>\d\d)(?::?(?P<S>\d\d)(?:\.\d{1,6})?)?)?)?)?))?(?P<z>Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
# The directives of a format, with what they match. Those of words (%A, %B) depend on a language.
DIRECTIVES: Final = {
    "Y": r"\d{4}", "m": r"\d\d", "d": r"\d\d", "H": r"\d\d", "M": r"\d\d", "S": r"\d\d", "j": r"\d{3}", "V": r"\d\d",
    "U": r"\d\d", "W": r"\d\d", "z": r"Z|[+-]\d\d:?\d\d",
}  # fmt: skip
EXAMPLE: Final = datetime(2026, 5, 20, 13, 45, tzinfo=UTC)


def moments(key: str, form: str | None, zone: str) -> tuple[datetime, ...]:
    """Return the instant that a key names, in UTC: two of an hour that comes twice. Raises BadKey."""
    found = (FREE if form is None else pattern(form)).fullmatch(key)
    if found is None:
        wanted = "a time like 2026-01-31T05 or a date" if form is None else f"of the form {form}"
        raise BadKey(f"{key!r:.80} is not {wanted}")
    fields = found.groupdict()
    try:
        return instants(key, fields, zone)
    except (ValueError, OverflowError) as error:
        raise error if isinstance(error, BadKey) else BadKey(f"{key!r:.80} names no time") from None


def instants(key: str, fields: dict[str, str | None], zone: str) -> tuple[datetime, ...]:
    def number(name: str, default: int) -> int:
        return int(fields.get(name) or default)

    quarter = fields.get("quarter")
    month = int(quarter) * 3 - 2 if quarter else number("m", 1)
    clock = number("H", 0), number("M", 0), number("S", 0)
    wall = datetime(number("Y", 0), month, number("d", 1), *clock)  # noqa: DTZ001 - of a clock on a wall
    if fields.get("j"):
        wall = wall.replace(month=1, day=1) + timedelta(days=number("j", 1) - 1)
    if wall.year not in YEARS:
        raise BadKey(f"{key!r:.80} lies outside of the years {YEARS.start} to {YEARS.stop - 1}")
    if offset := fields.get("z"):
        return (wall.replace(tzinfo=UTC) - offset_of(offset),)
    both = [wall.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)]
    shown = [each.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for each in both]
    if wall not in shown and clock != (0, 0, 0):
        raise BadKey(f"{key!r:.80} does not exist in {zone}: the clock leaves that time out")
    return tuple(sorted(set(both))) if shown == [wall, wall] else (both[0],)


def offset_of(text: str) -> timedelta:
    if text == "Z":
        return timedelta()
    digits = text[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -size if text[0] == "-" else size


def key_of(start: datetime, period: Period, form: str | None, zone: str) -> str:
    """Return the key of an instant on the clock of a zone; without a format one that comes twice has its offset."""
    local = start.astimezone(ZoneInfo(zone))
    known = form or FORMATS[Period.MINUTE if period is Period.HOUR and local.minute else period]
    text = local.strftime(known.replace("{quarter}", str((local.month + 2) // 3)))
    is_short = period in (Period.MINUTE, Period.HOUR)
    return (
        text + local.isoformat()[-6:] if form is None and is_short and comes_twice(local) else text
    )


def comes_twice(local: datetime) -> bool:
    return local.replace(fold=1 - local.fold).utcoffset() != local.utcoffset()


@lru_cache(maxsize=256)
def pattern(form: str) -> re.Pattern[str]:
    """Return what the keys of a format look like. Raises BadMapping if it has something that cannot be read."""
    if not isinstance(form, str) or not 0 < len(form) <= FORMAT_CHARS_MAX:
        raise BadMapping(f"a format is a text of at most {FORMAT_CHARS_MAX} characters")
    made, names = "", set[str]()
    for literal, directive, quarter in re.findall(
        r"([^%{]+)|(%.?)|(\{quarter\}|\{)", form, re.DOTALL
    ):
        if literal or quarter == "{":
            made += re.escape(literal or quarter)
            continue
        name = "quarter" if quarter else directive[1:]
        if name == "%":
            made += "%"
            continue
        matches = "[1-4]" if quarter else DIRECTIVES.get(name)
        if matches is None or name in names:
            what = (
                "twice"
                if name in names
                else f"which is none of {', '.join(f'%{d}' for d in DIRECTIVES)}"
            )
            raise BadMapping(f"the format {form!r:.80} has {directive or quarter} {what}")
        names.add(name)
        made += f"(?P<{name}>{matches})"
    if "Y" not in names:
        raise BadMapping(f"the format {form!r:.80} has no year (%Y)")
    return re.compile(made, re.ASCII)


def check_output(form: str | None, period: Period, zone: str) -> None:
    """Raise BadMapping unless the keys of a format name their period, so that it can be read again."""
    if form is None:
        return
    start = start_of(EXAMPLE, period, zone)
    try:
        again = moments(key_of(start, period, form, zone), form, zone)
    except BadKey:
        again = ()
    if start not in again:
        raise BadMapping(f"keys of the format {form!r:.80} do not say which {period} they are of")
