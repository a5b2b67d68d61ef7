"""The ways in which tasks fail, and the rules that name them: of a world of retry policies."""

from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from headway.agent.protocol import RetryFacts
from headway.spec.model import Dag, RetryRule, Task
from tests.simulation.dags import draw


class Way(NamedTuple):
    """How a task fails. ``names``: what of a rule means it."""

    cause: str
    names: frozenset[object]
    exit_code: int | None = None
    classes: tuple[str, ...] = ()

    def told(self) -> dict[str, Any]:
        return {"exit_code": self.exit_code, "facts": RetryFacts(list(self.classes))}


def raised(*classes: str, exit_code: int | None = None) -> Way:
    return Way("exception", frozenset({*classes, exit_code} - {None}), exit_code, classes)


WAYS: Final = (
    raised("requests.ConnectTimeout", "builtins.OSError", "builtins.Exception"),
    raised("builtins.OSError", "builtins.Exception"),
    raised("builtins.ValueError", "builtins.Exception"),
    raised("headway.CommandFailed", "builtins.Exception", exit_code=75),
    Way("exit_code", frozenset({75}), 75),
    Way("signal", frozenset({137}), -9),
    Way("timeout", frozenset({"timeout"})),
    Way("memory", frozenset({"oom"})),
)
KINDS: Final = (
    RetryRule(exceptions=("builtins.OSError",)),
    RetryRule(exceptions=("builtins.ValueError", "requests.ConnectTimeout")),
    RetryRule(exceptions=("builtins.Exception",)),
    RetryRule(exit_codes=(75, 137)),
    RetryRule(exit_codes=(137,), causes=("oom",)),
    RetryRule(causes=("timeout",)),
)


def with_rules(dag: Dag) -> Dag:
    """The same DAG, where most tasks have rules and fail more often. Takes nothing from the world's chance."""
    return replace(dag, tasks=tuple(map(ruled, dag.tasks)))


def ruled(task: Task) -> Task:
    count = draw(task, -1, "rules") % 4
    rules = []
    for number in range(count):
        kind = KINDS[draw(task, number, "kind") % len(KINDS)]
        retries = (None, 0, 1, 3)[draw(task, number, "retries") % 4]
        delay_s = None if retries == 0 else (None, 0.0, 20.0)[draw(task, number, "delay") % 3]
        rules.append(replace(kind, retries=retries, retry_delay_s=delay_s))
    return replace(task, retry_policy=tuple(rules))


def way(task: Task, map_index: int, failures: int) -> Way:
    """The way in which it fails after so many failures."""
    return WAYS[draw(task, map_index, f"way{failures}") % len(WAYS)]


def rule_of(task: Task, ended: Way) -> int | None:
    """The number of the first rule that names it."""
    for number, rule in enumerate(task.retry_policy, 1):
        if ended.names.intersection((*rule.exceptions, *rule.exit_codes, *rule.causes)):
            return number
    return None


def retries_after(task: Task, ended: Way) -> int:
    number = rule_of(task, ended)
    allowed = None if number is None else task.retry_policy[number - 1].retries
    return task.retries if allowed is None else allowed


def gives_up(task: Task, map_index: int, failures: int) -> bool:
    """Whether it has failed for good before it has failed so often that it would succeed."""
    return any(
        number > retries_after(task, way(task, map_index, number - 1))
        for number in range(1, failures + 1)
    )
