"""Tokens for some DAGs only. They open the routes that name a DAG or a run, and those of their DAGs alone."""

from collections.abc import Collection, Iterator
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from psycopg import Connection

from headway.errors import HeadwayError, NotAllowed
from headway.store.views import runs

DAG: Final = "dag_id"
RUN: Final = "run_id"
WITH: Final = "with"  # a second run, beside the one of the path

Named = tuple[tuple[str, str], ...]


def named(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> Named:
    """Return the DAGs and runs that a request names. What the route does not look at names nothing."""
    found = [(name, str(value)) for name, value in connection.path_params.items()]
    found += connection.query_params.multi_items()
    known = {*handler.parsed_fn_signature.parameters, *connection.path_params}
    return tuple(
        (name, value)
        for name, value in found
        if name in (DAG, RUN, WITH) and (name == WITH or name in known)
    )


def check(conn: Connection[Any], allowed: Collection[str], asked: Named) -> None:
    """Raise NotAllowed unless the request names DAGs, and only allowed ones."""
    if {name for name, _ in asked} <= {WITH} or not all(
        dag_id in allowed for dag_id in dags_of(conn, asked)
    ):
        raise NotAllowed(
            f"this token is for {', '.join(sorted(allowed))} only",
            hint="ask for one of these DAGs or its runs, or use another token",
        )


def dags_of(conn: Connection[Any], asked: Named) -> Iterator[str | None]:
    for name, value in asked:
        yield value if name == DAG else dag_of_run(conn, value)


def dag_of_run(conn: Connection[Any], run: str) -> str | None:
    """Return a run's DAG; None for one that does not exist, so that the token learns nothing of it."""
    try:
        return runs.one(conn, runs.resolve(conn, run)).dag_id
    except HeadwayError:
        return None
