"""Health of the components."""

from datetime import datetime

import msgspec


class Component(msgspec.Struct, frozen=True, kw_only=True):
    name: str  # database, scheduler, agent, loader
    healthy: bool
    detail: str
    last_seen_at: datetime | None = None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    healthy: bool
    version: str
    data: str
    dags: str
    components: list[Component]
