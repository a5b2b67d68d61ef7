"""Lists in any order, by page; and what they have in all."""

from datetime import timedelta

import msgspec
import pytest

from headway import wire
from headway.client import Client
from headway.errors import NotFound, UsageError
from headway.spec import model
from headway.store.transact import Session
from headway.store.views import runs as run_views
from tests.api import seed

ENDS = {"a": "failed", "b": "success", "c": None, "d": "success", "e": "running"}


@pytest.fixture
def five(conn: Session) -> None:
    """DAGs of which `c` never ran, `d` is paused and ran first, and `e` has an owner."""
    for number, (name, state) in enumerate(ENDS.items()):
        seed.dag(conn, name)
        if state is not None:
            seed.run(conn, name, f"r{name}", 0 if name == "d" else number + 1, state)
    conn.execute("UPDATE dag SET paused_at = %s WHERE dag_id = 'd'", [seed.NOON])
    conn.execute(
        "UPDATE dag SET next_fire_at = %s + (ascii('z') - ascii(dag_id)) * interval '1 hour'"
        " WHERE dag_id <> 'b'",
        [seed.NOON],
    )
    conn.execute(
        "UPDATE dag_version SET spec = jsonb_set(spec::jsonb, '{owner}', '\"ann\"') WHERE dag_id = 'e'"
    )


# What has none comes last in either direction.
@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", "abcde"),
        ("-name", "edcba"),
        ("last_run", "dabec"),
        ("-last_run", "ebadc"),
        ("next_run", "ecabd"),
        ("-next_run", "acebd"),
        ("owner", "eabcd"),
        ("-owner", "eabcd"),
    ],
)
@pytest.mark.parametrize("limit", [2, 100])
def test_dags_are_sorted(client: Client, five: None, sort: str, names: str, limit: int) -> None:
    query = {"sort": sort, "limit": limit}
    found = client.all_pages("/dags", wire.DagSummary, query)
    assert "".join(dag.dag_id for dag in found) == names


def test_the_totals_are_of_all_that_match_whatever_their_state(client: Client, five: None) -> None:
    first = client.get("/dags", wire.DagPage, {"limit": 1, "state": "success"})
    assert first.totals == wire.DagTotals(
        total=5, paused=1, never_ran=1, by_state={"failed": 1, "success": 2, "running": 1}
    )
    then = client.get("/dags", wire.DagPage, {"limit": 1, "cursor": first.next_cursor})
    assert then.totals is None
    one = client.get("/dags", wire.DagPage, {"q": "c", "paused": False}).totals
    assert one == wire.DagTotals(total=1, paused=0, never_ran=1, by_state={})


@pytest.mark.parametrize("sort", ["name", "last_run"])
def test_dags_that_never_ran(client: Client, five: None, sort: str) -> None:
    assert [dag.dag_id for dag in client.dags(ran=False, sort=sort)] == ["c"]
    assert {dag.dag_id for dag in client.dags(ran=True, sort=sort)} == set("abde")


def test_a_dag_that_goes_between_two_pages_loses_no_other(
    client: Client, conn: Session, five: None
) -> None:
    query: dict[str, object] = {"sort": "-name", "limit": 2}
    first = client.get("/dags", wire.DagPage, query)
    conn.execute("UPDATE dag SET missing_since = now() WHERE dag_id = 'd'")
    rest = client.get("/dags", wire.DagPage, {**query, "cursor": first.next_cursor})
    assert [dag.dag_id for dag in (*first.items, *rest.items)] == ["e", "d", "b", "a"]


@pytest.mark.parametrize("dag_id", [None, "d"])
@pytest.mark.parametrize("sort", ["newest", "oldest", "longest"])
def test_runs_are_sorted(client: Client, conn: Session, dag_id: str | None, sort: str) -> None:
    seed.dag(conn, "d")
    for number in range(7):  # some at the same moment
        seed.run(conn, "d", f"r{number}", minute=number // 2, state="success")
        lasts = timedelta(minutes=number * 3 % 7)
        conn.execute(
            "UPDATE run SET ended_at = started_at + %s WHERE run_id = %s", [lasts, f"r{number}"]
        )
    query = {"limit": 3, "dag_id": dag_id, "sort": sort}
    seen = [run.run_id for run in client.all_pages("/runs", wire.Run, query)]
    newest = ["r6", "r4", "r5", "r2", "r3", "r0", "r1"]
    longest = ["r2", "r4", "r6", "r1", "r3", "r5", "r0"]
    assert seen == {"newest": newest, "oldest": newest[::-1], "longest": longest}[sort]


@pytest.mark.parametrize("path", ["/dags", "/runs"])
def test_an_order_that_there_is_not_is_refused(client: Client, path: str) -> None:
    with pytest.raises(UsageError, match="not a valid order"):
        client.get(path, wire.Page[wire.Run], {"sort": "colour"})


def test_runs_beside_a_run(client: Client, conn: Session) -> None:
    for name in ("d", "other"):
        seed.dag(conn, name)
    for run_id, minute in (("r1", 1), ("r2", 2), ("r3", 2), ("r4", 4)):
        seed.run(conn, "d", run_id, minute)
    seed.run(conn, "other", "x1", 3)
    order = [run.run_id for run in client.runs(10, dag_id="d", sort="oldest")]
    for before, here, after in zip([None, *order], order, [*order[1:], None], strict=False):
        found = client.adjacent_runs(here)
        assert (found.previous and found.previous.run_id) == before
        assert (found.next and found.next.run_id) == after
    assert client.adjacent_runs("x1") == wire.AdjacentRuns(previous=None, next=None)
    with pytest.raises(NotFound):
        client.adjacent_runs("missing")


def test_instances_are_found_by_error_and_by_name(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    seed.run(conn, "d", "r1", state="failed")
    for task_id in ("t1", "t2"):
        for index in range(4):
            seed.instance(conn, "r1", task_id, "failed", index)
            text = f"row {index} is bad" if index else "no route to the shop"
            seed.attempt(conn, "r1", task_id, index, f"ValueError: {text}")
    seed.instance(conn, "r1", "t0", "success")
    path = "/runs/r1/task-instances"

    def found(**query: object) -> list[str]:
        items = client.all_pages(path, wire.TaskInstance, {"limit": 2, **query})
        return [f"{each.task_id}[{each.map_index}]" for each in items]

    many, few = client.diagnosis("r1").errors
    assert (many.count, few.count) == (6, 2)
    assert found(error=few.fingerprint) == ["t1[0]", "t2[0]"]
    assert found(error=many.fingerprint, task_id="t2") == ["t2[1]", "t2[2]", "t2[3]"]
    assert found(error=many.fingerprint, q="[3]") == ["t1[3]", "t2[3]"]
    assert found(q="T0") == ["t0[-1]"]
    assert found(error="of nothing") == []


def test_the_instances_of_a_mapped_group_come_item_by_item(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    over = model.Mapping(axes=(model.Axis(argument="x", length=2),), group="each")
    inside = [
        model.Task(task_id="each.z", mapping=over),
        model.Task(task_id="each.a", upstream=("each.z",), mapping=over),
    ]
    spec = msgspec.structs.replace(seed.spec("d", 1), tasks=(model.Task(task_id="t0"), *inside))
    conn.execute("UPDATE dag_version SET spec = %s", [model.encode(spec).decode()])
    seed.run(conn, "d", "r1", state="failed")
    seed.instance(conn, "r1", "t0", "success")
    for task_id in ("each.z", "each.a"):
        for index in range(2):
            seed.instance(conn, "r1", task_id, "failed" if index else "success", index)
    path = "/runs/r1/task-instances"

    def found(**query: object) -> list[str]:
        wanted = {"limit": 1, "mapped_group": "each", **query}
        items = client.all_pages(path, wire.TaskInstance, wanted)
        return [f"{each.task_id}[{each.map_index}]" for each in items]

    assert found() == ["each.z[0]", "each.a[0]", "each.z[1]", "each.a[1]"]
    assert found(state="failed") == ["each.z[1]", "each.a[1]"]
    assert found(q="a[1]") == ["each.a[1]"]
    assert [task.mapped_group for task in client.tasks("r1")] == ["", "each", "each"]
    grid = client.grid("d")
    assert [(group.group_id, group.mapped) for group in grid.groups] == [("each", True)]
    with pytest.raises(NotFound, match="no mapped group 'eech'") as error:
        found(mapped_group="eech")
    assert error.value.hint == 'did you mean "each"?'


def test_the_iterations_of_a_loop_come_one_after_another(client: Client, conn: Session) -> None:
    """As the items of a mapped group do, in the list of instances, the run and the grid."""
    seed.dag(conn, "d")
    tasks = (
        model.Task(task_id="page.fetch", loop="page"),
        model.Task(task_id="page.gate", upstream=("page.fetch",), loop="page"),
        model.Task(task_id="after", upstream=("page.gate",)),
    )
    loop = model.Loop(path="page", gate="page.gate", result="page.fetch", max_iterations=7)
    spec = msgspec.structs.replace(seed.spec("d", 1), tasks=tasks, loops=(loop,))
    conn.execute("UPDATE dag_version SET spec = %s", [model.encode(spec).decode()])
    seed.run(conn, "d", "r1", state="failed")
    for task_id in ("page.fetch", "page.gate"):
        for index in range(2):
            seed.instance(conn, "r1", task_id, "failed" if index else "success", index)
    seed.instance(conn, "r1", "after", "upstream_failed")
    query = {"mapped_group": "page"}
    items = client.all_pages("/runs/r1/task-instances", wire.TaskInstance, query)
    assert [f"{each.task_id}[{each.map_index}]" for each in items] == [
        "page.fetch[0]",
        "page.gate[0]",
        "page.fetch[1]",
        "page.gate[1]",
    ]
    shown = [(t.task_id, t.mapped, t.mapped_group, t.max_iterations) for t in client.tasks("r1")]
    assert shown == [
        ("page.fetch", True, "page", 7),
        ("page.gate", True, "page", 7),
        ("after", False, "", None),
    ]
    grid = client.grid("d")
    assert [(group.group_id, group.mapped) for group in grid.groups] == [("page", True)]
    assert [task.mapped for task in grid.tasks] == [True, True, False]


def test_runs_are_counted_by_state(client: Client, conn: Session) -> None:
    seed.dag(conn, "d")
    seed.dag(conn, "e")
    for number, state in enumerate(("failed", "success", "success", "running")):
        seed.run(conn, "d", f"d{number}", minute=number, state=state)
    seed.run(conn, "e", "e0", minute=60, state="failed")
    totals = client.run_totals()
    assert (totals.total, totals.truncated) == (5, False)
    assert totals.by_state == {"failed": 2, "success": 2, "running": 1}
    assert client.run_totals(dag_id="d").by_state == {"failed": 1, "success": 2, "running": 1}
    assert client.run_totals(q="e0").by_state == {"failed": 1}
    of_time = client.run_totals(**{"from": "2026-01-01T12:01:00Z", "to": "2026-01-01T12:03:00Z"})
    assert of_time.by_state == {"success": 2}


def test_many_runs_are_counted_as_far_as_a_page_looks(
    client: Client, conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_views, "WINDOW", 3)
    seed.dag(conn, "d")
    for number in range(4):
        seed.run(conn, "d", f"d{number}", minute=number, state="success")
    totals = client.run_totals()
    assert (totals.total, totals.truncated) == (3, True)
