"""Seeds that must hold, the same history from the same seed, and planted bugs that the simulator
must find by their symptom.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from random import Random

import psycopg
import pytest

from tests.simulation.answers import Answers
from tests.simulation.asset_waits import AssetWaits
from tests.simulation.assets import Assets
from tests.simulation.bugs import BUG_SEEDS, BUGS, Bug
from tests.simulation.calls import Calls
from tests.simulation.calm import Short
from tests.simulation.clusters import Clusters
from tests.simulation.crowd import Crowd
from tests.simulation.due import Due
from tests.simulation.edits import Edits
from tests.simulation.fast import Fast
from tests.simulation.groups import Groups
from tests.simulation.guests import Guests
from tests.simulation.loans import Loans
from tests.simulation.loops import Loops
from tests.simulation.minds import Lists, Minds
from tests.simulation.outbound import Outbound
from tests.simulation.partitions import Partitions
from tests.simulation.past import Past
from tests.simulation.pods import Pods
from tests.simulation.retries import Retries
from tests.simulation.strategies import Strategies
from tests.simulation.teams import Teams
from tests.simulation.waits import Waits
from tests.simulation.watched import Watched
from tests.simulation.world import Connections, World

SEEDS = (*range(4), *[pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 12)])
CROWD_SEEDS = range(1)
MINDS_SEEDS = (5, 8)
LISTS_SEEDS = (0, 1)
TEAMS_SEEDS = (4,)
LOANS_SEEDS = (2, 3)
GUESTS_SEEDS = (0,)
EDITS_SEEDS = (0, 3)
WAITS_SEEDS = (0, 1)
ANSWERS_SEEDS = (0, 1)
ASSETS_SEEDS = (2, 4)
ASSET_WAITS_SEEDS = (0, 1)
WATCHED_SEEDS = (0, 1)
OUTBOUND_SEEDS = (0, 1, 2)
PARTITIONS_SEEDS = (0, 1, 2)
DUE_SEEDS = (0, 1, 2)
CLUSTERS_SEEDS = (0, 1, 2)
FAST_SEEDS = (0, 1)
PAST_SEEDS = (0, 1)
STRATEGIES_SEEDS = (0, 1, 2)
GROUPS_SEEDS = (0, 1, 2)
LOOPS_SEEDS = (0, 1, 2)
CALLS_SEEDS = (0, 1, 2)
RETRIES_SEEDS = (0, 1, 2)
PODS_SEEDS = (
    5,
    9,
    *[pytest.param(seed, marks=pytest.mark.long) for seed in (0, 1, 2, 3, 14, 29, 46)],
)
CRASH_SEED, CRASHES, PAIRS = 2, 4, 4
LOOP_STEPS = 4
POD_STEPS = 20


@pytest.fixture(scope="module")
def connections(postgres: str) -> Iterator[Connections]:
    with Connections.of_a_fresh_database(postgres) as connections:
        yield connections


@pytest.fixture(scope="module")
def pods_connections(postgres: str) -> Iterator[Connections]:
    """Of a database in which no world has left other teams: the executor of the cluster would serve them, too."""
    with Connections.of_a_fresh_database(postgres) as connections:
        yield connections


@pytest.mark.long
@pytest.mark.parametrize("seed", CROWD_SEEDS)
def test_a_crowd_holds(seed: int, connections: Connections) -> None:
    """Several schedulers, and a pool too small for what is ready."""
    Crowd(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", MINDS_SEEDS)
def test_a_world_that_changes_its_mind_holds(seed: int, connections: Connections) -> None:
    """Branches that choose otherwise when they are cleared, and lists that get shorter or longer."""
    Minds(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", LISTS_SEEDS)
def test_a_world_of_combined_lists_holds(seed: int, connections: Connections) -> None:
    Lists(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", TEAMS_SEEDS)
def test_teams_that_share_slots_hold(seed: int, connections: Connections) -> None:
    """One floods the others, weights change, and what was lent comes back."""
    Teams(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", LOANS_SEEDS)
def test_teams_that_share_a_pool_hold(seed: int, connections: Connections) -> None:
    """Its grants are given and taken back in mid-flight, and it grows and shrinks."""
    Loans(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", GUESTS_SEEDS)
def test_teams_that_use_what_another_has_hold(seed: int, connections: Connections) -> None:
    """Grants of an asset and of waits are given and taken back in mid-flight."""
    Guests(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", EDITS_SEEDS)
def test_a_world_whose_dags_are_edited_holds(seed: int, connections: Connections) -> None:
    """Runs that continue with the latest version: tasks come and go, branches and lists are others."""
    Edits(seed, connections).run()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_holds(seed: int, connections: Connections) -> None:
    World(seed, connections).run()


@pytest.mark.parametrize("seed", PODS_SEEDS)
def test_a_world_with_a_cluster_holds(seed: int, pods_connections: Connections) -> None:
    """No pod is lost, none runs what another one does, and none is left, whatever the cluster does and who dies."""
    Pods(seed, pods_connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", WAITS_SEEDS)
def test_a_world_that_waits_holds(seed: int, connections: Connections) -> None:
    """Tasks end their process and go on in another one."""
    Waits(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", ANSWERS_SEEDS)
def test_a_world_that_asks_holds(seed: int, connections: Connections) -> None:
    """Answers, the clock and clears meet at once; each question has one answer, which moved its task."""
    Answers(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", ASSETS_SEEDS)
def test_a_world_of_assets_holds(seed: int, connections: Connections) -> None:
    """Events of assets bring runs, whatever dies between the two."""
    Assets(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", ASSET_WAITS_SEEDS)
def test_a_world_that_waits_for_assets_holds(seed: int, connections: Connections) -> None:
    """A wait is woken once, by an event that it is for, and none that comes is lost."""
    AssetWaits(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", WATCHED_SEEDS)
def test_a_world_with_a_watcher_holds(seed: int, connections: Connections) -> None:
    """What happens outside is one event each, in order, whoever looks at it and dies."""
    Watched(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", PARTITIONS_SEEDS)
def test_a_world_of_partitions_holds(seed: int, connections: Connections) -> None:
    """Keys that arrive bring the runs of their partitions, once each, whatever dies between the two."""
    Partitions(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", DUE_SEEDS)
def test_a_world_of_partitions_that_are_due_holds(seed: int, connections: Connections) -> None:
    """A partition that is overdue is told of once, and none is left out."""
    Due(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", OUTBOUND_SEEDS)
def test_a_world_of_outbound_webhooks_holds(seed: int, connections: Connections) -> None:
    """Each end that a webhook wants is told until somebody takes it, whoever dies in between, and no other is."""
    Outbound(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", CLUSTERS_SEEDS)
def test_a_world_of_setups_and_teardowns_holds(seed: int, connections: Connections) -> None:
    """What a setup made is cleaned up, whoever cancels, clears or dies between the two."""
    Clusters(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", FAST_SEEDS)
def test_a_world_that_ends_at_its_first_failure_holds(seed: int, connections: Connections) -> None:
    Fast(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", PAST_SEEDS)
def test_a_world_that_waits_for_the_past_holds(seed: int, connections: Connections) -> None:
    Past(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", STRATEGIES_SEEDS)
def test_a_world_of_run_strategies_holds(seed: int, connections: Connections) -> None:
    """Runs that stand in line, are skipped, and wait for their logical date."""
    Strategies(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", GROUPS_SEEDS)
def test_a_world_of_mapped_groups_holds(seed: int, connections: Connections) -> None:
    """Each index is on its own, whatever is cleared, and however long the list becomes."""
    Groups(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", RETRIES_SEEDS)
def test_a_world_of_retry_policies_holds(seed: int, connections: Connections) -> None:
    """The first rule that names the way in which a task failed decides, whoever told of it and when."""
    Retries(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", LOOPS_SEEDS)
def test_a_world_of_loops_holds(seed: int, connections: Connections) -> None:
    """Iterations are those that gates decided on, whatever is cleared, marked or killed."""
    Loops(seed, connections).run()


@pytest.mark.long
@pytest.mark.parametrize("seed", CALLS_SEEDS)
def test_a_world_of_callbacks_holds(seed: int, connections: Connections) -> None:
    """For each committed end one call of each function, whatever dies between the two."""
    Calls(seed, connections).run()


@pytest.mark.long
def test_the_same_seed_is_the_same_history(
    connections: Connections, pods_connections: Connections
) -> None:
    hashes = set()
    for _ in range(2):
        for kind, own in ((World, connections), (Pods, pods_connections)):
            world = kind(3, own)
            world.run()
            hashes.add((kind, world.hash.hexdigest()))
    assert len(hashes) == 2


@pytest.mark.long
def test_a_crash_at_any_point_changes_no_outcome(connections: Connections) -> None:
    """F01: some of the points; ``python -m tests.simulation --crashes`` takes every one."""
    dry = World(CRASH_SEED, connections)
    dry.run()
    for point in range(1, dry.points, max(1, dry.points // CRASHES)):
        World(CRASH_SEED, connections, crash_at=(point,)).run()


@pytest.mark.long
def test_a_crash_between_iterations_changes_no_outcome(connections: Connections) -> None:
    """F01 in a world of loops, where nothing else goes wrong."""
    crash_now_and_then(lambda: Loops(CRASH_SEED, connections, steps=LOOP_STEPS))


@pytest.mark.long
def test_a_crash_while_pods_are_made_changes_no_outcome(pods_connections: Connections) -> None:
    """F01 in a world with a cluster, where nothing else goes wrong."""
    crash_now_and_then(lambda: Pods(CRASH_SEED, pods_connections, steps=POD_STEPS))


def crash_now_and_then(make: Callable[[], World]) -> None:
    """Run a world in which nothing goes wrong, and again with a crash at each of some points of its story."""

    def run(*points: int) -> World:
        world = make()
        world.mischief, world.crash_at = 0.0, points
        world.run()
        return world

    dry = run()
    for point in range(1, dry.story_points, max(1, dry.story_points // CRASHES)):
        assert sum(" crash: " in line for line in run(point).trace) == 1


@pytest.mark.long
def test_a_crash_at_two_points_changes_no_outcome(connections: Connections) -> None:
    """F01 with pairs: some; ``python -m tests.simulation --pairs`` takes every one."""
    dry = Short(connections)
    dry.run()
    chance = Random(0)
    for _ in range(PAIRS):
        first, second = sorted(chance.sample(range(1, dry.story_points + 1), 2))
        world = Short(connections, crash_at=(first, second))
        world.run()
        assert sum(" crash: " in line for line in world.trace) == 2


# -- planted bugs


@pytest.mark.long
@pytest.mark.parametrize("bug", BUGS, ids=[bug.name.replace(" ", "-") for bug in BUGS])
def test_a_planted_bug_is_found(
    bug: Bug,
    connections: Connections,
    pods_connections: Connections,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = pods_connections if bug.world is Pods else connections
    for module, name, wrong in bug.places:
        monkeypatch.setattr(module, name, wrong)
    with pytest.raises((AssertionError, psycopg.Error), match=bug.symptom):
        search(BUG_SEEDS if "SEARCH" in os.environ else bug.seeds, bug, own)


def search(seeds: Iterable[int], bug: Bug, connections: Connections) -> None:
    for seed in seeds:
        print(f"seed {seed}")
        bug.world(seed, connections, steps=bug.steps).run()
