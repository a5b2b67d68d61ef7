"""Timetables of Airflow whose dates nothing here can count: asked in the process that reads the file, kept as data.

Two readings in one quarter find the same dates, because the clock decides nothing: a timetable is asked with
``catchup``, from the start date to the end of the next quarter. Where that would be too many dates, the quarter is a
month, a day or an hour. When it is over, the loader reads the file again (ADR 75).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple

from headway import clock
from headway.core.schedules import DATES_MAX, LAST
from headway.core.schedules.dates import SECOND, WORDS_MAX, text_of
from headway.spec.errors import BadSpec

STEPS_MAX: Final = 10_000  # from the start date up to now
AHEAD_MAX: Final = 3_000
AHEAD_MIN: Final = 10  # that are known, however far they are apart
YEARS: Final = timedelta(
    days=3650
)  # long enough ago that a timetable which runs what is past has something to run


class Bounds(NamedTuple):
    """The dates of the DAG of which a timetable is told."""

    start: datetime | None
    end: datetime | None
    catchup: bool


class Given(NamedTuple):
    """A date as a timetable gave it."""

    fire: datetime
    start: datetime
    end: datetime


class Asked(NamedTuple):
    """``kept``: the dates as a spec keeps them. ``since``: those before are left out, because there are too many."""

    kept: dict[str, Any]
    since: datetime | None = None


class Stretch(NamedTuple):
    """The quarter, say, that it is now, between the begins of the one before and the one after; and the end of that."""

    before: datetime
    begin: datetime
    next: datetime
    end: datetime


class Wrong(ValueError):
    """An answer of a timetable from which there is no next date."""


def ask(timetable: Any, bounds: Bounds, words: str, most: int, *, file: str, line: int) -> Asked:
    """Ask a timetable for its dates, ``most`` of them as a rule. Raises BadSpec, and whatever the timetable raises."""
    from airflow.serialization.encoders import coerce_to_core_timetable

    try:
        # What Airflow's scheduler would ask. A class of the file's own need not be registered by a plugin.
        core = coerce_to_core_timetable(timetable)
        with crons_read_once():
            return dates(core, bounds, words, most, clock.now())
    except Wrong as error:
        name = type(timetable).__name__
        hint = (
            f"correct next_dagrun_info of {name}; Airflow would not go on with this answer, either"
        )
        raise BadSpec(f"the timetable {name} {error}", file=file, line=line, hint=hint) from None


@contextmanager
def crons_read_once() -> Iterator[None]:
    """Let Airflow's timetables read a cron expression once: reading it for each date is most of the work."""
    from airflow.timetables import _cron

    croniter: Callable[..., Any] = _cron.croniter
    read = cache(croniter)

    def begun(expression: str, start_time: datetime | None = None) -> Any:
        cron = copy(read(expression))
        cron.set_current(start_time, force=True)
        return cron

    _cron.croniter = begun
    try:
        yield
    finally:
        _cron.croniter = croniter


def dates(core: Any, bounds: Bounds, words: str, most: int, now: datetime) -> Asked:
    stretches = stretches_at(now)
    found, stretch, since = known(core, bounds, stretches)
    needed = sum(each.fire >= stretch.before for each in found)
    most = min(DATES_MAX, max(most, needed))
    if len(found) > most:
        found = found[-most:]
        since = found[0].fire
    kept: dict[str, Any] = {
        "fires": [text_of(*each) for each in found],
        "words": "".join(filter(str.isprintable, " ".join(words.split())))[:WORDS_MAX],
        "bounded": True,
    }
    if type(core).__name__ != "EventsTimetable":  # whose list is all that there is
        kept["renew_at"] = stretch.next.isoformat().replace("+00:00", "Z")
    if skips_past(core, bounds, stretches[0].before):
        kept["skips_past"] = True
    return Asked(kept, since)


def known(
    core: Any, bounds: Bounds, stretches: list[Stretch]
) -> tuple[list[Given], Stretch, datetime | None]:
    """Return the dates, how far they go, and from when on they are where too many lie before."""
    start = bounds.start
    chains: dict[datetime | None, Chain] = {}
    if start is None and answer(core, None, bounds._replace(end=None), bounds.catchup) is None:
        return [], stretches[0], None  # as in Airflow, where such a DAG never runs
    for stretch in stretches:
        later = [] if start is not None and start >= stretch.before else [stretch.before]
        for origin in ([] if start is None else [start]) + later:
            if origin not in chains:
                chains[origin] = Chain(chain(core, bounds._replace(start=origin)))
            found = walk(chains[origin], stretch)
            if found is not None:
                return found, stretch, None if origin == start or start is None else origin
    raise Wrong(f"answers more than {AHEAD_MAX:,} dates in two hours")


class Chain:
    """The dates from one origin on, each asked for once, however often they are walked over."""

    def __init__(self, more: Iterator[Given]) -> None:
        self.asked: list[Given] = []
        self.more = more

    def __iter__(self) -> Iterator[Given]:
        yield from self.asked
        for given in self.more:
            self.asked.append(given)
            yield given


def walk(dates: Iterable[Given], stretch: Stretch) -> list[Given] | None:
    """Return the dates up to the end of a stretch, and some more if there are few. None: there are too many."""
    found: list[Given] = []
    ahead = 0
    for given in dates:
        if given.fire >= stretch.begin:
            if given.fire >= stretch.end and ahead >= AHEAD_MIN:
                break
            ahead += 1
        found.append(given)
        if ahead > AHEAD_MAX or len(found) - ahead > STEPS_MAX:
            return None
    return found


def chain(core: Any, bounds: Bounds) -> Iterator[Given]:
    """Yield one date after another, each asked for as if the run of the one before had been made."""
    last: Given | None = None
    while (given := answer(core, last, bounds, catchup=True)) is not None and given.fire < LAST:
        if last is not None and given.fire - last.fire < SECOND:
            raise Wrong(
                f"answers {given.fire} after {last.fire}, which is not at least a second later"
            )
        yield given
        last = given


def answer(core: Any, last: Given | None, bounds: Bounds, catchup: bool) -> Given | None:
    """Ask for the date after another one. Raises Wrong, and whatever the timetable raises."""
    from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction

    restriction = TimeRestriction(instance(bounds.start), instance(bounds.end), catchup)
    interval = last and DataInterval(instance(last.start), instance(last.end))
    if hasattr(core, "next_dagrun_info_v2"):
        made = {"run_after": last and instance(last.fire), "data_interval": interval}
        before = last and DagRunInfo(**{**dict.fromkeys(DagRunInfo._fields), **made})
        info = core.next_dagrun_info_v2(last_dagrun_info=before, restriction=restriction)
    else:
        info = core.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction)
    return None if info is None else given_by(info)


def given_by(info: Any) -> Given:
    fire = getattr(info, "run_after", None)
    interval = getattr(info, "data_interval", None) or (fire, fire)
    moments = (fire, *interval)
    if len(moments) != 3 or not all(isinstance(each, datetime) for each in moments):
        raise Wrong(f"answers {info!a:.80}, which is not a DagRunInfo")
    for each in moments:
        if each.utcoffset() is None:
            raise Wrong(f"answers {each}, a date without a time zone")
    given = Given(*(datetime.fromtimestamp(each.timestamp(), UTC) for each in moments))
    if given.start > given.end:
        raise Wrong(f"answers a data interval that ends ({given.end}) before it begins")
    return given


def skips_past(core: Any, bounds: Bounds, begin: datetime) -> bool:
    """Return whether a new DAG without ``catchup`` begins with a date to come, now that it has answered."""
    start = None if bounds.start is None else begin - YEARS
    given = answer(core, None, Bounds(start, None, catchup=False), catchup=False)
    return given is None or given.fire > clock.now()


def instance(moment: datetime | None) -> Any:
    """Return a date as Airflow's scheduler gives it."""
    import pendulum

    return None if moment is None else pendulum.instance(moment, tz="UTC")


# -- stretches of time


def stretches_at(now: datetime) -> list[Stretch]:
    """Return the quarter, the month, the day and the hour that it is."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    month = day.replace(day=1)
    quarter = month.replace(month=1 + (month.month - 1) // 3 * 3)
    return [
        Stretch(
            months_later(quarter, -3), quarter, months_later(quarter, 3), months_later(quarter, 6)
        ),
        Stretch(months_later(month, -1), month, months_later(month, 1), months_later(month, 2)),
        *(
            Stretch(at - span, at, at + span, at + 2 * span)
            for at, span in ((day, timedelta(days=1)), (hour, timedelta(hours=1)))
        ),
    ]


def months_later(first: datetime, count: int) -> datetime:
    years, month = divmod(first.month - 1 + count, 12)
    return first.replace(year=first.year + years, month=month + 1)
