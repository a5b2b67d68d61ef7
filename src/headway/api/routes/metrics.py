"""/metrics: Prometheus metrics of the token's team."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping

from litestar import Response, get

from headway import wire
from headway.api.context import Handed
from headway.api.metrics import Sample, family, line
from headway.api.routes.health import look
from headway.core.roles import Verb
from headway.logs import status
from headway.logs.status import Shipping
from headway.store.measures import Histogram
from headway.store.views import gauges
from headway.store.views.gauges import Gauges


@get("/metrics", media_type="text/plain", needs=Verb.TEAM_READ)
async def metrics(api: Handed) -> Response[str]:
    """Get metrics in Prometheus's text format."""
    found = await api.door.call(gauges.read, api.door.team_id)
    health = await look(api, api.door)
    shipping = await asyncio.to_thread(status.read, api.layout)
    watchers = api.live.watchers(api.door)
    text = "".join(
        [
            *of_team(found, watchers),
            *of_schedulers(found),
            *of_database(found, api.door.connections.pool.get_stats()),
            *of_logs(shipping or Shipping()),
            *of_parts(health),
            *api.requests.text(api.door.team_id),
        ]
    )
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def of_team(found: Gauges, watchers: int) -> Iterator[str]:
    runs: Iterator[Sample] = (({"dag_id": d, "state": s}, n) for d, s, n in found.active)
    yield from family("headway_runs_active", "gauge", "Running and queued runs.", runs)
    ended: Iterator[Sample] = (({"state": s}, n) for s, n in found.ended)
    yield from family("headway_runs_ended_last_hour", "gauge", "Ended runs by state.", ended)
    for name, help_text, place in (
        ("headway_pool_slots", "Size of a pool.", 1),
        ("headway_pool_slots_used", "Slots in use.", 2),
        ("headway_task_instances_ready", "Task instances waiting for a slot.", 3),
        ("headway_ready_oldest_seconds", "Longest current wait for a slot.", 4),
    ):
        pools: Iterator[Sample] = (({"pool": pool.name}, pool[place]) for pool in found.pools)  # type: ignore[misc]
        yield from family(name, "gauge", help_text, pools)
    quantiles: Iterator[Sample] = (
        ({"dag_id": dag.dag_id, "quantile": name}, value)
        for dag in found.dags
        for name, value in (("0.5", dag.p50_s), ("0.95", dag.p95_s))
    )
    name = "headway_run_seconds_last_hour"
    yield from family(name, "gauge", "Durations of successful runs.", quantiles)
    yield from family(
        "headway_stream_watchers",
        "gauge",
        "Connected clients of the live stream.",
        [({}, watchers)],
    )
    proofs: list[Sample] = [] if found.proof is None else [({}, found.proof.silent_s)]
    name = "headway_team_proved_seconds"
    help_text = "Time since a canary of the team got to success on its agents."
    yield from family(name, "gauge", help_text, proofs)
    name = "headway_secret_guesses_last_hour"
    help_text = "Attempts, waits and watchers that got no more secrets because they guessed names."
    yield from family(name, "gauge", help_text, [({}, found.guesses)])
    lags: Iterator[Sample] = (
        ({"follower": name, "teams": teams}, lag_s) for name, teams, lag_s in found.followers
    )
    name = "headway_event_follower_lag_seconds"
    yield from family(name, "gauge", "Age of the oldest event that it has not handled.", lags)


def of_schedulers(found: Gauges) -> Iterator[str]:
    """Metrics counted since each process started. Ticks cover all teams, the rest the caller's team."""
    every = found.schedulers
    name = "headway_scheduler_tick_seconds"
    yield from histogram(
        name, "Duration of scheduler ticks.", ((each.name, each.ticks) for each in every)
    )
    waits = ((each.name, each.of_team.waits) for each in every)
    yield from histogram("headway_queue_wait_seconds", "From ready to handed to an agent.", waits)
    ends: Iterator[Sample] = (
        ({"scheduler": each.name, "outcome": outcome}, count)
        for each in every
        for outcome, count in each.of_team.ends.items()
    )
    name = "headway_attempts_ended_total"
    yield from family(name, "counter", "Ended attempts as reported by agents.", ends)
    proofs: Iterator[Sample] = (
        ({"scheduler": each.name}, each.unproved_s) for each in every if each.unproved_s is not None
    )
    name = "headway_scheduler_proved_seconds"
    yield from family(name, "gauge", "Time since its canary got a run to success.", proofs)


def histogram(name: str, help_text: str, found: Iterable[tuple[str, Histogram]]) -> Iterator[str]:
    yield f"# HELP {name} {help_text}\n# TYPE {name} histogram\n"
    for scheduler, each in found:
        labels = {"scheduler": scheduler}
        for limit, count in each.within():
            yield line(f"{name}_bucket", {**labels, "le": limit}, count)
        yield line(f"{name}_sum", labels, each.total_s)
        yield line(f"{name}_count", labels, sum(each.counts))


def of_database(found: Gauges, pool: Mapping[str, float]) -> Iterator[str]:
    connections, most = found.connections
    for name, help_text, value in (
        ("headway_database_connections", "Open connections of the database server.", connections),
        ("headway_database_connections_max", "Maximum connections of the database server.", most),
        ("headway_api_connections", "Database connections of the API.", pool.get("pool_size", 0)),
        (
            "headway_api_connections_free",
            "Idle database connections of the API.",
            pool.get("pool_available", 0),
        ),
        (
            "headway_api_waiting",
            "Requests that wait for a database connection.",
            pool.get("requests_waiting", 0),
        ),
    ):
        yield from family(name, "gauge", help_text, [({}, value)])


def of_logs(shipping: Shipping) -> Iterator[str]:
    for name, help_text, value in (
        ("headway_logs_waiting", "Logs not yet copied to the log store.", shipping.waiting),
        (
            "headway_logs_waiting_bytes",
            "Bytes of logs not yet copied to the log store.",
            shipping.bytes,
        ),
        ("headway_logs_trouble", "1 if the log store does not accept logs.", bool(shipping.error)),
    ):
        yield from family(name, "gauge", help_text, [({}, value)])


def of_parts(health: wire.Health) -> Iterator[str]:
    up: dict[str, bool] = {}
    for part in health.components:
        up[part.name] = up.get(part.name, False) or part.healthy
    samples: Iterator[Sample] = (({"component": name}, alive) for name, alive in up.items())
    yield from family("headway_component_up", "gauge", "1 if the component is healthy.", samples)


ROUTES = [metrics]
