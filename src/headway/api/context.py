"""The object that every route receives."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from litestar import Request
from litestar.di import NamedDependency

from headway import wire
from headway.api import origins, record, repeats
from headway.api.disks import Disks
from headway.api.door import Door
from headway.api.live.hub import Live
from headway.api.logs.places import LogPlaces
from headway.api.metrics import Requests
from headway.api.principal import Principal
from headway.api.rates import Rate
from headway.api.refused import Refusals
from headway.api.signin import SignIns
from headway.api.wakeups import Wakeups
from headway.config import Layout
from headway.secrets.keys import Keys
from headway.store.views import health
from headway.store.views.memory import Memory


@dataclass(frozen=True, slots=True)
class Api:
    """The context of one request. Its door leads to the principal's team, or to no team."""

    door: Door
    wakeups: Wakeups
    live: Live
    layout: Layout
    dags: Path
    # The processes whose life the database does not show: told by who started them. None: each was started by itself.
    children: Callable[[int], list[wire.Component]] | None
    url: str  # how people reach it
    team_id: (
        int  # whose DAGs this installation provides: what is told without a principal is theirs
    )
    signin: SignIns
    secrets: Keys
    places: LogPlaces | None = None  # where there is a log store
    who: Principal | None = None
    memory: Memory = field(default_factory=Memory)
    requests: Requests = field(default_factory=Requests)
    link_rate: Rate = field(default_factory=lambda: Rate(60, 60.0))  # reads by links, by address
    hook_rate: Rate = field(default_factory=lambda: Rate(1_200, 60.0))  # of webhooks, by address
    hook_team_rate: Rate = field(default_factory=lambda: Rate(600, 60.0))  # signed ones, by team
    refusals: Refusals = field(default_factory=Refusals)
    disks: Disks = field(default_factory=Disks)

    @property
    def principal(self) -> Principal:
        assert self.who is not None, "a public route acts for nobody"
        return self.who

    @property
    def actor(self) -> str:
        return self.principal.actor

    @property
    def is_secure(self) -> bool:
        return self.url.startswith("https://")

    async def beside(self, door: Door) -> list[wire.Component]:
        """Return the components of a team of which schedulers and agents do not tell."""
        if self.children is not None:
            return self.children(door.team_id)
        return await door.call(health.loaders, door.team_id)

    async def of(self, request: Request[Any, Any, Any]) -> "Api":
        who: Principal | None = request.scope.get("user")
        if who is None:
            return self
        changes = request.method not in origins.SAFE
        entry = await record.entry(request, who) if changes else None
        once = await repeats.once(request, who.actor)
        door = self.door.of(who.team_id, entry, once)
        if who.guest is not None:
            door.lane = who.own_team_id
            door.also(who.own_team_id)
        return replace(self, door=door, who=who)


Handed = NamedDependency[Api]
