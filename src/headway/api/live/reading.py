"""Turns changes into the bytes for each kind of watcher. Runs on a thread of the store."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from psycopg import Connection

from headway import wire
from headway.api.live.watcher import Holder, Interest, empty, ending, frame
from headway.core.grants import GrantKind
from headway.store import grants, moments, people
from headway.store.moments import Moment
from headway.store.views import stream

RUNS_MAX: Final = 1000  # told one by one; beyond it is cheaper for everybody to read anew
INSTANCES_MAX: Final = 5000


@dataclass(frozen=True, slots=True)
class Join:
    """A new watcher. ``since`` is its last position, or None if it has none."""

    interest: Interest
    since: Moment | None


@dataclass(frozen=True, slots=True)
class Look:
    """The result of one look: the new position, and what to send to all watchers and to new ones."""

    until: Moment
    told: dict[Interest, bytes]
    welcomes: dict[Join, bytes]
    shut_out: frozenset[Holder] = frozenset()  # since the last look


@dataclass(frozen=True, slots=True)
class Frame:
    topic: str
    run_id: str | None
    dag_id: str | None
    body: bytes


def look(
    conn: Connection[Any],
    since: Moment | None,
    interests: Collection[Interest],
    joins: Iterable[Join],
    team_id: int,
    holders: Collection[Holder],
) -> Look:
    """Read everything since the last look. ``since`` is None at the first look."""
    until = moments.now(conn)
    told = messages(conn, since, until, interests) if since and interests else {}
    welcomes = {join: welcome(conn, join, until) for join in set(joins)}
    return Look(until, told, welcomes, shut_out(conn, team_id, holders))


def shut_out(conn: Connection[Any], team_id: int, holders: Collection[Holder]) -> frozenset[Holder]:
    """Return the watchers that lost access: token revoked, session ended, user disabled or removed, grant revoked."""
    by_team: dict[int, list[Holder]] = {}
    for each in holders:
        by_team.setdefault(each.visit.team_id if each.visit else team_id, []).append(each)
    visits = [each.visit for each in holders if each.visit]
    given = grants.given_to(conn, {v.team for v in visits}, GrantKind.SEE_RUNS) if visits else set()
    return frozenset(
        each
        for of_team, theirs in by_team.items()
        for standing in [standing_of(conn, of_team, theirs)]
        for each in theirs
        if (each.credential and (each.person_id, each.credential) not in standing)
        or (each.visit and not {(each.visit.team, dag) for dag in each.visit.dag_ids} <= given)
    )


def standing_of(
    conn: Connection[Any], team_id: int, holders: Collection[Holder]
) -> set[tuple[int, str]]:
    asked = {(each.person_id, each.credential) for each in holders}
    return set(people.still_standing(conn, team_id, asked))


def welcome(conn: Connection[Any], join: Join, until: Moment) -> bytes:
    if join.since is None:
        return empty("ready", until)
    if not moments.is_reachable(join.since, until):
        return empty("reset", until)
    missed = messages(conn, join.since, until, [join.interest]).get(join.interest, b"")
    return missed or b"id: %b\n\n" % str(until).encode()


def messages(
    conn: Connection[Any], since: Moment, until: Moment, interests: Collection[Interest]
) -> dict[Interest, bytes]:
    frames = frames_between(conn, since, until, interests)
    if frames is None:
        return dict.fromkeys(interests, empty("reset", until))
    by_place: dict[str | None, list[Frame]] = {}
    for each in frames:
        for place in {each.run_id, each.dag_id, None}:
            by_place.setdefault(place, []).append(each)
    found = {}
    for interest in interests:
        near = by_place.get(interest.run_id or interest.dag_id, [])
        if interest.run_id or interest.dag_id:
            near = near + [each for each in frames if each.run_id is each.dag_id is None]
        bodies = [each.body for each in near if concerns(each, interest)]
        if bodies:
            found[interest] = b"".join([*bodies[:-1], ending(bodies[-1], until)])
    return found


def concerns(frame: Frame, interest: Interest) -> bool:
    return (
        frame.topic in interest.topics
        and (interest.run_id is None or frame.run_id in (None, interest.run_id))
        and (interest.dag_id is None or frame.dag_id in (None, interest.dag_id))
    )


def frames_between(
    conn: Connection[Any], since: Moment, until: Moment, interests: Collection[Interest]
) -> list[Frame] | None:
    """Return the changes, or None if there are too many to list."""
    topics = frozenset().union(*(interest.topics for interest in interests))
    detailed = [interest for interest in interests if "task_instance" in interest.topics]
    changes = stream.changed(
        conn,
        since,
        until,
        [interest.run_id for interest in detailed if interest.run_id],
        [interest.dag_id for interest in detailed if interest.dag_id],
    )
    runs = list(changes.runs) if "run" in topics else []
    if not all(interest.run_id or interest.dag_id for interest in interests):
        wanted = runs
    else:
        places = {interest.run_id or interest.dag_id for interest in interests}
        wanted = [run for run in runs if run in places or changes.runs[run] in places]
    if changes.too_many or len(wanted) > RUNS_MAX or len(changes.instances) > INSTANCES_MAX:
        return None
    found = list(frames_of_runs(stream.runs_now(conn, wanted) if wanted else []))
    found += frames_of_instances(conn, changes)
    if "dag" in topics and changes.dags:
        for dag in stream.dags_now(conn, changes.dags):
            found.append(Frame("dag", None, dag.dag_id, frame("dag", encode(dag))))
    if "pool" in topics and changes.pools:
        pools = wire.PoolsDelta(pools=stream.pools_now(conn))
        found.append(Frame("pool", None, None, frame("pool", encode(pools))))
    return found


def frames_of_runs(runs: Sequence[wire.RunDelta]) -> Iterable[Frame]:
    for run in runs:
        yield Frame("run", run.run_id, run.dag_id, frame("run", encode(run)))


def frames_of_instances(conn: Connection[Any], changes: stream.Changes) -> Iterable[Frame]:
    if not changes.instances:
        return
    for run_id, changed in stream.instances_now(conn, changes.instances).items():
        dag_id = changes.runs[run_id]
        delta = wire.InstancesDelta(run_id=run_id, dag_id=dag_id, changes=changed)
        yield Frame("task_instance", run_id, dag_id, frame("task_instance", encode(delta)))


encode = msgspec.json.encode
