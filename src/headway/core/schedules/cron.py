"""Five fields on the wall clock of a zone (``headway.core.cron``), or a preset that stands for them.

A cron schedule that leaves out some hours (daily at 02:30, say) fires once for each wall time it
names: at the end of the gap (03:00) when the spring gap swallows it, the first time when autumn
brings it twice. One of every hour follows the hours that pass: none in the gap, twice in the fold.
A day which a zone leaves out altogether (Apia, 2011-12-30) has no fires.
Nothing here is slow, whatever the text: long ones are refused before they are read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from headway.core import cron
from headway.core.schedules.base import BadSchedule, Schedule
from headway.core.schedules.cron_words import in_words
from headway.core.schedules.once import Once
from headway.core.schedules.presets import PRESETS, expression_of

TEXT_MAX: Final = 256
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# The name and the range of each field, in the order in which they are written.
FIELDS: Final = (
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of month", "1 to 31, L or LW"),
    ("month", "1 to 12 or JAN to DEC"),
    ("day of week", "0 to 7 or SUN to SAT, where 0 and 7 are Sunday"),
)


@dataclass(frozen=True, slots=True)
class Cron(Schedule):
    """Five fields, read on the wall clock of an IANA zone."""

    expression: str
    zone: str = "UTC"

    word: ClassVar[str] = "cron"
    schema: ClassVar[Mapping[str, object]] = {"type": "string", "maxLength": TEXT_MAX}
    form: ClassVar[str] = "a cron string, a preset like @daily"

    @classmethod
    def keep(cls, given: object) -> str | None:
        return PRESETS.get(given, given) if isinstance(given, str) else None

    @classmethod
    def read(cls, value: object, zone: str, anchor: datetime | None) -> Schedule:
        if not isinstance(value, str):
            raise BadSchedule(f"a cron expression is a text, not {value!a:.40}")
        if len(value) > TEXT_MAX:
            raise BadSchedule(
                f'schedule "{value[:40]}…" is too long: at most {TEXT_MAX} characters'
            )
        text = value.strip()
        if text.startswith("@"):
            # Specs of 0.1 kept presets as they were written, with capitals too, also "@Once".
            name = text.lower()
            return Once() if Once.keep(name) else cls(expression_of(name), zone)
        expression = " ".join(text.split())
        check(expression)
        return cls(expression, zone)

    def following(self, after: datetime) -> datetime | None:
        return cron.next_after(self.expression, ZoneInfo(self.zone), after)

    def preceding(self, before: datetime) -> datetime | None:
        return cron.previous_before(self.expression, ZoneInfo(self.zone), before)

    def words(self) -> str:
        said = in_words(self.expression)
        if said is not None and said.startswith("every") and self.zone == "UTC":
            return said
        return f"{said or self.expression} {self.zone}"


@lru_cache(maxsize=10_000)
def check(expression: str) -> None:
    """Raise BadSchedule if a field is wrong, or if no day fits all of them."""
    check_fields(expression)
    if Cron(expression).next_after(EPOCH) is None:
        raise BadSchedule(f'cron "{expression}" never fires: that date does not exist')


def check_fields(expression: str) -> None:
    """Try each field alone among stars, so that the error can name the one that is wrong."""
    parts = expression.split()
    if len(parts) != len(FIELDS):
        names = ", ".join(name for name, _ in FIELDS)
        raise BadSchedule(f'cron "{expression}" needs 5 fields and has {len(parts)}: {names}')
    for place, (part, (name, allowed)) in enumerate(zip(parts, FIELDS, strict=True)):
        alone = ["*"] * len(FIELDS)
        alone[place] = part
        try:
            cron.fields(" ".join(alone))
        except cron.CronSimError:
            raise BadSchedule(
                f'cron "{expression}": {name} "{part}" is not valid: {allowed}; '
                "also *, lists (1,2), ranges (1-5) and steps (*/2)"
            ) from None
    try:
        cron.fields(expression)
    except cron.CronSimError:
        raise BadSchedule(f'cron "{expression}" never fires: that date does not exist') from None
