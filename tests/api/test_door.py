"""The way from the API to the store: one team, one transaction, one entry of the audit, and errors that say what is."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg import Connection, DataError
from psycopg_pool import PoolTimeout

from headway import clock
from headway.api import door as module
from headway.api.door import PULSE_S, PULSE_TIMEOUT_S, QUEUE_S, Connections, Door, Pulse, refused
from headway.api.repeats import Once
from headway.errors import AmbiguousCommit, NotReachable, UsageError
from headway.store import api_login
from headway.store.audit import Entry
from headway.store.transact import PREPARE_AFTER, Session

Told = list[tuple[int, str, dict[str, Any]]]


@pytest.fixture
def connections(database: str, owner_conn: Session) -> Iterator[Connections]:
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    owner_conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (2, 'theirs', 1)")
    found = Connections(api_login.embedded(database, "door"))
    found.open()
    yield found
    found.close()


@pytest.fixture
def door(connections: Connections) -> Door:
    return Door(connections)


def entry(**more: Any) -> Entry:
    return Entry(actor="user:ann", via="session", action="pools.set_pool", subject="x", address="", **more)  # fmt: skip


def entries(conn: Session) -> Told:
    return conn.execute(
        "SELECT team_id, subject, detail FROM audit ORDER BY team_id, seq"
    ).fetchall()


def pools(conn: Connection[Any]) -> list[int]:
    return [team_id for (team_id,) in conn.execute("SELECT DISTINCT team_id FROM pool ORDER BY 1")]


def both(door: Door, work: Callable[..., Any], *args: Any) -> Iterator[Any]:
    """What comes of it in the event loop, and from outside of it."""
    yield asyncio.run(door.call(work, *args))
    yield door.transact(work, *args)


# -- one team


@pytest.mark.parametrize(("team_id", "seen"), [(1, [1]), (2, [2]), (0, [])])
def test_a_door_leads_to_one_team(door: Door, team_id: int, seen: list[int]) -> None:
    assert list(both(door.of(team_id), pools)) == [seen, seen]


def test_a_lane_is_that_of_the_team_unless_it_is_said(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, once, lanes = entry(), Once("user:ann", "k", b""), list[Any]()
    door = Door(connections, 1, given, once)
    other = door.in_lane("guests")
    assert (Door(connections).team_id, door.lane, other.lane) == (0, 1, "guests")
    assert (other.team_id, other.entry, other.once) == (1, given, once)

    def submit(lane: object, todo: object) -> Future[Any]:
        lanes.append(lane)
        done: Future[Any] = Future()
        done.set_result(7)
        return done

    monkeypatch.setattr(connections.lanes, "submit", submit)
    assert list(both(other, pools)) == [7, 7]
    assert lanes == ["guests"] * 2


def test_each_statement_is_planned_with_its_values_in_sight(door: Door) -> None:
    def often(conn: Connection[Any]) -> object:
        for number in range(PREPARE_AFTER + 2):
            conn.execute("SELECT %s::integer", [number])
        return conn.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()

    assert door.transact(often) == (0,)


def test_what_was_opened_is_closed(connections: Connections) -> None:
    connections.close()
    assert connections.pool.closed
    assert not connections.lanes.is_open
    with pytest.raises(RuntimeError, match="after shutdown"):
        connections.pulse.thread.submit(connections.pulse.beats)


# -- one entry


def test_what_commits_first_writes_the_entry(door: Door, owner_conn: Session) -> None:
    ours = door.of(1, entry())
    ours.tell(before=1)
    ours.tell(after=2)
    assert ours.about("y") == "y"
    with pytest.raises(ZeroDivisionError):
        ours.transact(lambda conn: 1 // 0)
    assert entries(owner_conn) == []
    assert [*both(ours, pools)] == [[1], [1]]
    assert entries(owner_conn) == [(1, "y", {"before": 1, "after": 2})]


def test_an_entry_about_two_teams_is_in_both_once(door: Door, owner_conn: Session) -> None:
    ours = door.of(2, entry())
    for team_id in (2, 1, 1):
        ours.also(team_id)
    assert ours.transact(pools) == [2]
    assert [team_id for team_id, *_ in entries(owner_conn)] == [1, 2]
    ours.entry = entry()
    ours.transact(pools)
    assert [team_id for team_id, *_ in entries(owner_conn)] == [1, 2, 2]


def test_without_an_entry_nothing_is_told(door: Door, owner_conn: Session) -> None:
    ours = door.of(1)
    ours.tell(after=2)
    assert ours.about("y") == "y"
    ours.transact(pools)
    assert entries(owner_conn) == []


def test_what_is_done_once_is_done_around_the_work(door: Door) -> None:
    order: list[Any] = []
    once: Any = SimpleNamespace(
        begin=lambda conn, team_id: order.append(("begin", team_id)),
        end=lambda conn, team_id, result: order.append(("end", team_id, result)),
    )
    ours = door.of(2, None, once)
    ours.transact(lambda conn: order.append("work"))
    ours.transact(pools)
    assert order == [("begin", 2), "work", ("end", 2, None)]


# -- errors


@pytest.mark.parametrize(
    ("statement", "value", "why"),
    [
        ("SELECT %s::bigint::integer", 2**40, "a number or date in the request is out of range"),
        ("SELECT %s::timestamptz", "300000-01-01", "a number or date in the request is out"),
        ("SELECT %s", "a\0", "contains NUL or an incomplete character"),
        ("SELECT %s", "\ud800", "contains NUL or an incomplete character"),
        ("SELECT %s::json->>'a'", '{"a": "\\u0000"}', "contains NUL or an incomplete character"),
    ],
)
def test_what_no_database_can_hold_is_the_mistake_of_a_request(
    door: Door, statement: str, value: object, why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        door.of(1).transact(lambda conn: conn.execute(statement.encode(), [value]))


def test_another_mistake_is_ours(door: Door) -> None:
    with pytest.raises(DataError, match="invalid input syntax"):
        door.of(1).transact(lambda conn: conn.execute("SELECT 'x'::integer"))
    assert refused(DataError("anything")) is None


@pytest.mark.parametrize(
    ("limit", "statement", "why"),
    [
        ("lock_timeout", "LOCK TABLE pool", "another transaction holds a lock"),
        ("statement_timeout", "SELECT pg_sleep(60)", "cancelled a statement of this request"),
    ],
)
def test_what_takes_too_long_is_told(
    door: Door, owner_conn: Session, limit: str, statement: str, why: str
) -> None:
    def work(conn: Connection[Any]) -> None:
        conn.execute("SELECT set_config(%s, '1ms', true)", [limit])
        conn.execute(statement.encode())

    with owner_conn.transaction():
        owner_conn.execute("LOCK TABLE pool IN ROW EXCLUSIVE MODE")
        with pytest.raises(NotReachable, match=why):
            door.of(1).transact(work)


def test_where_no_connection_is_free_the_database_does_not_answer(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def taken(timeout: float) -> Any:
        asked.append(timeout)
        raise PoolTimeout("none")

    monkeypatch.setattr(door.connections.pool, "connection", taken)
    with pytest.raises(NotReachable, match="the database does not answer"):
        door.transact(pools)
    assert asked == [module.PATIENCE_S]


@pytest.mark.parametrize(
    ("given", "kind"), [(None, NotReachable), (entry(), AmbiguousCommit)], ids=["read", "change"]
)
def test_a_frozen_database_is_told_and_a_change_may_still_happen(
    connections: Connections,
    given: Entry | None,
    kind: type[NotReachable],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs, _ = never(connections, monkeypatch, beats=lambda: False)
    door = Door(connections, 1, given)
    tries: list[Callable[[], object]] = [
        lambda: asyncio.run(door.call(pools)),
        lambda: door.transact(pools),
    ]
    for attempt in tries:
        with pytest.raises(NotReachable, match="the database does not answer") as told:
            attempt()
        assert type(told.value) is kind
    assert [job.cancelled() for job in jobs] == [True, True], "nobody waits for it any more"


def test_what_no_thread_takes_is_given_up_after_a_while(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, moments = never(connections, monkeypatch, beats=lambda: True)
    with pytest.raises(NotReachable, match="earlier requests kept this one waiting"):
        asyncio.run(Door(connections, 1).call(pools))
    assert [job.cancelled() for job in jobs] == [True]
    assert moments == [0.0, QUEUE_S, 2 * QUEUE_S], "the limit itself is waited for"


def test_what_a_thread_has_taken_is_waited_for(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    def beats() -> bool:
        if moments[-1] == QUEUE_S:
            jobs[0].set_running_or_notify_cancel()
        if moments[-1] == 3 * QUEUE_S:
            jobs[0].set_result([7])
        return True

    jobs, moments = never(connections, monkeypatch, beats)
    assert asyncio.run(Door(connections, 1).call(pools)) == [7]


def never(
    connections: Connections, monkeypatch: pytest.MonkeyPatch, beats: Callable[[], bool]
) -> tuple[list[Future[Any]], list[float]]:
    """Have no thread take what is to be done. With each look at the database as much time passes as it may wait."""
    jobs: list[Future[Any]] = []
    moments = [0.0]

    def submit(lane: object, todo: object) -> Future[Any]:
        jobs.append(Future())
        return jobs[-1]

    def felt() -> bool:
        moments.append(moments[-1] + QUEUE_S)
        return beats()

    monkeypatch.setattr(module, "PATIENCE_S", 0.001)
    monkeypatch.setattr(clock, "monotonic", lambda: moments[-1])
    monkeypatch.setattr(connections.lanes, "submit", submit)
    monkeypatch.setattr(connections.pulse, "beats", felt)
    return jobs, moments


def test_a_pulse_is_felt_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    felt: list[tuple[str, int]] = []
    now, is_alive = 100.0, True

    def answers(dsn: str, timeout_s: int) -> bool:
        felt.append((dsn, timeout_s))
        return is_alive

    monkeypatch.setattr(module, "answers", answers)
    monkeypatch.setattr(clock, "monotonic", lambda: now)
    pulse = Pulse("dsn")
    assert pulse.beats()
    is_alive = False
    now += PULSE_S
    assert pulse.beats()
    assert felt == [("dsn", PULSE_TIMEOUT_S)]
    now += 0.1
    assert not pulse.beats()
    assert len(felt) == 2
    pulse.thread.shutdown()
