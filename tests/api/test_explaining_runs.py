"""What a run shows of itself once the real engine has driven it: tasks, time, and what broke."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from headway import wire
from headway.actions import commands
from headway.agent.protocol import XComValue
from headway.cli.options import Output
from headway.cli.output import cell
from headway.cli.show import reason_of, show_dag, show_run
from headway.cli.trouble import describe, place, stands
from headway.client import Client
from headway.config import Layout
from headway.core.commands import Selection
from headway.errors import NotFound
from headway.executors.base import Grant
from headway.paths import log_path
from headway.spec.model import Axis, Mapping
from headway.store.transact import Session, transact
from tests.scenarios.world import ANN, Scheduler, deploy, graphs, task, trigger

LIST = [XComValue("return_value", b"[1,2,3,4]", None, 9, 4)]
WHERE = "ValueError: row {n} of /data/2013/{n}.csv is bad"


def failing(**details: str) -> Callable[[Grant], dict[str, Any]]:
    """Tasks that fail, each with what it says; ``{n}`` is its map index."""

    def behave(grant: Grant) -> dict[str, Any]:
        said = details.get(grant.instance.node.task_id)
        if said is None or (grant.instance.map_index >= 0 and grant.instance.map_index % 2):
            return {
                "outcome": "success",
                "xcoms": LIST if grant.instance.node.task_id == "list" else [],
            }
        return {"outcome": "failed", "detail": said.format(n=grant.instance.map_index), "line": 7}

    return behave


def test_results_of_any_shape_reach_the_client(client: Client, conn: Session) -> None:
    shapes: list[object] = [{"a": [1, None]}, [1], "x", None, 1.5]
    stored = {f"t{n}": msgspec.json.encode(shape) for n, shape in enumerate(shapes)}
    deploy(conn, *map(task, stored))
    (run_id,) = trigger(conn, "d", "k1")

    def behave(grant: Grant) -> dict[str, Any]:
        value = stored[grant.instance.node.task_id]
        return {
            "outcome": "success",
            "xcoms": [XComValue("return_value", value, None, len(value), None)],
        }

    Scheduler(conn).play(behave)
    assert [xcom.value for xcom in client.xcoms(run_id)] == shapes


def test_the_tasks_of_a_run_say_what_they_are(client: Client, conn: Session) -> None:
    deploy(
        conn,
        task("load.a", pool="default", doc="Reads it."),
        task("load.b", "load.a", trigger_rule="all_done"),
        task("side", kind="bash"),
    )
    (run_id,) = trigger(conn, "d", "k1")
    scheduler = Scheduler(conn)
    scheduler.tick()
    scheduler.later(10)
    scheduler.tick(*scheduler.work())
    scheduler.later(60)
    scheduler.play()
    first, second, side = client.tasks(run_id)
    assert (first.group, first.label, first.doc, first.pool) == (
        *("load", "a", "Reads it."),
        "default",
    )
    assert (second.trigger_rule, side.kind) == ("all_done", "bash")
    assert first.duration_s is not None
    assert [each.critical for each in (first, second, side)] == [True, True, False]


def test_what_was_lost_too_often_says_how_often(client: Client, conn: Session) -> None:
    deploy(conn, task("a"))
    (run_id,) = trigger(conn, "d", "k1")
    killed = "the process that imports d.py was ended by SIGKILL"
    scheduler = Scheduler(conn)
    scheduler.play(
        lambda grant: {"outcome": "lost", "cause": "never_started", "detail": killed},
        seconds_a_turn=60.0,
    )
    error = client.diagnosis(run_id).errors[0].first
    assert error.detail == f"{killed} (lost 6 times with its agent or node)"
    (line, *_) = describe(client, run_id, "a", -1)
    assert line == f"a: {error.detail}"


def test_gantt_tells_waiting_from_working_and_for_what(client: Client, conn: Session) -> None:
    conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (1, 'etl', 1)")
    deploy(conn, task("a", pool="etl"), task("b", pool="etl"), task("c", "a", "b"))
    (run_id,) = trigger(conn, "d", "k1")
    scheduler = Scheduler(conn)
    scheduler.tick()
    scheduler.later(30)
    scheduler.tick(*scheduler.work())
    live = client.gantt(run_id)
    assert [(bar.task_id, bar.state) for bar in live.bars[:2]] == [
        ("a", "success"),
        ("b", "queued"),
    ]
    scheduler.play()
    gantt = client.gantt(run_id)
    assert [bar.task_id for bar in gantt.bars] == ["a", "b", "c"]
    (held,) = [each for each in gantt.bars[1].segments if each.kind == "ready"]
    assert held.reason == "pool `etl`"
    assert held.end is not None
    assert (held.end - held.start).total_seconds() >= 30
    assert gantt.bars[2].segments[0].kind == "upstream"
    assert gantt.waiting_by_reason[0].total_s >= 30
    assert {each.reason for each in gantt.waiting_by_reason} >= {"pool `etl`", "upstream tasks"}
    assert not gantt.truncated
    assert client.gantt(run_id, limit=2).truncated


def test_gantt_shows_every_attempt_and_the_delay_between(client: Client, conn: Session) -> None:
    deploy(conn, task("a", retries=1, retry_delay_s=60))
    (run_id,) = trigger(conn, "d", "k1")
    scheduler = Scheduler(conn)
    scheduler.tick()
    scheduler.tick(*scheduler.work(failing(a="no")))
    (waiting,) = client.gantt(run_id).bars
    assert (waiting.segments[-1].kind, waiting.segments[-1].end) == ("retry", None)
    scheduler.later(61)
    scheduler.tick()
    scheduler.later(5)
    scheduler.tick(*scheduler.work())
    (bar,) = client.gantt(run_id).bars
    assert [each.attempt for each in bar.segments if each.kind == "queued"] == [1, 2]
    (delay,) = [each for each in bar.segments if each.kind == "retry"]
    assert delay.end is not None
    assert (delay.end - delay.start).total_seconds() >= 60
    assert bar.attempts == 2


def test_gantt_says_that_a_cap_held_it_back(client: Client, conn: Session) -> None:
    deploy(conn, task("a"), task("b"), max_active_tasks=1)
    (run_id,) = trigger(conn, "d", "k1")
    scheduler = Scheduler(conn)
    scheduler.tick()
    scheduler.later(9)
    scheduler.play()
    reasons = {
        each.reason for bar in client.gantt(run_id).bars for each in bar.segments if each.reason
    }
    assert reasons == {"max_active_tasks"}


def test_what_is_usual_comes_from_runs_that_went_well(client: Client, conn: Session) -> None:
    deploy(conn, task("a"))
    first, second = trigger(conn, "d", "k1", "k2")
    scheduler = Scheduler(conn)
    scheduler.play()
    conn.execute(
        "UPDATE task_instance SET started_at = ended_at - interval '40 s' WHERE run_id = %s",
        [first],
    )
    conn.execute(
        "UPDATE task_instance SET started_at = ended_at - interval '60 s' WHERE run_id = %s",
        [second],
    )
    assert client.gantt(first).bars[0].expected_s == pytest.approx(50)


@pytest.fixture
def broken(conn: Session) -> str:
    """A run of which half of a mapped task failed, and two below it were blocked."""
    deploy(conn, task("list"), task("each", over="list"), task("sum", "each"), task("end", "sum"))
    (run_id,) = trigger(conn, "d", "bad")
    Scheduler(conn).play(failing(each=WHERE))
    return run_id


def test_a_diagnosis_names_what_broke_and_what_it_stopped(client: Client, broken: str) -> None:
    found = client.diagnosis(broken)
    assert found.headline.startswith("Failed after ")
    assert found.headline.endswith(": 2 of 4 `each` failed; 2 tasks blocked.")
    (group,) = found.errors
    assert (group.count, group.task_ids) == (2, ["each"])
    assert (group.first.detail, group.first.line) == (WHERE.format(n=0), 7)
    assert found.first_failed is not None
    assert (found.first_failed.task_id, found.first_failed.map_index) == ("each", 0)
    assert [blocked.task_id for blocked in found.blocked] == ["sum", "end"]
    assert found.compared_to is None


def test_a_diagnosis_counts_what_a_retry_would_run(
    client: Client, conn: Session, broken: str
) -> None:
    scheduler = Scheduler(conn)
    selection = Selection(failed_only=True, downstream=True)
    chosen = transact(conn, commands.would_clear, 1, broken, selection, graphs(scheduler))
    found = client.diagnosis(broken).retry
    assert (found.failed, found.total) == (4, len(chosen))


def test_a_diagnosis_counts_the_indexes_of_a_mapped_group_that_a_retry_would_run(
    client: Client, conn: Session
) -> None:
    """Two of four items failed in the first task; the last one of the group ran for all of them."""
    mapping = Mapping(axes=(Axis(argument="x", task_id="list"),), group="g")
    first = replace(task("each", "list"), mapping=mapping)
    second = replace(task("always", "each", trigger_rule="all_done"), mapping=mapping)
    deploy(conn, task("list"), first, second, task("end", "always"))
    (run_id,) = trigger(conn, "d", "bad")
    scheduler = Scheduler(conn)
    scheduler.play(failing(each=WHERE))
    selection = Selection(failed_only=True, downstream=True)
    chosen = transact(conn, commands.would_clear, 1, run_id, selection, graphs(scheduler))
    found = client.diagnosis(run_id).retry
    assert (found.failed, found.total) == (2, len(chosen)) == (2, 5)


def test_a_diagnosis_shows_the_log_around_the_error(
    client: Client, layout: Layout, broken: str
) -> None:
    log = layout.data / log_path(broken, "each", 0, 1)
    log.parent.mkdir(parents=True)
    stamp = "2026-01-01T05:00:00.100Z "
    lines = [
        *(f"noise {n}" for n in range(200)),
        "Traceback (most recent call last):",
        f'  File "{layout.data}/bundles/{"0a" * 16}/d.py", line 7, in each',
        "\x1b[31mValueError: bad\x1b[0m \x1b]0;title\x07<script>",
    ]
    log.write_bytes("".join(f"{stamp}{line}\n" for line in lines).encode() + b"\xff")
    excerpt = client.diagnosis(broken).errors[0].first.excerpt
    assert excerpt is not None
    assert excerpt.splitlines()[:3] == [
        "Traceback (most recent call last):",
        '  File "d.py", line 7, in each',
        "ValueError: bad <script>",
    ]


def test_a_diagnosis_without_a_log_is_one(client: Client, broken: str) -> None:
    assert client.diagnosis(broken).errors[0].first.excerpt is None


def test_two_kinds_of_errors_are_two(client: Client, conn: Session) -> None:
    deploy(conn, task("a"), task("b"), task("c"))
    (run_id,) = trigger(conn, "d", "k1")
    details = {"a": "disk /mnt/1 is full", "b": "disk /mnt/data/2 is full", "c": "no such table"}
    Scheduler(conn).play(failing(**details))
    found = client.diagnosis(run_id)
    assert [group.count for group in found.errors] == [2, 1]
    assert "2 distinct errors" in found.headline


def test_a_diagnosis_compares_with_the_last_good_run(client: Client, conn: Session) -> None:
    deploy(conn, task("a"))
    (good,) = trigger(conn, "d", "good")
    scheduler = Scheduler(conn)
    scheduler.play()
    deploy(conn, task("a"), task("b"), bundle="b2")
    (bad,) = trigger(conn, "d", "bad")
    scheduler.play(failing(a="no"))
    compared = client.diagnosis(bad).compared_to
    assert compared is not None
    assert compared.run_id == good
    changed = {each.what: (each.before, each.after) for each in compared.differences}
    assert (changed["version"], changed["bundle"]) == ((1, 2), ("b1", "b2"))


def test_what_never_had_an_attempt_says_why_it_failed(client: Client, conn: Session) -> None:
    deploy(conn, task("list"), task("each", over="list"))
    (run_id,) = trigger(conn, "d", "k1")
    Scheduler(conn).play()  # the result has no length: it is no list
    (group,) = client.diagnosis(run_id).errors
    assert (group.first.task_id, group.first.cause) == ("each", "refused")
    assert group.first.detail


def test_a_run_that_went_well_or_was_cancelled_has_a_headline(
    client: Client, conn: Session
) -> None:
    deploy(conn, task("a"))
    good, ended = trigger(conn, "d", "k1", "k2")
    scheduler = Scheduler(conn)
    transact(conn, commands.cancel, 1, ended, graphs(scheduler), ANN)
    scheduler.play()
    assert "1 task instance." in client.diagnosis(good).headline
    assert client.diagnosis(ended).headline.startswith("Cancelled by ann before it started")
    assert client.diagnosis(good).retry.total == 0
    with pytest.raises(NotFound):
        client.diagnosis("zzzzzzzzzzzz")


def test_working_time_is_apart_from_waiting_time(client: Client, conn: Session) -> None:
    deploy(conn, task("a", retries=1, retry_delay_s=60.0))
    (run_id,) = trigger(conn, "d", "k1")
    scheduler = Scheduler(conn)
    scheduler.tick()
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "failed", "run_s": 2.0}))
    (first,) = client.tasks(run_id)
    assert first.retry_at == client.instance(run_id, "a", -1).wake_at is not None
    assert (first.failures, first.retries) == (1, 1)
    scheduler.later(90)
    scheduler.play(lambda _: {"outcome": "success", "run_s": 3.0})
    (first,) = client.tasks(run_id)
    assert first.worked_s is not None
    assert first.waited_s is not None
    assert first.worked_s < 10
    assert 60 <= first.waited_s <= 120


def test_a_dag_and_a_run_of_200_tasks_are_shown_in_few_lines(
    client: Client, conn: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    """The worst first; an end with 199 tasks above it names a few of them."""
    names = [f"t{n:03}" for n in range(199)]
    deploy(conn, *map(task, names), task("finish", *names))
    (run_id,) = trigger(conn, "d", "k1")
    Scheduler(conn, places=300).play(failing(t007="no rows", t150="no rows"))

    def shown(show: Callable[..., None], target: str, *, every: bool) -> tuple[list[str], str]:
        show(client, target, Output.TABLE, every=every)
        said = capsys.readouterr()
        return said.out.splitlines()[1:], said.err

    rows, said = shown(show_run, run_id, every=False)
    assert [row.split()[0] for row in rows[:3]] == ["t007", "t150", "finish"]
    assert len(rows) == 40
    assert f"and 160 other tasks; to list all: headway show {run_id[:6]} --all" in said
    rows, said = shown(show_dag, "d", every=False)
    assert len(rows) == 40
    assert "and 160 other tasks; to list all: headway show d --all" in said
    rows, said = shown(show_dag, "d", every=True)
    assert (len(rows), "other tasks" in said) == (200, False)
    assert "t000, t001, t002, t003, t004 and 194 others" in rows[-1]
    assert max(map(len, rows)) < 200


def test_of_a_task_that_failed_and_retries_the_failure_is_told(
    client: Client, conn: Session
) -> None:
    """The reason is that of what failed, not of another instance, which is tried again."""
    deploy(conn, task("list"), task("each", over="list", retries=1, retry_delay_s=60.0))
    (run_id,) = trigger(conn, "d", "k1")

    def behave(grant: Grant) -> dict[str, Any]:
        if grant.instance.map_index != 0:
            return {**failing(each="Z may pass")(grant)}
        return {"outcome": "failed", "detail": "A is wrong", "retry": False}

    scheduler = Scheduler(conn)
    for _ in range(4):
        scheduler.tick(*scheduler.work(behave))
    each = next(task for task in client.tasks(run_id) if task.task_id == "each")
    assert each.counts == {"failed": 1, "success": 2, "up_for_retry": 1}
    assert each.reason is not None
    assert each.reason.startswith("A is wrong")
    shown = reason_of(each)
    assert shown is not None
    assert shown.startswith(f"{each.reason}; 1 other instance to be retried, ")


def test_the_first_failure_stays_in_sight_after_a_repair(client: Client, conn: Session) -> None:
    deploy(conn, task("a"))
    (run_id,) = trigger(conn, "d", "k1")
    scheduler = Scheduler(conn)
    scheduler.play(lambda _: {"outcome": "failed", "detail": "ValueError: no flights"})
    assert client.diagnosis(run_id).repaired is None
    client.clear(run_id, wire.ClearRequest(failed_only=True))
    told = client.diagnosis(run_id)
    assert told.repaired is not None
    assert told.repaired.state == "waiting", "it runs again, so it is not repaired yet"
    scheduler.play()
    told = client.diagnosis(run_id)
    assert told.errors == []
    assert told.repaired is not None
    assert told.repaired.state == "success"
    assert (told.repaired.task_id, told.repaired.attempt) == ("a", 1)
    assert told.repaired.detail == "ValueError: no flights"


def test_what_failed_with_one_error_is_run_again_as_a_set(client: Client, conn: Session) -> None:
    deploy(conn, task("a"), task("b"), task("c"), task("end", "a", "b", "c"))
    (run_id,) = trigger(conn, "d", "k1")
    scheduler = Scheduler(conn)
    scheduler.play(
        failing(a="ValueError: row 7 is bad", b="ValueError: row 8 is bad", c="KeyError: 'x'")
    )
    many, few = client.diagnosis(run_id).errors
    wish = wire.ClearRequest(
        failed_only=True, downstream=False, error=many.fingerprint, dry_run=True
    )
    would = client.clear(run_id, wish)
    assert [each.task_id for each in would.cleared] == ["a", "b"]
    client.clear(run_id, msgspec.structs.replace(wish, dry_run=False, downstream=True))
    scheduler.play(failing())
    assert client.run(run_id).counts == {"success": 2, "failed": 1, "upstream_failed": 1}
    assert [error.fingerprint for error in client.diagnosis(run_id).errors] == [few.fingerprint]
    nothing = client.clear(run_id, wire.ClearRequest(error=many.fingerprint, dry_run=True))
    assert nothing.cleared == []


def test_a_mapped_instance_is_shown_and_found_by_its_name(client: Client, conn: Session) -> None:
    deploy(conn, task("list"), task("book", over="list"))
    (run_id,) = trigger(conn, "d", "k1")
    rows = {0: "INV-0007", 1: "INV-0008", 2: "INV-0009\0", 3: ""}

    def behave(grant: Grant) -> dict[str, Any]:
        index = grant.instance.map_index
        if index < 0:
            return {"outcome": "success", "xcoms": LIST}
        failed = {"outcome": "failed", "detail": "ValueError: no customer"} if index else {}
        return {"outcome": "success", "name": rows[index], **failed}

    Scheduler(conn).play(behave)
    found = client.instances(run_id, task_id="book")
    assert [each.rendered_map_index for each in found] == [
        "INV-0007", "INV-0008", "INV-0009\N{SYMBOL FOR NULL}", None,
    ]  # fmt: skip
    assert client.instance(run_id, "book", 1).rendered_map_index == "INV-0008"
    assert [each.map_index for each in client.instances(run_id, q="inv-0008")] == [1]
    (error,) = client.diagnosis(run_id).errors
    named = client.instances(run_id, error=error.fingerprint)
    assert [place(each) for each in named] == [
        "book[1] (INV-0008)", "book[2] (INV-0009\N{SYMBOL FOR NULL})", "book[3]",
    ]  # fmt: skip
    assert error.first.rendered_map_index in rows.values()
    bars = client.get(f"/runs/{run_id}/gantt", wire.Gantt).bars
    assert "INV-0007" in {bar.rendered_map_index for bar in bars}


def test_a_name_is_shown_while_the_task_runs_and_kept_when_it_runs_again(
    client: Client, conn: Session
) -> None:
    deploy(conn, task("list"), task("book", over="list"))
    (run_id,) = trigger(conn, "d", "k1")
    scheduler = Scheduler(conn)
    scheduler.tick()
    scheduler.tick(*scheduler.work(lambda _: {"outcome": "success", "xcoms": LIST}))
    scheduler.tick()
    grants = list(scheduler.held.values())
    scheduler.tick(*(scheduler.name(grant, f"row {grant.instance.map_index}") for grant in grants))
    assert client.instance(run_id, "book", 2).rendered_map_index == "row 2"
    scheduler.tick(scheduler.name(grants[0], "of a stranger", token="wrong"))
    assert client.instance(run_id, "book", 0).rendered_map_index == "row 0"
    scheduler.play(lambda _: {"outcome": "failed", "cause": "lost"})
    assert client.instance(run_id, "book", 2).rendered_map_index == "row 2"


def test_a_task_that_waits_names_what_it_waits_for(client: Client, conn: Session) -> None:
    deploy(conn, task("a"), task("b"), task("c", "a", "b"), task("d", "c"))
    (run_id,) = trigger(conn, "d", "k1")
    scheduler = Scheduler(conn)
    scheduler.tick()

    def said(task_id: str) -> str:
        return stands(client, client.instance(run_id, task_id))

    assert said("c") == "is waiting: a, b have not ended"
    assert said("d") == "is waiting: c has not ended"
    scheduler.play(lambda grant: {"outcome": "success"})
    assert said("c") == "succeeded"


def test_a_task_that_waits_for_a_retry_says_when_and_which_of_how_many(
    client: Client, conn: Session
) -> None:
    deploy(conn, task("a", retries=5, retry_delay_s=600.0))
    (run_id,) = trigger(conn, "d", "k1")
    scheduler = Scheduler(conn)
    scheduler.tick()
    scheduler.tick(*scheduler.work(failing(a="ValueError: not there")))
    instance = client.instance(run_id, "a")
    assert (instance.state, instance.failures) == ("up_for_retry", 1)
    said = stands(client, instance)
    assert "ValueError: not there" in said
    assert said.endswith(f"; retries at {cell(instance.wake_at)}, attempt 2 of 6")
