"""Many seeds, or one again: ``python -m tests.simulation [--world NAME] [--seeds N] [--seed K]``."""

import argparse
import sys
import time
import traceback
from collections.abc import Iterable
from random import Random
from typing import Final

from tests.postgres import private_server
from tests.simulation import rest
from tests.simulation.asset_waits import AssetWaits
from tests.simulation.assets import Assets
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
from tests.simulation.teams import Teams
from tests.simulation.waits import Waits
from tests.simulation.watched import Watched
from tests.simulation.world import Connections, World

WORLDS: Final[dict[str, type[World]]] = {
    each.__name__.lower(): each
    for each in (
        World,
        Assets,
        AssetWaits,
        Calls,
        Clusters,
        Crowd,
        Due,
        Edits,
        Fast,
        Groups,
        Guests,
        Lists,
        Loans,
        Loops,
        Minds,
        Outbound,
        Partitions,
        Past,
        Pods,
        Retries,
        Teams,
        Waits,
        Watched,
    )
}
LAST_EVENTS: Final = 40
PAIRS_TOLD: Final = 100
RECOVERY_POINTS: Final = 12


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--world", choices=WORLDS, default="world")
    parser.add_argument("--verbose", action="store_true", help="the whole history of the seed")
    parser.add_argument("--crashes", action="store_true", help="of --seed, a crash at each point")
    parser.add_argument("--pairs", action="store_true", help="a crash at any two points of a story")
    parser.add_argument("--sample", type=int, metavar="N", help="of --pairs, N drawn by --first")
    parser.add_argument("--shard", default="0/1", metavar="I/N", help="of --pairs, this part")
    parser.add_argument("--after", type=int, default=0, help="of --pairs, leave out so many")
    parser.add_argument("--pair", type=int, nargs=2, metavar="POINT", help="one pair again")
    chosen = parser.parse_args()
    if chosen.pair:
        crash_twice([(chosen.pair[0], chosen.pair[1])])
        return
    if chosen.pairs:
        pairs = all_pairs(chosen.sample, chosen.first)
        crash_twice(part_of(pairs, chosen.shard, chosen.after))
        return
    if chosen.crashes:
        crash_everywhere(chosen.seed or 0)
        return
    first, count = (chosen.first, chosen.seeds) if chosen.seed is None else (chosen.seed, 1)
    begun = time.monotonic()
    with private_server() as dsn:
        connections = Connections(dsn)
        for seed in range(first, first + count):
            world = WORLDS[chosen.world](seed, connections)
            try:
                world.run()
            except Exception:
                print("\n".join(world.trace if chosen.verbose else world.trace[-LAST_EVENTS:]))
                print("\n".join(["-- unfinished:", *rest.unfinished_rows(world.observer)]))
                traceback.print_exc()
                again = f"python -m tests.simulation --world {chosen.world} --seed {seed}"
                print(f"seed {seed} failed; again: {again}")
                sys.exit(1)
            if chosen.seed is not None:
                if chosen.verbose:
                    print("\n".join(world.trace))
                print(f"{world.hash.hexdigest()} {world.points} points {len(world.trace)} lines")
            elif (seed + 1) % 50 == 0:
                print(f"{seed + 1 - first} seeds in {time.monotonic() - begun:.0f} s", flush=True)
        connections.close()
    print(f"{count} seeds held in {time.monotonic() - begun:.1f} s")


def crash_everywhere(seed: int) -> None:
    """F01, exhaustive: the points of a dry run, then as many runs with a crash at one of them."""
    with private_server() as dsn:
        connections = Connections(dsn)
        dry = World(seed, connections)
        dry.run()
        for point in range(1, dry.points + 1):
            world = World(seed, connections, crash_at=(point,))
            try:
                world.run()
            except Exception:
                print("\n".join(world.trace[-LAST_EVENTS:]))
                print(f"seed {seed} failed with a crash at point {point} of {dry.points}")
                raise
        connections.close()
    print(f"seed {seed}: {dry.points} crashes held")


def crash_twice(pairs: Iterable[tuple[int, int]]) -> None:
    """F01 with pairs: the second crash comes anywhere after the first, also while it recovers."""
    begun, held, beyond = time.monotonic(), 0, 0
    with private_server() as dsn:
        connections = Connections(dsn)
        for first, second in pairs:
            world = Short(connections, crash_at=(first, second))
            try:
                world.run()
            except Exception:
                print("\n".join(world.trace[-LAST_EVENTS:]))
                print(f"failed; again: python -m tests.simulation --pair {first} {second}")
                raise
            held += 1
            beyond += world.story_points < second  # it had ended before the second
            if held % PAIRS_TOLD == 0:
                spent_s = time.monotonic() - begun
                print(f"{held} pairs in {spent_s:.0f} s", flush=True)
        connections.close()
    print(f"{held} pairs held, of which {beyond} had ended before the second crash")


def all_pairs(sample: int | None, seed: int) -> list[tuple[int, int]]:
    """Every one, or a number of them drawn by a seed."""
    points = points_of_the_story()
    pairs = [(first, second) for first in points for second in points if second > first]
    return pairs if sample is None else Random(seed).sample(pairs, min(sample, len(pairs)))


def part_of(pairs: list[tuple[int, int]], shard: str, after: int) -> list[tuple[int, int]]:
    """``i/n``: of n parts the i-th, from 0, without the first ``after`` of it, which have held."""
    part, _, parts = shard.partition("/")
    return pairs[int(part) :: int(parts)][after:]


def points_of_the_story() -> range:
    """Those of a dry run, and as many as a recovery adds to them."""
    with private_server() as dsn:
        connections = Connections(dsn)
        dry = Short(connections)
        dry.run()
        connections.close()
    return range(1, dry.story_points + RECOVERY_POINTS + 1)


if __name__ == "__main__":
    main()
