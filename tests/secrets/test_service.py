"""Questions of attempts: bound to one live attempt, to the team of its agent, and never a way to guess."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headway import wire
from headway.agent.protocol import Answer, Ask, AttemptKey, ByAttempt
from headway.errors import UsageError
from headway.executors.agents.gateway import ENCODER
from headway.executors.agents.older import OF_NOW
from headway.secrets import asset_events, results, runs, stored
from headway.secrets.askers import UNPROVED
from headway.secrets.backends import BACKENDS
from headway.secrets.backends.base import Question
from headway.secrets.keys import LocalKeys, local_keys
from headway.secrets.service import MISSES_MAX, Service, backends_of, guessing
from headway.secrets.trial import Trial
from headway.store.transact import Session
from tests.api import seed
from tests.leaks.world import rows_of

ENDED = UNPROVED[ByAttempt]
GUESSING = guessing("attempt")
NOBODY = ByAttempt(AttemptKey("", "", -1, 0), "")


@pytest.fixture
def keys(tmp_path: Path) -> LocalKeys:
    return local_keys(tmp_path, None)


@pytest.fixture
def service(
    database: str, owner_conn: Session, tmp_path: Path, keys: LocalKeys
) -> Iterator[Service]:
    """One live attempt of DAG ``d`` in team 1, with the token "token"."""
    seed.dag(owner_conn, "d")
    seed.run(owner_conn, "d", "r1")
    seed.instance(owner_conn, "r1", "t0", "running")
    seed.attempt(owner_conn, "r1", "t0")
    owner_conn.execute("UPDATE attempt SET state = 'running', token = 'token', ended_at = NULL")
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    for team, password in ((1, "ours"), (2, "theirs")):
        uri = f"postgres://u:{password}@h"
        wanted = wire.ConnectionRequest(uri=uri)
        stored.set_connection(owner_conn, keys, team, "warehouse", wanted, "me")
    theirs = wire.ConnectionRequest(uri="postgres://u:theirs@h")
    stored.set_connection(owner_conn, keys, 2, "only-theirs", theirs, "me")
    stored.set_variable(owner_conn, keys, 1, "size", wire.VariableRequest(value="3"), "me")
    restricted = wire.ConnectionRequest(uri="postgres://u:pw@h", dags=["another"])
    stored.set_connection(owner_conn, keys, 1, "restricted", restricted, "me")
    found = Service(database, tmp_path, keys)
    yield found
    found.close()


def ask(
    service: Service,
    name: str,
    *,
    team: int = 1,
    session: str = "s1",
    token: str = "token",
    **key: int,
) -> Answer:
    asked = AttemptKey("r1", "t0", -1, key.get("attempt", 1))
    return service.answer(team, session, Ask(1, ByAttempt(asked, token), "connection", name))


def test_the_same_id_in_two_teams_is_two_secrets(service: Service) -> None:
    answer = ask(service, "warehouse")
    assert '"password":"ours"' in str(answer.value)
    assert answer.secrets == ["ours"]


def test_what_a_dag_may_not_have_is_not_told_from_what_is_missing(service: Service) -> None:
    missing = ask(service, "missing")
    for name in ("only-theirs", "restricted", "../other/warehouse", "a%2f..%2fb", "WAREHOUSE"):
        assert ask(service, name) == missing == Answer(1)


def test_only_its_own_live_attempt_gets_a_secret(service: Service, owner_conn: Session) -> None:
    for wrong in (
        {"team": 2},
        {"session": "s2"},
        {"token": "guess"},
        {"token": ""},
        {"attempt": 2},
    ):
        assert ask(service, "warehouse", **wrong) == Answer(1, refused=ENDED)
    owner_conn.execute("UPDATE attempt SET state = 'success', token = NULL, ended_at = now()")
    assert ask(service, "warehouse") == Answer(1, refused=ENDED)


def test_who_guesses_names_gets_no_more_answers(
    service: Service, owner_conn: Session, caplog: pytest.LogCaptureFixture
) -> None:
    before = rows_of(owner_conn, 2)
    for number in range(MISSES_MAX - 1):
        assert ask(service, f"guess-{number}") == Answer(1)
    assert ask(service, "only-theirs") == Answer(1)  # as one that is not there
    assert ask(service, "warehouse") == Answer(1, refused=GUESSING)
    assert rows_of(owner_conn, 2) == before
    columns = "team_id, actor, via, action, subject, address, detail"
    told = owner_conn.execute(f"SELECT {columns} FROM audit").fetchall()
    entry = (1, "task:d/t0", "agent", "secrets.guess", "r1", "", {"names": MISSES_MAX})
    assert told == [entry]
    assert caplog.messages == [
        "task:d/t0 (r1), team 1, guesses names of secrets",
        f"did not answer a question of team 1: {GUESSING}",
    ]


def test_who_guesses_is_remembered_by_attempt_as_long_as_there_is_room(
    service: Service, owner_conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.secrets.service.ASKERS_KNOWN_MAX", 2)
    for token in ("a", "b", "c"):
        owner_conn.execute("UPDATE attempt SET token = %s", [token])
        assert ask(service, "guess", token=token) == Answer(1)
    assert [*service.misses] == [(1, ("b",)), (1, ("c",))]


def test_a_refusal_is_never_a_miss(service: Service, tmp_path: Path, owner_conn: Session) -> None:
    """The backend asked first refuses: the one behind it is not asked."""
    outside = tmp_path / "outside"
    outside.write_text("postgres://u:x@h")
    (tmp_path / "files/default/connections").mkdir(parents=True)
    (tmp_path / "files/default/connections/warehouse").symlink_to(outside)
    (tmp_path / "secrets.toml").write_text(
        f'order = ["files", "builtin"]\n[files]\nfolder = "{tmp_path}/files"\n'
    )
    answer = ask(service, "warehouse")
    assert (answer.value, "files refused" in answer.refused) == (None, True)


def test_what_breaks_is_a_refusal_and_tells_nothing(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def get(self, question: Question) -> None:
            raise RuntimeError("hunter2")

    service.backends = [Broken()]
    broken = Answer(1, refused="the server cannot answer; see its log")
    assert ask(service, "warehouse") == broken
    assert caplog.messages == ["cannot answer a question of team 1: RuntimeError"]


def test_an_attempt_asks_for_results_events_and_runs_of_its_team(
    service: Service, owner_conn: Session
) -> None:
    def told(kind: str, name: str) -> Answer:
        key = AttemptKey("r1", "t0", -1, 1)
        return service.answer(1, "s1", Ask(7, ByAttempt(key, "token"), kind, name))

    seed.dag(owner_conn, "theirs", team_id=2)
    seed.run(owner_conn, "theirs", "r2", team_id=2)
    result = '{"run_id": "r1", "task_id": "t0", "key": "k", "map_index": null}'
    assert told(results.KIND, result) == Answer(7, "[]")
    assert told(asset_events.KIND, "{}") == Answer(7, "[]")
    ask_of = '{{"ask": "runs", "dag_id": "{}"}}'.format
    assert '"r1"' in str(told(runs.KIND, ask_of("d")).value)
    for dag_id in ("theirs", "nobodys"):
        assert told(runs.KIND, ask_of(dag_id)) == Answer(7, "null")
    # What is no kind of question is a miss, also where a variable is called so.
    assert told("variable", "size").value == "3"
    assert told("anything", "size") == Answer(7)


def test_a_start_that_no_grant_allows_is_told_once(service: Service, owner_conn: Session) -> None:
    key, start = (
        AttemptKey("r1", "t0", -1, 1),
        '{"ask": "start", "dag_id": "@other/x", "run_id": "a"}',
    )
    why = "the team default may not start @other/x; to ask for it: headway grant ask other start x"
    columns = "team_id, actor, via, action, subject, address, detail"
    for _ in range(3):
        answer = service.answer(1, "s1", Ask(7, ByAttempt(key, "token"), runs.KIND, start))
        assert answer == Answer(7, refused=why)
        told = owner_conn.execute(f"SELECT {columns} FROM audit").fetchall()
        assert told == [(1, "task:d/r1/t0", "agent", "dags.refuse", "r1", "", {"reason": why})]


def test_what_was_opened_is_closed(service: Service) -> None:
    service.close()  # nothing yet
    ask(service, "warehouse")
    assert service.pool is not None
    assert not service.pool.closed
    service.close()
    assert service.pool.closed


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"order": []}, "must name secret backends in `order`"),
        ({"order": ["builtin", "x"]}, "must name secret backends in `order`"),
        ({"order": ["lacking"]}, "needs the package hvac, which is not installed"),
    ],
)
def test_backends_that_cannot_be_opened_are_told(
    keys: LocalKeys, settings: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*_: Any) -> Any:
        raise ImportError(name="hvac")

    monkeypatch.setitem(BACKENDS, "lacking", lacking)
    with pytest.raises(UsageError, match=why):
        backends_of(settings, keys, lacking)


def test_a_changed_row_is_refused(service: Service, owner_conn: Session) -> None:
    owner_conn.execute("UPDATE connection SET sealed = sealed || '\\x00' WHERE team_id = 1")
    answer = ask(service, "warehouse")
    assert (answer.value, "cannot decrypt" in answer.refused) == (None, True)


def test_a_trial_is_of_no_dag_and_of_its_team_only(service: Service) -> None:
    def trial(team_id: int, team: str, name: str) -> Answer:
        asked = Trial(request=1, by=NOBODY, kind="connection", name=name, team=team, test_id="t")
        return service.answer(team_id, "s1", asked)

    assert trial(1, "default", "restricted").secrets == ["pw"]
    assert trial(1, "default", "only-theirs") == Answer(1)
    assert trial(2, "other", "warehouse").secrets == ["theirs"]


def test_no_message_of_an_agent_is_a_trial(service: Service) -> None:
    trial = Trial(request=1, by=NOBODY, kind="connection", name="restricted", team="x", test_id="t")
    with pytest.raises(msgspec.ValidationError):
        OF_NOW.decode(ENCODER.encode(trial))
    asked = Ask(1, NOBODY, "connection", "restricted")
    assert service.answer(
        1, "s1", msgspec.msgpack.decode(ENCODER.encode(asked), type=Ask)
    ) == Answer(1, refused=ENDED)
