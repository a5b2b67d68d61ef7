"""What must be true when all is over, whatever was done to the processes."""

from tests.simulation.invariants import check
from tests.stress.installation import Installation


def holds(site: Installation) -> None:
    with site.session() as conn:
        assert check(conn) == []
        attempts = conn.execute(
            "SELECT run_id || ' ' || task_id || ' ' || map_index || ' ' || number, state FROM attempt"
        ).fetchall()
        assert conn.execute("SELECT sum(used) FROM pool").fetchone() == (0,)
    known = dict(attempts)
    executions = site.executions()
    assert {line: n for line, n in executions.items() if n > 1} == {}, "ran twice"
    assert executions.keys() <= known.keys(), "ran without an attempt"
    done = {line for line, state in known.items() if state == "success"}
    assert done <= executions.keys(), "a success of what never ran"


def all_succeeded(site: Installation) -> None:
    assert site.value("SELECT count(*) FROM run WHERE state <> 'success'") == 0
    assert site.value("SELECT count(*) FROM run WHERE set_aside IS NOT NULL") == 0


def nothing_was_lost(site: Installation) -> None:
    assert site.value("SELECT count(*) FROM attempt WHERE state = 'lost'") == 0
