"""Questions of waits and watchers: proved by the session that holds them now, for the DAGs that may have an answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headway import wire
from headway.agent.protocol import Answer, Ask, AttemptKey, By, ByAttempt, ByWait, ByWatcher
from headway.agent.watchers import WatcherKey
from headway.core import audited
from headway.secrets import asset_events, results, runs, stored
from headway.secrets.askers import OF_A_RUN_ONLY, UNPROVED
from headway.secrets.keys import local_keys
from headway.secrets.service import MISSES_MAX, Service, guessing
from headway.store.transact import Session
from tests.api import seed
from tests.leaks.world import rows_of

KEY = AttemptKey("r1", "t0", -1, 1, 2)
WATCHER = WatcherKey("d" * 64, 3)
OVER = UNPROVED[ByWait]
ELSEWHERE = UNPROVED[ByWatcher]


@pytest.fixture
def service(database: str, owner_conn: Session, tmp_path: Path) -> Iterator[Service]:
    """A wait of DAG ``d`` and a watcher that DAG ``d`` names, both held by the session ``s1`` of team 1."""
    conn = owner_conn
    for dag_id in ("d", "e"):
        seed.dag(conn, dag_id)
    seed.run(conn, "d", "r1")
    seed.instance(conn, "r1", "t0", "deferred")
    seed.attempt(conn, "r1", "t0")
    conn.execute("UPDATE attempt SET state = 'deferred', ended_at = NULL, deferrals = 2")
    conn.execute(
        "INSERT INTO wait (team_id, run_id, task_id, map_index, attempt, deferrals, kind, facts, since, overdue,"
        " reschedules, finishes, session_id)"
        " VALUES (1, 'r1', 't0', -1, 1, 2, 'trigger', '{}', now(), 'fail', false, false, 's1')"
    )
    watched(conn, "d")
    conn.execute(
        "INSERT INTO watch (team_id, digest, facts, queue, shared, dag_id, file, bundle_version, wanted, starts_at,"
        " session_id, life)"
        " VALUES (1, %s, '{}', 'default', false, 'd', 'd.py', 'b1', true, now(), 's1', 3)",
        [WATCHER.digest],
    )
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    keys = local_keys(tmp_path, None)
    for name, team, dags in (
        ("warehouse", 1, None),
        ("of-d", 1, ["d"]),
        ("of-e", 1, ["e"]),
        ("only-theirs", 2, None),
    ):
        wanted = wire.ConnectionRequest(uri="postgres://u:hunter2@h", dags=dags)
        stored.set_connection(conn, keys, team, name, wanted, "me")
    found = Service(database, tmp_path, keys)
    yield found
    found.close()


def watched(conn: Session, dag_id: str) -> None:
    conn.execute(
        "INSERT INTO asset_watcher VALUES (1, %s, %s, 'looks', %s, '{}', 'default')",
        [dag_id, f"asset-{dag_id}", WATCHER.digest],
    )


def ask(
    service: Service,
    by: By,
    name: str,
    *,
    kind: str = "connection",
    team: int = 1,
    session: str = "s1",
) -> Answer:
    return service.answer(team, session, Ask(1, by, kind, name))


def has(service: Service, by: By, name: str) -> bool:
    answer = ask(service, by, name)
    assert answer.refused == ""
    assert answer.value is None or answer.secrets == ["hunter2"]
    return answer.value is not None


BOTH = pytest.mark.parametrize("by", [ByWait(KEY), ByWatcher(WATCHER)])


@BOTH
def test_who_is_held_has_what_its_dag_may_have(service: Service, by: By) -> None:
    names = ("warehouse", "of-d", "of-e", "only-theirs", "missing")
    assert [has(service, by, name) for name in names] == [True, True, False, False, False]


@BOTH
def test_only_the_session_that_holds_it_now_gets_an_answer(
    service: Service, owner_conn: Session, by: By
) -> None:
    before = rows_of(owner_conn, 1), rows_of(owner_conn, 2)
    for wrong in ({"team": 2}, {"session": "s2"}, {"session": ""}, {"team": 2, "session": "s2"}):
        assert ask(service, by, "warehouse", **wrong).refused == UNPROVED[type(by)]
    assert (rows_of(owner_conn, 1), rows_of(owner_conn, 2)) == before
    owner_conn.execute("UPDATE agent_session SET ended_at = now()")
    assert ask(service, by, "warehouse") == Answer(1, refused=UNPROVED[type(by)])


@pytest.mark.parametrize(
    "key",
    [
        AttemptKey("r1", "t0", -1, 1, 1),  # an earlier wait of the same attempt
        AttemptKey("r1", "t0", -1, 2, 2),
        AttemptKey("r1", "t0", 0, 1, 2),
        AttemptKey("r1", "t1", -1, 1, 2),
        AttemptKey("r2", "t0", -1, 1, 2),
    ],
)
def test_another_wait_is_not_the_one_that_is_held(service: Service, key: AttemptKey) -> None:
    assert ask(service, ByWait(key), "warehouse") == Answer(1, refused=OVER)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE wait SET is_over = true, session_id = NULL",
        "UPDATE wait SET reported = true",
        "UPDATE wait SET session_id = 's2'",
        "UPDATE wait SET kind = 'time'",
        "DELETE FROM wait",  # as when the task is cleared
        "UPDATE team SET deleted_at = now() WHERE team_id = 1",
    ],
)
def test_a_wait_that_is_over_gets_nothing(
    service: Service, owner_conn: Session, change: str
) -> None:
    owner_conn.execute(change)
    assert ask(service, ByWait(KEY), "warehouse") == Answer(1, refused=OVER)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE watch SET life = 4",  # it was handed out anew, to the same session
        "UPDATE watch SET life = 2",
        "UPDATE watch SET session_id = 's2'",
        "UPDATE watch SET session_id = NULL",
        "UPDATE watch SET wanted = false, session_id = NULL",
        "DELETE FROM asset_watcher",
        "UPDATE dag SET missing_since = now()",
        "UPDATE dag SET file = 'elsewhere.py'",
        "UPDATE team SET deleted_at = now() WHERE team_id = 1",
    ],
)
def test_an_old_life_of_a_watcher_gets_nothing(
    service: Service, owner_conn: Session, change: str
) -> None:
    owner_conn.execute(change)
    assert ask(service, ByWatcher(WATCHER), "warehouse") == Answer(1, refused=ELSEWHERE)


def test_a_deferred_attempt_has_no_token_that_could_be_guessed(service: Service) -> None:
    for token in ("", "token", "None"):
        assert ask(service, ByAttempt(KEY, token), "warehouse").refused == UNPROVED[ByAttempt]


def test_a_watcher_has_what_one_of_the_dags_with_its_code_may_have(
    service: Service, owner_conn: Session
) -> None:
    """DAG ``e`` names a watcher that looks the same, in another file: that code is not the one which runs."""
    by = ByWatcher(WATCHER)
    watched(owner_conn, "e")
    assert (has(service, by, "of-d"), has(service, by, "of-e")) == (True, False)
    owner_conn.execute("UPDATE watch SET dag_id = 'e', file = 'e.py'")
    assert (has(service, by, "of-d"), has(service, by, "of-e")) == (False, True)
    owner_conn.execute("UPDATE dag SET file = 'e.py'")  # one file with both
    assert (has(service, by, "of-d"), has(service, by, "of-e")) == (True, True)
    owner_conn.execute("UPDATE dag SET file = dag_id || '.py'")
    owner_conn.execute(
        "UPDATE watch SET shared = true"
    )  # code of Headway: it does the same for each
    assert (has(service, by, "of-d"), has(service, by, "of-e")) == (True, True)
    owner_conn.execute("UPDATE dag SET missing_since = now() WHERE dag_id = 'd'")
    assert (has(service, by, "of-d"), has(service, by, "of-e")) == (False, True)


@pytest.mark.parametrize(
    ("by", "noun", "actor", "subject"),
    [
        (ByWait(KEY), "wait", "task:d/t0", "r1"),
        (ByWatcher(WATCHER), "watcher", "watcher:looks", "d"),
    ],
)
def test_who_guesses_names_gets_no_more_answers(
    service: Service, owner_conn: Session, by: By, noun: str, actor: str, subject: str
) -> None:
    watched(owner_conn, "e")  # the first of its DAGs stands for a watcher
    owner_conn.execute("UPDATE watch SET shared = true")
    for _ in range(2 * MISSES_MAX):  # one that is not there yet is looked for again and again
        assert not has(service, by, "later")
    for number in range(MISSES_MAX - 2):
        assert not has(service, by, f"guess-{number}")
    assert has(service, by, "warehouse")
    assert not has(service, by, "only-theirs")
    for _ in range(2):
        assert ask(service, by, "warehouse") == Answer(1, refused=guessing(noun))
    told = owner_conn.execute(
        "SELECT team_id, actor, action, subject, detail FROM audit"
    ).fetchall()
    detail = {"names": MISSES_MAX} | ({"watcher": True} if noun == "watcher" else {})
    assert told == [(1, actor, "secrets.guess", subject, detail)]
    words = audited.guessed(subject, detail)
    assert words.endswith("for DAG d" if noun == "watcher" else "in run r1")


def test_a_task_that_waits_again_does_not_guess_anew(service: Service, owner_conn: Session) -> None:
    for number in range(MISSES_MAX):
        has(service, ByWait(KEY), f"guess-{number}")
    owner_conn.execute("UPDATE wait SET deferrals = 3")
    again = ByWait(AttemptKey("r1", "t0", -1, 1, 3))
    assert ask(service, again, "warehouse") == Answer(1, refused=guessing("wait"))


def test_a_wait_reads_results_and_runs_and_starts_none(
    service: Service, owner_conn: Session
) -> None:
    def told(by: By, kind: str, name: str) -> Answer:
        return ask(service, by, name, kind=kind)

    result = '{"run_id": "r1", "task_id": "t0", "key": "k", "map_index": null}'
    of_d = '{"ask": "runs", "dag_id": "d"}'
    start = '{"ask": "start", "dag_id": "e", "run_id": "mine"}'
    assert told(ByWait(KEY), results.KIND, result) == Answer(1, "[]")
    assert told(ByWait(KEY), asset_events.KIND, "{}") == Answer(1, "[]")
    assert '"r1"' in str(told(ByWait(KEY), runs.KIND, of_d).value)
    before: Any = rows_of(owner_conn, 1)
    assert "a trigger cannot start a run" in told(ByWait(KEY), runs.KIND, start).refused
    for kind, name in ((results.KIND, result), (runs.KIND, of_d), (runs.KIND, start)):
        assert told(ByWatcher(WATCHER), kind, name) == Answer(1, refused=OF_A_RUN_ONLY)
    assert rows_of(owner_conn, 1) == before
