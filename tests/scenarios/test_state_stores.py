"""State of tasks and assets, asked for by attempts that real ticks start, end, lose and repeat."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from psycopg import Connection, errors

from headway.actions import commands
from headway.agent.protocol import Answer, Ask, ByAttempt, ByWait, ByWatcher, XComValue
from headway.agent.watchers import WatcherKey
from headway.core.commands import Selection
from headway.engine import janitor
from headway.engine.catalog import Catalog
from headway.secrets import state
from headway.secrets.service import CONNECTIONS, Service
from headway.spec.model import Asset
from headway.store import migrate, teams
from headway.store.transact import begun, connect, in_team, transact
from tests.leaks.world import rows_of
from tests.scenarios import asker
from tests.scenarios.asker import keys, scheduler, service
from tests.scenarios.test_retention import KEEP, age, sweep
from tests.scenarios.world import ANN, Scheduler, deploy, task, trigger, value

MIGRATIONS = Path(migrate.__file__).parent / "migrations"
OVER = state.OVER[ByAttempt]
__all__ = ["keys", "scheduler", "service"]

ORDERS = (Asset(name="orders", uri="s3://shop/orders"), Asset(name="stock", uri="s3://shop/stock"))


class Asker(asker.Asker):
    kind = state.KIND

    def get(self, key: str, **parts: Any) -> Any:
        answer = self.ask("get", key, **parts)
        assert answer.refused == ""
        return None if answer.value is None else msgspec.json.decode(answer.value)

    def set(self, key: str, value: Any, **parts: Any) -> None:
        assert self.ask("set", key, value=value, **parts) == Answer(1)


def started(service: Service, scheduler: Scheduler, **options: Any) -> Asker:
    deploy(scheduler.conn, task("a", **options), assets=ORDERS)
    trigger(scheduler.conn)
    (one,) = Asker.running(service, scheduler)
    return one


def test_a_value_is_read_back_as_it_was_set(service: Service, scheduler: Scheduler) -> None:
    one = started(service, scheduler)
    assert one.get("job") is None
    for kept in ("j-1", 7, 1.5, False, ["a", {"b": None}], {"c": "ü"}, "", 0):
        one.set("job", kept)
        assert one.get("job") == kept
    one.set("other/key ü", 1)
    assert one.ask("delete", "job") == one.ask("delete", "nosuch") == Answer(1)
    assert (one.get("job"), one.get("other/key ü")) == (None, 1)
    assert one.ask("clear") == Answer(1)
    assert one.get("other/key ü") is None


def test_the_next_attempt_goes_on_where_the_last_one_was(
    service: Service, scheduler: Scheduler
) -> None:
    first = started(service, scheduler, retries=1)
    first.set("job", "j-1")
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "failed"}))
    (second,) = Asker.running(service, scheduler)
    assert second.by.key.number == 2
    assert second.get("job") == "j-1"
    second.set("job", "j-2")
    for verb in ("set", "get", "delete", "clear"):
        assert first.ask(verb, "job", value="late").refused == OVER
        assert first.ask(verb, "job", value="late", asset="orders").refused == OVER
    assert second.get("job") == "j-2"


def test_an_attempt_that_was_lost_changes_nothing_more(
    conn: Connection[Any], service: Service, scheduler: Scheduler
) -> None:
    """Its agent was silent for longer than its lease, and comes back."""
    lost = started(service, scheduler)
    lost.set("job", "j-1")
    scheduler.later(3600)
    assert scheduler.expire() == [scheduler.session]
    scheduler.tick()
    assert lost.ask("set", "job", value="late").refused == OVER
    again = Scheduler(conn)
    again.offset = scheduler.offset
    (next_one,) = Asker.running(service, again)
    assert next_one.get("job") == "j-1"


def test_a_question_that_is_told_again_or_late_changes_nothing(
    service: Service, scheduler: Scheduler
) -> None:
    """An agent asks again on a new connection, while the first question is still on its way somewhere."""
    one = started(service, scheduler)
    one.set("at", 1, request=7)
    one.set("at", 2, request=8)
    one.set("at", 3, request=8)  # what was done is answered as if it were done now
    assert one.get("at") == 2
    for verb in ("set", "delete", "clear"):
        refused = one.ask(verb, "at", value=1, request=7).refused
        assert refused == state.OVERTAKEN
    assert one.get("at", request=1) == 2, "what changes nothing has no order"
    one.by = ByAttempt(replace(one.by.key, deferrals=1), one.by.token)
    one.set("at", 4, request=1)  # its next process, maybe in another agent
    assert one.get("at") == 4


def test_an_end_waits_for_what_was_let_in_before(
    conn: Connection[Any], dsn: str, service: Service, scheduler: Scheduler
) -> None:
    """In one transaction it is proved who asks and done what is asked: nothing ends the attempt in between."""
    one = started(service, scheduler)
    name = '{"ask": "set", "key": "job", "value": 1}'
    with connect(dsn) as other, begun(other):
        ask = Ask(1, one.by, state.KIND, name)
        assert state.read(other, 1, one.session, ask) == (None, [])
        conn.execute("SET lock_timeout = '50ms'")
        with pytest.raises(errors.LockNotAvailable):
            scheduler.tick(*scheduler.work())
        conn.execute("RESET lock_timeout")
    assert one.get("job") == 1


def test_a_clear_by_a_person_keeps_the_state_and_the_run_takes_it_along(
    conn: Connection[Any],
    owner_conn: Connection[Any],
    service: Service,
    scheduler: Scheduler,
    tmp_path: Path,
) -> None:
    """As in Airflow: what is cleared runs again, and finds what it left."""
    one = started(service, scheduler)
    run_id = one.by.key.run_id
    one.set("job", "j-1")
    one.set("watermark", 5, asset="orders")
    scheduler.play()
    transact(conn, commands.clear, 1, run_id, Selection(), Catalog(conn).graph, ANN)
    (again,) = Asker.running(service, scheduler)
    assert again.get("job") == "j-1"
    scheduler.play()
    age(owner_conn, run_id, 91)
    sweep(conn, tmp_path)
    assert value(conn, "SELECT count(*) FROM task_state") == 0
    assert value(conn, "SELECT count(*) FROM asset_state") == 1, "it is of no run"


def test_each_mapped_instance_has_its_own(
    conn: Connection[Any], service: Service, scheduler: Scheduler
) -> None:
    deploy(conn, task("list"), task("each", over="list"))
    trigger(conn)
    numbers = {"outcome": "success", "xcoms": [XComValue("return_value", b"[1, 2]", None, 6, 2)]}
    Asker.running(service, scheduler)
    scheduler.tick(*scheduler.work(lambda _: numbers))
    first, second = Asker.running(service, scheduler)
    first.set("at", 0)
    assert second.get("at") is None
    second.set("at", 1)
    assert (first.get("at"), second.get("at")) == (0, 1)
    assert second.ask("clear") == Answer(1)
    assert first.get("at") == 0


def test_the_state_of_an_asset_is_of_all_runs_and_tasks_of_the_team(
    conn: Connection[Any], service: Service, scheduler: Scheduler
) -> None:
    one = started(service, scheduler)
    one.set("watermark", 7, asset="orders")
    assert one.get("watermark", uri="s3://shop/orders") == 7
    assert one.get("watermark", asset="stock") is None
    assert one.get("watermark") is None, "its own is another"
    by = value(conn, "SELECT by FROM asset_state")
    assert by == f"task:d/{one.by.key.run_id}/a"
    scheduler.play()
    trigger(conn)
    (other,) = Asker.running(service, scheduler)
    assert other.get("watermark", asset="orders") == 7
    assert other.ask("delete", "watermark", uri="s3://shop/orders") == Answer(1)
    other.set("a", 1, asset="orders")
    other.set("b", 1, asset="stock")
    assert other.ask("clear", asset="orders") == Answer(1)
    assert (other.get("a", asset="orders"), other.get("b", asset="stock")) == (None, 1)


def test_an_asset_that_no_dag_has_keeps_nothing(service: Service, scheduler: Scheduler) -> None:
    one = started(service, scheduler)
    for name in ({"asset": "nosuch"}, {"uri": "s3://nosuch"}, {"asset": ""}, {"asset": "@other/x"}):
        assert one.get("k", **name) is None
        refused = one.ask("set", "k", value=1, **name).refused
        assert refused.startswith("no DAG of the team has the asset ")


def test_two_teams_with_the_same_names_share_nothing(
    conn: Connection[Any], owner_conn: Connection[Any], service: Service
) -> None:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (2, 'default', 8)")
    both = []
    for team_id in (1, 2):
        deploy(conn, task("a"), team_id=team_id, assets=ORDERS)
        trigger(conn, team_id=team_id)
        (one,) = Asker.running(service, Scheduler(conn, team_id=team_id))
        both.append(one)
    ours, theirs = both
    ours.set("k", "ours")
    ours.set("k", "ours", asset="orders")
    assert (theirs.get("k"), theirs.get("k", asset="orders")) == (None, None)
    theirs.set("k", "theirs", asset="orders")
    assert ours.get("k", asset="orders") == "ours"
    before = rows_of(owner_conn, 1)
    assert theirs.ask("clear", asset="orders") == theirs.ask("clear") == Answer(1)
    stolen = Asker.__new__(Asker)
    stolen.service, stolen.by, stolen.requests = service, ours.by, count(100)
    for stolen.team_id, stolen.session in ((2, theirs.session), (1, theirs.session), (2, "")):
        for verb in ("get", "set", "clear"):
            assert stolen.ask(verb, "k", value="x").refused == OVER
    assert rows_of(owner_conn, 1) == before


def test_a_deleted_team_leaves_none(
    conn: Connection[Any], service: Service, scheduler: Scheduler, tmp_path: Path
) -> None:
    one = started(service, scheduler)
    one.set("k", 1)
    one.set("k", 1, asset="orders")
    scheduler.play()
    conn.execute("UPDATE team SET deleted_at = now() WHERE team_id = 1")
    assert one.ask("get", "k").refused == OVER
    sweep(conn, tmp_path)
    sweep(conn, tmp_path)
    for table in ("task_state", "asset_state"):
        assert value(conn, f"SELECT count(*) FROM {table}") == 0
    assert teams.every(conn)


def test_what_has_expired_goes_and_the_rest_stays(
    conn: Connection[Any], service: Service, scheduler: Scheduler
) -> None:
    one = started(service, scheduler)
    soon = (scheduler.now + timedelta(days=1)).isoformat()
    one.set("short", 1, expires_at=soon)
    one.set("longer", 1, expires_at=soon)
    one.set("longer", 2)
    now = scheduler.now
    transact(conn, in_team, 1, janitor.prune, now - KEEP, now, 10)
    assert one.get("short") == 1
    now += timedelta(days=2)
    transact(conn, in_team, 1, janitor.prune, now - KEEP, now, 10)
    assert (one.get("short"), one.get("longer")) == (None, 2)


def test_secrets_in_a_value_are_told_with_it(service: Service, scheduler: Scheduler) -> None:
    one = started(service, scheduler)
    for where in ({}, {"asset": "orders"}):
        one.set("url", "http://u:hunter2@h", secrets=["hunter2"], **where)
        assert one.ask("get", "url", **where) == Answer(1, '"http://u:hunter2@h"', ["hunter2"])
        one.set("url", "http://h", **where)
        assert one.ask("get", "url", **where) == Answer(1, '"http://h"')


def test_a_scope_is_bounded(
    monkeypatch: pytest.MonkeyPatch, service: Service, scheduler: Scheduler
) -> None:
    one = started(service, scheduler)
    monkeypatch.setattr(state, "KEYS_MAX", 2)
    monkeypatch.setattr(state, "BYTES_MAX", 10)
    for where, name in (({}, "task instance"), ({"asset": "orders"}, "asset 'orders'")):
        one.set("a", "1234", **where)
        one.set("b", 1, **where)
        one.set("b", 22, **where)
        refused = one.ask("set", "c", value=1, **where).refused
        assert refused.startswith(f"the {name} keeps 2 states, and that is the limit")
        refused = one.ask("set", "b", value=55555, **where).refused
        assert refused.startswith(f"the states of the {name} would have 11 bytes; the limit is 10")
        one.set("b", 4444, **where)
        assert one.get("b", **where) == 4444


def test_what_a_value_is_said_to_reveal_counts_too(
    monkeypatch: pytest.MonkeyPatch, service: Service, scheduler: Scheduler
) -> None:
    one = started(service, scheduler)
    monkeypatch.setattr(state, "BYTES_MAX", 100)
    for where in ({}, {"asset": "orders"}):
        one.set("a", 1, secrets=["x" * 49, "y" * 40], **where)
        refused = one.ask("set", "b", value=1, secrets=["x" * 10], **where).refused
        assert "would have 101 bytes; the limit is 100" in refused
        one.set("b", 1, secrets=["x" * 9], **where)


def test_a_refusal_does_not_repeat_all_that_was_said(
    caplog: pytest.LogCaptureFixture, service: Service, scheduler: Scheduler
) -> None:
    one = started(service, scheduler)
    for where in ("asset", "uri"):
        refused = one.ask("set", "k", value=1, **{where: "x" * 1_000_000}).refused
        assert refused.startswith("no DAG of the team has the asset 'xxx")
        assert len(refused) < 3_000
    assert len(caplog.text) < 10_000


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ({"key": "a\0"}, "the key of a state contains the character NUL"),
        ({"key": ""}, "the key of a state is empty"),
        ({"key": "k" * 513}, "the key of a state has 513 characters; the limit is 512"),
        ({"value": None}, "the state 'k' is None; to remove a state, delete it"),
        ({"value": ["a\0"]}, "the state 'k' [0] contains the character NUL"),
        ({"value": "x" * (1024 * 1024)}, "the state 'k' has 1,048,578 bytes as JSON; the limit is"),
        ({"expires_at": "0001-01-01T00:00:00Z"}, "the expiry of the state 'k' is not between"),
        ({"asset": "a\0"}, "the name of the asset cannot be stored"),
        ({"team_id": 2}, "the question for a state cannot be read"),
        ({"value": 10**2000}, "the state 'k'"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_reason(
    question: dict[str, Any], told: str, service: Service, scheduler: Scheduler
) -> None:
    one = started(service, scheduler)
    body = {"ask": "set", "key": "k", "value": 1, **question}
    number = body.pop("value") if isinstance(body["value"], int) else None
    text = msgspec.json.encode(body).decode()
    if number is not None:
        text = f'{text[:-1]}, "value": {number}}}'
    answer = service.answer(1, one.session, Ask(1, one.by, state.KIND, text))
    assert answer.refused.startswith(told)
    assert one.get("k") is None


@pytest.mark.parametrize("text", ["", "null", "{}", '{"ask": "drop"}', "[" * 100_000])
def test_a_question_that_is_none_is_refused(
    text: str, service: Service, scheduler: Scheduler
) -> None:
    one = started(service, scheduler)
    refused = service.answer(1, one.session, Ask(1, one.by, state.KIND, text)).refused
    assert refused == "the question for a state cannot be read"


def test_a_value_nested_too_deeply_is_refused(service: Service, scheduler: Scheduler) -> None:
    one = started(service, scheduler)
    for depth in (100, 100_000):
        text = '{"ask": "set", "key": "k", "value": ' + "[" * depth + "]" * depth + "}"
        assert service.answer(1, one.session, Ask(1, one.by, state.KIND, text)).refused


def watched(conn: Connection[Any], session: str) -> ByWatcher:
    """A watcher of the asset ``orders``, held by the session in its third life."""
    key = WatcherKey("d" * 64, 3)
    conn.execute(
        "INSERT INTO asset_watcher VALUES (1, 'd', 'orders', 'looks', %s, '{}', 'default')",
        [key.digest],
    )
    conn.execute(
        "INSERT INTO watch (team_id, digest, facts, queue, shared, dag_id, file, bundle_version, wanted, starts_at,"
        " session_id, life)"
        " VALUES (1, %s, '{}', 'default', false, 'd', 'd.py', 'b1', true, now(), %s, 3)",
        [key.digest, session],
    )
    return ByWatcher(key)


def test_a_watcher_and_tasks_have_one_store_of_its_assets(
    conn: Connection[Any],
    owner_conn: Connection[Any],
    service: Service,
    scheduler: Scheduler,
) -> None:
    one = started(service, scheduler)
    by = watched(conn, one.session)

    def ask(name: str, by: ByWatcher = by, session: str = one.session) -> Answer:
        return service.answer(1, session, Ask(1, by, state.KIND, name))

    assert ask('{"ask": "assets"}') == Answer(1, '[["orders","s3://shop/orders"]]')
    assert ask('{"ask": "set", "key": "k", "value": 1, "asset": "orders"}') == Answer(1)
    assert one.get("k", asset="orders") == 1
    assert value(conn, "SELECT by FROM asset_state") == "watcher:looks"
    one.set("k", 2, asset="orders")
    assert ask('{"ask": "get", "key": "k", "asset": "orders"}').value == "2"
    assert ask('{"ask": "get", "key": "k"}').refused == state.TASK_OF_WATCHER
    before = rows_of(owner_conn, 1)
    late = '{"ask": "set", "key": "k", "value": 3, "asset": "orders"}'
    for digest, life, session in (
        (by.key.digest, 2, one.session),
        ("e" * 64, 3, one.session),
        (by.key.digest, 3, "s0"),
    ):
        found = ask(late, ByWatcher(WatcherKey(digest, life)), session)
        assert found.refused == state.OVER[ByWatcher]
    conn.execute("UPDATE watch SET wanted = false, session_id = NULL")
    assert ask(late).refused == state.OVER[ByWatcher]
    conn.execute("UPDATE watch SET wanted = true, session_id = %s", [one.session])
    assert rows_of(owner_conn, 1) == before
    assert one.ask("assets").refused == "only a watcher asks for its assets"


def test_a_trigger_that_a_task_waits_for_keeps_none(service: Service, scheduler: Scheduler) -> None:
    one = started(service, scheduler)
    name = '{"ask": "get", "key": "k", "asset": "orders"}'
    ask = Ask(1, ByWait(one.by.key), state.KIND, name)
    assert service.answer(1, one.session, ask).refused == state.OF_A_WAIT


def test_what_a_watcher_of_airflow_kept_in_its_cursor_is_that_of_its_assets(
    conn: Connection[Any], owner_conn: Connection[Any], service: Service, scheduler: Scheduler
) -> None:
    """As the migration moves it; of cursors of ours nothing is moved."""
    text = next(MIGRATIONS.glob("0080_*.sql")).read_text()
    moves = text[text.index("INSERT INTO asset_state") :]
    one = started(service, scheduler)
    watched(conn, one.session)
    for trigger_name, found in (("files:Arrive", None), ("airflow:numbers.Numbers", 3)):
        conn.execute(
            """UPDATE watch SET cursor = '{"last": 3, "none": null}', facts = json_build_object('trigger', %s::text)""",
            [trigger_name],
        )
        owner_conn.execute(moves.encode())
        assert one.get("last", asset="orders") == found
    assert one.get("none", asset="orders") is None
    conn.execute("DELETE FROM asset_state; UPDATE watch SET cursor = '[1]'")
    owner_conn.execute(moves.encode())
    assert one.get("last", asset="orders") is None


def test_an_asset_that_the_loader_holds_holds_up_no_tick(
    conn: Connection[Any], owner_conn: Connection[Any], service: Service, scheduler: Scheduler
) -> None:
    one = started(service, scheduler)
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND %s = ANY (pg_blocking_pids(pid))"
    for verb, given in (("set", {"value": 1}), ("get", {}), ("delete", {})):
        with ThreadPoolExecutor(1) as threads:
            with owner_conn.transaction():
                owner_conn.execute("SELECT FROM asset FOR UPDATE")
                asked = threads.submit(one.ask, verb, "k", asset="orders", **given)
                while conn.execute(waits, [owner_conn.info.backend_pid]).fetchone() == (0,):
                    assert not asked.done()
                conn.execute("SELECT FROM attempt FOR UPDATE NOWAIT")
            assert asked.result().refused == ""


def test_an_asset_that_the_loader_holds_leaves_all_others_their_answers(
    owner_conn: Connection[Any], service: Service, scheduler: Scheduler
) -> None:
    """All teams share the connections of the service: who waits for a lock must not keep them."""
    one = started(service, scheduler)
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND %s = ANY (pg_blocking_pids(pid))"
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        with owner_conn.transaction():
            owner_conn.execute("SELECT FROM asset FOR UPDATE")
            asked = [
                threads.submit(one.ask, "get", "k", asset="orders") for _ in range(CONNECTIONS)
            ]
            while owner_conn.execute(waits, [owner_conn.info.backend_pid]).fetchone() == (0,):
                assert not any(each.done() for each in asked)
            assert [one.ask("get", "k").refused for _ in range(5)] == [""] * 5
            assert not any(each.done() for each in asked)
        assert [each.result().refused for each in asked] == [""] * CONNECTIONS
