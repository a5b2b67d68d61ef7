"""Many seeds, or one again: ``python -m tests.simulation [--seeds N] [--seed K]``."""

import argparse
import sys
import time
import traceback

from tests.postgres import private_server
from tests.simulation.calm import Short
from tests.simulation.world import Connections, World

LAST_EVENTS = 40


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--verbose", action="store_true", help="the whole history of the seed")
    parser.add_argument("--crashes", action="store_true", help="of --seed, a crash at each point")
    parser.add_argument("--pairs", action="store_true", help="a crash at any two points of a story")
    chosen = parser.parse_args()
    if chosen.pairs:
        crash_twice_everywhere()
        return
    if chosen.crashes:
        crash_everywhere(chosen.seed or 0)
        return
    first, count = (chosen.first, chosen.seeds) if chosen.seed is None else (chosen.seed, 1)
    begun = time.monotonic()
    with private_server() as dsn:
        connections = Connections(dsn)
        for seed in range(first, first + count):
            world = World(seed, connections)
            try:
                world.run()
            except Exception:
                print("\n".join(world.trace if chosen.verbose else world.trace[-LAST_EVENTS:]))
                print("\n".join(["-- unfinished:", *world.unfinished_rows()]))
                traceback.print_exc()
                print(f"seed {seed} failed; again: python -m tests.simulation --seed {seed}")
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


def crash_twice_everywhere() -> None:
    """F01 with pairs: the second crash comes anywhere after the first, also while it recovers."""
    with private_server() as dsn:
        connections = Connections(dsn)
        dry = Short(connections)
        dry.run()
        pairs = 0
        for first in range(1, dry.story_points + 1):
            second = first
            fired = True
            while fired:
                second += 1
                world = Short(connections, crash_at=(first, second))
                try:
                    world.run()
                except Exception:
                    print("\n".join(world.trace[-LAST_EVENTS:]))
                    print(f"failed with crashes at the points {first} and {second}")
                    raise
                fired = world.story_points >= second
                pairs += fired
            print(f"{first} of {dry.story_points}: {pairs} pairs held", flush=True)
        connections.close()


if __name__ == "__main__":
    main()
