"""What one attempt does to itself, those beside it never notice."""

import sys

import pytest

from headway import ids
from tests.agent.gateway import Gateway, grant_of

BAD = ("segfault", "exits", "calls_exit", "raises", "giant")


def test_those_beside_a_crash_end_as_they_should(shared: Gateway) -> None:
    run_id = ids.run_id()
    bad = [grant_of(task, run_id=run_id) for task in BAD]
    good = [grant_of("hello", run_id=run_id, map_index=n) for n in range(5)]
    eater = grant_of("eats", run_id=run_id, memory_limit_mb=100)
    shared.grant(*(grant for pair in zip(bad, good, strict=True) for grant in pair), eater)
    assert {shared.ended(grant.key).outcome for grant in good} == {"success"}
    assert {shared.ended(grant.key).outcome for grant in (*bad, eater)} == {"failed"}
    assert shared.run("hello", run_id=run_id, map_index=9).outcome == "success"


@pytest.mark.parametrize("task", ["gigabyte", "gigabyte_of_lines"])
def test_a_gigabyte_is_refused_before_it_is_copied(shared: Gateway, task: str) -> None:
    run_id = ids.run_id()
    giant = grant_of(task, run_id=run_id, memory_limit_mb=1500)
    beside = [grant_of("hello", run_id=run_id, map_index=n) for n in range(3)]
    shared.grant(giant, *beside)
    assert {shared.ended(grant.key).outcome for grant in beside} == {"success"}
    ended = shared.ended(giant.key)
    assert (ended.outcome, ended.cause, ended.retry) == ("failed", "result", False)
    assert "larger than 100 MB" in ended.detail
    assert ended.run_s < 10


def test_a_missing_package_is_named_with_its_line(shared: Gateway) -> None:
    shared.bundle(
        "from headway import dag, task\n\n\n@dag\ndef flow():\n    @task\n    def load():\n"
        "        import pandaz\n\n    load()\n",
        version="lacking",
    )
    grant = grant_of("load", run_id=ids.run_id())
    shared.grant(grant, version="lacking")
    ended = shared.ended(grant.key)
    assert (ended.outcome, ended.cause, ended.line) == ("failed", "exception", 8)
    assert ended.detail.startswith("ModuleNotFoundError: No module named 'pandaz'; install it in")
    assert f"{sys.executable} -m pip install pandaz" in ended.detail


def test_a_package_that_the_file_itself_lacks_is_named_with_its_line(shared: Gateway) -> None:
    shared.bundle("import headway\nimport pandaz.io\n", version="lacks")
    grant = grant_of("load", run_id=ids.run_id())
    shared.grant(grant, version="lacks")
    ended = shared.ended(grant.key)
    assert (ended.outcome, ended.cause) == ("failed", "import")
    assert ended.detail.startswith("flow.py:2: ModuleNotFoundError: No module named 'pandaz'; ")
    assert f"{sys.executable} -m pip install pandaz" in ended.detail
    assert "\n" not in ended.detail
