"""What every route is handed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from litestar import Request
from litestar.di import NamedDependency

from headway import wire
from headway.api.door import Door
from headway.api.live.hub import Live
from headway.api.principal import Principal
from headway.api.wakeups import Wakeups
from headway.config import Layout


@dataclass(frozen=True, slots=True)
class Api:
    """Of one request: its door leads to the team of the principal, and without one to none."""

    door: Door
    wakeups: Wakeups
    live: Live
    layout: Layout
    dags: Path
    # The processes whose life the database does not show: told by who started them.
    children: Callable[[], list[wire.Component]]
    principal: Principal | None = None

    @property
    def actor(self) -> str:
        assert self.principal is not None, "a public route acts for nobody"
        return self.principal.actor

    def of(self, request: Request[Any, Any, Any]) -> "Api":
        principal: Principal | None = request.scope.get("user")
        if principal is None:
            return self
        return replace(self, door=self.door.of(principal.team_id), principal=principal)


Handed = NamedDependency[Api]
