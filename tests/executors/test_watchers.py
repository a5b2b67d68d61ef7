"""Watchers between a scheduler and its agents: who gets them, what is stored, and what an agent may not say."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from psycopg import Connection

from headway.agent.protocol import FENCE_S, Hello
from headway.agent.watchers import (
    Fired,
    Release,
    Sighted,
    Stopped,
    Taken,
    WatcherEvent,
    WatcherKey,
    WatcherLook,
    Watchers,
)
from headway.engine.scheduler import Scheduler
from headway.executors.agents.standing import flaw_of
from tests.executors.test_credentials import greeted, scheduler, teams
from tests.scenarios.test_gateway import Peer
from tests.scenarios.test_watchers import FILES, paths, watched
from tests.scenarios.world import value

__all__ = ["scheduler", "teams"]

pytestmark = pytest.mark.usefixtures("teams")


def joined(
    scheduler: Scheduler, folder: Path, session: str, secret: str = "a", *known: WatcherKey
) -> Peer:
    agent = Peer(scheduler, f"{folder}/g.sock")
    scheduler.wait(1.0)
    agent.say(Hello(session, "agent", secret, 4, 4, "host", 1, [], watchers=list(known)))
    scheduler.serve()
    return agent


def handed(scheduler: Scheduler, agent: Peer) -> list[WatcherKey]:
    scheduler.sweep()
    return [one.key for message in agent.of(Watchers) for one in message.watchers]


def tell(scheduler: Scheduler, agent: Peer, message: msgspec.Struct) -> None:
    agent.say(message)
    scheduler.serve()


def seen(name: str) -> WatcherEvent:
    return WatcherEvent(msgspec.json.encode({"path": name}))


def test_what_a_watcher_tells_is_stored_once_and_answered(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    watched(conn)
    agent = joined(scheduler, tmp_path, "sa")
    (key,) = handed(scheduler, agent)
    for _ in range(2):
        tell(scheduler, agent, Fired(key, 1, [seen("a")], b"[1]"))
    assert agent.of(Taken) == [Taken(key, 1), Taken(key, 1)]
    assert paths(conn) == ["a"]
    tell(scheduler, agent, Sighted([WatcherLook(key, 3, 0.0, 5.0, "1 file there")]))
    assert value(conn, "SELECT note FROM watch") == "1 file there"
    tell(scheduler, agent, Stopped(key, "OSError: gone"))
    assert value(conn, "SELECT error FROM watch") == "OSError: gone"


def test_an_agent_that_knows_no_watchers_gets_none(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    watched(conn)
    old = greeted(scheduler, tmp_path, "a", "sa")
    assert handed(scheduler, old) == []
    agent = joined(scheduler, tmp_path, "sb")
    assert len(handed(scheduler, agent)) == 1


def test_agents_share_and_the_one_that_is_left_takes_over(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    for number in range(150):
        other = msgspec.structs.replace(FILES, kwargs={"path": str(number)})
        watched(conn, f"a{number}", watcher=other, dag_id=f"d{number}")
    first, second = (joined(scheduler, tmp_path, session) for session in ("sa", "sb"))
    of_first, of_second = handed(scheduler, first), handed(scheduler, second)
    assert (len(of_first), len(of_second)) in ((100, 50), (50, 100))
    first.sock.close()
    scheduler.wait(1.0)
    conn.execute(
        "UPDATE agent_session SET heartbeat_at = heartbeat_at - %s * interval '1 second' WHERE session_id = 'sa'",
        [FENCE_S],
    )
    again = handed(scheduler, second)
    assert {key.digest for key in again} == {key.digest for key in (*of_first, *of_second)}
    assert max(key.life for key in again) == 2


def test_one_that_is_removed_or_paused_is_released(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    watched(conn)
    agent = joined(scheduler, tmp_path, "sa")
    (key,) = handed(scheduler, agent)
    conn.execute("UPDATE dag SET paused_at = now() WHERE dag_id = 'c'")
    scheduler.sweep()
    assert agent.of(Release) == [Release([key])]
    tell(scheduler, agent, Fired(key, 1, [seen("late")]))
    assert (paths(conn), agent.of(Taken)) == ([], [])


def test_an_agent_that_comes_back_goes_on(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    watched(conn)
    agent = joined(scheduler, tmp_path, "sa")
    (key,) = handed(scheduler, agent)
    agent.sock.close()
    scheduler.wait(1.0)
    stale = WatcherKey("0" * 64, 7)
    again = joined(scheduler, tmp_path, "sa", "a", key, stale)
    assert handed(scheduler, again) == [], "it knows it"
    assert again.of(Release) == [Release([stale])]
    tell(scheduler, again, Fired(key, 1, [seen("a")]))
    assert again.of(Taken) == [Taken(key, 1)]


def test_what_an_agent_has_forgotten_begins_another_life(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    """Its word that the watcher has ended was lost. Batches that count from 1 again are other ones."""
    watched(conn)
    agent = joined(scheduler, tmp_path, "sa")
    (key,) = handed(scheduler, agent)
    tell(scheduler, agent, Fired(key, 1, [seen("a")], b"1"))
    agent.sock.close()
    scheduler.wait(1.0)
    again = joined(scheduler, tmp_path, "sa")
    (other,) = handed(scheduler, again)
    assert (other.digest, other.life) == (key.digest, key.life + 1)
    tell(scheduler, again, Fired(other, 1, [seen("b")], b"2"))
    assert paths(conn) == ["a", "b"]


def test_what_another_team_has_is_not_told_of_by_a_stranger(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path
) -> None:
    watched(conn)
    agent = joined(scheduler, tmp_path, "sa")
    (key,) = handed(scheduler, agent)
    stranger = joined(scheduler, tmp_path, "sb", "b", key, WatcherKey("\0", 1))
    assert handed(scheduler, stranger) == []
    for forged in (key, WatcherKey("\0'", -5)):
        tell(scheduler, stranger, Fired(forged, 1, [seen("forged")], b"1"))
        tell(scheduler, stranger, Stopped(forged, "forged"))
        tell(scheduler, stranger, Sighted([WatcherLook(forged, 1, 0.0, None, "forged")]))
    assert (paths(conn), value(conn, "SELECT error FROM watch")) == ([], None)
    tell(scheduler, agent, Fired(key, 1, [seen("a")]))
    assert paths(conn) == ["a"]


@pytest.mark.parametrize(
    ("events", "cursor", "error"),
    [
        ([WatcherEvent(b"[]")], None, "the extra of an event is not a JSON object"),
        ([WatcherEvent(b'{"a":"\\u0000"}')], None, "the extra of an event"),
        ([WatcherEvent(b'{"a":"' + b"x" * 20_000 + b'"}')], None, "the limit is 16,384"),
        ([WatcherEvent(partition=" ")], None, "the partition of an event is empty"),
        ([WatcherEvent(key="\0")], None, "the key of an event"),
        ([WatcherEvent()] * 101, None, "there are 101 events at once; the limit is 100"),
        ([], b"no json", "its cursor is not JSON"),
        ([], b"\xff", "its cursor is not JSON"),
    ],
)
def test_what_cannot_be_stored_ends_the_watcher_with_the_reason(
    scheduler: Scheduler,
    conn: Connection[Any],
    tmp_path: Path,
    events: list[WatcherEvent],
    cursor: bytes | None,
    error: str,
) -> None:
    watched(conn)
    agent = joined(scheduler, tmp_path, "sa")
    (key,) = handed(scheduler, agent)
    tell(scheduler, agent, Fired(key, 1, events, cursor))
    assert error in value(conn, "SELECT error FROM watch")
    assert agent.of(Release) == [Release([key])]
    assert value(conn, "SELECT count(*) FROM asset_event") == 0


def test_a_cursor_has_a_limit() -> None:
    message = Fired(WatcherKey("0" * 64, 1), 1, [], b'"' + b"x" * 300_000 + b'"')
    assert flaw_of(message) == "its cursor has 300,002 bytes; the limit is 262,144"
