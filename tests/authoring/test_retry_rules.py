"""A retry policy: what its rules say in the spec, what is wrong with one, and what it does."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from headway import DAG, Fail, RetryRule, Run, bash, task
from headway.frontends.python.loading import load as load_bundle
from headway.spec.model import RetryRule as Spec
from headway.testing import run_dag
from tests.authoring.files import load, mistake, spec_of

DAG_FILE = """\
import subprocess
from datetime import timedelta
from headway import DAG, Fail, RetryRule, Skip, bash, task
class NoFlights(LookupError): pass
rules = [{rules}]
with DAG("flow"):
    @task(retries=2, retry_policy=rules)
    def work(): pass
    work()
"""


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("RetryRule(ConnectionError)", Spec(exceptions=("builtins.ConnectionError",))),
        ('RetryRule("ConnectionError")', Spec(exceptions=("builtins.ConnectionError",))),
        ('RetryRule("builtins.OSError")', Spec(exceptions=("builtins.OSError",))),
        ("RetryRule(NoFlights)", Spec(exceptions=("{module}.NoFlights",))),
        ('RetryRule("NoFlights")', Spec(exceptions=("{module}.NoFlights",))),
        (
            'RetryRule("requests.exceptions.HTTPError", retries=0, reason=" no\\n  use")',
            Spec(exceptions=("requests.exceptions.HTTPError",), retries=0, reason="no use"),
        ),
        (
            "RetryRule([subprocess.CalledProcessError, 'timeout', 'oom'], exit_code={75, 64})",
            Spec(
                exceptions=("subprocess.CalledProcessError",),
                exit_codes=(64, 75),
                causes=("timeout", "oom"),
            ),
        ),
        ("RetryRule(exit_code=range(64, 67))", Spec(exit_codes=(64, 65, 66))),
        (
            "RetryRule(on='timeout', retries=5, retry_delay=timedelta(minutes=1), "
            "retry_exponential_backoff=True, max_retry_delay=600)",
            Spec(
                causes=("timeout",),
                retries=5,
                retry_delay_s=60.0,
                retry_exponential_backoff=True,
                max_retry_delay_s=600.0,
            ),
        ),
    ],
)
def test_a_rule_is_data_in_the_spec(tmp_path: Path, text: str, spec: Spec) -> None:
    (dag,) = load(tmp_path, DAG_FILE.format(rules=text))
    named = tuple(name.format(module=dag.site.module) for name in spec.exceptions)
    (found,) = dag.spec("flow.py").tasks[0].retry_policy
    assert found == replace(spec, exceptions=named)


def test_one_rule_needs_no_list_and_default_args_have_policies_too(tmp_path: Path) -> None:
    text = """
        from headway import DAG, RetryRule, task
        with DAG("flow", default_args={"retry_policy": RetryRule("oom", retries=1)}):
            @task
            def one(): pass
            @task(retry_policy=None)
            def two(): pass
            one(); two()
    """
    one, two = spec_of(tmp_path, text).tasks
    assert one.retry_policy == (Spec(causes=("oom",), retries=1),)
    assert two.retry_policy == ()


ON = (
    'RetryRule: on must be an exception, its name such as "requests.exceptions.HTTPError", '
    '"timeout" or "oom", or a list of them, not'
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("RetryRule([None])", f"{ON} None"),
        ("RetryRule(exit_code=[None])", "RetryRule: exit_code must be an exit code such as 75"),
        ("RetryRule(OSError, reason=None)", "RetryRule: reason must be a string, not None"),
        ("RetryRule(None, exit_code=None)", "RetryRule: it names no exception, exit code or cause"),
        ("RetryRule()", "RetryRule: it names no exception, exit code or cause\n  retries and"),
        ("RetryRule(exit_code=300)", "RetryRule: 300 is not an exit code\n  exit codes are"),
        ("RetryRule(exit_code=0)", "RetryRule: the exit code 0 is that of a success\n  name codes"),
        (
            "RetryRule(exit_code=-9)",
            "RetryRule: -9 is not an exit code\n"
            "  a process that a signal ended has the exit code 137",
        ),
        ("RetryRule(exit_code='75')", "RetryRule: exit_code must be an exit code such as 75"),
        ("RetryRule(exit_code=True)", "RetryRule: exit_code must be an exit code such as 75"),
        ("RetryRule(42)", f"{ON} 42"),
        ("RetryRule(int)", f"{ON} <class 'int'>"),
        ("RetryRule('Timeout')", f"{ON} 'Timeout'\n  did you mean \"timeout\"?"),
        ("RetryRule('lost')", f"{ON} 'lost'\n  an attempt that is lost with its agent or node"),
        ("RetryRule(Fail)", f"{ON} <class 'headway.authoring.run.Fail'>\n  no rule is asked after"),
        ("RetryRule(Skip)", f"{ON} <class 'headway.authoring.run.Skip'>\n  no rule is asked after"),
        (
            "RetryRule('no flights')",
            "RetryRule: 'no flights' is not the name of an exception\n  write it with its module",
        ),
        ("RetryRule(OSError, retries=-1)", "RetryRule: retries is -1, it must be between 0 and"),
        ("RetryRule(OSError, retries=1.5)", "RetryRule: retries must be a whole number, not 1.5"),
        ("RetryRule(OSError, retry_delay=-1)", "RetryRule: retry_delay is -1, it must be at least"),
        (
            "RetryRule(OSError, retry_delay=float('inf'))",
            "RetryRule: retry_delay is inf, it must be at least",
        ),
        (
            "RetryRule(OSError, retries=0, retry_delay=5)",
            "RetryRule: it has retries=0 and a delay\n  remove the delay",
        ),
        ("RetryRule(OSError, retry_delay=10**400)", "RetryRule: retry_delay is inf, it must be"),
        (
            "RetryRule('headway.Fail')",
            'RetryRule: on must be an exception, its name such as "requests.exceptions.HTTPError", "timeout" '
            "or \"oom\", or a list of them, not 'headway.Fail'\n  no rule is asked after headway.Fail",
        ),
        ("RetryRule(OSError, reason='x' * 501)", "RetryRule: its reason has 501 characters"),
        ("RetryRule(OSError, reason='\\0')", "RetryRule: its reason contains the character NUL"),
    ],
)
def test_a_wrong_rule_is_told_at_its_line(tmp_path: Path, text: str, told: str) -> None:
    assert mistake(tmp_path, DAG_FILE.format(rules=text)).startswith(f"flow.py:5: {told}")


def test_a_policy_is_a_list_of_rules(tmp_path: Path) -> None:
    said = mistake(tmp_path, DAG_FILE.format(rules="ConnectionError"))
    assert "retry_policy must be a RetryRule or a list of them, such as" in said
    many = mistake(tmp_path, DAG_FILE.format(rules="RetryRule(OSError)] * 51 + ["))
    assert many.startswith("flow.py:7: work: its retry policy has 51 rules; the limit is 50")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("RetryRule(OSError), RetryRule(ConnectionError)", "retry rule 2 never decides: rule 1"),
        ("RetryRule(Exception), RetryRule([OSError, NoFlights])", "retry rule 2 never decides"),
        ("RetryRule(LookupError), RetryRule(NoFlights)", "retry rule 2 never decides: rule 1"),
        ("RetryRule(BaseException), RetryRule(NoFlights)", "retry rule 2 never decides: rule 1"),
        ('RetryRule("a.B"), RetryRule(["a.C"]), RetryRule("a.B")', "retry rule 3 never decides"),
        ("RetryRule(exit_code={1, 2}), RetryRule(exit_code=2)", "retry rule 2 never decides"),
        ('RetryRule("timeout")', "retry rule 1 never decides: the task has no execution_timeout"),
        ("RetryRule(ConnectionError), RetryRule(OSError)", ""),
        ("RetryRule(NoFlights), RetryRule([NoFlights, KeyError])", ""),
        ("RetryRule(OSError), RetryRule(OSError, exit_code=2)", ""),
        ('RetryRule(["timeout", OSError])', ""),
    ],
)
def test_a_rule_that_never_decides_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "flow.py").write_text(DAG_FILE.format(rules=text))
    warnings = load_bundle(tmp_path, "flow.py").warnings
    about_rules = [each for each in warnings if "retry rule" in each.message]
    assert len(about_rules) == bool(told)
    for each in about_rules:
        assert each.message.startswith(f"work: {told}")
        assert (each.line, bool(each.hint)) == (5, True)


# -- in process


class Refused(ConnectionError):
    pass


POLICY = [
    RetryRule(ConnectionError, retries=3, retry_delay=timedelta(minutes=5)),
    RetryRule([ValueError, "subprocess.CalledProcessError"], retries=0, reason="no use"),
    RetryRule(exit_code=[75, 137], retries=2),
]


def test_a_run_in_process_follows_the_rules() -> None:
    with DAG("flow", default_args={"retries": 1, "retry_policy": POLICY}) as flow:

        @task
        def refused(try_number: int) -> int:
            if try_number < 4:
                raise Refused("not yet")
            return try_number

        @task
        def wrong() -> None:
            raise ValueError("no")

        @task
        def other() -> None:
            raise KeyError("x")

        @task
        def program() -> None:
            subprocess.run([sys.executable, "-c", "raise SystemExit(75)"], check=True)

        @task
        def leaves() -> None:
            raise SystemExit(75)

        @task
        def hopeless() -> None:
            raise Fail("no use") from ConnectionError()

        refused(), wrong(), other(), program(), leaves(), hopeless()
        bash(task_id="shell", command="exit 75")
        bash(task_id="killed", command="kill -9 $$")

    result = run_dag(flow)
    assert {name: result[name].attempts for name in flow.tasks} == {
        "refused": 4,
        "wrong": 1,
        "other": 2,
        "program": 1,
        "leaves": 3,
        "hopeless": 1,
        "shell": 3,
        "killed": 3,
    }
    assert result["refused"].value == 4


def test_a_name_without_a_module_is_a_class_of_the_file_of_the_rule(tmp_path: Path) -> None:
    text = """
        from headway import RetryRule, dag, task
        class NoFlights(Exception): pass
        @dag
        def flow():
            @task(retry_policy=[RetryRule("NoFlights", retries=1), RetryRule(BaseException, retries=2)])
            def none():
                raise NoFlights
            @task(retry_policy=[RetryRule("NoTrains", retries=9), RetryRule(BaseException, retries=2)])
            def other():
                raise NoFlights
            none(), other()
    """
    (flow,) = load(tmp_path, text)
    result = run_dag(flow)
    assert (result["none"].attempts, result["other"].attempts) == (2, 3)


def test_each_mapped_instance_has_its_own_failures() -> None:
    with DAG("flow") as flow:

        @task(retry_policy=RetryRule(ConnectionError, retries=2))
        def each(item: int, try_number: int) -> int:
            if item == 1:
                raise ValueError
            if try_number <= item:
                raise ConnectionError
            return item

        each.expand(item=[0, 1, 2, 3])

    found = run_dag(flow)["each"].instances
    assert [(each.state.value, each.attempts) for each in found] == [
        ("success", 1),
        ("failed", 1),
        ("success", 3),
        ("failed", 3),
    ]


def test_a_task_knows_the_most_attempts_that_it_may_have() -> None:
    with DAG("flow", default_args={"retries": 1, "retry_policy": POLICY}) as flow:

        @task
        def asks(run: Run) -> int:
            return run.max_tries

        asks()
    assert run_dag(flow)["asks"].value == 4
