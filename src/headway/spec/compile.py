"""Compiles a spec to the core's graph. The spec must be valid (``headway.spec.validate``)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from headway.core import schedules, setups
from headway.core.graph import Axis, Combine, Graph, Loop, Need, Node, Past
from headway.core.mapping import leaves
from headway.core.retry import DELAY_MAX_S, RetryPolicy, Rule
from headway.core.schedules import Schedule
from headway.core.upstream import TriggerRule
from headway.core.weights import Weighed, WeightRule, weights
from headway.spec import model
from headway.spec.callbacks import has_callbacks
from headway.spec.graph import branches_above
from headway.spec.model import Dag, Task

JITTER: Final = (
    0.2  # share by which an exponential delay is spread, so that failures do not come back together
)

CAUSES: Final = {"timeout": "timeout", "oom": "memory"}  # the word of a rule: that of an attempt


def graph(dag: Dag) -> Graph:
    by_id = {task.task_id: index for index, task in enumerate(dag.tasks)}
    downstream: list[list[int]] = [[] for _ in dag.tasks]
    for index, task in enumerate(dag.tasks):
        for upstream in task.upstream:
            downstream[by_id[upstream]].append(index)
    above = branches_above(dag.tasks)
    weights = weights_of(dag.tasks, by_id, downstream)
    nodes = tuple(
        node(
            index,
            task,
            by_id,
            tuple(downstream[index]),
            tuple(sorted(above[index])),
            weights[index],
        )
        for index, task in enumerate(dag.tasks)
    )
    if any(task.depends_on_past or task.wait_for_downstream for task in dag.tasks):
        nodes = with_pasts(nodes, dag.tasks)
    if any(node.setup or node.teardown for node in nodes):
        nodes = with_setups(nodes)
    nodes = with_mapped_groups(nodes, dag.tasks)
    if any(node.decides_by_index for node in nodes):
        nodes = with_branches_by_index(nodes)
    if dag.loops:
        nodes = with_loops(nodes, dag, by_id)
    return Graph(
        dag_id=dag.dag_id,
        nodes=nodes,
        by_id=by_id,
        live_max=dag.max_active_tasks,
        timeout_s=dag.dagrun_timeout_s,
        fail_fast=dag.fail_fast,
        catchup=dag.catchup,
        has_callbacks=has_callbacks(dag),
        start_date=dag.start_date,
    )


def weights_of(
    tasks: Sequence[Task], by_id: Mapping[str, int], downstream: Sequence[Sequence[int]]
) -> list[int]:
    return weights(
        [
            Weighed(
                task.priority_weight,
                WeightRule(task.weight_rule),
                [by_id[name] for name in task.upstream],
                downstream[index],
            )
            for index, task in enumerate(tasks)
        ]
    )


def node(
    index: int,
    task: Task,
    by_id: dict[str, int],
    downstream: tuple[int, ...],
    branches: tuple[int, ...],
    weight: int,
) -> Node:
    return Node(
        index=index,
        task_id=task.task_id,
        kind=task.kind,
        upstream=tuple(sorted(by_id[name] for name in task.upstream)),
        downstream=downstream,
        rule=TriggerRule(task.trigger_rule),
        retry=retry_policy(task),
        pool=task.pool,
        pool_slots=task.pool_slots,
        weight=weight,
        need=Need(task.executor, task.queue),
        live_max=task.max_active_tis_per_dagrun,
        live_max_of_dag=task.max_active_tis_per_dag,
        timeout_s=task.execution_timeout_s,
        memory_limit_mb=task.memory_limit_mb,
        inputs=tuple((by_id[wanted.task_id], wanted.key) for wanted in task.inputs),
        axes=axes(task, by_id),
        branch=task.branch,
        outlets=task.outlets,
        skips_all_below=task.branch and task.skips_all_below,
        decides_by_index=task.decides_by_index,
        branches=branches,
        decides_outcome=task.decides_outcome,
        setup=task.setup,
        teardown=task.teardown,
        waited_for_by=downstream,
    )


def with_pasts(nodes: tuple[Node, ...], tasks: Sequence[Task]) -> tuple[Node, ...]:
    """Add what nodes wait for in the run before."""
    found = []
    for node, task in zip(nodes, tasks, strict=True):
        if task.depends_on_past or task.wait_for_downstream:
            below = node.downstream if task.wait_for_downstream else ()
            names = (task.task_id, *(tasks[index].task_id for index in below))
            found.append(replace(node, past=Past(names, task.ignore_first_depends_on_past)))
        else:
            found.append(node)
    return tuple(found)


def with_setups(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Add what nodes wait for further up because of setups and teardowns."""
    shape = setups.shape_of((n.upstream, n.downstream, n.setup, n.teardown) for n in nodes)
    found = setups.needs(shape)
    further: dict[int, list[int]] = {}
    for index, needed in found.items():
        for source in (*needed.setups, *needed.scope):
            further.setdefault(source, []).append(index)
    nothing = setups.NOTHING
    return tuple(
        replace(
            node,
            needs=() if node.rule is TriggerRule.ALWAYS else found.get(node.index, nothing).setups,
            scope=found.get(node.index, nothing).scope,
            waited_for_by=tuple(sorted({*node.downstream, *further.get(node.index, ())})),
        )
        for node in nodes
    )


def with_mapped_groups(nodes: tuple[Node, ...], tasks: Sequence[Task]) -> tuple[Node, ...]:
    """Add to the nodes of each mapped group their peers. All of them wait for what the group is mapped over."""
    members: dict[str, set[int]] = {}
    for index, task in enumerate(tasks):
        if task.mapping is not None and task.mapping.group:
            members.setdefault(task.mapping.group, set()).add(index)
    found = list(nodes)
    for group in members.values():
        for index in group:
            found[index] = with_peers(found[index], group)
        for source in {leaf.source for index in group for leaf in leaves(found[index])} - {None}:
            assert source is not None
            waiting = {*found[source].waited_for_by, *group}
            found[source] = replace(found[source], waited_for_by=tuple(sorted(waiting)))
    return tuple(found)


def with_branches_by_index(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Take away the branches that decide by index and share none with the node."""
    return tuple(
        replace(node, branches=tuple(b for b in node.branches if may_leave_out(nodes[b], node)))
        for node in nodes
    )


def may_leave_out(branch: Node, node: Node) -> bool:
    """Return whether the branch may leave out an instance of the node, which is below it.

    One that decides by index cannot where nothing is mapped. Further down, the same index may be that of another list.
    """
    if not branch.decides_by_index or branch.index in node.peers:
        return True
    return node.axes is not None and branch.index in node.upstream


def with_loops(nodes: tuple[Node, ...], dag: Dag, by_id: Mapping[str, int]) -> tuple[Node, ...]:
    """Add to the nodes of each loop their peers; those behind one see of it only whether and how it is over."""
    found = list(nodes)
    for each in dag.loops:
        loop = Loop(each.path, by_id[each.gate], by_id[each.result], each.max_iterations)
        group = {by_id[task.task_id] for task in dag.tasks if task.loop == each.path}
        for index in group:
            found[index] = replace(with_peers(found[index], group), loop=loop)
        for index in set(found[loop.gate].downstream) - group:
            found[index] = replace(found[index], apart=found[index].apart | {loop.gate})
    return tuple(found)


def with_peers(node: Node, group: set[int]) -> Node:
    peers = frozenset(group - {node.index})
    return replace(node, peers=peers, apart=peers.intersection(node.upstream))


def axes(task: Task, by_id: dict[str, int]) -> tuple[Axis, ...] | None:
    if task.mapping is None:
        return None
    return tuple(axis_of(axis, by_id) for axis in task.mapping.axes)


def axis_of(axis: model.Axis, by_id: dict[str, int]) -> Axis:
    if axis.combine:
        parts = tuple(axis_of(part, by_id) for part in axis.parts)
        return Axis(combine=Combine(axis.combine), parts=parts)
    if axis.task_id is None:
        return Axis(length=axis.length)
    return Axis(source=by_id[axis.task_id], key=axis.key)


def retry_policy(task: Task) -> RetryPolicy:
    own = RetryPolicy(
        retries=task.retries,
        delay_s=task.retry_delay_s,
        exponential=task.retry_exponential_backoff,
        max_delay_s=DELAY_MAX_S if task.max_retry_delay_s is None else task.max_retry_delay_s,
        jitter=JITTER if task.retry_exponential_backoff else 0.0,
    )
    return replace(own, rules=tuple(retry_rule(rule, own) for rule in task.retry_policy))


def retry_rule(rule: model.RetryRule, own: RetryPolicy) -> Rule:
    """Return the rule with what it leaves to the task's ``own`` options."""
    given: dict[str, Any] = {
        "retries": rule.retries,
        "delay_s": rule.retry_delay_s,
        "exponential": rule.retry_exponential_backoff,
        "max_delay_s": rule.max_retry_delay_s,
    }
    policy = replace(own, **{name: value for name, value in given.items() if value is not None})
    return Rule(
        policy=replace(policy, jitter=JITTER if policy.exponential else 0.0),
        exceptions=frozenset(rule.exceptions),
        exit_codes=frozenset(rule.exit_codes),
        causes=frozenset(CAUSES[cause] for cause in rule.causes),
        reason=rule.reason,
    )


def schedule(dag: Dag, first_seen: datetime) -> Schedule:
    """Return when runs are due; an interval is counted from the start date."""
    return schedules.read(dag.schedule, dag.start_date or first_seen)


def data_schedule(dag: Dag, first_seen: datetime) -> Schedule:
    """Return the schedule for questions about assets and partitions: without the dates of a timetable."""
    return schedules.of_data(dag.schedule, dag.start_date or first_seen)
