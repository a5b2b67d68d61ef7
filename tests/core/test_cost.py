"""A turn costs what changed, not what exists: judgements are counted, not timed."""

import pytest

from headway.core import plan, ready
from headway.core.graph import Node
from headway.core.run import Run
from tests.core.build import Story, task


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The nodes that were judged, in order."""
    seen: list[str] = []
    judge_node = plan.judge_node

    def counting(run: Run, node: Node) -> None:
        seen.append(node.task_id)
        judge_node(run, node)

    monkeypatch.setattr(plan, "judge_node", counting)
    return seen


def test_a_change_in_ten_thousand_tasks_judges_what_is_below_it(judged: list[str]) -> None:
    layers, width = 100, 100
    story = Story(
        *(
            task(f"t{layer}_{n}", *(f"t{layer - 1}_{(n + k) % width}" for k in range(3) if layer))
            for layer in range(layers)
            for n in range(width)
        )
    ).begin()
    assert len(judged) == layers * width
    for layer in range(3):
        for n in range(width):
            judged.clear()
            story.succeed(f"t{layer}_{n}")
            assert len(judged) == 3
    assert story.run.open == (layers - 3) * width


def test_an_end_among_ten_thousand_mapped_judges_one_node(judged: list[str]) -> None:
    story = Story(task("m", over=[10_000]), task("end", "m")).begin()
    judged.clear()
    for n in range(100):
        story.succeed(f"m[{n}]")
    assert judged == ["end"] * 100
    judged.clear()
    story.succeed(*(f"m[{n}]" for n in range(100, 10_000)))
    assert judged == ["end"]
    assert story.state("end") == "queued"


def test_ten_thousand_into_one_judge_it_once_a_turn(judged: list[str]) -> None:
    story = Story(
        *(task(f"t{n}") for n in range(10_000)), task("end", *(f"t{n}" for n in range(10_000)))
    ).begin()
    judged.clear()
    story.succeed("t0")
    story.succeed(*(f"t{n}" for n in range(1, 10_000)))
    assert judged == ["end", "end"]
    assert story.state("end") == "queued"


def test_a_turn_in_which_nothing_happened_judges_nothing(judged: list[str]) -> None:
    story = Story(task("m", over=[100]), task("end", "m")).begin()
    judged.clear()
    story.pass_time(1).pass_time(1)
    assert judged == []


def test_a_cap_looks_at_few_of_those_that_it_holds_back(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    has_room = ready.has_room

    def counting(run: Run, node: Node) -> bool:
        nonlocal asked
        asked += 1
        return has_room(run, node)

    monkeypatch.setattr(ready, "has_room", counting)
    story = Story(*(task(f"t{n}") for n in range(10_000)), max_active_tasks=16).begin()
    asked = 0
    story.succeed("t0").succeed("t1")
    assert asked <= 10
