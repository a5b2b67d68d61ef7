"""Waiting without a process: ``defer(TimeDelta(hours=1), then=finish, job=7)``.

The process of the task ends, its slot is free, and the attempt goes on in another process when the wait is over: with
the function ``then``, or from the top. Number and ``execution_timeout`` of the attempt stay.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, Protocol

from headway.authoring.run import ASSET, Deferral, Deferred, Fail, Run
from headway.authoring.values import to_json

if TYPE_CHECKING:
    from headway.authoring.assets import Asset

CARRIED_BYTES_MAX: Final = 256 * 1024
SUCCESS: Final = ("success",)
Overdue = Literal["fail", "skip", "resume"]


class TimeDelta:
    """A wait of some time: ``TimeDelta(minutes=5)``."""

    def __init__(self, delta: timedelta | None = None, **units: float) -> None:
        self.delta = timedelta(**units) if delta is None else delta

    def deferral(self, run: Run) -> Deferral:
        return Deferral("time", {}, delay_s=seconds("delta", self.delta))


class DateTime:
    """A wait until a moment."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def deferral(self, run: Run) -> Deferral:
        return Deferral("time", {}, until=aware("at", self.at))


class RunEnd:
    """A wait for a run of another DAG, or for a task of it; with ``@team/dag``, of a DAG of another team.

    The run is that with ``logical_date``, by default the logical date of the run that waits. The wait is over when the
    run, or its ``task``, is in one of ``states``; in one of ``failed_states`` the task that waits fails. ``run_id``: of
    the runs with this date, only that one counts.
    """

    def __init__(
        self,
        dag_id: str,
        *,
        task: str | None = None,
        logical_date: datetime | None = None,
        run_id: str | None = None,
        states: Sequence[str] = SUCCESS,
        failed_states: Sequence[str] = (),
    ) -> None:
        self.dag_id = dag_id
        self.task = task
        self.logical_date = logical_date
        self.run_id = run_id
        self.states = states
        self.failed_states = failed_states

    def deferral(self, run: Run) -> Deferral:
        from headway.core.foreign import flaw
        from headway.core.states import RunState, State

        known = [state.value for state in (State if self.task else RunState)]
        for state in (*words("states", self.states), *words("failed_states", self.failed_states)):
            if state not in known:
                what = "task instance" if self.task else "run"
                raise Fail(f"{state!r} is not a state of a {what}; it is one of {', '.join(known)}")
        if not isinstance(self.dag_id, str) or not self.dag_id:
            raise Fail(f"dag_id must be the id of a DAG, not {self.dag_id!r}")
        if (trouble := flaw(self.dag_id)) is not None:
            raise Fail(f"the DAG id {self.dag_id!r} {trouble}")
        date = run.logical_date if self.logical_date is None else self.logical_date
        facts = {
            "dag": self.dag_id,
            "date": aware("logical_date", date).isoformat(),
            "states": list(self.states),
            "failed_states": list(self.failed_states),
            "task": self.task,
        }
        return Deferral("run", facts if self.run_id is None else {**facts, "run": self.run_id})


class AssetUpdated:
    """A wait for an event of an asset, which finds ``{"asset": …, "partition": …, "at": …, "extra": …}``.

    With a ``partition`` an event of that partition ends it, however old it is; without one an event at ``since`` or
    later does, by default the logical date of the run. An asset of another team must be in ``inlets`` of the task.
    """

    def __init__(
        self,
        asset: "Asset | str",
        *,
        partition: str | None = None,
        since: datetime | None = None,
    ) -> None:
        self.asset = asset
        self.partition = partition
        self.since = since

    def deferral(self, run: Run) -> Deferral:
        from headway.spec.assets import flaw_of_name, flaw_of_partition

        name = getattr(self.asset, "name", self.asset)
        if not isinstance(name, str):
            raise Fail(f"asset must be an Asset or its name, not {self.asset!r}")
        if (flaw := flaw_of_name(name)) is not None:
            raise Fail(f"the name of the asset {name[:80]!r} {flaw}")
        if self.partition is not None and not isinstance(self.partition, str):
            raise Fail(f"partition must be a string, not {self.partition!r}")
        if self.partition is not None and (flaw := flaw_of_partition(self.partition)) is not None:
            raise Fail(f"the partition {self.partition[:80]!r} {flaw}")
        since = self.since
        if since is None and self.partition is None:
            since = run.logical_date
        facts = {
            "asset": name,
            "partition": self.partition,
            "since": None if since is None else aware("since", since).isoformat(),
        }
        return Deferral(ASSET, {key: value for key, value in facts.items() if value is not None})


class Wait(Protocol):
    """Something that ``defer`` waits for."""

    def deferral(self, run: Run) -> Deferral: ...


def defer(
    wait: Wait,
    *,
    then: Callable[..., Any] | str | None = None,
    timeout: timedelta | float | None = None,
    on_timeout: Overdue = "fail",
    **kwargs: object,
) -> NoReturn:
    """End the process of the task, and go on when ``wait`` is over.

    ``then``: a function of the DAG file, or its name; it gets what was found, and ``kwargs``. None: the task is called
    again, and finds it as ``run.found``. After ``timeout`` (seconds or a timedelta) the task fails without a retry, is
    skipped, or goes on (``run.resumed.timed_out``). Raises RuntimeError outside of a task, Fail for arguments that are
    wrong, NotSerialisable for ``kwargs`` that cannot be stored.
    """
    run = Run.current()
    if kwargs and then is None:
        raise Fail("defer() takes arguments only for `then`; without it, the task is called again")
    carried = to_json(kwargs) if kwargs else None
    if carried is not None and len(carried) > CARRIED_BYTES_MAX:
        raise Fail(
            f"the arguments of defer() have {len(carried):,} bytes; the limit is {CARRIED_BYTES_MAX:,}; "
            "write them to a file and give its path"
        )
    raise Deferred(
        wait.deferral(run)._replace(
            timeout_s=None if timeout is None else seconds("timeout", timeout),
            overdue=known_overdue(on_timeout),
            method=None if then is None else name_of(then),
            kwargs=carried,
        )
    )


def name_of(then: object) -> str:
    """Return the name of a function at the top of its module, by which the next process finds it."""
    if isinstance(then, MethodType):  # of an operator of the author's own
        return then.__name__
    function = getattr(then, "function", then)
    name = function if isinstance(function, str) else getattr(function, "__qualname__", "")
    if not name or not isinstance(function, str | FunctionType) or not str(name).isidentifier():
        raise Fail(
            f"then must be a function at the top level of the DAG file, a method of an operator, "
            f"or its name, not {then!r}"
        )
    return str(name)


def known_overdue(word: object) -> str:
    if word not in ("fail", "skip", "resume"):
        raise Fail(f'on_timeout must be "fail", "skip" or "resume", not {word!r}')
    return str(word)


def seconds(name: str, value: object) -> float:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise Fail(f"{name} must be a timedelta or a number of seconds, not {value!r}")


def aware(name: str, value: object) -> datetime:
    if not isinstance(value, datetime):
        raise Fail(f"{name} must be a datetime, not {value!r}")
    if value.tzinfo is None:
        raise Fail(f"{name} must have a time zone: {value.isoformat()}+00:00, for instance")
    return value.astimezone(UTC)


def words(name: str, value: object) -> list[str]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise Fail(f"{name} must be a list of states, not {value!r}")
    return [str(each) for each in value]
