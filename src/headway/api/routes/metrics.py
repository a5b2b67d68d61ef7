"""/metrics: for Prometheus, of the team that the token belongs to."""

from collections.abc import Iterator

from litestar import Response, get

from headway import wire
from headway.api.context import Handed
from headway.api.metrics import Sample, family
from headway.api.routes.health import look
from headway.core.roles import Role
from headway.store.views import gauges
from headway.store.views.gauges import Gauges


@get("/metrics", media_type="text/plain", needs=Role.VIEWER)
async def metrics(api: Handed) -> Response[str]:
    """In Prometheus's text format."""
    found = await api.door.call(gauges.read)
    health = await look(api, api.door)
    watchers = api.live.watchers(api.door)
    text = "".join([*of_team(found, watchers), *of_parts(health), *api.requests.text()])
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def of_team(found: Gauges, watchers: int) -> Iterator[str]:
    runs: Iterator[Sample] = (({"dag_id": d, "state": s}, n) for d, s, n in found.active)
    yield from family("headway_runs_active", "gauge", "Runs going on or waiting.", runs)
    ended: Iterator[Sample] = (({"state": s}, n) for s, n in found.ended)
    yield from family("headway_runs_ended_last_hour", "gauge", "Runs by how they ended.", ended)
    for name, help_text, place in (
        ("headway_pool_slots", "Size of a pool.", 1),
        ("headway_pool_slots_used", "Slots in use.", 2),
        ("headway_task_instances_ready", "Task instances waiting for a slot.", 3),
        ("headway_ready_oldest_seconds", "How long the oldest of them has waited.", 4),
    ):
        pools: Iterator[Sample] = (({"pool": pool.name}, pool[place]) for pool in found.pools)  # type: ignore[misc]
        yield from family(name, "gauge", help_text, pools)
    yield from family("headway_stream_watchers", "gauge", "Clients that watch.", [({}, watchers)])


def of_parts(health: wire.Health) -> Iterator[str]:
    up: dict[str, bool] = {}
    for part in health.components:
        up[part.name] = up.get(part.name, False) or part.healthy
    samples: Iterator[Sample] = (({"component": name}, alive) for name, alive in up.items())
    yield from family("headway_component_up", "gauge", "Whether one of it works.", samples)


ROUTES = [metrics]
