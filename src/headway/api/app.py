"""The application: its routes, its errors, what is opened and closed with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.routes import BaseRoute
from litestar.types import ControllerRouterHandler

from headway.api import problems
from headway.api.access import Admission, declared
from headway.api.context import Api
from headway.api.guard import Guard
from headway.api.routes import dags, health, instances, pools, runs, stream
from headway.errors import HeadwayError

BODY_BYTES_MAX: Final = 8 * 1024 * 1024
VERSION: Final = "1"


def create(api: Api, token: str, names: frozenset[str]) -> Guard:
    """The API behind its guard."""
    routes = [
        *dags.ROUTES,
        *runs.ROUTES,
        *instances.ROUTES,
        *pools.ROUTES,
        *stream.ROUTES,
        *health.ROUTES,
    ]

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        api.door.connections.open()
        api.wakeups.start()
        try:
            yield
        finally:
            api.wakeups.stop()
            api.door.connections.close()

    app = Litestar(
        [Router("/api/v1", route_handlers=routes), *health.PROBES],
        guards=[Admission(token).admit],
        dependencies={"api": Provide(api.of, sync_to_thread=False)},
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
            openapi_router=Unrouted("/openapi", route_handlers=[]),
        ),
    )
    assert list(declared(app.routes)), "every route says who may enter it"
    return Guard(app, names)


class Unrouted(Router):
    """The framework's own routes to the document, left out: it has one among ours."""

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        return []
