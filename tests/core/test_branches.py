"""What a branch did not choose is left out, whoever ends first and whatever is cleared, until it
chooses again.
"""

from itertools import permutations, product
from typing import Any

import pytest

from headway.core import branches, commands
from headway.core.commands import Selection
from headway.core.reasons import NotChosen
from headway.core.reports import Outcome
from headway.core.states import Event
from headway.core.upstream import TriggerRule
from headway.spec import compile, model
from tests.core.build import Story, task

ANN = "user:ann"


def choosing(*follow: str) -> Story:
    story = Story(
        task("choose", branch=True),
        task("left", "choose"),
        task("right", "choose"),
        task("left_end", "left"),
        task("join", "choose", "left_end", trigger_rule="none_failed_min_one_success"),
    ).begin()
    return story.succeed("choose", follow=frozenset(follow))


def test_a_branch_skips_what_it_did_not_choose() -> None:
    story = choosing("left")
    assert (story.state("left"), story.state("right")) == ("queued", "skipped")
    assert story.at("right").reason == NotChosen("choose", ("left",))
    # Directly below the branch, but below the chosen one as well: spared.
    assert story.state("join") == "waiting"
    story.succeed("left").succeed("left_end").succeed("join")
    assert story.run.state == "success"


def test_a_branch_may_choose_nothing() -> None:
    story = choosing()
    assert story.states() == {"choose": "success"} | dict.fromkeys(
        ("left", "right", "left_end", "join"), "skipped"
    )
    assert story.at("left").reason == NotChosen("choose", ())


def test_a_choice_of_all_leaves_nothing_out() -> None:
    story = choosing("left", "right", "join")
    assert story.at("choose").follow is None
    assert (story.state("left"), story.state("right")) == ("queued", "queued")


# -- whoever ends first


@pytest.mark.parametrize("rule", TriggerRule)
def test_the_outcome_does_not_depend_on_who_ends_first(rule: str) -> None:
    """Also where two branches decide about one task, and one of them fails or skips itself."""
    ends: dict[str, list[Any]] = {
        "b": [{"follow": frozenset({"b_other"})}, {"follow": frozenset({"x"})}],
        "c": [{"follow": frozenset[str]()}, {}, Outcome.FAILED, Outcome.SKIPPED],
        "f": [{}, Outcome.FAILED, Outcome.SKIPPED],
    }
    for chosen in product(*ends.values()):
        how = dict(zip(ends, chosen, strict=True))
        found = set()
        for order in permutations(ends):
            story = Story(
                task("b", branch=True),
                task("c", branch=True),
                task("f"),
                task("b_other", "b"),
                task("x", "b", "c", "f", trigger_rule=rule),
            ).begin()
            for name in order:
                end = how[name]
                if isinstance(end, Outcome):
                    story.end(name, end, retry=False)
                else:
                    story.end(name, **end)
                story.tick()
            found.add(story.state("x"))
        assert len(found) == 1, (how, found)
        left_out = how["b"] == {"follow": frozenset({"b_other"})} or how["c"] == {
            "follow": frozenset[str]()
        }
        assert not left_out or found == {"skipped"}, how


# -- all that is below


def gate(*, rule: str = "all_done") -> Story:
    return Story(
        task("gate", branch=True, skips_all_below=True),
        task("other"),
        task("load", "gate"),
        task("publish", "load", "other", trigger_rule=rule),
        task("report", "publish", trigger_rule="always"),
    ).begin()


def test_all_below_is_skipped_whatever_its_rule() -> None:
    story = gate().succeed("other").succeed("gate", follow=frozenset())
    below = {name: story.state(name) for name in ("load", "publish", "report")}
    assert below == dict.fromkeys(below, "skipped")
    assert story.at("report").reason == NotChosen("gate", (), tested=True)
    assert story.run.state == "success"


def test_a_gate_that_lets_through_changes_nothing() -> None:
    story = gate().succeed("other").succeed("gate", follow=frozenset({"load"})).fail("load")
    assert story.state("publish") == "queued"


@pytest.mark.parametrize("rule", TriggerRule)
@pytest.mark.parametrize("follow", [frozenset[str](), frozenset({"load"})])
def test_nobody_below_starts_before_the_gate_has_decided(rule: str, follow: frozenset[str]) -> None:
    found = set()
    for order in (("gate", "other"), ("other", "gate")):
        story = gate(rule=rule)
        for name in order:
            story.succeed(name, follow=follow if name == "gate" else None)
            decided = story.state("gate") == "success"
            assert decided or story.state("publish") == story.state("report") == "waiting"
        found.add((story.state("publish"), story.state("report")))
    assert len(found) == 1
    assert follow or found == {("skipped", "skipped")}


def test_what_waits_only_for_the_gate_starts_with_its_decision() -> None:
    """Another upstream task has met its rule already, and the one between has not ended yet."""
    story = gate(rule="one_success").succeed("other")
    assert story.state("publish") == "waiting"
    story.succeed("gate", follow=frozenset({"load"}))
    assert (story.state("load"), story.state("publish")) == ("queued", "queued")


def test_a_gate_that_runs_again_decides_again() -> None:
    story = gate().succeed("other").succeed("gate", follow=frozenset())
    assert again(story, Selection(tasks=frozenset({"report"}))) == []
    cleared = again(story, Selection(tasks=frozenset({"gate"}), downstream=True))
    assert cleared == ["gate", "load", "publish", "report"]
    story.succeed("gate", follow=frozenset({"load"})).succeed("load")
    assert story.state("publish") == "queued"


def test_a_gate_below_another_one() -> None:
    story = Story(
        task("outer", branch=True, skips_all_below=True),
        task("inner", "outer", branch=True, skips_all_below=True),
        task("end", "inner", trigger_rule="all_done"),
    ).begin()
    story.succeed("outer", follow=frozenset())
    assert (story.state("inner"), story.state("end")) == ("skipped", "skipped")
    assert story.at("end").reason == NotChosen("outer", (), tested=True)


def test_a_mapped_gate_decides_once_all_of_it_has_ended() -> None:
    story = Story(
        task("gate", over=[2], branch=True, skips_all_below=True),
        task("load", "gate"),
        task("end", "load", trigger_rule="always"),
    ).begin()
    story.succeed("gate[0]", follow=frozenset())
    assert story.state("end") == "waiting"
    story.succeed("gate[1]", follow=frozenset())
    assert (story.state("load"), story.state("end")) == ("skipped", "skipped")


def test_it_is_skipped_as_soon_as_one_branch_left_it_out() -> None:
    story = Story(
        task("b", branch=True), task("c", branch=True), task("x", "b", "c", trigger_rule="always")
    ).begin()
    assert story.state("x") == "waiting"
    assert story.succeed("b", follow=frozenset()).state("x") == "skipped"


def test_a_branch_that_fails_has_chosen_nothing_and_the_rule_decides() -> None:
    story = Story(
        task("b", branch=True),
        task("x", "b"),
        task("after", "b", trigger_rule="all_done"),
    ).begin()
    story.fail("b")
    assert (story.state("x"), story.state("after")) == ("upstream_failed", "queued")


# -- whatever is cleared


def loading() -> list[model.Task]:
    """The branch has chosen ``keep``, and ``load`` above all has failed."""
    return [
        task("choose", branch=True),
        task("load"),
        task("keep", "choose", "load"),
        task("wipe", "choose", "load"),
        task("wiped", "wipe"),
        task("end", "keep", "wipe", trigger_rule="none_failed_min_one_success"),
    ]


def again(story: Story, selection: Selection) -> list[str]:
    """What is cleared."""
    found = commands.select(story.run, selection)
    commands.clear(story.run, found, ANN)
    if story.run.state == "queued":
        story.write().begin()
    else:
        story.tick()
    return [str(instance) for instance in found]


RETRY = Selection(failed_only=True, downstream=True)


@pytest.mark.parametrize("first", ["choose", "load"])
def test_a_retry_skips_again_what_was_not_chosen(first: str) -> None:
    story = Story(*loading()).begin()
    for name in (first, *({"choose", "load"} - {first})):
        if name == "load":
            story.fail("load")
        else:
            story.succeed("choose", follow=frozenset({"keep"}))
    assert (story.state("wipe"), story.at("wipe").reason) == (
        "skipped",
        NotChosen("choose", ("keep",)),
    )
    assert story.state("keep") == "upstream_failed"
    assert again(story, RETRY) == ["load", "keep", "end"]
    story.succeed("load").succeed("keep").succeed("end")
    assert story.states() == {
        "choose": "success",
        "load": "success",
        "keep": "success",
        "wipe": "skipped",
        "wiped": "skipped",
        "end": "success",
    }


def test_what_is_below_it_by_another_way_runs_again() -> None:
    story = Story(*loading()).begin()
    story.succeed("choose", follow=frozenset({"wipe"})).succeed("load")
    story.succeed("wipe").succeed("wiped", "end")
    assert again(story, Selection(tasks=frozenset({"load"}), downstream=True)) == [
        "load",
        "wipe",
        "wiped",
        "end",
    ]
    assert story.state("keep") == "skipped"


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(tasks=frozenset({"choose"}), downstream=True),
        Selection(tasks=frozenset({"load"}), downstream=True, upstream=True),
        Selection(tasks=frozenset({"keep"}), downstream=True, upstream=True),
    ],
    ids=["all", "the branch", "load", "above keep"],
)
def test_it_runs_only_when_the_branch_chooses_again(selection: Selection) -> None:
    story = Story(*loading()).begin()
    story.succeed("choose", follow=frozenset({"keep"})).succeed("load").succeed("keep")
    story.succeed("end")
    cleared = again(story, selection)
    if "choose" not in cleared:
        assert "wipe" not in cleared
        return
    if "load" in cleared:
        story.succeed("load")
    story.succeed("choose", follow=frozenset({"wipe"}))
    expected = "queued" if "wipe" in cleared else "skipped"
    assert story.state("wipe") == expected


def test_named_by_hand_it_stays_as_it_is() -> None:
    story = Story(*loading()).begin()
    story.succeed("choose", follow=frozenset({"keep"})).succeed("load").succeed("keep")
    story.succeed("end")
    assert again(story, Selection(tasks=frozenset({"wipe"}), downstream=True)) == []
    assert again(story, Selection(tasks=frozenset({"wipe", "keep"}))) == ["keep"]
    # A person's word is not what the branch has said: it is taken back, and then the branch's counts.
    commands.mark(story.run, [story.at("wipe")], Event.MARK_FAILED, ANN)
    assert again(story, Selection(tasks=frozenset({"wipe"}))) == ["wipe"]
    assert story.state("wipe") == "skipped"


def test_what_a_clear_chooses_by_hand_may_be_marked() -> None:
    story = Story(*loading()).begin().succeed("choose", follow=frozenset({"keep"}))
    found = commands.named(story.run, Selection(tasks=frozenset({"wipe"})))
    commands.mark(story.run, found, Event.MARK_SUCCESS, ANN)
    assert story.tick().state("wipe") == "success"


def test_what_waits_for_a_retry_is_called_back_when_the_branch_runs_again() -> None:
    story = Story(
        task("choose", branch=True), task("a", "choose", retries=3), task("b", "choose")
    ).begin()
    story.succeed("choose", follow=frozenset({"a"}))
    story.end("a", Outcome.FAILED)
    story.tick()
    again(story, Selection(tasks=frozenset({"choose"})))
    assert (story.state("a"), story.at("choose").follow) == ("waiting", None)
    story.succeed("choose", follow=frozenset({"b"}))
    assert story.state("a") == "skipped"


def test_a_choice_is_forgotten_only_with_its_result() -> None:
    story = Story(task("choose", branch=True), task("a", "choose"), task("b", "choose")).begin()
    story.succeed("choose", follow=frozenset({"a"}))
    commands.mark(story.run, [story.at("choose")], Event.MARK_SUCCESS, ANN)
    assert story.at("choose").follow == frozenset({"a"})
    commands.mark(story.run, [story.at("choose")], Event.MARK_FAILED, ANN)
    commands.mark(story.run, [story.at("choose")], Event.MARK_SUCCESS, ANN)
    assert story.at("choose").follow is None


# -- mapped


def mapped(*rules: str) -> Story:
    return Story(
        task("which", over=[3], branch=True),
        *(task(name, "which", trigger_rule=rule) for name, rule in zip("abc", rules, strict=True)),
    ).begin()


def test_what_any_instance_of_a_mapped_branch_chose_runs() -> None:
    story = mapped("all_success", "none_failed", "always")
    story.succeed("which[0]", follow=frozenset({"a"}))
    assert [story.state(name) for name in "abc"] == ["waiting"] * 3
    story.succeed("which[2]", follow=frozenset({"b"})).succeed("which[1]", follow=frozenset())
    assert [story.state(name) for name in "abc"] == ["queued", "queued", "skipped"]
    assert story.at("c").reason == NotChosen("which", ("a", "b"))


def test_an_instance_that_left_nothing_out_has_chosen_all() -> None:
    story = mapped("all_success", "all_success", "all_success")
    story.succeed("which[0]", "which[1]", follow=frozenset())
    story.succeed("which[2]", follow=frozenset("abc"))
    assert [story.state(name) for name in "abc"] == ["queued"] * 3


def test_of_those_that_failed_there_is_no_choice() -> None:
    story = mapped("all_success", "all_done", "one_failed")
    story.succeed("which[0]", follow=frozenset({"b", "a"})).fail("which[1]", "which[2]")
    assert [story.state(name) for name in "abc"] == ["upstream_failed", "queued", "skipped"]
    story = mapped("all_success", "all_done", "one_failed").fail("which[0]", "which[1]", "which[2]")
    assert [story.state(name) for name in "abc"] == ["upstream_failed", "queued", "queued"]


def test_when_one_of_them_is_cleared_all_are_waited_for() -> None:
    story = mapped("all_success", "all_success", "all_success")
    for index, name in enumerate("aab"):
        story.succeed(f"which[{index}]", follow=frozenset({name}))
    story.succeed("a", "b")
    cleared = again(
        story,
        Selection(tasks=frozenset({"which"}), map_indexes=frozenset({2}), downstream=True),
    )
    assert cleared == ["which[2]", "a", "b", "c"]
    story.succeed("which[2]", follow=frozenset({"c"}))
    assert [story.state(name) for name in "abc"] == ["queued", "skipped", "queued"]


def test_a_mapped_task_is_left_out_whole() -> None:
    story = Story(
        task("choose", branch=True), task("items"), task("each", "choose", over=["items"])
    ).begin()
    story.succeed("items", length=3)
    assert story.state("each") == "waiting"
    story.succeed("choose", follow=frozenset())
    assert story.states() == {"choose": "success", "items": "success", "each": "skipped"}


def test_choices_are_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task below a branch and ten thousand others is judged for each of their ends."""
    asked = 0
    left_out = branches.left_out

    def counting(*args: object) -> frozenset[int]:
        nonlocal asked
        asked += 1
        return left_out(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(branches, "left_out", counting)
    story = Story(task("b", branch=True), task("m", over=[100]), task("x", "b", "m")).begin()
    story.succeed("b")
    for n in range(100):
        story.succeed(f"m[{n}]")
    assert (story.state("x"), asked) == ("queued", 1)


# -- choices further down


def slowly(tasks: list[model.Task], chosen: set[str]) -> set[str]:
    """Airflow's rule: of the direct ones all but the chosen and what is downstream of a chosen one."""
    kept = set(chosen)
    for each in tasks:  # upstream first
        if kept & set(each.upstream):
            kept.add(each.task_id)
    return {each.task_id for each in tasks if "choose" in each.upstream} - kept


def test_every_choice_in_every_small_graph_leaves_out_what_airflow_does() -> None:
    names = ("choose", "a", "b", "c")
    arrows = [(one, two) for n, two in enumerate(names) for one in names[:n]]
    for drawn in product((False, True), repeat=len(arrows)):
        upstream = {
            name: [one for (one, two), there in zip(arrows, drawn, strict=True) if there and two == name]
            for name in names
        }  # fmt: skip
        tasks = [task(name, *upstream[name], branch=name == "choose") for name in names]
        graph = compile.graph(model.Dag(dag_id="d", file="d.py", tasks=tuple(tasks)))
        for chosen in product((False, True), repeat=3):
            follow = {name for name, is_chosen in zip("abc", chosen, strict=True) if is_chosen}
            found = branches.left_out(graph, graph.nodes[0], [frozenset(follow)])
            assert {graph.nodes[n].task_id for n in found} == slowly(tasks, follow), (drawn, follow)


def test_a_task_chosen_further_down_keeps_what_leads_around_the_others() -> None:
    story = Story(
        task("choose", branch=True),
        task("check", "choose"),
        task("report", "choose"),
        task("load", "check", trigger_rule="none_failed"),
    ).begin()
    story.succeed("choose", follow=frozenset({"load"}))
    assert [story.state(name) for name in ("check", "report", "load")] == [
        "skipped",
        "skipped",
        "queued",
    ]
    commands.clear(story.run, commands.select(story.run, Selection(tasks=frozenset({"load"}))), ANN)
    assert story.tick().state("check") == "skipped"
