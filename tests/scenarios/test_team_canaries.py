"""The canary of a team: a run on its agents, whose fault it is that it does not succeed, and what is left of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from headway import clock
from headway.core.canary import DAG_ID
from headway.core.reasons import AgentsFull, HandedOver, NotSeen, Reason, Started
from headway.core.stored_reasons import stored
from headway.engine.canary import Canary
from headway.engine.catalog import Catalog
from headway.engine.team_canaries import TEAMS_MAX, TeamCanaries, look, why_ignored
from headway.executors.base import LEASE
from headway.spec.errors import BadSpec
from headway.spec.validate import check_id
from headway.store import bundles, dags, schedulers, team_canaries, warm_pools
from headway.store.transact import Session, in_team, read, transact
from headway.store.views import health
from tests.scenarios.test_canary import rows_of
from tests.scenarios.test_teams import within
from tests.scenarios.world import Scheduler, deploy, graphs, run_state, task, trigger, value

PERIOD_S = 300.0
WATCH = timedelta()  # the first look is due when the team begins to be watched
# There before the first run, and for as long as the team has its canary.
STAYS = {"team_canary", "bundle", "dag", "dag_version", "pool"}


class Home:
    """A team, its agent, and looks at its canary. Time passes by ``later``; the agent beats as long as it lives."""

    def __init__(self, conn: Connection[Any], team_id: int = 1, places: int = 100) -> None:
        self.conn = conn
        self.team_id = team_id
        self.world = Scheduler(conn, places, team_id)
        self.world.also = ("warm",)
        self.lives = True
        self.watch()

    @property
    def now(self) -> datetime:
        return self.world.now

    def watch(self) -> None:
        transact(self.conn, team_canaries.watch, PERIOD_S, self.now, self.now, LEASE)

    def later(self, seconds: float) -> None:
        self.world.later(seconds)
        if self.lives:
            beat = "UPDATE agent_session SET heartbeat_at = %s WHERE team_id = %s"
            self.conn.execute(beat, [self.now, self.team_id])

    def look(self) -> None:
        self.later(31)
        graph, now = graphs(self.world), self.now
        transact(self.conn, in_team, self.team_id, look, PERIOD_S, graph, now)

    def begin(self) -> str:
        self.look()
        run_id = self.column("run_id")
        assert isinstance(run_id, str)
        return run_id

    def column(self, name: str) -> Any:
        query = f"SELECT {name} FROM team_canary WHERE team_id = %s"
        return value(self.conn, query, self.team_id)

    def told(self) -> tuple[str | None, Reason | None]:
        fault, text = self.column("fault"), self.column("reason::text")
        return fault, text and stored(text)


@pytest.fixture
def home(conn: Session) -> Iterator[Home]:
    yield Home(conn)
    conn.execute(
        "DELETE FROM run WHERE dag_id = '~canary'"
    )  # it has no history to be compared with


def test_a_run_succeeds_on_the_agents_and_nothing_of_it_is_left(conn: Session, home: Home) -> None:
    before = rows_of(conn)
    for number in range(2):
        run_id = home.begin()
        created = home.now
        home.world.play()
        assert run_state(conn, run_id) == "success"
        home.look()
        assert (home.column("run_id"), home.told()) == (None, (None, None))
        assert home.column("proved_at") > created
        assert home.column("due_at") - created == pytest.approx(
            timedelta(seconds=PERIOD_S), abs=timedelta(seconds=5)
        )
        after = rows_of(conn)
        assert {name for name in after if after[name] != before[name]} <= STAYS, number
        assert (after["run"], after["event"], after["attempt"]) == (0, before["event"], 0)
        home.later(PERIOD_S)
    assert value(conn, "SELECT sum(used) FROM pool") == 0
    assert value(conn, "SELECT used FROM share WHERE team_id = 1") == 0
    assert value(conn, "SELECT count(*) FROM dag_version WHERE dag_id = '~canary'") == 1


def test_people_see_nothing_of_it(conn: Session, app_conn: Session, home: Home) -> None:
    deploy(conn, task("a"))
    trigger(conn)
    home.world.play()

    def seen() -> dict[str, int]:
        return {k: n for k, n in within(app_conn, 1, rows_of).items() if k != "team_canary"}

    before = seen()
    run_id = home.begin()
    home.world.tick()
    assert home.world.held
    assert seen() == before
    assert value(conn, "SELECT count(*) FROM attempt WHERE run_id = %s", run_id) == 1
    assert [each.dag_id for each in read(conn, dags.known, 1)] == ["d"], "no loader misses its file"
    assert read(conn, bundles.in_use) == {"b1"}, "no copy of its files is wanted"
    home.world.play()


def test_what_keeps_it_from_its_success_is_told_as_anywhere_else(conn: Session, home: Home) -> None:
    home.begin()
    home.look()
    assert home.told() == ("scheduler", NotSeen())
    home.world.places = 0
    home.world.tick()
    home.look()
    assert home.told() == ("team", AgentsFull(("local",)))
    home.world.places = 1
    home.world.tick()
    home.look()
    assert home.told() == ("team", HandedOver())
    (grant,) = home.world.held.values()
    home.world.tick(home.world.start(grant))
    home.look()
    fault, why = home.told()
    assert (fault, type(why)) == ("team", Started)
    home.world.play()


def test_what_holds_it_back_is_told_as_it_is_now(conn: Session, home: Home) -> None:
    """What a scheduler wrote once may have changed since."""
    conn.execute("UPDATE agent_session SET slots = 1")
    home.world.places = 1
    deploy(conn, task("long"))
    trigger(conn)
    home.world.tick()
    home.begin()
    home.world.tick()
    conn.execute("UPDATE agent_session SET agent = 'renamed'")
    home.look()
    assert home.told() == ("team", AgentsFull(("renamed",)))
    home.world.places = 2
    home.world.play()


def test_one_that_the_agent_has_not_started_is_ended_after_a_period(
    conn: Session, home: Home
) -> None:
    """It holds a slot of the team, which somebody may want."""
    run_id = home.begin()
    home.world.tick()
    home.look()
    assert home.told() == ("team", HandedOver())
    home.later(PERIOD_S)
    home.look()
    assert value(conn, "SELECT intent FROM task_instance WHERE run_id = %s", run_id) == "cancel"
    home.world.play(lambda _: {"outcome": "cancelled", "cause": "cancelled"})
    assert value(conn, "SELECT used FROM share WHERE team_id = 1") == 0
    home.look()
    assert (home.column("run_id"), home.told()) == (None, (None, HandedOver()))
    assert home.column("due_at") <= home.now + timedelta(seconds=31)


def test_one_that_fails_is_told_until_the_next_one_succeeds(conn: Session, home: Home) -> None:
    home.begin()
    home.world.play(lambda _: {"outcome": "failed", "cause": "disk", "detail": "no space left"})
    home.look()
    _, why = home.told()
    assert why is not None
    assert "no space left" in str(why)
    home.later(PERIOD_S)
    home.begin()
    assert home.told() == (None, why)
    home.world.play()
    home.look()
    assert home.told() == (None, None)


def test_without_agents_there_is_nothing_to_prove(conn: Session, home: Home) -> None:
    run_id = home.begin()
    home.world.tick()
    home.lives = False
    home.look()
    assert home.column("run_id") == run_id, "its attempt is lost when the lease is over"
    home.world.expire()
    home.world.held.clear()
    home.world.tick()
    home.look()
    assert value(conn, "SELECT count(*) FROM team_canary") == 0
    assert value(conn, "SELECT count(*) FROM run") == 0
    home.watch()
    assert value(conn, "SELECT count(*) FROM team_canary") == 0


def test_sessions_of_a_cluster_are_no_agents(conn: Session) -> None:
    """There is one where tasks have pods of their own: a canary would make pods."""
    world = Scheduler(conn)
    conn.execute("UPDATE agent_session SET token_id = NULL")
    transact(conn, team_canaries.watch, PERIOD_S, world.now, world.now, LEASE)
    assert value(conn, "SELECT count(*) FROM team_canary") == 0


def test_it_wakes_no_warm_pool_and_keeps_none_awake(conn: Session, home: Home) -> None:
    needs = (1, ("", "agents", "warm"), ("default",))
    home.world.places = 0
    home.begin()
    home.world.tick()
    assert value(conn, "SELECT count(*) FROM task_instance WHERE rank IS NOT NULL") == 1
    assert read(conn, warm_pools.waiting, *needs, home.now, 10) == 0
    home.world.places = 1
    home.world.tick()
    assert home.world.held
    assert read(conn, warm_pools.held, 1, ["local"]) == {"local": 0}
    home.world.play()


def test_each_queue_that_agents_serve_is_proven(conn: Session, home: Home) -> None:
    def served() -> list[str]:
        rows = conn.execute(
            "SELECT spec -> 'tasks' FROM dag JOIN dag_version USING (team_id, dag_id, version)"
        )
        return [task.get("queue", "default") for (tasks,) in rows for task in tasks]

    conn.execute("UPDATE agent_session SET queues = '{gpu,default}'")
    first = home.begin()
    assert served() == ["default", "gpu"]
    home.world.tick()
    assert len(home.world.held) == 1, "the agent of this test serves one"
    conn.execute("UPDATE agent_session SET queues = '{default}'")
    home.world.tick(*home.world.work())
    second = home.begin()
    assert (served(), second != first) == (["default"], True)
    assert value(conn, "SELECT count(*) FROM run") == 1
    assert value(conn, "SELECT count(*) FROM dag_version") == 1
    home.world.play()


def test_only_what_no_scheduler_takes_up_for_any_team_is_theirs(conn: Session, home: Home) -> None:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    other = Home(conn, team_id=2, places=0)

    def ignored() -> str:
        at = conn.execute("UPDATE run SET created_at = now() - interval '1 hour'")
        assert at.rowcount > 0
        return read(conn, why_ignored, PERIOD_S)

    for each in (home, other):
        each.begin()
        each.look()
    assert [each.told()[0] for each in (home, other)] == ["scheduler", "scheduler"]
    assert (
        ignored() == "no run of 2 teams with agents is taken up: no scheduler has looked at it yet"
    )
    other.world.tick()
    other.look()
    assert other.told() == ("team", AgentsFull(("local",)))
    assert ignored() == "", (
        "that of one team may lie with its rows, and its agents with nobody else"
    )
    other.world.places = 1
    for each in (home, other):
        each.world.play()


def test_a_process_that_takes_up_no_run_is_replaced(
    conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    transact(conn, schedulers.open_scheduler, "s1", "here", 7, 60.0)
    why = ["no run of 2 teams with agents is taken up"]
    of_teams = TeamCanaries(conn, 60.0, Catalog(conn).graph)
    monkeypatch.setattr(of_teams, "ignored", lambda: why[0])
    canary = Canary(conn, "s1", 60.0, of_teams)
    canary.due_at = clock.monotonic()
    canary.turn()
    assert (canary.why, canary.trouble()) == (why[0], "")
    canary.good_at -= 121
    assert canary.trouble() == f"no run got to success for 121 s: {why[0]}"
    why[0] = ""
    canary.due_at = clock.monotonic()
    canary.turn()
    assert canary.trouble() == ""


def test_a_late_one_is_shown_to_its_team_with_its_reason(
    conn: Session, app_conn: Session, home: Home
) -> None:
    def shown() -> list[tuple[bool, str]]:
        found = within(app_conn, 1, lambda conn: health.components(conn))
        return [(each.healthy, each.detail) for each in found if each.name == "canary"]

    home.world.places = 0
    home.begin()
    home.world.tick()
    home.look()
    conn.execute("UPDATE team_canary SET looked_at = now()")
    assert shown() == [], "it has two periods for the first one"
    conn.execute("UPDATE team_canary SET watched_since = now() - interval '601 seconds'")
    conn.execute("UPDATE agent_session SET slots = 1")
    ((healthy, detail),) = shown()
    assert not healthy
    assert detail == ("the team got no run to success for 10 m: all agents are busy: local")
    home.world.places = 1
    home.world.play()
    home.look()
    conn.execute(
        "UPDATE team_canary SET looked_at = now(), proved_at = now() - interval '40 seconds'"
    )
    assert shown() == [(True, "the team got a run to success 40 s ago")]
    conn.execute("UPDATE team_canary SET looked_at = now() - interval '1 hour'")
    assert shown() == [], "no scheduler looks, which is told of them"


def test_a_time_in_which_nobody_looked_makes_nobody_late(conn: Session, home: Home) -> None:
    home.begin()
    since = home.column("watched_since")
    home.look()
    assert home.column("watched_since") == since
    home.later(1.5 * PERIOD_S + 1)
    home.look()
    assert home.column("watched_since") > since


def test_one_that_fails_again_and_again_is_late_whenever_it_is_looked_at(
    conn: Session, home: Home
) -> None:
    home.begin()
    home.world.play()
    home.look()
    proved_at, since = home.column("proved_at"), home.column("watched_since")
    for _ in range(3):
        home.later(PERIOD_S - 31)  # as late as a turn can be
        home.begin()
        home.world.play(lambda _: {"outcome": "failed", "cause": "disk"})
        home.look()
    assert (home.column("proved_at"), home.column("watched_since")) == (proved_at, since)
    assert home.now - max(proved_at, since) > timedelta(seconds=2 * PERIOD_S)


def test_what_is_wrong_with_one_team_stops_no_look_at_another(
    conn: Session, owner_conn: Session, home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    Home(conn, team_id=2)
    owner_conn.execute(
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted'; END $$;"
        " CREATE TRIGGER broken BEFORE INSERT ON run FOR EACH ROW WHEN (NEW.team_id = 1)"
        " EXECUTE FUNCTION broken()"
    )
    canaries = TeamCanaries(conn, PERIOD_S, graphs(home.world))
    canaries.due_at = clock.monotonic()
    canaries.turn()
    assert conn.execute("SELECT team_id FROM run").fetchall() == [(2,)]
    assert "cannot look at the canary of team 1" in caplog.text
    assert 0 < canaries.due_in() <= 30
    assert TEAMS_MAX > 2
    transact(conn, in_team, 2, team_canaries.remove_run, value(conn, "SELECT run_id FROM run"))


def test_a_look_is_one_schedulers(conn: Session, home: Home) -> None:
    home.later(31)
    assert transact(conn, team_canaries.claim, 1, PERIOD_S, home.now) == (None,)
    transact(conn, team_canaries.start, 1, "~r", home.now + timedelta(seconds=30))
    assert transact(conn, team_canaries.claim, 1, PERIOD_S, home.now) is None


def test_nobody_else_can_have_its_name() -> None:
    with pytest.raises(BadSpec, match="not allowed"):
        check_id("dag_id", DAG_ID, "a.py", 1)
