"""A DAG whose pods the policy of its team does not allow is refused, with the line of the task."""

from typing import Any

import pytest
from psycopg import Connection

from headway.core.pod_policy import PodPolicy
from headway.loader.loader import Loader
from headway.loader.pods import HINT
from headway.store import pod_policies
from headway.store.clock import clock
from headway.store.transact import transact
from tests.loader.conftest import Folder, dags, errors

SCRIPT = """\
from headway import dag, task


@dag
def flow():
    @task(executor="kubernetes", {options})
    def work(): ...

    work()


flow()
"""


def tell(conn: Connection[Any], policy: PodPolicy) -> None:
    """As the executor does when it starts."""
    transact(conn, lambda conn: pod_policies.tell(conn, "kubernetes", policy, clock(conn)))


@pytest.mark.parametrize(
    ("policy", "options", "why"),
    [
        (
            PodPolicy(images=("ghcr.io/acme/*",)),
            'image="evil:1"',
            "the image evil:1 is not allowed here; allowed are ghcr.io/acme/*",
        ),
        (
            PodPolicy(task_cpu="8"),
            'resources={"cpu": 16}',
            "it asks for more cpu than one task may have here: the limit is 8",
        ),
        (
            PodPolicy(priority_classes=("batch-*",)),
            'priority_class="urgent"',
            "the priority class urgent is not allowed here; allowed: batch-*",
        ),
        (PodPolicy(owner_required=True), "", "it has no owner, and tasks must have one here"),
    ],
)
def test_what_a_policy_does_not_allow_is_refused_until_the_policy_or_the_file_changes(
    loader: Loader, folder: Folder, conn: Connection[Any], policy: PodPolicy, options: str, why: str
) -> None:
    tell(conn, policy)
    folder.write("flow.py", SCRIPT.format(options=options))
    folder.dag("other.py", "other")
    loader.settle()
    assert dags(conn).keys() == {"other"}
    assert errors(conn) == {"flow.py": (6, f"flow: work: {why}; {HINT}")}
    tell(conn, PodPolicy(priority_classes=("*",)))
    loader.settle()
    assert dags(conn).keys() == {"flow", "other"}
    assert errors(conn) == {}


def test_settings_of_the_team_hold_in_place_of_the_platforms(
    loader: Loader, folder: Folder, conn: Connection[Any], owner_conn: Connection[Any]
) -> None:
    tell(conn, PodPolicy(task_cpu="8"))
    owner_conn.execute("""UPDATE team SET cluster = '{"task_cpu": "16"}' WHERE team_id = 1""")
    folder.write("flow.py", SCRIPT.format(options='resources={"cpu": 16}'))
    folder.write("open.py", SCRIPT.format(options='resources={"cpu": 17}').replace("flow", "open"))
    loader.settle()
    assert dags(conn).keys() == {"flow"}
    assert errors(conn) == {
        "open.py": (
            6,
            f"open: work: it asks for more cpu than one task may have here: the limit is 16; {HINT}",
        )
    }
