"""A follower of events misses none, whatever the order of commits, and goes on where the last one was."""

import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from headway.engine import janitor
from headway.events import Event, Follower, held
from headway.events.follower import HELD, LATE
from headway.store import events as store
from headway.store.transact import Session, connect, in_team, transact
from tests.scenarios.test_retention import KEEP, age, finished
from tests.scenarios.world import value

WRITE = """
    INSERT INTO event (team_id, at, subject, name, actor)
    VALUES (%s, clock_timestamp(), 'pool', %s, 'me')
"""


class Seen(list[str]):
    """The names of the events that a follower handled, in order."""

    def handle(self, conn: Connection[Any], found: Sequence[Event]) -> None:
        self += [event.name for event in found]


def write(conn: Connection[Any], *names: str, team_id: int = 1) -> None:
    for name in names:
        conn.execute(WRITE, [team_id, name])


def settled(follower: Follower, conn: Session) -> int:
    """Turns until nothing is left; how many handled something."""
    turns = 0
    while follower.turn(conn):
        turns += 1
    return turns


@pytest.fixture
def others(dsn: str) -> Iterator[list[Session]]:
    with ExitStack() as stack:
        yield [stack.enter_context(connect(dsn)) for _ in range(4)]


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def follower(conn: Session, seen: Seen) -> Follower:
    """One that begins now, three events at a time."""
    follower = Follower("test", seen.handle, part=3)
    assert follower.turn(conn) == 0
    return follower


def test_a_new_follower_begins_now(conn: Session, seen: Seen) -> None:
    write(conn, "before")
    follower = Follower("test", seen.handle)
    assert follower.turn(conn) == 0
    write(conn, "after")
    assert follower.turn(conn) == 1
    assert seen == ["after"]


def test_what_is_committed_late_is_not_missed_and_nothing_comes_twice(
    conn: Session, others: list[Session], follower: Follower, seen: Seen
) -> None:
    slow, quick, *_ = others
    with slow.transaction():
        write(slow, "slow")
        write(quick, "quick")
        assert follower.turn(conn) == 1
        assert follower.turn(conn) == 0
        assert seen == ["quick"]
    assert follower.turn(conn) == 1
    with slow.transaction(force_rollback=True):
        write(slow, "undone")
    assert follower.turn(conn) == 0
    assert seen == ["quick", "slow"]


def test_parts_of_a_stretch_go_on_in_another_process(
    conn: Session, others: list[Session], follower: Follower, seen: Seen
) -> None:
    names = [f"e{n}" for n in range(7)]
    write(conn, *names)
    assert follower.turn(conn) == 3
    write(conn, "later")
    next_one = Follower("test", seen.handle, part=3)
    assert [next_one.turn(others[0]) for _ in range(4)] == [3, 1, 1, 0]
    assert seen == [*names, "later"]


@pytest.mark.parametrize("seed", range(5))
def test_each_event_comes_once_after_its_commit_and_causes_come_first(
    conn: Session, others: list[Session], follower: Follower, seen: Seen, seed: int
) -> None:
    """Transactions that overlap in every way; each event is numbered by when it was written."""
    chance = random.Random(seed)
    committed: list[str] = []
    batches: dict[int, list[str]] = {}
    for n in range(120):
        number = chance.randrange(len(others))
        other = others[number]
        match chance.choice(["write", "write", "commit", "undo", "turn"]):
            case "write":
                if number not in batches:
                    other.execute("BEGIN")
                write(other, f"{n:03}")
                batches.setdefault(number, []).append(f"{n:03}")
            case "commit" if number in batches:
                other.execute("COMMIT")
                committed += batches.pop(number)
            case "undo" if number in batches:
                other.execute("ROLLBACK")
                del batches[number]
            case "turn":
                settled(follower, conn)
                assert sorted(seen) == sorted(committed)
    for number in batches:
        others[number].execute("ROLLBACK")
    settled(follower, conn)
    assert sorted(seen) == sorted(committed)
    assert len(set(seen)) == len(seen)


def test_within_a_stretch_who_waited_for_a_lock_comes_later(
    conn: Session, others: list[Session], follower: Follower, seen: Seen
) -> None:
    """The one that began first is the one that waited: numbers of transactions would say the reverse."""
    first, second, *_ = others
    with first.transaction():
        first.execute("SELECT pg_current_xact_id()")
        with second.transaction():
            second.execute("SELECT FROM pool FOR UPDATE")
            write(second, "cause")
        first.execute("SELECT FROM pool FOR UPDATE")
        write(first, "effect")
    settled(follower, conn)
    assert seen == ["cause", "effect"]


def test_what_the_handler_writes_is_committed_with_the_position_or_not_at_all(
    conn: Session, follower: Follower, seen: Seen
) -> None:
    write(conn, "one")

    def fail(conn: Connection[Any], found: Sequence[Event]) -> None:
        write(conn, "written")
        raise RuntimeError("no")

    follower.handle = fail
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no"):
            follower.turn(conn)
    follower.handle = seen.handle
    assert settled(follower, conn) == 1
    assert seen == ["one"]


def test_events_that_the_handler_writes_itself_come_next(
    conn: Session, others: list[Session], follower: Follower, seen: Seen
) -> None:
    def echo(conn: Connection[Any], found: Sequence[Event]) -> None:
        seen.handle(conn, found)
        write(others[0], "meanwhile")  # a later transaction that ends before ours
        write(conn, *(f"{event.name}!" for event in found if event.name == "one"))

    follower.handle = echo
    write(conn, "one")
    assert follower.turn(conn) == 1
    follower.handle = seen.handle
    settled(follower, conn)
    assert sorted(seen) == ["meanwhile", "one", "one!"]


def test_of_two_processes_of_one_name_one_has_the_turn(
    conn: Session, others: list[Session], follower: Follower, seen: Seen
) -> None:
    twin = Follower("test", seen.handle)
    stranger = Follower("stranger", seen.handle)
    turns: list[int | None] = []

    def handle(conn: Connection[Any], found: Sequence[Event]) -> None:
        turns.extend([twin.turn(others[0]), stranger.turn(others[1])])

    write(conn, "one")
    follower.handle = handle
    assert follower.turn(conn) == 1
    assert turns == [None, 0]
    assert twin.turn(others[0]) == 0
    assert seen == []


def test_a_process_that_is_killed_has_handled_nothing(
    conn: Session, dsn: str, follower: Follower, seen: Seen
) -> None:
    program = """
import sys
from headway.events import Follower
from headway.store.transact import connect

def handle(conn, found):
    conn.execute("UPDATE pool SET slots = 99")
    print(*(event.name for event in found), flush=True)
    sys.stdin.read()

with connect(sys.argv[1]) as conn:
    Follower("test", handle).turn(conn)
"""
    write(conn, "one", "two")
    with subprocess.Popen(
        [sys.executable, "-c", program, dsn],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "one two\n"
        process.send_signal(signal.SIGKILL)
    while (handled := follower.turn(conn)) is None:
        pass  # the database has not yet taken the turn from the dead one
    assert handled == 2
    assert seen == ["one", "two"]
    assert value(conn, "SELECT count(*) FROM pool WHERE slots = 99") == 0


def test_a_follower_of_a_team_reads_that_team_only(conn: Session, seen: Seen) -> None:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    every = Seen()
    followers = [Follower("test", seen.handle, team_id=2), Follower("test", every.handle)]
    for follower in followers:
        follower.turn(conn)
    write(conn, "one")
    write(conn, "two", team_id=2)
    for follower in followers:
        settled(follower, conn)
    assert (seen, every) == (["two"], ["one", "two"])


def test_after_a_restore_it_reads_the_last_hour_again(
    conn: Session, owner_conn: Session, follower: Follower, seen: Seen
) -> None:
    """A database that was restored has another number, and its events the transactions of the old one."""
    write(conn, "old", "recent")
    owner_conn.execute("UPDATE event SET at = at - interval '2 hours' WHERE name = 'old'")
    settled(follower, conn)
    conn.execute("UPDATE event_position SET since = '1.900000000:900000000:'")
    write(conn, "new")
    settled(follower, conn)
    assert seen == ["old", "recent", "recent", "new"]
    write(conn, "newer")
    settled(follower, conn)
    assert seen[4:] == ["newer"]


def test_a_quiet_position_is_rarely_written(conn: Session, follower: Follower) -> None:
    written = "SELECT xmin::text FROM event_position"
    before = value(conn, written)
    assert follower.turn(conn) == 0
    assert value(conn, written) == before
    conn.execute("UPDATE event_position SET since_at = since_at - interval '2 minutes'")
    before = value(conn, written)
    assert follower.turn(conn) == 0
    assert value(conn, written) != before
    assert value(conn, "SELECT now() - since_at FROM event_position") < timedelta(minutes=1)


# -- retention


NOW = datetime.fromisoformat("2040-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("unread_since", "before"),
    [
        (None, NOW - KEEP),
        (NOW, NOW - KEEP),
        (NOW - KEEP, NOW - KEEP - LATE),
        (NOW - KEEP - timedelta(days=3), NOW - KEEP - timedelta(days=3) - LATE),
        (NOW - KEEP - timedelta(days=300), NOW - KEEP - HELD),
    ],
)
def test_what_a_follower_has_not_read_is_held_within_bounds(
    unread_since: datetime | None, before: datetime
) -> None:
    assert held(NOW - KEEP, unread_since) == before


@pytest.mark.parametrize("team_id", [1, None])
def test_a_run_that_a_follower_has_not_read_of_goes_once_it_has_or_is_too_late(
    conn: Session, owner_conn: Session, seen: Seen, team_id: int | None
) -> None:
    follower = Follower("test", seen.handle, team_id)
    follower.turn(conn)
    old, older = finished(conn, 2)
    owner_conn.execute("UPDATE event SET at = now() - interval '91 days' WHERE run_id IS NULL")
    age(owner_conn, old, 91)
    age(owner_conn, older, 98)
    conn.execute("UPDATE event_position SET since_at = now() - interval '95 days'")
    now = value(conn, "SELECT now()")
    others = "SELECT count(*) FROM event WHERE name NOT IN ('prune') AND run_id IS NULL"
    assert list(transact(conn, in_team, 1, janitor.prune, now - KEEP, now, 10)) == [older]
    assert value(conn, others) > 0
    settled(follower, conn)
    assert "trigger" in seen or len(seen) > 10
    assert transact(conn, store.unread_since, 1) > now - timedelta(minutes=5)
    assert list(transact(conn, in_team, 1, janitor.prune, now - KEEP, now, 10)) == [old]
    assert value(conn, others) == 0
