"""The grid: a letter for each task of each run, whatever the versions."""

import gzip
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from headway.client import Client
from headway.core.states import State
from headway.errors import NotFound
from headway.spec import model
from headway.spec.outline import outline
from headway.store.transact import Session
from headway.store.views.strips import STRIPS, strip
from tests.api import seed
from tests.api.conftest import TOKEN


def dag(conn: Session, dag_id: str, *names: str, number: int = 1) -> None:
    """A version of these tasks, each below the one before."""
    tasks = tuple(
        model.Task(task_id=name, upstream=(names[place - 1],) if place else ())
        for place, name in enumerate(names)
    )
    spec = model.Dag(dag_id=dag_id, file=f"{dag_id}.py", tasks=tasks)
    with conn.transaction():
        conn.execute(
            "INSERT INTO bundle VALUES (1, 'b1', 1, 1, %s) ON CONFLICT DO NOTHING", [seed.NOON]
        )
        conn.execute(
            "INSERT INTO dag (team_id, dag_id, version, bundle_version, file, max_active_runs,"
            " updated_at) VALUES (1, %(dag)s, %(number)s, 'b1', 'f', 16, %(at)s)"
            " ON CONFLICT (team_id, dag_id) DO UPDATE SET version = excluded.version",
            {"dag": dag_id, "number": number, "at": seed.NOON},
        )
        conn.execute(
            "INSERT INTO dag_version VALUES (1, %s, %s, %s, %s, %s)",
            [dag_id, number, model.spec_hash(spec), model.encode(spec).decode(), seed.NOON],
        )


def run(conn: Session, run_id: str, minute: int, number: int = 1, **states: Any) -> None:
    seed.run(conn, "d", run_id, minute=minute)
    conn.execute("UPDATE run SET version = %s WHERE run_id = %s", [number, run_id])
    for task_id, state in states.items():
        many = [state] if isinstance(state, str) else state
        for index, each in enumerate(many):
            place = -1 if isinstance(state, str) else index
            seed.instance(conn, run_id, task_id, each, place)


def test_a_letter_for_each_task_of_each_run(client: Client, conn: Session) -> None:
    dag(conn, "d", "b", "a", "c")
    run(conn, "r1", 1, b="success", a="failed", c="upstream_failed")
    run(conn, "r2", 2, b="running", a="waiting", c="waiting")
    seed.run(conn, "d", "r3", minute=3, state="queued")
    grid = client.grid("d")
    assert [task.task_id for task in grid.tasks] == ["b", "a", "c"]
    assert [task.upstream for task in grid.tasks] == [[], [0], [1]]
    assert [(each.run_id, each.cells) for each in grid.runs] == [
        ("r1", "sfu"),
        ("r2", "Rww"),
        ("r3", "..."),
    ]
    assert grid.next_cursor is None


def test_a_mapped_task_shows_its_counts_and_its_worst_state(client: Client, conn: Session) -> None:
    dag(conn, "d", "a", "m", "z")
    run(conn, "r1", 1, a="success", m=["success"] * 3 + ["failed"], z="upstream_failed")
    run(conn, "r2", 2, a="success", m=["success", "running"], z="waiting")
    grid = client.grid("d")
    assert [each.cells for each in grid.runs] == ["sfu", "sRw"]
    assert grid.runs[0].mapped == {"1": {"success": 3, "failed": 1}}


def test_tasks_of_older_versions_are_rows_too(client: Client, conn: Session) -> None:
    dag(conn, "d", "a", "old", "b")
    run(conn, "r1", 1, a="success", old="success", b="success")
    dag(conn, "d", "b", "new", "a", number=2)
    run(conn, "r2", 2, number=2, b="failed", new="skipped", a="success")
    grid = client.grid("d")
    assert [(task.task_id, task.removed) for task in grid.tasks] == [
        ("b", False),
        ("new", False),
        ("a", False),
        ("old", True),
    ]
    assert [each.cells for each in grid.runs] == ["s.ss", "fks."]
    assert [each.version for each in grid.runs] == [1, 2]


def test_what_changed_is_read_again(client: Client, conn: Session) -> None:
    dag(conn, "d", "a")
    run(conn, "r1", 1, a="waiting")
    assert client.grid("d").runs[0].cells == "w"
    conn.execute("UPDATE task_instance SET state = 'running', attempts = 1")
    conn.execute("UPDATE run SET revision = revision + 1")
    assert client.grid("d").runs[0].cells == "R"


def test_pages_of_columns_neither_repeat_nor_omit(client: Client, conn: Session) -> None:
    dag(conn, "d", "a")
    for number in range(7):
        run(conn, f"r{number}", number // 2, a="success")
    seen: list[str] = []
    before: str | None = None
    while len(seen) < 7:
        grid = client.grid("d", limit=3, before=before)
        seen = [each.run_id for each in grid.runs] + seen
        before = grid.next_cursor
    assert before is None
    assert sorted(seen) == [f"r{number}" for number in range(7)]
    assert seen[-1] == "r6"


def test_a_large_answer_is_compressed_for_who_can_read_it(url: str, conn: Session) -> None:
    dag(conn, "d", *(f"task_{n:04}" for n in range(500)))
    parts = urlsplit(url)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    bodies = {}
    for coding in ("gzip", "identity"):
        headers = {"Authorization": f"Bearer {TOKEN}", "Accept-Encoding": coding}
        connection.request("GET", "/api/v1/dags/d/grid", headers=headers)
        response = connection.getresponse()
        bodies[response.headers.get("Content-Encoding", "identity")] = response.read()
    connection.close()
    assert gzip.decompress(bodies["gzip"]) == bodies["identity"]
    assert len(bodies["gzip"]) * 5 < len(bodies["identity"])


def test_an_empty_and_an_unknown_dag(client: Client, conn: Session) -> None:
    dag(conn, "d", "a", "g.b")
    grid = client.grid("d")
    assert (len(grid.tasks), grid.runs) == (2, [])
    assert [(group.group_id, group.label, group.parent) for group in grid.groups] == [
        ("g", "g", "")
    ]
    with pytest.raises(NotFound):
        client.grid("nothing")


def test_groups_stand_in_one_piece_where_their_first_task_comes() -> None:
    names = ("x", "g.a", "y", "g.h.b", "g.c", "g.h.d", "z")
    spec = model.Dag(dag_id="d", file="f", tasks=tuple(model.Task(task_id=name) for name in names))
    older = model.Dag(dag_id="d", file="f", tasks=(model.Task(task_id="g.gone"),))
    found = outline(spec, [older])
    assert [row.task.task_id for row in found.rows] == [
        *("x", "g.a", "g.h.b", "g.h.d", "g.c", "g.gone", "y", "z")
    ]
    assert [(group.group_id, group.parent) for group in found.groups] == [("g", ""), ("g.h", "g")]
    assert [row.depth for row in found.rows] == [0, 1, 2, 2, 1, 1, 0, 0]


def test_every_state_has_its_own_letter() -> None:
    assert len({state.letter for state in State}) == len(State)
    for state in State:
        assert f"WHEN '{state}' THEN '{state.letter}'" in STRIPS


def test_the_most_telling_state_stands_for_many() -> None:
    assert strip(["m"], "", [("m", "success", 5), ("m", "skipped", 1)]).letters == "s"
    assert strip(["m"], "", [("m", "running", 1), ("m", "failed", 1)]).letters == "f"
    assert strip(["a", "m", "z"], "wk", [("m", "ready", 1), ("m", "success", 9)]).letters == "wrk"
