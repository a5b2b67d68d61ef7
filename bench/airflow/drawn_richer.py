"""DAGs that are drawn with more words than the first ones (``drawn``): those with a number from ``drawn.RECORDED`` on.

Beside what the first ones have: groups in groups, arrows to and from groups, branches that choose groups or nothing,
``with`` blocks of setups and teardowns, results that are handed on or are None, mapping over two lists, over results of
mapped tasks and by ``expand_kwargs``, groups in mapped groups, retries that do not suffice, failures without a retry,
and teardowns that fail the run.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from bench.airflow.drawn_steps import LENGTHS, RULES, Step, gate_of, head_of, over_of

ENDS: Final = ("success",) * 6 + ("failed", "failed", "skipped", "flaky", "flaky_twice", "hopeless")
DEPTH: Final = 3

DO: Final = """

def do(end, *handed):
    fails_until = {"failed": 9, "flaky": 1, "flaky_twice": 2}.get(end, 0)
    if attempt() <= fails_until:
        raise ValueError("it fails")
    if end == "hopeless":
        raise Fail("it fails, and no retry would help")
    if end == "skipped":
        raise Skip("it skips itself")
    if end == "needs" and not all(each is not None and len(each) for each in handed):
        raise ValueError("it was handed nothing")
"""


@dataclass(eq=False)
class Scope:
    """A task group, or a ``with`` block of a teardown, and what is in it."""

    name: str
    outer: "Scope | None" = None
    teardown: Step | None = None
    items: "list[Step | Scope]" = field(default_factory=list)
    closed: bool = False

    @property
    def path(self) -> str:
        """Return the id of the group; of a block that of the group around it."""
        around = self.outer.path if self.outer else ""
        if self.teardown is not None or not self.name:
            return around
        return f"{around}.{self.name}" if around else self.name

    def around(self) -> "Iterator[Scope]":
        yield self
        if self.outer is not None:
            yield from self.outer.around()

    def steps(self) -> list[Step]:
        found = []
        for each in self.items:
            found += each.steps() if isinstance(each, Scope) else [each]
        return found


class Drawing:
    def __init__(self, number: int) -> None:
        self.chance = Random(number)
        self.steps: list[Step] = []
        self.root = self.scope = Scope("")
        self.groups: list[Scope] = []
        self.ended: set[Scope] = set()  # in which a block has ended
        self.arrows: list[tuple[str, str]] = []
        for place in range(self.chance.randint(4, 11)):
            self.move(place)
            self.add(self.step(f"t{place}"))
        self.reach_groups()
        for step in self.steps:
            self.choose(step)

    def move(self, place: int) -> None:
        """Open a group or a block, or close one."""
        roll = self.chance.random()
        if roll < 0.28 and len(list(self.scope.around())) <= DEPTH:
            opened = Scope(f"g{place}", self.scope)
            if roll < 0.08:
                opened.teardown = self.pair_around(place)
            else:
                self.groups.append(opened)
            self.scope.items.append(opened)
            self.scope = opened
        elif roll < 0.5 and self.scope.outer is not None:
            self.scope.closed = True
            if self.scope.teardown is not None:
                self.ended.update(self.scope.around())
            self.scope = self.scope.outer

    def pair_around(self, place: int) -> Step:
        """Draw a setup and its teardown. Returns the teardown, which opens a block."""
        setup = Step(f"s{place}", "setup", group=self.scope.path, end=self.end())
        down = Step(f"d{place}", "teardown", group=self.scope.path, end=self.end())
        down.upstream, down.decides = [setup], self.chance.random() < 0.3
        self.add(setup)
        self.add(down)
        return down

    def add(self, step: Step) -> None:
        self.steps.append(step)
        self.scope.items.append(step)
        blocks = [each.teardown for each in self.scope.around() if each.teardown is not None]
        step.block = bool(blocks)
        step.after_block = step.block and not self.ended.isdisjoint(self.scope.around())
        for down in blocks:
            step.upstream += [each for each in down.upstream if each.kind == "setup"]
            if step.kind != "teardown":
                down.upstream.append(step)

    def end(self) -> str:
        return self.chance.choice(ENDS)

    def step(self, name: str) -> Step:
        chance, before = self.chance, [one for one in self.steps if one.kind != "teardown"]
        setups = [one for one in before if one.kind == "setup" and not one.name.startswith("s")]
        kinds = ["work"] * 6 + ["mapped"] * 2 + ["branch", "branch", "gate", "grid", "pair", "trio"]
        kinds += ["setup", *(["teardown"] * 2 if setups else [])]
        step = Step(name, chance.choice(kinds), group=self.scope.path, end=self.end())
        step.upstream = [one for one in before if chance.random() < 1.4 / (len(before) + 1)]
        if step.kind == "teardown" and not set(setups).intersection(step.upstream):
            step.upstream.append(chance.choice(setups))
        self.vary(step)
        self.wire(step)
        self.give_rule(step)
        return step

    def vary(self, step: Step) -> None:
        chance = self.chance
        step.length = chance.choice(LENGTHS)
        step.ignores_rules = chance.random() < 0.5
        step.none = chance.random() < 0.15
        step.retries = chance.choice([0, 1, 1, 2])
        step.decides = chance.random() < 0.3
        sources = [one for one in step.upstream if one.kind in ("work", "mapped")]
        if step.kind in ("mapped", "grid", "pair", "trio"):
            step.over = chance.choice([1, 2, 3])
            if sources and chance.random() < 0.6:
                step.over = chance.choice(sources)
        if step.kind in ("work", "mapped", "setup"):
            others = [one for one in sources if one is not step.over]
            step.takes = [one for one in others if chance.random() < 0.4]
            if step.takes and chance.random() < 0.4:
                step.end = "needs"

    def wire(self, step: Step) -> None:
        """Draw the arrows to the step, some of them from a whole group."""
        handed = [*step.takes, step.over]
        self.arrows += [(one.name, step.name) for one in step.upstream if one not in handed]
        inside = list(self.scope.around())
        ended = [each for each in self.groups if each.closed and each not in inside]
        if ended and self.chance.random() < 0.3:
            group = self.chance.choice(ended)
            self.arrows.append((group.name, step.name))
            step.upstream += [one for one in group.steps() if one not in step.upstream]

    def give_rule(self, step: Step) -> None:
        """Airflow refuses other rules than ``all_success`` below a setup."""
        in_block = any(each.teardown is not None for each in self.scope.around())
        below_setup = any(one.kind == "setup" for one in step.upstream)
        first = in_block and not step.takes and not isinstance(step.over, Step)
        plain = step.kind in ("work", "mapped", "grid", "branch", "gate", "trio")
        if plain and not below_setup and not first:
            step.rule = self.chance.choice(RULES)
        if isinstance(step.over, Step) and step.rule == "always":  # Airflow refuses it there
            step.rule = "all_done"

    def reach_groups(self) -> None:
        """Draw arrows from earlier steps, most of all from branches, to whole groups."""
        for group in self.groups:
            inside = group.steps()
            first = min(self.steps.index(one) for one in inside)
            for above in self.steps[:first]:
                likely = 0.5 if above.kind == "branch" else 0.06
                if above.kind in ("setup", "teardown") or self.chance.random() >= likely:
                    continue
                self.arrows.append((above.name, group.name))
                for one in inside:
                    one.upstream += [above] if above not in one.upstream else []

    def choose(self, step: Step) -> None:
        if step.kind != "branch":
            return
        ids = {one.name: one.task_id for one in self.steps if one.kind not in ("pair", "trio")}
        ids |= {group.name: group.path for group in self.groups}
        below = [ids[name] for above, name in self.arrows if above == step.name and name in ids]
        step.chosen = [name for name in below if self.chance.random() < 0.5]


def steps(number: int) -> list[Step]:
    return Drawing(number).steps


def text(number: int, *, airflow: bool) -> str:
    """Return the file."""
    drawing = Drawing(number)
    lines = list(within(drawing.root))
    lines += [f"{above} >> {below}" for above, below in drawing.arrows]
    return head_of(number, DO, airflow=airflow, fails=True) + "".join(
        f"    {line}\n" for line in lines
    )


def within(scope: Scope) -> Iterator[str]:
    for item in scope.items:
        if isinstance(item, Step):
            yield from written(item)
            continue
        if item.teardown is None:
            yield f'with TaskGroup("{item.name}") as {item.name}:'
        else:
            yield f"with {item.teardown.name}:"
        yield from (f"    {line}" for line in within(item))


def written(step: Step) -> list[str]:
    options = (
        f'task_id="{step.name}", trigger_rule="{step.rule}", retries={step.retries}, '
        "retry_delay=timedelta(0)"
    )
    name, over = step.name, over_of(step)
    match step.kind:
        case "branch":
            chosen = repr(step.chosen if len(step.chosen) != 1 else step.chosen[0])
            body = f"    return {None if step.none and not step.chosen else chosen}"
            return [f"@task.branch({options})", f"def f_{name}():", body, f"{name} = f_{name}()"]
        case "gate":
            return [*gate_of(step, options), f"{name} = f_{name}()"]
        case "mapped" | "grid":
            return mapped(step, options, over)
        case "pair" | "trio":
            return group_of(step, over)
    return plain(step, options)


def plain(step: Step, options: str) -> list[str]:
    names = [f"h{place}" for place in range(len(step.takes))]
    how = {"setup": ".as_setup()", "teardown": f".as_teardown({deciding(step)})"}.get(step.kind, "")
    if step.name.startswith("d"):
        how = f".as_teardown(setups=s{step.name[1:]}, {deciding(step)})"
    return [
        f"@task({options})",
        f"def f_{step.name}({', '.join(names)}):",
        f"    do({', '.join([repr(step.end), *names])})",
        f"    return {None if step.none else f'list(range({step.length}))'}",
        f"{step.name} = f_{step.name}({', '.join(one.name for one in step.takes)}){how}",
    ]


def deciding(step: Step) -> str:
    return f"on_failure_fail_dagrun={step.decides}"


def ends_of(step: Step) -> str:
    return repr([step.end, "success", "skipped" if step.length else "success"])


def mapped(step: Step, options: str, over: str) -> list[str]:
    names = [f"h{place}" for place in range(len(step.takes))]
    fixed = ", ".join(f"{name}={one.name}" for name, one in zip(names, step.takes, strict=True))
    made = f"f_{step.name}.partial({fixed})" if fixed else f"f_{step.name}"
    arguments, place, how = ["x", *names], "x", f"expand(x={over})"
    if step.kind == "grid":
        arguments, place, how = ["x", "y"], "(x + y) % 3", f"expand(x={over}, y=[0, 1])"
    elif isinstance(step.over, int) and step.ignores_rules:
        how = f"expand_kwargs({[{'x': each} for each in range(step.over)]!r})"
    return [
        f"@task({options})",
        f"def f_{step.name}({', '.join(arguments)}):",
        f"    do({', '.join([f'{ends_of(step)}[{place}]', *names])})",
        f"    return {'None if x == 1 else x' if step.none else 'x'}",
        f"{step.name} = {made}.{how}",
    ]


def group_of(step: Step, over: str) -> list[str]:
    """A mapped group of two tasks, or of three, of which two are in a group of their own."""
    first = f"    @task(retries={step.retries}, retry_delay=timedelta(0))"
    second = f'@task(trigger_rule="{"all_done" if step.ignores_rules else "all_success"}")'
    third = f'@task(trigger_rule="{step.rule}")'
    inner = [second, "def second(x):", "    return x"]
    below = ["    first(x) >> second(x)"]
    if step.kind == "trio":
        inner += [third, "def third(x):", f"    do({step.end!r})" if step.none else "    return x"]
        inner += ["made = second(x)", "made >> third(x)" if step.length else "third(made)"]
        inner = ['with TaskGroup("inner") as inner:', *(f"    {line}" for line in inner)]
        below = ["    first(x) >> inner"]
    return [
        f'@task_group(group_id="{step.name}")',
        *(f"def f_{step.name}(x):", first, "    def first(x):", f"        do({ends_of(step)}[x])"),
        *("        return x", *(f"    {line}" for line in inner), *below),
        f"{step.name} = f_{step.name}.expand(x={over})",
    ]
