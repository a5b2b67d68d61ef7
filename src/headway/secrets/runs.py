"""Questions of running attempts about runs of DAGs of their team, and the runs that they start.

A DAG of another team is named ``@team/dag``, and answered for if that team has granted it: ``see_runs`` for questions,
``start`` for runs. The words are those of Headway; a front end puts them into those of its tasks.
"""

from datetime import datetime
from typing import Any, Final

import msgspec
from psycopg import Connection

from headway.core.foreign import foreign
from headway.core.grants import GrantKind
from headway.core.triggers import MANUAL_KEY, Trigger
from headway.errors import NotAllowed, NotFound
from headway.runs import again, new
from headway.runs.new import RunRequest
from headway.spec import compile
from headway.spec.carried import flaw_of_date, flaw_of_text
from headway.spec.model import Dag
from headway.store import audit, dags, notes, questions
from headway.store.clock import clock
from headway.store.questions import AskedRun

KIND: Final = "runs"
BYTES_MAX: Final = 1024 * 1024  # of a question
RUNS_MAX: Final = 1_000  # of one answer, and of one question
INSTANCES_MAX: Final = 10_000
NAME_BYTES_MAX: Final = 1_500  # of a run to start: it is in an index, which holds no longer ones
NOTE_CHARS_MAX: Final = 10_000
FIRES: Final = (Trigger.SCHEDULE, Trigger.BACKFILL)


class Runs(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask", tag="runs"):
    """Runs of a DAG: those with one of ``run_ids``, else of ``dates``, else the last ones before ``before``."""

    dag_id: str
    run_ids: list[str] | None = None
    dates: list[datetime] | None = None
    before: datetime | None = None
    state: str | None = None
    limit: int = RUNS_MAX
    whole: bool = False  # with the parameters


class Instances(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask", tag="instances"
):
    """Instances of tasks in runs, whose ids are ours. ``group``: of the tasks in it."""

    dag_id: str
    run_ids: list[str]
    task_ids: list[str] | None = None
    group: str | None = None
    map_index: int | None = None


class OfDag(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask", tag="dag"):
    dag_id: str


class Start(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask", tag="start"):
    """A run to start. ``run_id``: a name that no other run of the DAG has; ``again``: then that one runs again."""

    dag_id: str
    run_id: str
    params: dict[str, Any] = {}
    logical_date: datetime | None = None
    note: str | None = None
    again: bool = False
    partition: str | None = None


DECODER: Final = msgspec.json.Decoder(Runs | Instances | OfDag | Start)


class NotGranted(NotAllowed):
    """No grant lets the team start a DAG of another one, whether there is such a team and DAG or not."""


class Asker(msgspec.Struct, frozen=True):
    """The attempt that asks, as the database knows it. ``starts``: its task runs, so that it may start runs."""

    team_id: int
    team: str
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    starts: bool = True

    @property
    def name(self) -> str:
        """The name under which it starts runs. Another attempt of the same task instance has the same."""
        index = "" if self.map_index < 0 else f"[{self.map_index}]"
        return f"task:{self.dag_id}/{self.run_id}/{self.task_id}{index}"


def read(conn: Connection[Any], asker: Asker, name: str) -> str:
    """Answer a question, as JSON; null: there is no such DAG. Raises NotAllowed, and what starting a run raises."""
    if len(name) > BYTES_MAX:
        raise NotAllowed(f"the question has more than {BYTES_MAX >> 20} MB")
    try:
        asked = DECODER.decode(name)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise NotAllowed("the question about runs cannot be read") from None
    return msgspec.json.encode(answer(conn, asker, asked)).decode()


def answer(conn: Connection[Any], asker: Asker, asked: Runs | Instances | OfDag | Start) -> Any:
    check_texts(asked)
    if isinstance(asked, Start):
        if not asker.starts:
            raise NotAllowed(
                "a trigger cannot start a run; start it in the task, before or after its wait"
            )
        return start(conn, asker, asked)
    if (found := owner(conn, asker, asked.dag_id, GrantKind.SEE_RUNS)) is None:
        return None
    team_id, dag_id = found
    there = msgspec.structs.replace(asked, dag_id=dag_id)
    match there:  # told under the name by which it was asked for
        case Runs():
            return [{**run, "dag_id": asked.dag_id} for run in runs(conn, team_id, there)]
        case Instances():
            return instances(conn, team_id, there)
        case OfDag():
            return {**of_dag(conn, team_id, dag_id), "dag_id": asked.dag_id}


def check_texts(asked: Runs | Instances | OfDag | Start) -> None:
    """Raises NotAllowed for what the database cannot carry, or more than one question may name."""
    texts = [asked.dag_id]
    dates: list[datetime | None] = []
    match asked:
        case Start():
            texts += [asked.run_id, asked.note or ""]
            dates = [asked.logical_date]
            if (size := len(asked.run_id.encode(errors="replace"))) > NAME_BYTES_MAX:
                raise NotAllowed(
                    f"the id of the run is {size:,} bytes long; the limit is {NAME_BYTES_MAX:,}"
                )
        case Runs():
            texts += [*(asked.run_ids or ()), asked.state or ""]
            dates = [*(asked.dates or ()), asked.before]
        case Instances():
            texts += [*asked.run_ids, *(asked.task_ids or ()), asked.group or ""]
    if len(texts) + len(dates) > 2 * RUNS_MAX:
        raise NotAllowed(f"the question names more than {RUNS_MAX:,} runs, dates or tasks")
    for text in texts:
        if (why := flaw_of_text(text)) is not None:
            raise NotAllowed(f"a name in the question {why}")
    for date in dates:
        if date is not None and (why := flaw_of_date(date)) is not None:
            raise NotAllowed(f"a date in the question {why}")


def owner(
    conn: Connection[Any], asker: Asker, named: str, kind: GrantKind
) -> tuple[int, str] | None:
    """Return the team of a DAG and the DAG's id there; None: the team has none of that name, or may not do that.

    A name without a team means one of the own team only: no grant of another one changes what it is.
    """
    if (other := foreign(named)) is None:
        return (asker.team_id, named) if questions.has(conn, asker.team_id, named) else None
    team_id = questions.granting(conn, asker.team, other, kind)
    return None if team_id is None else (team_id, other.name)


def runs(conn: Connection[Any], team_id: int, asked: Runs) -> list[dict[str, Any]]:
    limit = max(1, min(asked.limit, RUNS_MAX))
    spec = dags.current(conn, team_id, asked.dag_id)[0]
    of_dag = (conn, team_id, asked.dag_id)
    if asked.run_ids is not None:
        found = questions.by_id(*of_dag, asked.run_ids, whole=asked.whole, limit=limit + 1)
    elif asked.dates is not None:
        wanted = set(asked.dates)
        dates = {moment for date in wanted for moment in moments(conn, team_id, spec, date)}
        found = questions.by_date(*of_dag, dates, INSTANCES_MAX)
        found = [run for run in found if date_of(spec, run) in wanted]
    else:
        before = asked.before
        if before is not None and (fire := fire_of(conn, team_id, spec, before)) is not None:
            before = fire
        found = questions.before(*of_dag, before, asked.state, whole=asked.whole, limit=limit)
    if asked.state is not None:
        found = [run for run in found if run.state == asked.state]
    if len(found) > limit:
        raise NotAllowed(f"more than {limit:,} runs; name run ids or logical dates")
    return [told(spec, run) for run in found]


def moments(conn: Connection[Any], team_id: int, spec: Dag, date: datetime) -> list[datetime]:
    """Return the logical dates, as they are stored, of runs that are known by this one."""
    fire = fire_of(conn, team_id, spec, date)
    return [date] if fire is None else [date, fire]


def fire_of(conn: Connection[Any], team_id: int, spec: Dag, date: datetime) -> datetime | None:
    """Return the fire whose interval begins at a date; None: there is none, or it does not date the DAG's runs."""
    if not spec.dated_by_start:
        return None
    schedule = compile.schedule(spec, dags.first_seen(conn, team_id, spec.dag_id) or date)
    return schedule.begun_at(date)


def date_of(spec: Dag, run: AskedRun) -> datetime:
    """Return the date by which the tasks of the DAG know a run."""
    by_start = spec.dated_by_start and run.trigger in FIRES
    return run.interval_start if by_start else run.logical_date


def told(spec: Dag, run: AskedRun) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "given_id": given_id(run),
        "dag_id": run.dag_id,
        "logical_date": date_of(spec, run),
        "fire": run.logical_date,
        "interval_start": run.interval_start,
        "interval_end": run.interval_end,
        "state": run.state,
        "trigger": run.trigger,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "note": run.note,
        "params": None if run.params is None else msgspec.Raw(run.params.encode()),
        "partition": run.partition,
    }


def given_id(run: AskedRun) -> str | None:
    """Return the id that was given to a run when it was started."""
    key = run.run_key.removeprefix(MANUAL_KEY)
    return None if key in (run.run_key, run.run_id) else key


def instances(conn: Connection[Any], team_id: int, asked: Instances) -> list[dict[str, Any]]:
    found = questions.by_id(
        conn, team_id, asked.dag_id, asked.run_ids, whole=False, limit=RUNS_MAX + 1
    )
    ids = [run.run_id for run in found]
    rows = questions.instances(conn, team_id, ids, asked.task_ids, INSTANCES_MAX + 1)
    if len(rows) > INSTANCES_MAX:
        raise NotAllowed(
            f"more than {INSTANCES_MAX:,} task instances; name tasks, or fewer runs at once"
        )
    return [
        msgspec.to_builtins(row)
        for row in rows
        if (asked.map_index is None or row.map_index == asked.map_index)
        and (asked.group is None or row.task_id.startswith(f"{asked.group}."))
    ]


def of_dag(conn: Connection[Any], team_id: int, dag_id: str) -> dict[str, Any]:
    spec = dags.current(conn, team_id, dag_id)[0]
    found = questions.dag(conn, team_id, dag_id)
    assert found is not None, "it has just been found"
    return {
        "dag_id": dag_id,
        "paused": found.paused,
        "bundle_version": found.bundle_version,
        "file": found.file,
        "owner": spec.owner,
        "tags": spec.tags,
        "next_fire_at": found.next_fire_at,
    }


def start(conn: Connection[Any], asker: Asker, asked: Start) -> dict[str, Any]:
    """Start a run, unless there is one with its id. A repeated question of the same task instance is answered alike."""
    if (found := owner(conn, asker, asked.dag_id, GrantKind.START)) is None:
        raise missing(asker, asked.dag_id)
    team_id, dag_id = found
    known = questions.by_id(conn, team_id, dag_id, [asked.run_id], whole=False, limit=1)
    mine = any(run.created_by == asker.name for run in known)
    if known and asked.again:
        if not is_of_team(conn, asker, team_id, known[0]):
            raise NotAllowed(
                f"the run {asked.run_id!r} of {asked.dag_id} was not started by the team {asker.team}, "
                "so it may not run it again"
            )
        again.clear(conn, team_id, known[0].run_id, graphs(conn), asker.name)
        run_id, what = known[0].run_id, "runs.clear"
    elif known:
        return started(known[0].run_id, known[0].logical_date, exists=not mine)
    else:
        request = RunRequest(
            params=asked.params,
            key=asked.run_id,
            logical_date=None if asked.logical_date is None else asked.logical_date.isoformat(),
            partition=asked.partition,
        )
        (run_id,) = new.trigger(conn, team_id, dag_id, [request], asker.name)
        what = "dags.trigger"
    if asked.note:
        notes.write(conn, team_id, run_id, asked.note[:NOTE_CHARS_MAX], asker.name, clock(conn))
    entry = audit.Entry(
        actor=asker.name,
        via="agent",
        action=what,
        subject=run_id,
        address="",
        detail={"dag_id": dag_id, "team": asker.team},
    )
    audit.write(conn, team_id, entry)
    (made,) = questions.by_id(conn, team_id, dag_id, [run_id], whole=False, limit=1)
    return started(run_id, made.logical_date, exists=False)


def is_of_team(conn: Connection[Any], asker: Asker, team_id: int, run: AskedRun) -> bool:
    """Return whether a run is the team's own, or one of another team that a task of it started.

    A grant to start a DAG opens no run that others started.
    """
    if team_id == asker.team_id:
        return True
    kind, _, task = run.created_by.partition(":")
    dag_id, _, rest = task.partition("/")
    run_id = rest.partition("/")[
        0
    ]  # our id, which no two teams have; what people name may be anything
    if kind != "task":
        return False
    found = questions.by_id(conn, asker.team_id, dag_id, [run_id], whole=False, limit=2)
    return any(each.run_id == run_id for each in found)


def started(run_id: str, logical_date: datetime, *, exists: bool) -> dict[str, Any]:
    """Return the answer to a start. ``exists``: somebody else had started it."""
    return {"run_id": run_id, "logical_date": logical_date, "exists": exists}


def missing(asker: Asker, named: str) -> NotFound | NotGranted:
    if (other := foreign(named)) is None:
        return NotFound(
            f"the team {asker.team} has no DAG {named!r}; one of another team is named @TEAM/{named}"
        )
    return NotGranted(
        f"the team {asker.team} may not start {named}; "
        f"to ask for it: headway grant ask {other.team} start {other.name}"
    )


def graphs(conn: Connection[Any]) -> again.Graphs:
    return lambda team_id, dag_id, version: compile.graph(dags.spec(conn, team_id, dag_id, version))
