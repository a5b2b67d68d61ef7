"""DAGs drawn at random, as files of Airflow and of Headway: the same number gives the same DAG, and but for its first
lines the same text (``drawn_records`` has what Airflow makes of them).

Drawn are trigger rules, ends, retries, branches, short circuits, setups and teardowns, groups, mapped tasks and mapped
groups. What a task does is written into it, so that no chance is left when the file is run.
"""

from random import Random
from typing import Final

from bench.airflow import drawn_richer
from bench.airflow.drawn_steps import ENDS, LENGTHS, RULES, Step, gate_of, head_of, over_of

RECORDED: Final = 200  # in the test suite
ALL: Final = 2_000  # those from RECORDED on are drawn with more words
DO: Final = """

def do(end):
    if end == "failed" or (end == "flaky" and attempt() == 1):
        raise ValueError("it fails")
    if end == "skipped":
        raise Skip("it skips itself")
"""


def steps(number: int) -> list[Step]:
    return drawn_richer.steps(number) if number >= RECORDED else first_steps(number)


def text(number: int, *, airflow: bool) -> str:
    """Return the file."""
    make = drawn_richer.text if number >= RECORDED else first_text
    return make(number, airflow=airflow)


def first_steps(number: int) -> list[Step]:
    chance = Random(number)
    made: list[Step] = []
    group = ""
    for place in range(chance.randint(3, 9)):
        if chance.random() < 0.25:
            group = "" if group else f"g{place}"
        made.append(drawn(chance, place, made, group))
    for step in made:
        below = [other.task_id for other in made if step in other.upstream and other.kind != "pair"]
        step.chosen = [name for name in below if chance.random() < 0.5]
    return made


def drawn(chance: Random, place: int, before: list[Step], group: str) -> Step:
    kinds = ["work"] * 6 + ["mapped"] * 2 + ["branch", "gate", "pair", "setup"]
    setups = [step for step in before if step.kind == "setup"]
    kind = chance.choice([*kinds, "teardown", "teardown"] if setups else kinds)
    step = Step(f"t{place}", kind, group=group)
    step.upstream = [one for one in before if chance.random() < 1.6 / (len(before) + 1)]
    if kind == "teardown":
        step.upstream = [one for one in step.upstream if one.kind != "teardown"]
        if not any(one.kind == "setup" for one in step.upstream):
            step.upstream.append(chance.choice(setups))
    else:
        step.upstream = [one for one in step.upstream if one.kind != "teardown"]
    step.end = chance.choice(ENDS)
    step.length = chance.choice(LENGTHS)
    step.ignores_rules = chance.random() < 0.5
    plain = kind in ("work", "mapped", "branch", "gate")
    if plain and not any(one.kind == "setup" for one in step.upstream):
        step.rule = chance.choice(RULES)
    if kind in ("mapped", "pair"):
        step.over = chance.choice([1, 2, 3])
        sources = [one for one in step.upstream if one.kind == "work"]
        if sources and chance.random() < 0.6:
            step.over = chance.choice(sources)
            if step.rule == "always":  # Airflow refuses it there
                step.rule = "all_done"
    return step


def first_text(number: int, *, airflow: bool) -> str:
    made = first_steps(number)
    lines: list[str] = []
    open_group = ""
    for step in made:
        if step.group and step.group != open_group:
            lines.append(f'    with TaskGroup("{step.group}"):')
        open_group = step.group
        lines += [f"{'        ' if step.group else '    '}{line}" for line in written(step)]
    for step in made:
        for above in step.upstream:
            if step.over is not above:
                lines.append(f"    {above.name} >> {step.name}")
    return head_of(number, DO, airflow=airflow) + "\n".join(lines) + "\n"


def written(step: Step) -> list[str]:
    options = (
        f'task_id="{step.name}", trigger_rule="{step.rule}", retries=1, retry_delay=timedelta(0)'
    )
    over = over_of(step)
    match step.kind:
        case "branch":
            body = [f"    return {step.chosen!r}"]
            return [f"@task.branch({options})", f"def f_{step.name}():", *body, called(step)]
        case "gate":
            return [*gate_of(step, options), called(step)]
        case "mapped":
            ends = [step.end, "success", "skipped" if step.length else "success"]
            body = [f"    do({ends!r}[x])", "    return x"]
            head = [f"@task({options})", f"def f_{step.name}(x):"]
            return [*head, *body, f"{step.name} = f_{step.name}.expand(x={over})"]
        case "pair":
            return paired(step, over)
    body = [f"    do({step.end!r})", f"    return list(range({step.length}))"]
    return [f"@task({options})", f"def f_{step.name}():", *body, called(step)]


def called(step: Step) -> str:
    how = {"setup": ".as_setup()", "teardown": ".as_teardown()"}.get(step.kind, "")
    return f"{step.name} = f_{step.name}(){how}"


def paired(step: Step, over: str) -> list[str]:
    """A mapped group of two tasks, one after the other."""
    ends = [step.end, "success", "failed" if step.length else "success"]
    rule = "all_done" if step.ignores_rules else "all_success"
    return [
        f'@task_group(group_id="{step.name}")',
        f"def f_{step.name}(x):",
        "    @task(retries=1, retry_delay=timedelta(0))",
        "    def first(x):",
        f"        do({ends!r}[x])",
        "        return x",
        "",
        f'    @task(trigger_rule="{rule}")',
        "    def second(x):",
        "        return x",
        "",
        "    first(x) >> second(x)",
        "",
        f"{step.name} = f_{step.name}.expand(x={over})",
    ]
