"""Each kind of reason, from the database through the API: the words, and the facts beside them."""

import json

import pytest

from headway.client.client import Client
from headway.core.reasons import NoAgent, Reason, Text
from headway.store.transact import Session
from tests.api import seed
from tests.api.browser import API
from tests.api.people import local
from tests.reasons import EXAMPLES, as_stored

EVENT = """
    INSERT INTO event (team_id, at, subject, run_id, dag_id, task_id, name, actor, reason)
    VALUES (1, %s, 'task_instance', 'r1', 'd', 't0', 'skip', 'scheduler', %s::jsonb)
"""


@pytest.fixture
def told(conn: Session) -> Session:
    seed.dag(conn, "d", tasks=1)
    seed.run(conn, "d", "r1")
    seed.instance(conn, "r1", "t0", "ready")
    return conn


def test_every_reason_is_told_with_its_facts(told: Session, url: str) -> None:
    for reason, _ in EXAMPLES:
        told.execute(EVENT, [seed.NOON, as_stored(reason)])
    events = local(url).ask("GET", f"{API}/events?run_id=r1&limit=100").json["items"]
    found = {
        json.dumps(event["why"], sort_keys=True): event["reason"]
        for event in events
        if event["why"]
    }
    facts = {json.dumps(json.loads(as_stored(r)), sort_keys=True): words for r, words in EXAMPLES}
    assert found == facts


def test_what_holds_an_instance_comes_before_why_it_is_ready(told: Session, client: Client) -> None:
    told.execute(
        "UPDATE task_instance SET blocked_reason = %s::jsonb, reason = %s::jsonb",
        [as_stored(NoAgent()), as_stored(Text("of old"))],
    )
    found = client.instance("r1", "t0")
    assert (found.why, found.blocked_reason, found.reason) == (
        NoAgent(),
        "no live agent",
        "of old",
    )
    (task,) = client.tasks("r1")
    assert (task.why, task.blocked_reason) == (NoAgent(), "no live agent")


def test_a_reason_of_a_later_version_is_told_as_it_is(told: Session, client: Client) -> None:
    told.execute("""UPDATE task_instance SET reason = '{"kind": "of_tomorrow", "pool": "etl"}'""")
    found = client.instance("r1", "t0")
    told_as: Reason = Text("of tomorrow: pool etl")
    assert (found.why, found.reason) == (told_as, "of tomorrow: pool etl")
