"""Whatever a team gives, in parameters, specifications and reports, is refused where it comes in or carried to the end:
through the API, the database, the scheduler, the messages to the agent and the order of the child.
"""

import itertools
import json
from collections.abc import Callable
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headway import clock
from headway.agent import child
from headway.agent.attempts import Attempt
from headway.agent.orders import ENCODER, ORDER
from headway.agent.protocol import Ended, Grant, Grants, Hello, Started, XComValue
from headway.agent.xcoms import Xcoms
from headway.executors.base import LEASE
from headway.spec import model
from headway.spec.carried import DEPTH_MAX, flaws
from headway.spec.errors import BadSpec
from headway.spec.validate import validate
from headway.store import sessions
from headway.store.transact import Session, transact
from tests.agent_tokens import SECRET
from tests.api.browser import API, Browser
from tests.api.conftest import TOKEN
from tests.scenarios.test_links import process
from tests.scenarios.world import deploy, run_state, task, trigger
from tests.simulation.line import Line
from tests.simulation.process import Process, one_round

__all__ = ["process"]

EXAMPLES: Final = 40
STRESS: Final = 2_000
DATA: Final = Path("/data")
TURNS_MAX: Final = 20
SEQS = itertools.count(1)

TEXT: Final = st.text(st.characters(), max_size=20)  # half characters and NUL are among them
INTEGERS: Final = st.integers() | st.sampled_from(
    [2**31, 2**53 + 1, 2**63, 2**64, -(2**70), 10**1000]
)
FLOATS: Final = st.floats() | st.sampled_from([1e22, 5e-324, 1.7e308])
VALUES: Final = st.recursive(
    st.none() | st.booleans() | INTEGERS | FLOATS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
DATES: Final = st.none() | st.datetimes(timezones=st.just(UTC))
SECONDS: Final = st.floats() | st.sampled_from([0.0, 1e-9, 3e9, 1e18])


@pytest.fixture
def browser(url: str) -> Browser:
    return Browser(url, headers={"Authorization": f"Bearer {TOKEN}"})


@pytest.fixture
def line(process: Process) -> Line:
    return connected(process, "s1")


@pytest.fixture(params=[EXAMPLES, pytest.param(STRESS, marks=pytest.mark.stress)])
def examples(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def tried(count: int, prove: Callable[..., None], **values: st.SearchStrategy[Any]) -> None:
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    choose = settings(
        max_examples=count,
        database=None,
        derandomize=True,
        suppress_health_check=checks,
    )
    choose(given(**values)(prove))()


def connected(process: Process, session: str) -> Line:
    line = Line()
    process.listener.waiting.append(line)
    line.tell(Hello(session, "agent", SECRET, 4, 4, "host", 1, []))
    turn(process)
    line.hear()
    return line


def turn(process: Process) -> None:
    assert process.scheduler is not None
    one_round(process.scheduler)


def played(process: Process, line: Line, run_id: str) -> list[Grants]:
    """All that the agent is sent ends well, until nothing comes any more; what it was sent of this run."""
    found, quiet = [], 0
    while quiet < 3:
        turn(process)
        sent = [message for message in line.hear() if isinstance(message, Grants)]
        for grant in (grant for message in sent for grant in message.grants):
            line.tell(Ended(next(SEQS), grant.key, grant.token, "success", ""))
        found += [message for message in sent if message.runs[0].run_id == run_id]
        quiet = 0 if sent else quiet + 1
    return found


def grant_of(process: Process, line: Line, run_id: str) -> Grant:
    """The one of this run; those of others, which were lost and come again, end well."""
    for _ in range(TURNS_MAX):
        turn(process)
        sent = [message for message in line.hear() if isinstance(message, Grants)]
        grants = [grant for message in sent for grant in message.grants]
        for grant in grants:
            if grant.key.run_id != run_id:
                line.tell(Ended(next(SEQS), grant.key, grant.token, "success", ""))
        if mine := [grant for grant in grants if grant.key.run_id == run_id]:
            return mine[0]
    raise AssertionError("it was not granted")


# -- parameters


def test_a_parameter_is_refused_or_arrives_as_it_was_given(
    browser: Browser, conn: Session, process: Process, line: Line, examples: int
) -> None:
    deploy(conn, task("a"), params=(model.Param(name="p"),))

    def prove(value: Any) -> None:
        body = json.dumps({"params": {"p": value}}).encode()
        answer = browser.ask("POST", f"{API}/dags/d/runs", body)
        if answer.status == 400:
            assert next(flaws(value), None) is not None, (value, answer)
            return
        assert answer.status == 201, (value, answer)
        run_id = answer.json["run_id"]
        shown = browser.ask("GET", f"{API}/runs/{run_id}").json["params"]
        assert exact(shown) == exact({"p": value})
        (message,) = played(process, line, run_id)
        order = Attempt(message.grants[0], message.runs[0]).order(DATA, Xcoms(DATA), True)
        received = child.run_of(ORDER.decode(ENCODER.encode(order))).params
        assert exact(dict(received)) == exact({"p": value})
        assert run_state(conn, run_id) == "success"

    tried(examples, prove, value=VALUES)
    assert process.deaths == 0


def exact(value: Any) -> str:
    """Tells 1 from 1.0 and True, and 0.0 from -0.0."""
    return repr(value)


def test_nesting_ends_where_it_says(browser: Browser, conn: Session) -> None:
    deploy(conn, task("a"), params=(model.Param(name="p"),))
    for depth, status in ((DEPTH_MAX, 201), (DEPTH_MAX + 1, 400), (20_000, 400)):
        body = b'{"params": {"p": %s1%s}}' % (b"[" * depth, b"]" * depth)
        assert browser.ask("POST", f"{API}/dags/d/runs", body).status == status, depth


# -- specifications

PARAMS: Final = st.builds(
    model.Param,
    name=st.just("p") | TEXT,
    default=VALUES,
    description=TEXT,
    enum=st.just(()) | st.lists(VALUES, max_size=2).map(tuple),
)
TASKS: Final = st.builds(
    model.Task,
    task_id=st.just("a") | TEXT,
    retries=INTEGERS | st.just(0),
    retry_delay_s=SECONDS,
    max_retry_delay_s=st.none() | SECONDS,
    execution_timeout_s=st.none() | SECONDS,
    pool_slots=st.just(1) | INTEGERS,
    priority_weight=st.integers(-1000, 1000) | INTEGERS,
    memory_limit_mb=st.none() | INTEGERS,
    owner=TEXT,
    doc=TEXT,
    line=st.just(1) | INTEGERS,
)
SCHEDULES: Final[st.SearchStrategy[Any]] = (
    st.none()
    | st.just({"once": True})
    | st.just({"cron": "0 5 * * *"})
    | st.builds(dict, interval_s=SECONDS)
)


def simple(strategy: st.SearchStrategy[Any], plain: Any) -> st.SearchStrategy[Any]:
    """Mostly what is well, so that not every example is refused for its first field."""
    return st.one_of(*[st.just(plain)] * 4, strategy)


SPECS: Final = st.builds(
    model.Dag,
    dag_id=st.just("d"),
    file=st.just("d.py"),
    tasks=simple(TASKS, task("a")).map(lambda one: (one,)),
    schedule=SCHEDULES,
    start_date=DATES,
    end_date=DATES,
    max_active_runs=simple(INTEGERS, 16),
    dagrun_timeout_s=simple(SECONDS, None),
    params=simple(PARAMS, model.Param(name="p")).map(lambda one: (one,)),
    tags=simple(st.lists(TEXT, max_size=3), []).map(tuple),
    owner=simple(TEXT, ""),
    description=simple(TEXT, ""),
    doc=simple(TEXT, ""),
    line=st.just(1),
)


def test_a_specification_is_refused_or_runs(
    browser: Browser, conn: Session, process: Process, line: Line, examples: int
) -> None:
    numbers = itertools.count()

    def prove(spec: model.Dag) -> None:
        try:
            validate(spec)
        except BadSpec as error:
            str(error).encode()
            return
        spec = msgspec.structs.replace(spec, dag_id=f"d{next(numbers)}")
        fields = {name: getattr(spec, name) for name in spec.__struct_fields__}
        tasks, dag_id = fields.pop("tasks"), fields.pop("dag_id")
        del fields["file"], fields["spec_version"]
        deploy(conn, *tasks, dag_id=dag_id, **fields)
        assert process.scheduler is not None
        process.scheduler.sweep()
        for path in (f"/dags/{dag_id}", f"/dags/{dag_id}/next", "/dags?limit=1", "/timeline"):
            answer = browser.ask("GET", API + path)
            assert answer.status == 200, (path, spec, answer)
        answer = browser.ask("POST", f"{API}/dags/{dag_id}/runs", {})
        assert answer.status == 201, (spec, answer)
        run_id = answer.json["run_id"]
        played(process, line, run_id)
        if tasks[0].pool_slots <= 128:
            may_be_late = spec.dagrun_timeout_s is not None  # of less than a second, for instance
            ends = {"success", "failed"} if may_be_late else {"success"}
            assert run_state(conn, run_id) in ends, spec
        else:
            browser.ask("POST", f"{API}/runs/{run_id}/cancel")
        browser.ask("POST", f"{API}/dags/{dag_id}/pause")

    tried(examples, prove, spec=SPECS)
    assert process.deaths == 0


# -- what agents say

REPORTED: Final = st.text(max_size=20)
AGES: Final = st.floats() | st.sampled_from([0.0, 1e300, -1e300])
XCOMS: Final = st.builds(
    XComValue,
    key=st.just("return_value") | REPORTED,
    value=st.none() | st.binary(max_size=10) | VALUES.map(lambda v: json.dumps(v).encode()),
    file=st.none() | REPORTED,
    size=INTEGERS.filter(lambda n: -(2**63) <= n < 2**64),
    length=st.none() | st.integers(-(2**33), 2**33),
)


def test_a_report_costs_at_most_its_run_and_its_connection(
    conn: Session, process: Process, examples: int
) -> None:
    deploy(conn, task("a"), max_active_runs=1000)
    deploy(conn, task("a"), dag_id="good")
    agents = itertools.count(1)

    def prove(**fields: Any) -> None:
        line = connected(process, f"x{next(agents)}")
        (run_id,) = trigger(conn)
        grant = grant_of(process, line, run_id)
        xcoms = fields.pop("xcoms")
        start = Started(next(SEQS), grant.key, grant.token, fields.pop("pid"), fields["age_s"])
        line.tell(start)
        line.tell(Ended(next(SEQS), grant.key, grant.token, xcoms=xcoms, **fields))
        for _ in range(4):
            turn(process)
        line.hang_up()
        good = connected(process, f"g{next(agents)}")
        (good_run,) = trigger(conn, "good")
        played(process, good, good_run)
        assert run_state(conn, good_run) == "success"
        good.hang_up()
        turn(process)
        # What was left in the hands of those that are gone comes again with the next example.
        transact(conn, sessions.expire, clock.now() + timedelta(hours=1), LEASE)

    tried(
        examples,
        prove,
        outcome=st.sampled_from(["success", "failed", "skipped", "cancelled", "lost"]),
        cause=REPORTED,
        detail=REPORTED,
        exit_code=st.none() | st.integers(-(2**33), 2**33),
        run_s=AGES,
        age_s=AGES,
        pid=st.integers(-(2**33), 2**33),
        xcoms=st.lists(XCOMS, max_size=3),
        follow=st.none() | st.lists(REPORTED, max_size=2),
        line=st.none() | st.integers(-(2**33), 2**33),
        retry=st.booleans(),
    )
    assert process.deaths == 0
