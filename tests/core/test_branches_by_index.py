"""Branches that decide by index: an instance concerns those with its own index, as in Airflow, and no other task."""

from collections import Counter
from typing import Any

import pytest

from headway.core import commands
from headway.core.commands import Selection
from headway.core.graph import Graph
from headway.core.reasons import NotChosen
from headway.core.states import Event
from headway.spec import compile, model
from tests.core.build import Story, task
from tests.core.test_mapped_groups import inside

ANN = "user:ann"
NOBODY = frozenset[str]()
WORK = frozenset({"work"})


def which(**options: Any) -> model.Task:
    return task(
        "which", over=[options.pop("many", 3)], branch=True, decides_by_index=True, **options
    )


def choosing(*below: model.Task) -> Story:
    """The branch has chosen ``work`` for the items 0 and 2, and nothing for 1."""
    story = Story(which(), *below).begin()
    story.succeed("which[0]", follow=WORK).succeed("which[1]", follow=NOBODY)
    assert not any(state == "queued" for name, state in story.states().items() if "work" in name)
    return story.succeed("which[2]", follow=WORK)


def test_each_item_follows_the_choice_of_its_index() -> None:
    story = choosing(task("work", "which", over=[4]), task("other", "which", over=[2]))
    # The branch has no instance of the index 3.
    work = [story.state(f"work[{n}]") for n in range(4)]
    assert work == ["queued", "skipped", "queued", "queued"]
    assert [story.state(f"other[{n}]") for n in range(2)] == ["skipped", "skipped"]
    assert story.at("work[1]").reason == NotChosen("which", ())
    assert story.at("other[0]").reason == NotChosen("which", ("work",))


def test_many_instances_do_not_each_look_at_the_whole_graph(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A tick judges all of them: 100,000 before thousands of tasks would hold up every team for minutes."""
    looks = Counter[str]()
    closure = Graph._closure

    def counted(graph: Graph, roots: set[int], direction: str) -> set[int]:
        looks[direction] += 1
        return closure(graph, roots, direction)

    story = Story(which(many=50), task("work", "which", over=[60]), task("other", "which")).begin()
    chosen = frozenset({"other"})
    story.succeed(*(f"which[{n}]" for n in range(49)), follow=chosen)
    monkeypatch.setattr(Graph, "_closure", counted)
    story.succeed("which[49]", follow=chosen)
    states = Counter(state for name, state in story.states().items() if name.startswith("work["))
    assert states == {"skipped": 50, "queued": 10}
    assert looks.total() < 10


def test_it_leaves_out_no_task_that_is_not_mapped_and_none_further_down() -> None:
    story = choosing(
        task("plain", "which"),
        task("work", "which", over=[3]),
        task("later", "work", over=[3], trigger_rule="all_done"),
    )
    assert story.state("plain") == "queued"
    story.succeed("work[0]", "work[2]")
    assert [story.state(f"later[{n}]") for n in range(3)] == ["queued"] * 3


def test_it_concerns_a_mapped_group_below() -> None:
    story = choosing(
        inside("work", "which", over=3), inside("end", "work", over=3, trigger_rule="all_done")
    )
    assert [story.state(f"work[{n}]") for n in range(3)] == ["queued", "skipped", "queued"]
    assert story.state("end[1]") == "queued"


def test_what_an_instance_that_failed_chose_is_left_to_the_rule() -> None:
    story = Story(which(), task("work", "which", over=[3], trigger_rule="all_done")).begin()
    story.succeed("which[0]", follow=NOBODY).fail("which[1]").succeed("which[2]", follow=WORK)
    assert [story.state(f"work[{n}]") for n in range(3)] == ["skipped", "queued", "queued"]


def test_in_a_group_it_concerns_the_group_and_what_is_mapped_directly_below() -> None:
    story = Story(
        inside("gate", over=2, branch=True, skips_all_below=True, decides_by_index=True),
        inside("work", "gate", over=2),
        inside("end", "work", over=2, trigger_rule="all_done"),
        task("direct", "gate", over=[3]),
        task("after", "work", "end", trigger_rule="all_done"),
    ).begin()
    story.succeed("gate[0]", follow=NOBODY)
    assert [story.state(f"{name}[0]") for name in ("work", "end")] == ["skipped", "skipped"]
    story.succeed("gate[1]", follow=NOBODY)
    assert story.state("after") == "queued"
    assert [story.state(f"direct[{n}]") for n in range(3)] == ["skipped", "skipped", "queued"]


def test_a_clear_asks_the_choice_again() -> None:
    story = choosing(task("work", "which", over=[3]))
    story.succeed("work[0]", "work[2]")
    found = commands.select(story.run, Selection(tasks=frozenset({"work"})))
    assert [str(each) for each in found] == ["work[0]", "work[1]", "work[2]"]
    commands.clear(story.run, found, ANN)
    story.write().begin()
    assert [story.state(f"work[{n}]") for n in range(3)] == ["queued", "skipped", "queued"]


def test_what_has_not_started_follows_a_choice_that_is_made_again() -> None:
    story = Story(which(), task("work", "which", over=[3], retries=3, retry_delay_s=60)).begin()
    story.succeed("which[0]", "which[1]", "which[2]", follow=WORK)
    story.fail("work[0]").succeed("work[1]", "work[2]")
    found = commands.select(
        story.run, Selection(tasks=frozenset({"which"}), map_indexes=frozenset({0}))
    )
    commands.clear(story.run, found, ANN)
    assert story.tick().state("work[0]") == "waiting"
    assert story.succeed("which[0]", follow=NOBODY).state("work[0]") == "skipped"
    assert story.run.state == "success"


def test_a_person_may_let_it_run_all_the_same() -> None:
    story = choosing(task("work", "which", over=[3]))
    commands.mark(story.run, [story.at("work[1]")], Event.MARK_SUCCESS, ANN)
    assert story.tick().state("work[1]") == "success"


def test_over_a_result_the_choice_counts_once_the_list_is_there() -> None:
    story = choosing(task("items"), task("work", "which", over=["items"]))
    assert story.state("work") == "waiting"
    story.succeed("items", length=2)
    assert [story.state(f"work[{n}]") for n in range(2)] == ["queued", "skipped"]


def test_only_nodes_that_it_can_leave_out_wait_for_it() -> None:
    dag = model.Dag(
        dag_id="d",
        file="d.py",
        tasks=(which(), task("plain", "which"), task("work", "which", over=[3])),
    )
    graph = compile.graph(dag)
    assert [graph.nodes[graph.by_id[name]].branches for name in ("plain", "work")] == [(), (0,)]
