"""Which files an agent may have: bundles and results of its team, and to write for what is bound to it."""

from types import SimpleNamespace
from typing import Any

import pytest

from headway.agent.protocol import AttemptKey, Piece, Put, WantBundle, WantResult, XComRef
from headway.executors.agents import errands
from headway.executors.agents.errands import KNOWN_MAX, NOT_BOUND, Errands, names
from headway.executors.agents.files import OPEN_MAX, Job
from headway.executors.agents.link import Link
from headway.store import bundles, teams, xcoms
from headway.store.sessions import dead

KEY = AttemptKey("r1", "t", -1, 1)
OTHER = AttemptKey("r1", "t", -1, 2)
MINE, THEIRS = "a" * 64, "b" * 64


class Conn:
    """A database: the bundle of team 1, and a result of it that is in a file."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def __call__(self, conn: Any, work: Any, *of: Any) -> Any:
        """Stands for ``read``."""
        assert conn is self
        self.asked.append((work, *of))
        if work is bundles.is_of_team:
            return of == (1, MINE)
        if work is xcoms.fetch:
            return (
                [SimpleNamespace(file=None), SimpleNamespace(file="xcom/r1/t/x")]
                if of[:2] == (1, "r1")
                else []
            )
        if work is names:
            return {1: "sales", 2: "shop"}
        assert work is dead
        return {"gone"}


@pytest.fixture
def conn(monkeypatch: pytest.MonkeyPatch) -> Conn:
    conn = Conn()
    monkeypatch.setattr(errands, "read", conn)
    return conn


class Taken:
    """Requests that may be answered."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.is_closed = False

    def take(self, link: Link, job: Job) -> None:
        self.jobs.append(job)

    def close(self) -> None:
        self.is_closed = True


def of(conn: Conn, files: Any = None) -> Any:
    host: Any = SimpleNamespace(conn=conn, selector=None)
    found: Any = Errands(host, files)
    assert found.asks.open_max == OPEN_MAX
    found.asks = Taken()
    return found


def link(team_id: int = 1, *held: AttemptKey) -> Link:
    found = Link(None, team_id=team_id)  # type: ignore[arg-type]
    found.held = set(held)
    return found


def refused(piece: Piece | None) -> str | None:
    assert piece is not None
    assert piece.request == 9
    return piece.refused


# -- bundles


def test_a_bundle_is_for_its_own_team(conn: Conn) -> None:
    found, mine = of(conn), link(1)
    want = WantBundle(9, MINE)
    assert found.take(mine, want) is None
    assert found.asks.jobs == [Job(want)]
    assert found.take(mine, WantBundle(9, MINE, ["x"], 5)) is None
    assert conn.asked == [(bundles.is_of_team, 1, MINE)], "asked once, and known then"
    assert refused(found.take(mine, WantBundle(9, THEIRS))) == "the team has no such bundle"
    other = link(2)
    for _ in range(2):
        assert refused(found.take(other, WantBundle(9, MINE))) == "the team has no such bundle"
    assert len(found.asks.jobs) == 2


# -- results


def result(run_id: str = "r1", map_index: int | None = -1) -> WantResult:
    return WantResult(9, run_id, XComRef("t", "return_value", map_index))


def test_a_result_is_for_its_own_team_and_only_what_is_in_a_file(conn: Conn) -> None:
    found, mine = of(conn), link(1)
    for _ in range(2):
        assert found.take(mine, result()) is None
    assert found.asks.jobs == [Job(result(), file="xcom/r1/t/x")] * 2
    assert len(conn.asked) == 1
    for wanted, whose in (
        (result("r2"), mine),
        (result(), link(2)),
        (result(map_index=None), mine),
    ):
        assert refused(found.take(whose, wanted)) == "there is no such result"
    assert len(found.asks.jobs) == 2


def test_what_is_known_of_a_connection_is_bounded(conn: Conn) -> None:
    mine = link(1)
    for number in range(KNOWN_MAX):
        Errands.learn(mine, number, "x")
    assert len(mine.files) == KNOWN_MAX
    Errands.learn(mine, "one more", "y")
    assert mine.files == {"one more": "y"}


# -- what is written


def put(kind: Any = "log", key: AttemptKey = KEY, **more: Any) -> Put:
    return Put(9, key, kind, b"12345", **more)


@pytest.mark.parametrize("kind", ["log", "rendered", "result"])
def test_only_for_what_is_bound_to_it_an_agent_writes(conn: Conn, kind: str) -> None:
    found, mine = of(conn), link(1, KEY)
    assert found.take(mine, put(kind)) is None
    assert found.asks.jobs == [Job(put(kind), "")]
    assert refused(found.take(mine, put(kind, OTHER))) == NOT_BOUND
    assert refused(found.take(link(1), put(kind))) == NOT_BOUND
    assert len(found.asks.jobs) == 1


def test_a_log_has_its_limit_and_nothing_else_has(conn: Conn) -> None:
    found, mine = of(conn), link(1, KEY)
    mine.logs.limit = 5
    assert found.take(mine, put()) is None
    assert found.take(mine, put()) == Piece(9, again=True)
    assert found.take(mine, put("result")) is None
    assert refused(found.take(mine, put(key=OTHER))) == NOT_BOUND, "what is refused is not counted"


@pytest.mark.parametrize(
    "wrong",
    [
        WantBundle(9, "a\0"),
        WantBundle(9, MINE, ["a\0"]),
        WantResult(9, "r\0", XComRef("t", "k", -1)),
        WantResult(9, "r", XComRef("t\0", "k", -1)),
        WantResult(9, "r", XComRef("t", "k\0", -1)),
        Put(9, KEY, "result", b"", name="x\0"),
    ],
)
def test_what_cannot_be_stored_ends_the_connection(conn: Conn, wrong: Any) -> None:
    with pytest.raises(ValueError, match="NUL"):
        of(conn).take(link(1, KEY), wrong)


# -- teams and their logs


def test_logs_are_kept_by_the_name_of_the_team_where_there_is_a_store(conn: Conn) -> None:
    assert of(conn).team(1) == ""
    assert of(conn, SimpleNamespace(answer=None, spool=None)).team(1) == ""
    found = of(conn, SimpleNamespace(answer=None, spool="there"))
    assert [found.team(each) for each in (1, 2, 1)] == ["sales", "shop", "sales"]
    assert conn.asked == [(names,)]
    assert found.take(link(2, KEY), put()) is None
    assert found.asks.jobs[0].team == "shop"


def test_logs_that_were_left_are_looked_at_where_there_are_some(conn: Conn) -> None:
    looked: list[Any] = []

    def look(sessions: Any, ended: Any) -> None:
        looked.append((sessions, ended({"s1"})))

    files = SimpleNamespace(answer=None, unfinished={}, look=look)
    of(conn).look(["s"])
    found = of(conn, files)
    found.look(["s"])
    assert looked == []
    files.unfinished["path"] = 1
    found.look(["s"])
    assert looked == [(["s"], {"gone"})]
    found.close()
    assert found.asks.is_closed


def test_all_teams_have_names(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [SimpleNamespace(team_id=1, name="sales"), SimpleNamespace(team_id=2, name="shop")]
    monkeypatch.setattr(teams, "every", lambda conn: rows)
    assert names(None) == {1: "sales", 2: "shop"}  # type: ignore[arg-type]
