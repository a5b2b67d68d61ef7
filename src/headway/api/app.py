"""The application: routes, error handlers, and what opens and closes with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from litestar import Litestar, Request, Router
from litestar.config.compression import CompressionConfig
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, Reference, SecurityScheme, Tag
from litestar.routes import BaseRoute
from litestar.types import ASGIApp, ControllerRouterHandler, Receive, Scope, Send

from headway import config
from headway.api import cookies, etags, openapi, problems
from headway.api.access import Admission, Connection, declared
from headway.api.context import Api
from headway.api.guard import Guard
from headway.api.principal import Principal
from headway.api.rates import Rate
from headway.api.repeats import Answered
from headway.api.routes import (
    airflow_runs,
    answer_links,
    assets,
    audit,
    backfills,
    calendar,
    connections,
    dags,
    dependencies,
    diagnosis,
    durations,
    events,
    gantt,
    grants,
    grid,
    health,
    instances,
    log_retention,
    log_search,
    logs,
    members,
    metrics,
    outbound,
    overview,
    pools,
    questions,
    replays,
    roles,
    run_links,
    run_retention,
    runs,
    secret_keys,
    service_accounts,
    session,
    stream,
    teams,
    timeline,
    tokens,
    users,
    variables,
    versions,
    webhooks,
)
from headway.api.site import BUILT, Site
from headway.errors import HeadwayError

BODY_BYTES_MAX: Final = 8 * 1024 * 1024
# A grid is mostly repetition: a sixteenth of its size. Not the stream, which must not be held back, nor
# logs: packing megabytes would hold up everybody else.
COMPRESSION: Final = CompressionConfig(
    backend="gzip", minimum_size=8_000, gzip_compress_level=4, exclude=["/stream$", "/logs"]
)
VERSION: Final = "1"
BURST_S: Final = 10
SCHEMES: Final[dict[str, SecurityScheme | Reference]] = {
    "token": SecurityScheme(
        type="http", scheme="bearer", description="An API token, or the token in run/server.json."
    ),
    "session": SecurityScheme(
        type="apiKey",
        name=cookies.NAME,
        security_scheme_in="cookie",
        description=f"Session cookie of a browser. Over https its name is {cookies.SECURE_NAME}.",
    ),
}


NOUNS: Final = (
    *(dags, runs, instances, questions, pools, stream, health),
    *(overview, events, grid, gantt, diagnosis),
    *(logs, log_search, log_retention, run_retention, metrics),
    *(connections, variables, secret_keys),
    *(
        assets,
        webhooks,
        outbound,
        dependencies,
        backfills,
        calendar,
        timeline,
        versions,
        durations,
        replays,
        run_links,
    ),
    *(answer_links, airflow_runs),
    *(session, users, members, roles, service_accounts, tokens, teams, grants, audit),
)


def routes() -> Router:
    """Return the routes, with one OpenAPI tag for each noun."""
    nouns = [Router("/", route_handlers=noun.ROUTES, tags=[tag_of(noun)]) for noun in NOUNS]
    return Router("/api/v1", route_handlers=nouns)


def tag_of(noun: ModuleType) -> str:
    return noun.__name__.rpartition(".")[2]


def described() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Headway",
        version=VERSION,
        use_handler_docstrings=True,
        operation_id_creator=openapi.operation_id,
        tags=[Tag(tag_of(noun), description=str(noun.__doc__)) for noun in NOUNS],
        security=[{"token": []}, {"session": []}],
        components=Components(security_schemes=SCHEMES),
        openapi_router=Unrouted("/openapi", route_handlers=[]),
    )


def create(
    api: Api,
    token: str,
    admin: Principal,
    names: frozenset[str],
    rate: int = config.API_RATE,
    site: Path = BUILT,
) -> Guard:
    """Build the application: API and web interface behind the guard. ``token`` signs in as ``admin``."""
    per_person = Rate(rate * BURST_S, BURST_S)
    admission = Admission(
        *(api.door, token, admin, per_person, api.signin.renewal), is_secure=api.is_secure
    )
    return Guard(Application(api, admission).routed, Site(site), names, api.url)


class Application:
    """The routes. They are costly to register, so that tests hand one application another ``api`` and ``admission``."""

    def __init__(self, api: Api, admission: Admission) -> None:
        self.api = api
        self.admission = admission
        self.routed = Litestar(
            [routes(), *health.PROBES],
            guards=[self.admit],
            dependencies={"api": Provide(self.handed)},
            exception_handlers={
                HeadwayError: problems.from_error,
                HTTPException: problems.from_http,
                Answered: problems.from_before,
                RecursionError: problems.from_depth,
                Exception: problems.from_surprise,
            },
            lifespan=[self.lifespan],
            logging_config=None,
            compression_config=COMPRESSION,
            middleware=[self.counted],
            before_request=etags.expect,
            after_request=etags.tagged,
            request_max_body_size=BODY_BYTES_MAX,
            openapi_config=described(),
        )
        assert list(declared(self.routed.routes)), "every route says who may enter it"

    @asynccontextmanager
    async def lifespan(self, app: Litestar) -> AsyncIterator[None]:
        api = self.api
        api.door.connections.open()
        api.wakeups.start()
        writing = asyncio.create_task(api.refusals.keep_writing(api.door))
        try:
            yield
        finally:
            writing.cancel()
            await asyncio.wait({writing})
            api.wakeups.stop()
            api.door.connections.close()

    async def admit(self, connection: Connection, handler: BaseRouteHandler) -> None:
        await self.admission.admit(connection, handler)

    async def handed(self, request: Request[Any, Any, Any]) -> Api:
        return await self.api.of(request)

    def counted(self, app: ASGIApp) -> ASGIApp:
        async def counting(scope: Scope, receive: Receive, send: Send) -> None:
            status = await self.api.requests.count(app, scope, receive, send)
            self.api.refusals.note(scope, status)

        return counting


class Unrouted(Router):
    """Leaves out the framework's routes to the OpenAPI document, which one of our routes serves."""

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        return []
