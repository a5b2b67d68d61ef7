"""How a run must end when nothing goes wrong: an evaluator that shares no code with the engine.

It knows the DAG, what its tasks do, and Airflow's meaning of the trigger rules; it knows no time.
"""

from collections.abc import Iterable, Iterator
from itertools import product

from headway.spec.model import Axis, Dag, Mapping, Task
from tests.simulation.dags import brings, deed, follow
from tests.simulation.ways import gives_up

BAD = {"failed", "upstream_failed", "cancelled"}


def expected(dag: Dag) -> tuple[str, dict[tuple[str, int], str]]:
    """The run's outcome and that of each task instance."""
    ends: dict[str, dict[int, str]] = {}
    left_out: set[str] = set()
    left_out_inside: set[tuple[str, int]] = set()  # of a mapped group, by branches in it
    for task in dag.tasks:
        if task.loop:
            if task.task_id not in ends:
                ends |= repeated(dag, task.loop, ends)
            continue
        states = [state for name in task.upstream for state in seen_behind(dag, ends, name)]
        if group_of(task):
            ends[task.task_id] = in_group(dag, task, ends, left_out, left_out_inside)
        elif task.task_id in left_out:
            ends[task.task_id] = {-1: "skipped"}
        elif (unready := by_setups(dag, task, ends)) is not None:
            ends[task.task_id] = {-1: unready}
        elif any(
            brought_nothing(dag, source, ends) and BAD & states_of(source, ends)
            for source in mapped_over(task)
        ):
            ends[task.task_id] = {-1: "upstream_failed"}
        elif (verdict := judged(task.trigger_rule, states, of_setups(dag, task, ends))) != "run":
            ends[task.task_id] = {-1: verdict}
        else:
            ends[task.task_id] = executed(dag, task, ends)
        if task.branch:
            good = [index for index, state in ends[task.task_id].items() if state == "success"]
            chosen = {name for index in good for name in follow(dag, task, index)}
            out = set(not_chosen(dag, task, chosen)) if good else set()
            left_out |= {name for name in out if not are_peers(dag, task.task_id, name)}
            for index in good:
                out = set(not_chosen(dag, task, set(follow(dag, task, index))))
                left_out_inside |= {
                    (name, index) for name in out if are_peers(dag, task.task_id, name)
                }
    bad = any(state in BAD for leaf in deciding(dag) for state in ends[leaf].values())
    flat = {(name, index): state for name, by in ends.items() for index, state in by.items()}
    return ("failed" if bad else "success"), flat


def repeated(dag: Dag, path: str, ends: dict[str, dict[int, str]]) -> dict[str, dict[int, str]]:
    """Each iteration by itself, as long as the gate says so."""
    loop = next(each for each in dag.loops if each.path == path)
    members = [task for task in dag.tasks if task.loop == path]
    found: dict[str, dict[int, str]] = {task.task_id: {} for task in members}
    for iteration in range(loop.max_iterations):
        for task in members:
            states = [
                state
                for name in task.upstream
                for state in ([found[name][iteration]] if name in found else ends[name].values())
            ]
            verdict = judged(task.trigger_rule, states, [])
            found[task.task_id][iteration] = (
                end_of(task, iteration) if verdict == "run" else verdict
            )
        gate = members[-1]
        if found[gate.task_id][iteration] != "success" or not follow(dag, gate, iteration):
            return found
    found[members[-1].task_id][iteration] = "failed"  # it would go on
    return found


def seen_behind(dag: Dag, ends: dict[str, dict[int, str]], name: str) -> list[str]:
    """The ends of a task as those behind it see them: of a loop, how it ended."""
    if any(loop.gate == name for loop in dag.loops):
        return [ends[name][max(ends[name])]]
    return list(ends[name].values())


def group_of(task: Task) -> str:
    return task.mapping.group if task.mapping else ""


def are_peers(dag: Dag, name: str, other: str) -> bool:
    """Whether both are in one mapped group."""
    groups = {task.task_id: group_of(task) for task in dag.tasks}
    return groups[name] != "" and groups[name] == groups[other]


def in_group(
    dag: Dag,
    task: Task,
    ends: dict[str, dict[int, str]],
    left_out: set[str],
    left_out_inside: set[tuple[str, int]],
) -> dict[int, str]:
    """Each index by itself, among those of the other tasks of the group that have it too."""
    for source in mapped_over(task):
        if brought_nothing(dag, source, ends) and BAD & states_of(source, ends):
            return {-1: "upstream_failed"}
    found = executed(dag, task, ends)
    if -1 in found:
        return found
    for index in found:
        seen = {
            name: {index: by_index[index]} if are_peers(dag, task.task_id, name) else by_index
            for name, by_index in ends.items()
        }
        states = [state for name in task.upstream for state in seen[name].values()]
        if task.task_id in left_out or (task.task_id, index) in left_out_inside:
            found[index] = "skipped"
        elif (unready := by_setups(dag, task, seen)) is not None:
            found[index] = unready
        elif (verdict := judged(task.trigger_rule, states, of_setups(dag, task, seen))) != "run":
            found[index] = verdict
    return found


def deciding(dag: Dag) -> list[str]:
    """Tasks that decide the outcome, and below which nothing does."""
    below: dict[str, set[str]] = {task.task_id: set() for task in dag.tasks}
    for task in reversed(dag.tasks):
        for name in task.upstream:
            if task.decides_outcome or not task.teardown:
                below[name] |= {task.task_id, *below[task.task_id]}
    deciders = {task.task_id for task in dag.tasks if task.decides_outcome}
    return [name for name in deciders if not below[name] & deciders]


def by_setups(dag: Dag, task: Task, ends: dict[str, dict[int, str]]) -> str | None:
    """How it ends because a setup further up did not succeed."""
    if task.teardown or task.trigger_rule == "always":
        return None
    above, below = beyond(dag, task.task_id, up=True), beyond(dag, task.task_id, up=False)
    found = set[str]()
    for setup in dag.tasks:
        if not setup.setup or setup.task_id not in above or setup.task_id in task.upstream:
            continue
        own = {
            each.task_id for each in dag.tasks if each.teardown and setup.task_id in each.upstream
        }
        if not own or own & below:
            found |= states_of(setup.task_id, ends)
    return "upstream_failed" if found & BAD else "skipped" if "skipped" in found else None


def beyond(dag: Dag, name: str, *, up: bool) -> set[str]:
    """All tasks above it, or below it."""
    edges = {(name, task.task_id) for task in dag.tasks for name in task.upstream}
    found, before = {name}, set[str]()
    while found != before:
        before = set(found)
        found |= {high for high, low in edges if up and low in found}
        found |= {low for high, low in edges if not up and high in found}
    return found - {name}


def of_setups(dag: Dag, task: Task, ends: dict[str, dict[int, str]]) -> list[str]:
    setups = [each.task_id for each in dag.tasks if each.setup and each.task_id in task.upstream]
    return [state for name in setups for state in ends[name].values()]


def executed(dag: Dag, task: Task, ends: dict[str, dict[int, str]]) -> dict[int, str]:
    if task.mapping is None:
        return {-1: end_of(task, -1)}
    lengths = [
        leaf.length if leaf.task_id is None else length_of(dag, leaf.task_id, ends)
        for axis in task.mapping.axes
        for leaf in axis.leaves()
    ]
    if any(ends[name] == {-1: "skipped"} for name in mapped_over(task)):
        return {-1: "skipped"}
    if None in lengths:
        return {-1: "failed"}
    count = len(places(task.mapping, [length for length in lengths if length is not None]))
    if count == 0:
        return {-1: "skipped"}
    return {index: end_of(task, index) for index in range(count)}


def places(mapping: Mapping, lengths: Iterable[int]) -> list[tuple[int, ...]]:
    """For each instance its place in each list, of these lengths; -1 in one that it has no item of."""
    known = iter(lengths)
    items = [items_of(axis, known) for axis in mapping.axes]
    return [sum(point, ()) for point in product(*items)]


def items_of(axis: Axis, lengths: Iterator[int]) -> list[tuple[int, ...]]:
    if not axis.combine:
        return [(place,) for place in range(next(lengths))]
    parts = [items_of(part, lengths) for part in axis.parts]
    none = [(-1,) * len(list(part.leaves())) for part in axis.parts]
    if axis.combine == "zip":
        return [sum(row, ()) for row in zip(*parts, strict=False)]
    if axis.combine == "zip_longest":
        return [
            sum((part[at] if at < len(part) else none[n] for n, part in enumerate(parts)), ())
            for at in range(max(map(len, parts)))
        ]
    return [
        sum((*none[:n], item, *none[n + 1 :]), ()) for n, part in enumerate(parts) for item in part
    ]


def end_of(task: Task, index: int) -> str:
    does = deed(task, index)
    return "failed" if gives_up(task, index, does.failures) else does.outcome


def length_of(dag: Dag, name: str, ends: dict[str, dict[int, str]]) -> int | None:
    source = next(task for task in dag.tasks if task.task_id == name)
    if source.mapping is not None:
        return sum(s == "success" and brings(source, i) for i, s in ends[name].items())
    return deed(source, -1).length if ends[name][-1] == "success" else None


def mapped_over(task: Task) -> list[str]:
    axes = task.mapping.axes if task.mapping else ()
    leaves = [leaf for axis in axes for leaf in axis.leaves()]
    return [leaf.task_id for leaf in leaves if leaf.task_id is not None]


def states_of(name: str, ends: dict[str, dict[int, str]]) -> set[str]:
    return set(ends[name].values())


def brought_nothing(dag: Dag, name: str, ends: dict[str, dict[int, str]]) -> bool:
    source = next(task for task in dag.tasks if task.task_id == name)
    return not any(s == "success" and brings(source, i) for i, s in ends[name].items())


def not_chosen(dag: Dag, branch: Task, chosen: set[str]) -> Iterable[str]:
    """Downstream tasks that are neither chosen nor below a chosen one: direct ones, or all but teardowns if it skips
    all below.
    """
    teardowns = {task.task_id for task in dag.tasks if task.teardown and branch.skips_all_below}
    spared, reached = set(chosen), {branch.task_id}
    for task in dag.tasks:
        if spared & set(task.upstream):
            spared.add(task.task_id)
        if reached & set(task.upstream) and (
            branch.skips_all_below or branch.task_id in task.upstream
        ):
            reached.add(task.task_id)
    return reached - spared - teardowns - {branch.task_id}


def judged(rule: str, states: list[str], setups: list[str]) -> str:
    """All upstream task instances have ended as ``states``, those of setups as ``setups``."""
    if rule == "all_done_setup_success" and setups and "success" not in setups:
        return "skipped" if set(setups) == {"skipped"} else "upstream_failed"
    if not states or rule in ("always", "all_done", "all_done_setup_success"):
        return "run"
    good = states.count("success")
    skipped = states.count("skipped")
    broken = len(states) - good - skipped
    itself = broken - states.count("upstream_failed")
    everything = len(states)
    match rule:
        case "all_success":
            return "upstream_failed" if broken else "run" if good == everything else "skipped"
        case "all_failed":
            return "run" if broken == everything else "skipped"
        case "all_done_min_one_success":
            return "skipped" if skipped else "run" if good else "upstream_failed"
        case "one_success":
            return "run" if good else "skipped" if skipped == everything else "upstream_failed"
        case "one_failed":
            return "run" if broken else "skipped"
        case "one_done":
            return "run" if good or itself else "skipped"
        case "none_failed":
            return "upstream_failed" if broken else "run"
        case "none_failed_min_one_success":
            if broken:
                return "upstream_failed"
            return "skipped" if skipped == everything else "run"
        case "none_skipped":
            return "skipped" if skipped else "run"
        case "all_skipped":
            return "run" if skipped == everything else "skipped"
    raise AssertionError(f"unknown trigger rule {rule}")
