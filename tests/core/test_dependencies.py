"""Who is affected by a DAG that is late."""

import itertools

from headway.core.dependencies import Below, Link, affected, directly_below

NAMES = ("a", "b", "c", "d")
PAIRS = [(upper, lower) for upper in NAMES for lower in NAMES if upper != lower]


def below(*pairs: tuple[str, str]) -> Below:
    return directly_below(Link(upper, lower, "asset", f"{upper}{lower}") for upper, lower in pairs)


def test_the_nearest_come_first_each_with_what_leads_to_it() -> None:
    found = affected(below(("a", "b"), ("a", "c"), ("c", "d"), ("b", "d")), "a")
    assert found == [("b", "a"), ("c", "a"), ("d", "b")]
    assert affected(below(("a", "b")), "b") == []


def test_every_graph_of_four_dags_ends_and_names_each_once() -> None:
    """Circles, too: against reachability by repeated steps."""
    for number in range(5):
        for chosen in itertools.combinations(PAIRS, number):
            reached = {"a"}
            for _ in NAMES:
                reached |= {lower for upper, lower in chosen if upper in reached}
            found = [name for name, _ in affected(below(*chosen), "a")]
            assert sorted(found) == sorted(reached - {"a"})
