"""How many agents a warm pool has: of all small situations, and of the ones that matter by name."""

from itertools import product

from headway.core.warm import Bounds, Decision, Load, WarmAgent, decide

POOL = Bounds(least=0, most=3, slots=2, idle_s=60)


def agents(*held: int, idle_s: float = 0.0) -> list[WarmAgent]:
    return [WarmAgent(f"a{n}", each, None if each else idle_s) for n, each in enumerate(held)]


def test_what_waits_makes_the_pool_grow_at_once_and_never_beyond_its_limit() -> None:
    assert decide(POOL, Load(), [], 0) == Decision(0)
    assert decide(POOL, Load(waiting=1), [], 0) == Decision(1)
    assert decide(POOL, Load(waiting=2, coming=1), [], 0) == Decision(2)
    assert decide(POOL, Load(waiting=100), [], 1) == Decision(3)
    assert decide(POOL, Load(waiting=1), agents(2, 1), 2) == Decision(2)  # there is a place


def test_agents_that_are_on_their_way_are_not_asked_for_again() -> None:
    starting = [WarmAgent("a0", is_ready=False)]
    assert decide(POOL, Load(waiting=2), starting, 1) == Decision(1)


def test_only_agents_that_were_idle_for_long_leave_the_longest_first() -> None:
    pool = [WarmAgent("a", 1), WarmAgent("b", 0, 61.0), WarmAgent("c", 0, 90.0)]
    assert decide(POOL, Load(), pool, 3) == Decision(1, ("c", "b"))
    assert decide(POOL, Load(waiting=2), pool, 3) == Decision(2, ("c",))
    assert decide(POOL, Load(), agents(0, 0, idle_s=59.9), 2) == Decision(2)


def test_a_lower_limit_holds_at_once_and_takes_those_with_the_least() -> None:
    pool = [WarmAgent("a", 2), WarmAgent("b", 1), WarmAgent("c", 0, 1.0)]
    assert decide(Bounds(0, 1, 2, 60), Load(waiting=9), pool, 3) == Decision(1, ("c", "b"))


def test_a_run_that_is_about_to_start_keeps_an_idle_agent() -> None:
    assert decide(POOL, Load(coming=1), agents(0, idle_s=1000.0), 1) == Decision(1)


def test_of_an_earlier_version_the_idle_ones_make_way_first_one_at_a_time() -> None:
    pool = [
        WarmAgent("a", 1, is_old=True),
        WarmAgent("b", 0, 5.0, is_old=True),
        WarmAgent("c", 0, 9.0, is_old=True),
        WarmAgent("d", 0, 99.0),
    ]
    least = Bounds(least=4, most=4)
    assert decide(least, Load(), pool, 4) == Decision(4, ("c",))
    assert decide(least, Load(), [pool[0], pool[1], pool[3]], 3) == Decision(4, ("b",))
    assert decide(least, Load(), [pool[0], pool[3]], 4) == Decision(4)


def test_in_every_situation() -> None:
    """Within the limits; nothing that holds a task leaves while the limit allows it; who leaves exists, once."""
    seen = 0
    for least, most in ((0, 0), (0, 2), (1, 2), (2, 2), (0, 3)):
        bounds = Bounds(least, most, slots=2, idle_s=60)
        for count, waiting, coming in product(range(4), range(6), range(3)):
            for held in product(range(3), repeat=count):
                for idle_s, late in product((0.0, 60.0), range(3)):
                    pool, before = agents(*held, idle_s=idle_s), count + late
                    found = decide(bounds, Load(waiting, coming), pool, before)
                    seen += 1
                    assert least <= found.replicas <= most
                    assert len(found.leaving) == len(set(found.leaving)) <= count
                    names = {each.name: each for each in pool}
                    assert set(found.leaving) <= names.keys()
                    if before <= most:
                        assert all(names[name].held == 0 for name in found.leaving)
                        if idle_s < bounds.idle_s:
                            assert found.replicas >= before
                    asked = sum(held) + waiting + coming
                    assert found.replicas * 2 >= min(asked, most * 2)
                    if found.replicas < before:
                        again = decide(bounds, Load(waiting, coming), pool, found.replicas)
                        assert again.replicas <= found.replicas or asked > found.replicas * 2
    assert seen > 10_000
