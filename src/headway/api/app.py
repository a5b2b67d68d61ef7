"""The application: its routes, its errors, what is opened and closed with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from headway.api import problems
from headway.api.context import Api
from headway.api.guard import Guard
from headway.api.routes import dags, health, instances, pools, runs
from headway.errors import HeadwayError

BODY_BYTES_MAX: Final = 8 * 1024 * 1024
VERSION: Final = "1"


def create(api: Api, token: str, names: frozenset[str]) -> Guard:
    """The API behind its guard."""
    routes = [*dags.ROUTES, *runs.ROUTES, *instances.ROUTES, *pools.ROUTES, *health.ROUTES]

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        api.door.open()
        api.wakeups.start()
        try:
            yield
        finally:
            api.wakeups.stop()
            api.door.close()

    app = Litestar(
        [Router("/api/v1", route_handlers=routes), *health.PROBES],
        dependencies={"api": Provide(lambda: api, sync_to_thread=False)},
        exception_handlers={
            HeadwayError: problems.from_error,
            HTTPException: problems.from_http,
            Exception: problems.from_surprise,
        },
        lifespan=[lifespan],
        logging_config=None,
        request_max_body_size=BODY_BYTES_MAX,
        openapi_config=OpenAPIConfig(
            title="Headway",
            version=VERSION,
            path="/openapi",
            render_plugins=[JsonRenderPlugin()],
        ),
    )
    return Guard(app, token, names)
