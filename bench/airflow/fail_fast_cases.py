"""DAGs with ``fail_fast``, written once for Headway and for Airflow, whose words are nearly the same.

``words`` has ``task`` and ``Skip`` of one of the two.
"""

from collections.abc import Iterator

from bench.airflow.setup_cases import Build, Steps, Words


def cases() -> Iterator[tuple[str, Build]]:
    for build in WRITTEN:
        yield build.__name__, build


def leaf_fails(words: Words, step: Steps) -> None:
    step("first") >> step("last", "failed")


def what_is_below_is_skipped(words: Words, step: Steps) -> None:
    step("first", "failed") >> step("middle") >> step("last")


def what_is_beside_is_skipped(words: Words, step: Steps) -> None:
    first = step("first", "failed")
    first >> step("below")
    first >> step("other") >> step("after")


def a_skip_is_no_failure(words: Words, step: Steps) -> None:
    step("first", "skipped") >> step("last")


def teardowns_run(words: Words, step: Steps) -> None:
    create = step.setup("create")
    create >> step("use", "failed") >> step("more") >> step.teardown("delete", setups=create)


def a_setup_fails(words: Words, step: Steps) -> None:
    create = step.setup("create", "failed")
    create >> step("use") >> step.teardown("delete", setups=create)


def a_teardown_fails(words: Words, step: Steps) -> None:
    create = step.setup("create")
    delete = step.teardown("delete", "failed", setups=create)
    create >> step("use") >> delete >> step("after")


def a_teardown_that_decides_fails(words: Words, step: Steps) -> None:
    create = step.setup("create")
    delete = step.teardown("delete", "failed", setups=create, on_failure_fail_dagrun=True)
    create >> step("use") >> delete >> step("after")


WRITTEN = (
    leaf_fails,
    what_is_below_is_skipped,
    what_is_beside_is_skipped,
    a_skip_is_no_failure,
    teardowns_run,
    a_setup_fails,
    a_teardown_fails,
    a_teardown_that_decides_fails,
)
