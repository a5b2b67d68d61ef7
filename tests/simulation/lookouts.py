"""The watchers of an agent in the simulator: each tells the numbers of a source, one after the other, from its cursor.

They may fail, end, and tell what they told before, as long as it is of this life or of one that they had.
"""

from typing import TYPE_CHECKING

import msgspec

from headway.agent.watchers import (
    Fired,
    Release,
    Stopped,
    Taken,
    WatcherEvent,
    WatcherKey,
    Watchers,
)

if TYPE_CHECKING:
    from tests.simulation.agents import Agent


class Lookouts:
    def __init__(self, agent: "Agent") -> None:
        self.agent = agent
        self.at: dict[WatcherKey, int] = {}  # how far each of them is
        self.batches: dict[WatcherKey, int] = {}
        self.untaken: dict[WatcherKey, Fired] = {}

    def keys(self) -> list[WatcherKey]:
        return list(self.at)

    def hear(self, message: Watchers | Release | Taken) -> None:
        match message:
            case Watchers(watchers):
                for standing in watchers:
                    at = 0 if standing.cursor is None else msgspec.json.decode(standing.cursor)
                    self.at.setdefault(standing.key, at)
            case Release(keys):
                for key in keys:
                    self.forget(key)
            case Taken(key, batch, again_s):
                fired = self.untaken.get(key)
                if fired is not None and fired.batch == batch and not again_s:
                    self.at[key] += len(fired.events)
                    del self.untaken[key]

    def forget(self, key: WatcherKey) -> None:
        for known in (self.at, self.batches, self.untaken):
            known.pop(key, None)

    def tell_again(self) -> None:
        for fired in self.untaken.values():
            self.agent.tell(fired)

    def turn(self) -> None:
        world, truth = self.agent.world, self.agent.world.truth
        for key, at in list(self.at.items()):
            if self.agent.line is None or not self.agent.welcomed:
                return
            if world.happens(0.05):
                self.agent.tell(Stopped(key, world.chance.choice(["", "OSError: no source"])))
                self.forget(key)
            elif (fired := self.untaken.get(key)) is not None:
                if world.chance.random() < 0.2:
                    self.agent.tell(fired)
            elif at < truth.source:
                self.fire(key, at, min(truth.source - at, world.chance.choice([1, 2, 3])))
        if truth.told and world.happens(0.2):
            self.agent.tell(world.chance.choice(truth.told))

    def fire(self, key: WatcherKey, at: int, count: int) -> None:
        events = [
            WatcherEvent(msgspec.json.encode({"number": number}))
            for number in range(at, at + count)
        ]
        batch = self.batches[key] = self.batches.get(key, 0) + 1
        fired = Fired(key, batch, events, msgspec.json.encode(at + count))
        self.untaken[key] = fired
        self.agent.world.truth.told.append(fired)
        self.agent.tell(fired)
