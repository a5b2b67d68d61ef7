"""Mapped branches, and branches in mapped task groups: small DAGs, of which ``branches.json`` has what Airflow made."""

from datetime import datetime

from airflow.providers.standard.operators.latest_only import LatestOnlyOperator
from airflow.providers.standard.operators.python import BranchPythonOperator, ShortCircuitOperator
from airflow.sdk import DAG, TaskGroup, task, task_group
from airflow.sdk.exceptions import AirflowSkipException


def step(name, rule="all_success"):
    @task(task_id=name, trigger_rule=rule)
    def run():
        return name

    return run()


def steps(*names):
    return [step(name) for name in names]


def numbers(length=3):
    @task(task_id="numbers")
    def run():
        return list(range(length))

    return run()


def each(name, rule="all_success"):
    """Return a task that can be mapped."""

    @task(task_id=name, trigger_rule=rule)
    def run(x):
        return x

    return run


def branch(*choices, name="pick", **options):
    """Return a branch that chooses by its item."""

    @task.branch(task_id=name, **options)
    def run(x):
        if choices[x] == "fails":
            raise ValueError("it fails")
        if choices[x] == "skips":
            raise AirflowSkipException("it skips itself")
        return choices[x]

    return run


def gate(*passes, name="check", **options):
    @task.short_circuit(task_id=name, **options)
    def run(x):
        return passes[x]

    return run


def branches(*choices, over):
    """Return a mapped branch, by its operator."""
    return mapped(BranchPythonOperator, "pick", branch(*choices).function, over)


def gates(*passes, over, **options):
    return mapped(ShortCircuitOperator, "check", gate(*passes).function, over, **options)


def mapped(kind, name, function, over, **options):
    made = kind.partial(task_id=name, python_callable=function, **options)
    return made.expand(op_args=[[x] for x in over] if isinstance(over, list) else over.map(in_list))


def in_list(x):
    return [x]


def group(build, over=(0, 1, 2), name="g"):
    """Map a group over the items; ``build`` makes its tasks from the item."""

    @task_group(group_id=name)
    def made(x):
        build(x)

    return made.expand(x=list(over) if isinstance(over, tuple) else over)


# Branches in mapped groups


def group_chooses():
    group(lambda x: branch("g.a", "g.b", ["g.a", "g.b"])(x) >> steps("a", "b"))


def group_chooses_nothing():
    group(lambda x: branch("g.a", None, [])(x) >> steps("a", "b"))


def group_over_a_result():
    group(lambda x: branch("g.a", "g.b", None)(x) >> steps("a", "b"), numbers())


def group_over_nothing():
    made = group(lambda x: branch("g.a", "g.b")(x) >> steps("a", "b"), numbers(0))
    made >> step("after", "none_failed")


def group_by_kwargs():
    @task_group(group_id="g")
    def made(x, y):
        branch("g.a", "g.b")(x) >> steps("a", "b")

    made.expand_kwargs([{"x": 0, "y": 1}, {"x": 1, "y": 1}])


def group_that_receives_the_item_below():
    def build(x):
        branch("g.a", "g.b", "g.a")(x) >> [each("a")(x), each("b")(x)]

    group(build, numbers())


def group_joins(rule):
    def build(x):
        branch("g.a", "g.b", None)(x) >> steps("a", "b") >> step("join", rule)

    group(build)


def group_joins_min_one():
    group_joins("none_failed_min_one_success")


def group_joins_all_success():
    group_joins("all_success")


def group_joins_none_failed():
    group_joins("none_failed")


def group_joins_all_done():
    group_joins("all_done")


def group_joins_one_success():
    group_joins("one_success")


def group_joins_all_skipped():
    group_joins("all_skipped")


def group_leads_to_the_other():
    def build(x):
        pick, (a, b) = branch("g.a", "g.b", None)(x), steps("a", "b")
        pick >> a >> b
        pick >> b

    group(build)


def group_leads_to_the_join():
    def build(x):
        join = step("join", "none_failed_min_one_success")
        pick = branch("g.a", "g.b", None)(x)
        pick >> steps("a", "b") >> join
        pick >> join

    group(build)


def group_chooses_the_join():
    def build(x):
        join = step("join", "none_failed_min_one_success")
        pick = branch("g.a", "g.join", None)(x)
        pick >> step("a") >> join
        pick >> join

    group(build)


def group_branch_fails_and_skips():
    group(lambda x: branch("g.a", "fails", "skips")(x) >> steps("a", "b"))


def group_branch_between():
    def build(x):
        first, (a, b) = each("first")(x), steps("a", "b")
        first >> branch("g.a", "g.b", None)(x) >> [a, b]
        first >> b

    group(build)


def group_of_two_branches():
    def build(x):
        a, b = steps("a", "b")
        branch("g.a", "g.b", None)(x) >> [a, b]
        branch("g.a", "g.a", "g.b", name="other")(x) >> [a, b]

    group(build)


def group_branch_below_a_branch():
    def build(x):
        other = branch("g.b", "g.c", "g.b", name="other")(x)
        branch("g.other", "g.other", None)(x) >> [other, step("a")]
        other >> steps("b", "c")

    group(build)


def group_chooses_a_group():
    def build(x):
        pick = branch("g.inner", "g.a", None)(x)
        with TaskGroup("inner") as inner:
            step("b") >> step("c")
        pick >> [inner, step("a")]

    group(build)


def group_in_the_group_has_the_branch():
    def build(x):
        with TaskGroup("inner"):
            pick = branch("g.inner.a", "g.b", None)(x)
            a = step("a")
        pick >> [a, step("b")]

    group(build)


def group_chooses_what_is_outside():
    pick = []

    def build(x):
        pick.append(branch("after", "g.a", None)(x))
        pick[0] >> step("a")

    group(build) >> step("after", "none_failed")


def group_has_an_arrow_out():
    pick = []

    def build(x):
        pick.append(branch("g.a", "g.a", "g.a")(x))
        pick[0] >> step("a")

    after = step("after", "none_failed")
    group(build) >> after
    pick[0] >> after


def group_has_an_arrow_to_mapped():
    pick = []

    def build(x):
        pick.append(branch("g.a", "work", None)(x))
        pick[0] >> step("a")

    group(build)
    pick[0] >> each("work").expand(x=[0, 1, 2])


def group_then(rule):
    group(lambda x: branch("g.a", "g.b", None)(x) >> steps("a", "b")) >> step("after", rule)


def group_then_all_success():
    group_then("all_success")


def group_then_none_failed():
    group_then("none_failed")


def group_then_min_one():
    group_then("none_failed_min_one_success")


def group_then_all_done():
    group_then("all_done")


def group_then_a_group():
    first = group(lambda x: branch("g.a", None, "g.a")(x) >> step("a"))
    first >> group(lambda x: each("b", "none_failed")(x), name="h")


def group_latest_only():
    group(lambda x: each("first")(x) >> LatestOnlyOperator(task_id="latest") >> step("a"))


def group_behind_latest_only():
    LatestOnlyOperator(task_id="latest") >> group(lambda x: each("a")(x) >> step("b"))


def group_behind_a_branch():
    pick = branch("other")(0)
    pick >> [group(lambda x: each("a")(x) >> step("b")), step("other")]


# Short circuits in mapped groups


def group_gate():
    group(lambda x: gate(True, False, True)(x) >> step("a") >> step("b"))


def group_gate_and_rules():
    group(lambda x: gate(True, False, True)(x) >> step("a") >> step("b", "all_done"))


def group_gate_keeps_rules():
    check = gate(True, False, True, ignore_downstream_trigger_rules=False)
    group(lambda x: check(x) >> step("a") >> step("b", "all_done"))


def group_gates_then_all_success():
    group(lambda x: gate(True, False, True)(x) >> step("a")) >> step("after")


def group_gates_then_all_done():
    made = group(lambda x: gate(False, False, False)(x) >> step("a"))
    made >> step("after", "all_done") >> step("last")


def group_gates_then_none_failed():
    made = group(lambda x: gate(False, False, False)(x) >> step("a"))
    made >> step("after", "none_failed")


def group_gate_with_a_teardown():
    def build(x):
        create, use = step("create").as_setup(), step("use")
        gate(True, False, False)(x) >> create >> use >> step("drop").as_teardown(setups=create)

    group(build)


def group_gate_in_a_group():
    def build(x):
        with TaskGroup("inner"):
            check = gate(False, True, False)(x)
            check >> step("a")
        check >> step("b", "all_done")

    group(build)


# Mapped branches


def mapped_then_tasks():
    branches("a", "b", over=[0, 1]) >> steps("a", "b", "c")


def mapped_chooses_nothing():
    branches(None, [], over=[0, 1]) >> steps("a", "b")


def mapped_then_mapped():
    branches("work", "other", None, over=[0, 1, 2]) >> [
        each("work").expand(x=[0, 1, 2]),
        each("other").expand(x=[0, 1, 2]),
    ]


def mapped_then_mapped_over_a_result():
    branches("work", None, "work", over=[0, 1, 2]) >> each("work").expand(x=numbers())


def mapped_over_a_result():
    items = numbers()
    branches("work", None, "work", over=items) >> each("work").expand(x=items)


def mapped_then_more():
    branches("work", None, over=[0, 1]) >> each("work").expand(x=[0, 1, 2, 3])


def mapped_then_fewer():
    branches(None, "work", "work", over=[0, 1, 2]) >> each("work").expand(x=[0])


def mapped_over_its_choices():
    each("work").expand(x=branches("work", None, "work", over=[0, 1, 2]).output)


def mapped_then_a_group():
    pick = branches("g.a", None, "g.a", over=[0, 1, 2])
    pick >> group(lambda x: each("a")(x) >> step("b", "all_done"))


def mapped_chooses_a_group():
    pick = branches("g", "other", over=[0, 1])
    with TaskGroup("g") as inner:
        step("a") >> step("b")
    pick >> [inner, step("other")]


def mapped_joins():
    picks = branches("a", None, over=[0, 1])
    picks >> steps("a", "b") >> step("join", "none_failed_min_one_success")


def mapped_joins_mapped():
    picks = branches("work", None, over=[0, 1])
    picks >> each("work").expand(x=[0, 1]) >> step("join", "none_failed")


def mapped_to_mapped_with_rules():
    pick = branches("work", "fails", None, over=[0, 1, 2])
    pick >> each("work", "all_done").expand(x=[0, 1, 2])


def mapped_fails_above():
    pick = branches("work", "fails", None, over=[0, 1, 2])
    pick >> [each("work").expand(x=numbers()), step("a")]


def mapped_skips_itself():
    pick = branches("a", "skips", over=[0, 1])
    pick >> [step("a", "none_failed"), each("work", "none_failed").expand(x=[0, 1])]


def mapped_over_nothing():
    branches("a", over=numbers(0)) >> [step("a", "none_failed"), step("b")]


def mapped_beside_a_branch():
    a, work = step("a"), each("work").expand(x=[0, 1])
    branches("a", "work", over=[0, 1]) >> [a, work]
    branch("work", name="single")(0) >> [a, work]


def mapped_leads_to_the_other():
    work = each("work").expand(x=[0, 1])
    other = each("other", "all_done").expand(x=[0, 1])
    pick = branches("work", "other", over=[0, 1])
    pick >> work >> other
    pick >> other


def mapped_gate_then_tasks():
    gates(False, False, over=[0, 1]) >> step("a") >> step("b", "all_done")


def mapped_gate_then_mapped():
    gates(True, False, True, over=[0, 1, 2]) >> each("work").expand(x=numbers())


def mapped_gate_further_down():
    check = gates(True, False, over=[0, 1])
    check >> each("work").expand(x=[0, 1]) >> each("later", "all_done").expand(x=[0, 1])


def mapped_gate_keeps_rules():
    check = gates(True, False, ignore_downstream_trigger_rules=False, over=[0, 1])
    check >> each("work").expand(x=[0, 1]) >> step("later", "all_done")


def mapped_gate_with_a_teardown():
    create = step("create").as_setup()
    use = each("use").expand(x=[0, 1])
    gates(True, False, over=[0, 1]) >> create >> use
    use >> step("drop").as_teardown(setups=create)


# … by decorators, of which Airflow does not know that they skip


def decorated_branch():
    pick = branch("work", "other", None).expand(x=[0, 1, 2])
    pick >> [each("work").expand(x=[0, 1, 2]), each("other").expand(x=numbers()), step("a")]


def decorated_gate():
    check = gate(True, False).expand(x=[0, 1])
    check >> each("work").expand(x=[0, 1]) >> each("later", "all_done").expand(x=[0, 1])
    check >> step("a")


CASES = {
    name: build
    for name, build in list(globals().items())
    if name.startswith(("group_", "mapped_", "decorated_")) and not build.__code__.co_argcount
}

for name, build in CASES.items():
    with DAG(f"branches_{name}", schedule=None, start_date=datetime(2026, 1, 5)):
        build()
