"""What running tasks ask about runs, and start: of their team, and of others only what is granted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headway.agent.protocol import Answer, Ask, AttemptKey, ByAttempt
from headway.authoring import airflow_names
from headway.authoring import secrets as asking
from headway.authoring.operators.templates import render
from headway.authoring.run import Run
from headway.secrets import runs
from headway.secrets.askers import UNPROVED
from headway.secrets.keys import local_keys
from headway.secrets.service import Service
from headway.spec import model
from headway.store.transact import Session
from tests.api import seed
from tests.leaks.world import rows_of

ENDED = UNPROVED[ByAttempt]
HOUR = timedelta(hours=1)


@pytest.fixture
def service(database: str, owner_conn: Session, tmp_path: Path) -> Iterator[Service]:
    """A live attempt of a task of DAG ``d`` in the team "default"; "other" has the DAGs ``d`` and ``theirs``."""
    seed.dag(owner_conn, "d")
    seed.run(owner_conn, "d", "r1")
    seed.instance(owner_conn, "r1", "t0", "running")
    seed.attempt(owner_conn, "r1", "t0")
    owner_conn.execute("UPDATE attempt SET state = 'running', token = 'token', ended_at = NULL")
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other'), (3, 'third')")
    seed.dag(owner_conn, "d", team_id=2)
    seed.dag(owner_conn, "theirs", team_id=2)
    seed.run(owner_conn, "theirs", "r9", state="success", team_id=2)
    found = Service(database, tmp_path, local_keys(tmp_path, None))
    yield found
    found.close()


def send(service: Service, text: str, token: str = "token", index: int = -1) -> Answer:
    return service.answer(
        1, "s1", Ask(1, ByAttempt(AttemptKey("r1", "t0", index, 1), token), "runs", text)
    )


def ask(service: Service, kind: str, dag_id: str, **question: object) -> Any:
    """Return the decoded answer, or the text of the refusal."""
    asked = {"ask": kind, "dag_id": dag_id, **question}
    answer = send(service, msgspec.json.encode(asked).decode())
    return answer.refused or msgspec.json.decode(str(answer.value))


def ids(found: Any) -> list[str]:
    return [run["run_id"] for run in found]


def grant(conn: Session, kind: str, dag_id: str, owner: str = "other") -> None:
    conn.execute(
        "INSERT INTO team_grant (grant_id, owner, grantee, name, kind, state, note, changed_by, changed_in)"
        " VALUES (%s, %s, 'default', %s, %s, 'given', '', 'me', %s)",
        [f"{owner}/{dag_id}/{kind}", owner, dag_id, kind, owner],
    )


def change(conn: Session, dag_id: str, **fields: Any) -> None:
    spec = msgspec.structs.replace(seed.spec(dag_id), **fields)
    conn.execute(
        "UPDATE dag_version SET spec = %s WHERE team_id = 1 AND dag_id = %s",
        [model.encode(spec).decode(), dag_id],
    )


def test_runs_are_found_by_id_by_date_and_as_the_last_before(
    service: Service, owner_conn: Session
) -> None:
    seed.run(owner_conn, "d", "r2", minute=1, state="success")
    seed.run(owner_conn, "d", "r3", minute=2, state="failed")
    assert ids(ask(service, "runs", "d", run_ids=["r3", "r9", "nosuch"])) == ["r3"]
    dates = [seed.NOON, seed.NOON + timedelta(minutes=2), seed.NOON + HOUR]
    assert ids(ask(service, "runs", "d", dates=dates)) == ["r1", "r3"]
    assert ids(ask(service, "runs", "d", dates=dates, state="failed")) == ["r3"]
    assert ids(ask(service, "runs", "d", before=dates[1])) == ["r2", "r1"]
    assert ids(ask(service, "runs", "d", before=dates[2], state="success", limit=1)) == ["r2"]
    (whole,) = ask(service, "runs", "d", run_ids=["r2"], whole=True)
    assert (whole["state"], whole["params"], whole["given_id"]) == ("success", {}, None)
    assert "more than 2 runs" in ask(service, "runs", "d", run_ids=["r1", "r2", "r3"], limit=2)


def test_a_dag_may_know_its_runs_by_the_start_of_their_interval(
    service: Service, owner_conn: Session
) -> None:
    """The fire of 5 o'clock of the second day is, in Airflow's words, the run of the first."""
    change(owner_conn, "d", dated_by_start=True)
    first = datetime(2026, 3, 1, 5, tzinfo=UTC)
    second = first + timedelta(days=1)
    for run_id, fire in (("s1", first), ("s2", second)):
        seed.run(owner_conn, "d", run_id, state="success")
        owner_conn.execute(
            "UPDATE run SET trigger = 'schedule', logical_date = %s, interval_start = %s, interval_end = %s"
            " WHERE run_id = %s",
            [fire, fire - timedelta(days=1), fire, run_id],
        )
    seed.run(owner_conn, "d", "m1")
    owner_conn.execute("UPDATE run SET logical_date = %s WHERE run_id = 'm1'", [second + HOUR])
    (found,) = ask(service, "runs", "d", dates=[first])
    assert (found["run_id"], found["logical_date"]) == ("s2", "2026-03-01T05:00:00Z")
    assert ids(ask(service, "runs", "d", dates=[second + HOUR])) == ["m1"]
    assert ids(ask(service, "runs", "d", before=first, state="success", limit=1)) == ["s1"]


def test_instances_are_found_by_run_task_group_and_index(
    service: Service, owner_conn: Session
) -> None:
    seed.run(owner_conn, "d", "r2")
    for task_id, index in (("t1", -1), ("g.a", 0), ("g.a", 1), ("g.h.b", -1)):
        seed.instance(owner_conn, "r2", task_id, "success", index)

    def names(**question: object) -> list[str]:
        found = ask(service, "instances", "d", run_ids=["r2"], **question)
        return sorted(f"{each['task_id']}/{each['map_index']}" for each in found)

    assert names() == ["g.a/0", "g.a/1", "g.h.b/-1", "t1/-1"]
    assert names(task_ids=["t1", "g.a"]) == ["g.a/0", "g.a/1", "t1/-1"]
    assert names(group="g") == ["g.a/0", "g.a/1", "g.h.b/-1"]
    assert names(group="g", map_index=1) == ["g.a/1"]
    assert ask(service, "instances", "d", run_ids=["r9"]) == []


def test_nothing_of_another_team_is_told_or_started_without_its_grant(
    service: Service, owner_conn: Session
) -> None:
    named = "@other/theirs"
    for kind, question in QUESTIONS.items():
        assert ask(service, kind, named, **question) is None
    started = {"run_id": "mine"}
    refused = "the team default may not start @other/theirs"
    before = [rows_of(owner_conn, team_id) for team_id in (1, 2, 3)]
    for other in (named, "@other/nosuch", "@nosuch/theirs"):  # no answer tells which there are
        told_of = ask(service, "start", other, **started)
        team, _, dag_id = other[1:].partition("/")
        as_theirs = told_of.replace(other, named).replace(
            f"{team} start {dag_id}", "other start theirs"
        )
        assert as_theirs == f"{refused}; to ask for it: headway grant ask other start theirs"
    after = [rows_of(owner_conn, team_id) for team_id in (1, 2, 3)]
    assert after[1:] == before[1:]
    assert {table for table in after[0] if after[0][table] != before[0][table]} == {"audit"}
    entries = "SELECT team_id, actor, action, subject FROM audit WHERE action = 'dags.refuse'"
    entry = (1, "task:d/r1/t0", "dags.refuse", "r1")
    assert owner_conn.execute(entries).fetchall() == [entry]  # of an attempt one, whatever it tries
    grant(owner_conn, "see_runs", "theirs")
    (run,) = ask(service, "runs", named, run_ids=["r9"])
    assert (run["run_id"], run["dag_id"]) == ("r9", named)
    told = ask(service, "dag", named)
    assert (told["file"], told["dag_id"]) == ("theirs.py", named)
    assert refused in ask(service, "start", named, **started)
    grant(owner_conn, "start", "theirs")
    made = ask(service, "start", named, **started)
    rows = "SELECT team_id, created_by FROM run WHERE run_id = %s"
    assert owner_conn.execute(rows, [made["run_id"]]).fetchall() == [(2, "task:d/r1/t0")]
    audited = owner_conn.execute(
        "SELECT team_id, actor, action, detail FROM audit WHERE via = 'agent' AND team_id = 2"
    ).fetchall()
    detail = {"dag_id": "theirs", "team": "default"}
    assert audited == [(2, "task:d/r1/t0", "dags.trigger", detail)]


QUESTIONS: dict[str, dict[str, Any]] = {
    "runs": {"run_ids": ["r9"]},
    "instances": {"run_ids": ["r9"]},
    "dag": {},
}


def test_a_name_without_a_team_is_of_the_own_team_only(
    service: Service, owner_conn: Session
) -> None:
    """What others grant never changes what a name means, nor does a name that only looks like one with a team."""
    for kind in ("see_runs", "start"):
        for name in ("d", "theirs"):
            grant(owner_conn, kind, name)
    assert ids(ask(service, "runs", "d", run_ids=["r1"])) == ["r1"]
    assert ask(service, "runs", "@other/d", run_ids=["r1"]) == []
    for named in (
        "theirs",
        "@third/theirs",
        "@default/theirs",
        "@other/",
        "@/theirs",
        "other/theirs",
    ):
        assert ask(service, "dag", named) is None, named
    assert "one of another team is named @TEAM/theirs" in ask(
        service, "start", "theirs", run_id="x"
    )
    assert owner_conn.execute("SELECT count(*) FROM run WHERE run_key = 'manual:x'").fetchone() == (
        0,
    )


def test_a_started_run_keeps_its_name_and_is_one(service: Service, owner_conn: Session) -> None:
    date = seed.NOON + HOUR
    wanted = {"run_id": "by hand/1", "params": {"size": 5}, "note": "from t0", "logical_date": date}
    made = ask(service, "start", "d", **wanted)
    assert made["exists"] is False
    (found,) = ask(service, "runs", "d", run_ids=["by hand/1"], whole=True)
    assert found["run_id"] == made["run_id"]
    assert (found["given_id"], found["params"], found["note"]) == (
        "by hand/1",
        {"size": 5},
        "from t0",
    )
    assert found["logical_date"] == date.isoformat().replace("+00:00", "Z")
    assert ask(service, "start", "d", **wanted) == made  # the same question, sent again
    owner_conn.execute("UPDATE run SET created_by = 'user:ann' WHERE run_key LIKE 'manual:by%'")
    assert ask(service, "start", "d", **wanted) == {**made, "exists": True}
    assert 'no parameter "colour"' in ask(service, "start", "d", run_id="x", params={"colour": 1})
    change(owner_conn, "d", open_params=True)
    assert "run_id" in ask(service, "start", "d", run_id="x", params={"colour": 1})


def test_a_run_can_be_run_again_by_its_name(service: Service, owner_conn: Session) -> None:
    seed.run(owner_conn, "d", "r2", state="success")
    for task in ("t0", "t1", "t2"):
        seed.instance(owner_conn, "r2", task, "success")
    owner_conn.execute("UPDATE run SET run_key = 'manual:x' WHERE run_id = 'r2'")
    known = ask(service, "start", "d", run_id="x")
    assert (known["run_id"], known["exists"]) == ("r2", True)
    assert ask(service, "start", "d", run_id="x", again=True) == {**known, "exists": False}
    row = owner_conn.execute("SELECT state FROM run WHERE run_id = 'r2'")
    assert row.fetchone() == ("queued",)
    told = owner_conn.execute("SELECT actor, action, subject FROM audit").fetchall()
    assert told == [("task:d/r1/t0", "runs.clear", "r2")]


def test_a_grant_to_start_lets_nobody_run_again_what_others_started(
    service: Service, owner_conn: Session
) -> None:
    grant(owner_conn, "start", "theirs")
    owner_conn.execute(
        "INSERT INTO task_instance (team_id, run_id, task_id, map_index, state, pool, attempts, ended_at)"
        " SELECT 2, 'r9', task, -1, 'success', 'default', 1, now() FROM unnest('{t0,t1,t2}'::text[]) AS task"
    )
    owner_conn.execute("UPDATE run SET run_key = 'manual:nightly' WHERE run_id = 'r9'")
    # A run of the own team with the name that the other run says of who started it.
    seed.run(owner_conn, "d", "r2")
    owner_conn.execute("UPDATE run SET run_key = 'manual:forged' WHERE run_id = 'r2'")
    before = rows_of(owner_conn, 2)
    for by in ("user:ann", "task:theirs/r8/t0", "task:d/forged/t0", "task:d/", "task:", "d/r1/t0"):
        owner_conn.execute("UPDATE run SET created_by = %s WHERE run_id = 'r9'", [by])
        for named in ("r9", "nightly"):
            told = ask(service, "start", "@other/theirs", run_id=named, again=True, note="mine now")
            assert told == (
                f"the run {named!r} of @other/theirs was not started by the team default, so it may not run it again"
            )
    owner_conn.execute("UPDATE run SET created_by = 'user:x' WHERE run_id = 'r9'")
    assert rows_of(owner_conn, 2).keys() == before.keys()
    for table, rows in rows_of(owner_conn, 2).items():
        assert table == "run" or rows == before[table]
    state = owner_conn.execute("SELECT state, note FROM run WHERE run_id = 'r9'").fetchone()
    assert state == ("success", None)
    # What a task of the team started, its team may run again.
    owner_conn.execute("UPDATE run SET created_by = 'task:d/r2/t1' WHERE run_id = 'r9'")
    found = ask(service, "start", "@other/theirs", run_id="r9", again=True)
    assert (found["run_id"], found["exists"]) == ("r9", False)
    assert owner_conn.execute("SELECT state FROM run WHERE run_id = 'r9'").fetchone() == ("queued",)


def test_a_team_has_its_limits_for_runs_of_tasks_too(service: Service, owner_conn: Session) -> None:
    owner_conn.execute("""UPDATE team SET limits = '{"open_runs": 2}' WHERE team_id = 1""")
    assert ask(service, "start", "d", run_id="1")["exists"] is False
    assert "open_runs" in ask(service, "start", "d", run_id="2") or "open runs" in ask(
        service, "start", "d", run_id="2"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "cannot be read"),
        ('{"ask": "drop", "dag_id": "d"}', "cannot be read"),
        ('{"ask": "dag", "dag_id": "d", "team": "other"}', "cannot be read"),
        ('{"ask": "dag", "dag_id": "a\\u0000b"}', "NUL"),
        ('{"ask": "runs", "dag_id": "d", "before": "2026-01-01T00:00:00"}', "no time zone"),
        ('{"ask": "runs", "dag_id": "d", "dates": ["0001-01-01T00:00:00Z"]}', "between"),
        ("[" * 100_000, "cannot be read"),
        (" " * 2_000_000, "more than 1 MB"),
    ],
)
def test_a_question_that_is_none_is_refused(service: Service, text: str, why: str) -> None:
    assert why in send(service, text).refused


def test_a_question_is_of_a_live_attempt_and_names_no_more_than_it_may(service: Service) -> None:
    assert send(service, '{"ask": "dag", "dag_id": "d"}', token="guess").refused == ENDED
    many = [f"x{n}" for n in range(2_001)]
    assert "names more than" in ask(service, "runs", "d", run_ids=many)
    assert "names more than" in ask(service, "instances", "d", run_ids=["r1"], task_ids=many)


def test_a_mapped_task_starts_runs_under_the_name_of_its_instance() -> None:
    assert runs.Asker(1, "default", "d", "r1", "t0", 3).name == "task:d/r1/t0[3]"


def test_the_secrets_in_a_result_come_with_it(service: Service, owner_conn: Session) -> None:
    owner_conn.execute(
        "INSERT INTO xcom (team_id, run_id, task_id, map_index, key, attempt, value, whole, masked, secrets, size)"
        """ VALUES (1, 'r1', 't0', -1, 'return_value', 1, '"***"', '"s3cret"', true, '["s3cret"]', 8)"""
    )
    question = {"run_id": "r1", "task_id": "t0", "key": "return_value", "map_index": None}
    text = msgspec.json.encode(question).decode()
    answer = service.answer(
        1, "s1", Ask(1, ByAttempt(AttemptKey("r1", "t0", -1, 1), "token"), "xcom", text)
    )
    assert msgspec.json.decode(str(answer.value)) == [{"map_index": -1, "value": "s3cret"}]
    assert answer.secrets == ["s3cret"]
    other = text.replace("t0", "t9")
    answer = service.answer(
        1, "s1", Ask(1, ByAttempt(AttemptKey("r1", "t0", -1, 1), "token"), "xcom", other)
    )
    assert (answer.value, answer.secrets) == ("[]", [])


@pytest.mark.parametrize("name", ["run_id", "partition"])
def test_a_name_that_no_run_can_have_is_refused(
    service: Service, owner_conn: Session, name: str
) -> None:
    """An index holds no text of any length, and its error says nothing to who wrote the task."""
    import secrets

    asked = {"run_id": "x", name: secrets.token_hex(5_000)}
    told = str(ask(service, "start", "d", **asked))
    assert "10000 bytes long; the limit is" in told.replace(",", "")


def test_no_grant_opens_the_results_of_another_team(
    service: Service, owner_conn: Session, tmp_path: Path
) -> None:
    """A run of the own team tells its results, whichever DAG it is of; one that was started with a grant does not."""
    seed.dag(owner_conn, "mine")
    seed.run(owner_conn, "mine", "r2", state="success")
    owner_conn.execute("SET session_replication_role = replica")  # nobody asks for their attempts
    for team_id, run_id in ((1, "r2"), (2, "r9")):
        owner_conn.execute(
            "INSERT INTO xcom (team_id, run_id, task_id, map_index, key, attempt, size, value)"
            " VALUES (%s, %s, 't0', -1, 'return_value', 1, 1, '7')",
            [team_id, run_id],
        )
    owner_conn.execute("RESET session_replication_role")
    for kind in ("start", "wait", "see_runs"):
        grant(owner_conn, kind, "theirs")

    def result_of(run_id: str) -> Any:
        wanted = {"run_id": run_id, "task_id": "t0", "key": "return_value", "map_index": None}
        text = msgspec.json.encode(wanted).decode()
        asked = Ask(1, ByAttempt(AttemptKey("r1", "t0", -1, 1), "token"), "xcom", text)
        return msgspec.json.decode(str(service.answer(1, "s1", asked).value))

    assert result_of("r2") == [{"map_index": -1, "value": 7}]
    assert result_of("r9") == []


def test_a_template_reads_the_last_run_that_succeeded(
    service: Service, owner_conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 1, 5, tzinfo=UTC)
    for number, state in enumerate(("success", "success", "failed", "success")):
        seed.run(owner_conn, "d", f"e{number}", state=state)
        owner_conn.execute(
            "UPDATE run SET logical_date = %s WHERE run_id = %s",
            [at + number * HOUR, f"e{number}"],
        )
    monkeypatch.setattr(asking, "ask", lambda kind, name: send(service, name).value)
    run = Run(
        run_id="r1",
        dag_id="d",
        task_id="t0",
        logical_date=at + 3 * HOUR,
        data_interval=(at, at),
    )
    found = airflow_names.earlier(run)
    assert found is not None
    assert found.run_id == "e1"
    assert render("{{ prev_data_interval_end_success.year }}", run) == str(found.interval_end.year)
    airflow_names.known.clear()
