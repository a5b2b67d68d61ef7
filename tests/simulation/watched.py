"""A world of assets one of which has a watcher: a source grows, agents that look at it die, freeze and repeat
themselves, and people pause the DAGs that wait for it. Each number of the source is one event, in order, none is lost.
"""

from typing import Any, Final, LiteralString

from msgspec.structs import replace

from headway.spec.model import Asset, Dag, Watcher
from headway.store import watchers
from tests.simulation.assets import OUTSIDE, Assets, Owners
from tests.simulation.world import Connections

SOURCE: Final = Watcher(name="source", trigger="flow:source")
TOLD: LiteralString = """
    SELECT (extra ->> 'number')::integer FROM asset_event
    WHERE asset = %s AND by = 'watcher:source' ORDER BY event_id
"""


class Watched(Assets):
    seams = (*Assets.seams, *((watchers, name) for name in ("settle", "claim", "store", "stopped")))

    def __init__(self, seed: int, connections: Connections, **options: Any) -> None:
        super().__init__(seed, connections, **options)
        self.people = Sources(self)

    def named(self, dag: Dag) -> Dag:
        """Return the DAG as its file has it: the asset from outside has a watcher."""
        known = tuple(with_watcher(asset) for asset in dag.assets)
        return replace(dag, assets=known)

    def numbers(self) -> list[int]:
        return [number for (number,) in self.observer.execute(TOLD, [OUTSIDE]).fetchall()]

    def check(self) -> None:
        super().check()
        told = self.numbers()
        assert len(set(told)) == len(told), f"I73 told twice: {told}"
        assert told == list(range(len(told))), f"I74 one is missing: {told}"
        assert len(told) <= self.truth.source, f"I74 told of what was not there: {told}"

    def unfinished(self) -> list[str]:
        left = super().unfinished()
        row = self.observer.execute("SELECT bool_or(wanted) FROM watch").fetchone()
        wanted = row is not None and row[0]
        if wanted and len(self.numbers()) < self.truth.source:
            return [*left, "S11 the source has more than was told"]
        return left


class Sources(Owners):
    """People, and the source that grows meanwhile."""

    def act(self) -> None:
        self.world.truth.source += self.chance.choice([0, 0, 1])
        super().act()


def with_watcher(asset: Asset) -> Asset:
    return replace(asset, watchers=(SOURCE,)) if asset.name == OUTSIDE else asset
