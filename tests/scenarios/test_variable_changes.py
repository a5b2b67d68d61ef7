"""Variables that tasks set, delete and list, asked by attempts that real ticks start, end and lose."""

import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UNSET
from psycopg import Connection
from psycopg.errors import LockNotAvailable

from headway import wire
from headway.agent.protocol import Answer, Ask, ByWait
from headway.secrets import stored, variable_changes
from headway.secrets.keys import FILE, Keys, LocalKeys, local_keys
from headway.secrets.service import MISSES_MAX, Service
from headway.secrets.state import OVERTAKEN
from headway.secrets.variable_changes import KIND, OVER, TASKS_ONLY
from headway.store import variables
from headway.store.transact import connect, transact
from tests.leaks.world import rows_of
from tests.scenarios import asker
from tests.scenarios.asker import keys, scheduler, service
from tests.scenarios.world import ANN, Scheduler, deploy, task, trigger, value

__all__ = ["keys", "scheduler", "service"]


class Asker(asker.Asker):
    kind = KIND

    def get(self, key: str) -> str | None:
        ask = Ask(next(self.requests), self.by, "variable", key)
        return self.service.answer(self.team_id, self.session, ask).value

    def keys(self, **parts: Any) -> Any:
        answer = self.ask("keys", **parts)
        assert answer.value, answer.refused
        return msgspec.json.decode(answer.value)


def started(service: Service, scheduler: Scheduler, **options: Any) -> Asker:
    deploy(scheduler.conn, task("a", **options), team_id=scheduler.team_id)
    trigger(scheduler.conn, team_id=scheduler.team_id)
    return running(service, scheduler)


def running(service: Service, scheduler: Scheduler) -> Asker:
    (found,) = Asker.running(service, scheduler)
    return found


def put(conn: Connection[Any], keys: Keys, key: str, **given: Any) -> None:
    """Set a variable as a person does."""
    request = wire.VariableRequest(**{"value": "x", **given})
    transact(conn, stored.set_variable, keys, 1, key, request, ANN)


def test_what_is_set_is_read_listed_and_deleted(
    conn: Connection[Any], service: Service, scheduler: Scheduler
) -> None:
    one = started(service, scheduler)
    for text in ("7", "", "ü\n", "42"):
        assert one.ask("set", "last_id", value=text, description="of orders") == Answer(1)
        assert one.get("last_id") == text
    one.ask("set", "last_id", value="43")
    found = variables.find(conn, 1, "last_id")
    assert found is not None
    assert (found.value, found.description) == ("43", "of orders")
    assert found.changed_by == f"task:d/{one.by.key.run_id}/a"
    for key in ("later", "last_day"):
        one.ask("set", key, value="x")
    assert one.keys() == {"keys": ["last_day", "last_id", "later"], "total": 3}
    assert one.keys(prefix="last_") == {"keys": ["last_day", "last_id"], "total": 2}
    assert one.keys(limit=1, offset=1) == {"keys": ["last_id"], "total": 3}
    assert one.ask("delete", "last_id") == one.ask("delete", "nosuch") == Answer(1)
    assert one.get("last_id") is None


def test_a_secret_stays_one_and_what_reveals_one_becomes_one(
    conn: Connection[Any], keys: Keys, service: Service, scheduler: Scheduler
) -> None:
    one = started(service, scheduler)
    put(conn, keys, "kept", is_secret=True)
    one.ask("set", "kept", value="hunter2")
    one.ask("set", "smtp_password", value="hunter3")
    one.ask("set", "url", value="http://u:hunter4@h", secrets=["hunter4"])
    one.ask("set", "plain", value="red")
    found = {each.key: each for each in variables.every(conn, 1)}
    assert {key for key, each in found.items() if each.envelope} == {"kept", "smtp_password", "url"}
    assert found["kept"].value is None
    assert (one.get("kept"), one.get("url")) == ("hunter2", "http://u:hunter4@h")


def test_what_is_kept_for_other_dags_stays(
    conn: Connection[Any], keys: Keys, service: Service, scheduler: Scheduler
) -> None:
    one = started(service, scheduler)
    put(conn, keys, "theirs", dags=["other"])
    put(conn, keys, "ours", dags=["d", "other"])
    for verb in ("set", "delete"):
        assert one.ask(verb, "theirs").refused == "the variable 'theirs' is kept for other DAGs"
    one.ask("set", "ours", value="y")
    assert one.keys() == {"keys": ["ours"], "total": 1}
    found = {each.key: (each.value, each.dags) for each in variables.every(conn, 1)}
    assert found == {"theirs": ("x", ["other"]), "ours": ("y", ["d", "other"])}


def test_only_the_attempt_that_runs_changes_any_in_order_and_once(
    service: Service, scheduler: Scheduler
) -> None:
    first = started(service, scheduler, retries=1)
    first.ask("set", "at", value="1", request=7)
    assert first.ask("set", "at", value="2", request=7) == Answer(1)  # asked again: it is done
    assert first.ask("set", "at", value="2", request=6).refused == OVERTAKEN
    assert first.get("at") == "1"
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "failed"}))
    second = running(service, scheduler)
    for verb in ("set", "delete", "keys"):
        assert first.ask(verb, "at", value="late").refused == OVER
    assert second.get("at") == "1"
    waits = Ask(1, ByWait(second.by.key), KIND, '{"ask": "keys"}')
    assert service.answer(1, second.session, waits).refused == TASKS_ONLY


def test_marks_that_are_set_for_the_first_time_are_no_guesses(
    service: Service, scheduler: Scheduler
) -> None:
    """A task that keeps how far it is for many tables finds none of them in its first run."""
    one = started(service, scheduler)
    for number in range(2 * MISSES_MAX):
        assert one.get(f"last_{number}") is None
        assert one.ask("set", f"last_{number}", value="0") == Answer(1)
    assert one.get("last_0") == "0"


def test_another_team_has_its_own(
    conn: Connection[Any], owner_conn: Connection[Any], service: Service
) -> None:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (2, 'default', 8)")
    ours, theirs = (started(service, Scheduler(conn, team_id=team_id)) for team_id in (1, 2))
    ours.ask("set", "k", value="ours")
    before = rows_of(owner_conn, 1)
    assert (theirs.get("k"), theirs.keys()["total"]) == (None, 0)
    theirs.ask("set", "k", value="theirs")
    theirs.ask("delete", "k")
    stolen = Asker.__new__(Asker)
    stolen.service, stolen.by, stolen.requests = service, ours.by, count(100)
    for stolen.team_id, stolen.session in ((2, theirs.session), (1, theirs.session), (2, "")):
        for verb in ("set", "delete", "keys"):
            assert stolen.ask(verb, "k", value="x").refused == OVER
    assert rows_of(owner_conn, 1) == before


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ({"key": "not a key"}, "'not a key' cannot be the name of a variable"),
        ({"key": ""}, "'' cannot be the name of a variable"),
        ({"key": "a\0"}, "the key of the variable contains the character NUL"),
        ({"ask": "delete", "key": "a\0"}, "the key of the variable contains the character NUL"),
        ({"value": "a\0"}, "the value of the variable 'k' contains the character NUL"),
        ({"value": "a" * 64_001}, "has 64,001 characters; the limit is 64,000"),
        ({"description": "a" * 4_001}, "the description of the variable has 4,001 characters"),
        ({"ask": "keys", "limit": 0}, "a page has 1 to 10,000 keys"),
        ({"ask": "keys", "prefix": "\0"}, "the prefix of keys contains the character NUL"),
        ({"ask": "drop"}, "the question about variables cannot be read"),
        ({"odd": 1}, "the question about variables cannot be read"),
    ],
)
def test_what_cannot_be_done_is_refused_by_its_reason(
    conn: Connection[Any],
    service: Service,
    scheduler: Scheduler,
    question: dict[str, Any],
    told: str,
) -> None:
    one = started(service, scheduler)
    refused = one.ask(**{"verb": "set", "key": "k", "value": "x", **renamed(question)}).refused
    assert told in refused
    assert value(conn, "SELECT count(*) FROM variable") == 0


def renamed(question: dict[str, Any]) -> dict[str, Any]:
    return {"verb" if name == "ask" else name: each for name, each in question.items()}


def test_tasks_do_not_fill_the_database(
    monkeypatch: pytest.MonkeyPatch, service: Service, scheduler: Scheduler
) -> None:
    one = started(service, scheduler)
    monkeypatch.setattr(variable_changes, "KEYS_MAX", 1)
    one.ask("set", "a", value="1")
    assert one.ask("set", "b", value="1").refused.startswith("the team has 1 variables, and tasks")
    assert one.ask("set", "a", value="2") == Answer(1)


def test_the_values_of_a_team_are_bounded_too(
    monkeypatch: pytest.MonkeyPatch,
    conn: Connection[Any],
    keys: Keys,
    service: Service,
    scheduler: Scheduler,
) -> None:
    one = started(service, scheduler)
    put(conn, keys, "of_a_person", value="x" * 60)
    monkeypatch.setattr(variable_changes, "BYTES_MAX", 100)
    assert one.ask("set", "a", value="x" * 40) == one.ask("set", "a", value="y" * 40) == Answer(1)
    for question in ({"value": "x" * 41}, {"value": "x" * 40, "description": "y"}):
        refused = one.ask("set", "a", **question).refused
        assert refused.startswith("the variables of the team would have 101 bytes")
    assert one.ask("set", "of_a_person", value="") == Answer(1)
    assert one.ask("set", "a", value="x" * 100) == Answer(1)


def test_a_list_of_keys_reads_no_values(
    conn: Connection[Any], keys: Keys, service: Service, scheduler: Scheduler
) -> None:
    """Every team's questions are answered in one process."""
    one = started(service, scheduler)
    for number in range(40):
        put(conn, keys, f"k{number}", value="x" * 60_000)
    put(conn, keys, "k_", dags=["other"])
    assert one.keys(prefix="k_") == one.keys(prefix="k%") == {"keys": [], "total": 0}
    tracemalloc.start()
    try:
        assert one.keys(limit=2, offset=38) == {"keys": ["k8", "k9"], "total": 40}
        assert one.keys(limit=2, offset=40) == {"keys": [], "total": 40}
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_names_that_are_kept_for_other_dags_are_not_guessed_one_by_one(
    conn: Connection[Any],
    owner_conn: Connection[Any],
    keys: Keys,
    service: Service,
    scheduler: Scheduler,
) -> None:
    one = started(service, scheduler)
    put(conn, keys, "open")
    for number in range(MISSES_MAX + 1):
        put(conn, keys, f"v{number}", dags=["other"])
    for _ in range(MISSES_MAX):  # who wants the same one again and again does not guess
        assert "is kept for other DAGs" in one.ask("set", "v0", value="x").refused
    assert one.ask("set", "open", value="y") == Answer(1)
    for number in range(1, MISSES_MAX):
        assert "is kept for other DAGs" in one.ask("delete", f"v{number}").refused
    for key in ("open", "nosuch", f"v{MISSES_MAX}"):
        assert "names that do not exist, and gets no more" in one.ask("delete", key).refused
    assert value(owner_conn, "SELECT count(*) FROM audit WHERE action = 'secrets.guess'") == 1


LIVE = "SELECT FROM attempt FOR UPDATE NOWAIT"
WAITS = "SELECT count(*) FROM pg_locks WHERE NOT granted AND %s = ANY (pg_blocking_pids(pid))"


class KeyService(LocalKeys):
    """Keys that another server wraps with, which may be slow."""

    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    def wrap(self, data_key: bytes, bound_to: bytes) -> tuple[str, bytes]:
        self.meanwhile()
        return super().wrap(data_key, bound_to)


def test_a_slow_key_service_holds_up_no_tick(
    conn: Connection[Any], dsn: str, tmp_path: Path, scheduler: Scheduler
) -> None:
    """A tick that ends the attempt waits for nothing that another server has still to do."""
    assert local_keys(tmp_path, None).current
    keys = KeyService(tmp_path / FILE)
    keys.meanwhile = lambda: conn.execute(LIVE)
    service = Service(dsn, tmp_path, keys)
    try:
        one = started(service, scheduler)
        assert one.ask("set", "smtp_password", value="hunter2", request=5) == Answer(1)
        assert one.ask("set", "smtp_password", value="hunter3", request=5) == Answer(1)
        assert one.get("smtp_password") == "hunter2"
        scheduler.tick(*scheduler.work(lambda _: {}))
        assert one.ask("set", "smtp_password", value="hunter4").refused == OVER
    finally:
        service.close()


def test_a_variable_that_others_hold_holds_up_no_tick(
    conn: Connection[Any],
    owner_conn: Connection[Any],
    keys: Keys,
    service: Service,
    scheduler: Scheduler,
) -> None:
    """Wrapping all variables of a team again, say, takes long with a key service."""
    one = started(service, scheduler)
    put(conn, keys, "k")
    for verb in ("set", "delete"):
        with ThreadPoolExecutor(1) as threads:
            with owner_conn.transaction():
                owner_conn.execute("SELECT FROM variable FOR UPDATE")
                asked = threads.submit(one.ask, verb, "k", value="y")
                while conn.execute(WAITS, [owner_conn.info.backend_pid]).fetchone() == (0,):
                    assert not asked.done()
                conn.execute(LIVE)
            assert asked.result() == Answer(1)


def test_what_a_person_changes_beside_the_value_does_not_bring_an_old_value_back(
    conn: Connection[Any], dsn: str, tmp_path: Path, scheduler: Scheduler
) -> None:
    """The value that stays is read and written in one: a task that sets another meanwhile waits."""
    assert local_keys(tmp_path, None).current
    keys = KeyService(tmp_path / FILE)
    put(conn, keys, "k", is_secret=True)
    held = []

    def meanwhile() -> None:
        with connect(dsn) as other, pytest.raises(LockNotAvailable):
            other.execute("SELECT FROM variable FOR UPDATE NOWAIT")
        held.append(1)

    keys.meanwhile = meanwhile
    put(conn, keys, "k", value=UNSET, description="of orders")
    assert held == [1]


def test_a_password_that_stays_is_not_an_old_one(
    owner_conn: Connection[Any], database: str, tmp_path: Path
) -> None:
    """Somebody may set another one while somebody else changes the login."""
    assert local_keys(tmp_path, None).current
    keys = KeyService(tmp_path / FILE)
    held = []

    def set_login(login: str, **given: Any) -> None:
        request = wire.ConnectionRequest(conn_type="http", host="h", login=login, **given)
        transact(owner_conn, stored.set_connection, keys, 1, "w", request, ANN)

    def meanwhile() -> None:
        with connect(database) as other, pytest.raises(LockNotAvailable):
            other.execute("SELECT FROM connection FOR UPDATE NOWAIT")
        held.append(1)

    set_login("ann", password="hunter2")
    keys.meanwhile = meanwhile
    set_login("bob")
    assert held == [1]
