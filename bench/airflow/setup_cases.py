"""DAGs with setups and teardowns, written once for Headway and for Airflow, whose words are nearly the same.

``words`` has ``task``, ``setup``, ``teardown``, ``task_group``, ``context_wrapper`` and ``Skip`` of one of the two.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Final

RANDOM: Final = 80
RULES: Final = ("all_success", "all_success", "all_done", "none_failed", "one_failed", "always")

Words = Any
Build = Callable[[Words, "Steps"], object]


class Steps:
    """Makes tasks that end as they are told."""

    def __init__(self, words: Words) -> None:
        self.words = words

    def __call__(self, name: str, end: str = "success", **options: Any) -> Any:
        skip = self.words.Skip

        @self.words.task(task_id=name, **options)
        def step() -> None:
            if end == "failed":
                raise ValueError("it fails")
            if end == "skipped":
                raise skip("it skips itself")

        return step()

    def setup(self, name: str, end: str = "success") -> Any:
        return self(name, end).as_setup()

    def teardown(self, name: str, end: str = "success", **how: Any) -> Any:
        return self(name, end).as_teardown(**how)


def cases() -> Iterator[tuple[str, Build]]:
    for build in WRITTEN:
        yield build.__name__, build
    for number in range(RANDOM):
        yield f"random_{number}", at_random(number)


def at_random(number: int) -> Build:
    def build(words: Words, step: Steps) -> None:
        chance = Random(number)
        made: list[Any] = []
        kinds: list[str] = []
        upstream: list[set[int]] = []
        for place in range(chance.randint(3, 7)):
            kind = chance.choice(["setup", "work", "work", "teardown"]) if place else "setup"
            above = {each for each in range(place) if chance.random() < 0.45}
            if kind == "teardown":
                above.add(chance.choice([n for n, other in enumerate(kinds) if other == "setup"]))
            end = chance.choices(["success", "failed", "skipped"], [7, 2, 1])[0]
            rule = chance.choice(RULES)
            if kind == "setup" or any(kinds[each] == "setup" for each in above):
                rule = "all_success"
            task = step(f"{kind}_{place}", end, trigger_rule=rule)
            if kind == "setup":
                task = task.as_setup()
            elif kind == "teardown":
                task = task.as_teardown(on_failure_fail_dagrun=chance.random() < 0.3)
            for each in sorted(above):
                made[each] >> task
            made.append(task)
            kinds.append(kind)
            upstream.append(above)

    return build


def setup_fails(words: Words, step: Steps) -> None:
    create = step.setup("create", "failed")
    (
        create
        >> step("use")
        >> step("report", trigger_rule="all_done")
        >> step.teardown("delete", setups=create)
    )


def setup_skips(words: Words, step: Steps) -> None:
    create = step.setup("create", "skipped")
    (
        create
        >> step("use")
        >> step("report", trigger_rule="all_done")
        >> step.teardown("delete", setups=create)
    )


def work_fails(words: Words, step: Steps) -> None:
    create = step.setup("create")
    create >> step("use", "failed") >> step("more") >> step.teardown("delete", setups=create)


def teardown_fails(words: Words, step: Steps) -> None:
    create = step.setup("create")
    create >> step("use") >> step.teardown("delete", "failed", setups=create)


def teardown_decides(words: Words, step: Steps) -> None:
    create = step.setup("create")
    delete = step.teardown("delete", "failed", setups=create, on_failure_fail_dagrun=True)
    create >> step("use") >> delete


def work_above_a_teardown_decides(words: Words, step: Steps) -> None:
    create = step.setup("create")
    create >> step("use", "failed") >> step.teardown("delete", setups=create) >> step("after")


def one_of_two_setups(words: Words, step: Steps) -> None:
    good, bad = step.setup("good"), step.setup("bad", "failed")
    [good, bad] >> step("use") >> step.teardown("delete", setups=[good, bad])


def teardowns_alone(words: Words, step: Steps) -> None:
    step.teardown("first") >> step.teardown("last", "failed")


def teardown_without_setups(words: Words, step: Steps) -> None:
    step("use", "failed") >> step.teardown("delete")


def setup_without_teardown(words: Words, step: Steps) -> None:
    step.setup("create", "failed") >> step("use") >> step("report", trigger_rule="all_done")


def outside_of_the_scope(words: Words, step: Steps) -> None:
    create = step.setup("create", "failed")
    use = step("use")
    create >> use >> step.teardown("delete", setups=create)
    use >> step("elsewhere", trigger_rule="all_done")


def scope_is_waited_for(words: Words, step: Steps) -> None:
    create = step.setup("create")
    slow, bad = step("slow"), step("bad", "failed")
    create >> bad
    create >> slow
    end = step("end", trigger_rule="one_failed")
    [slow, bad] >> end >> step.teardown("delete", setups=create)


def nested(words: Words, step: Steps) -> None:
    outer, inner = step.setup("outer"), step.setup("inner", "failed")
    end = step.teardown("delete_outer", setups=outer)
    outer >> inner >> step("use") >> step.teardown("delete_inner", setups=inner) >> end


def block_of_a_teardown(words: Words, step: Steps) -> None:
    create = step.setup("create")
    with step.teardown("delete", setups=create):
        step("one") >> step("two", "failed")
        step("three")


def block_of_a_setup(words: Words, step: Steps) -> None:
    create = step.setup("create")
    step.teardown("delete", setups=create)
    with create:
        step("one") >> step("two")


def block_in_a_block(words: Words, step: Steps) -> None:
    outer, inner = step.setup("outer"), step.setup("inner")
    with step.teardown("delete_outer", setups=outer):
        step("one")
        with step.teardown("delete_inner", setups=inner):
            step("two")


def block_of_two_teardowns(words: Words, step: Steps) -> None:
    create = step.setup("create")
    first, second = step.teardown("first", setups=create), step.teardown("second", setups=create)
    with words.context_wrapper([first, second]):
        step("use")


def group_leaves_its_teardowns_out(words: Words, step: Steps) -> None:
    @words.task_group
    def part() -> None:
        create = step.setup("create")
        create >> step("use") >> step.teardown("delete", "failed", setups=create)

    step("before") >> part() >> step("after")


def group_of_two_works(words: Words, step: Steps) -> None:
    @words.task_group
    def part() -> None:
        create = step.setup("create")
        delete = step.teardown("delete", setups=create)
        with delete:
            step("one") >> step("two")
            step("three")
        delete >> step.teardown("last")

    part() >> step("after")


def group_in_a_block(words: Words, step: Steps) -> None:
    @words.task_group
    def part() -> None:
        create = step.setup("create")
        create >> step("use") >> step.teardown("delete", setups=create)

    create = step.setup("outer")
    with step.teardown("delete_outer", setups=create):
        step("work")
        part()


def decorated(words: Words, step: Steps) -> None:
    @words.setup
    def create() -> str:
        return "cluster"

    @words.task
    def use(cluster: str) -> None:
        raise ValueError(cluster)

    @words.teardown(on_failure_fail_dagrun=True)
    def delete(cluster: str) -> None:
        print(cluster)

    cluster = create()
    with delete(cluster):
        use(cluster)


WRITTEN: Final[tuple[Any, ...]] = (
    setup_fails,
    setup_skips,
    work_fails,
    teardown_fails,
    teardown_decides,
    work_above_a_teardown_decides,
    one_of_two_setups,
    teardowns_alone,
    teardown_without_setups,
    setup_without_teardown,
    outside_of_the_scope,
    scope_is_waited_for,
    nested,
    block_of_a_teardown,
    block_of_a_setup,
    block_in_a_block,
    block_of_two_teardowns,
    group_leaves_its_teardowns_out,
    group_of_two_works,
    group_in_a_block,
    decorated,
)
