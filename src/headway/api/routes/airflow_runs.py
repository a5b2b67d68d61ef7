"""/dags/…/airflow-runs: runs that Airflow did before the DAG moved here, to look up."""

import os
from typing import Annotated, Any, Final

from litestar import delete, get, post
from litestar.params import JSONBody, QueryParameter
from psycopg import Connection

from headway import wire
from headway.actions import airflow_runs as actions
from headway.api.context import Handed
from headway.api.parameters import ID_CHARS_MAX, Cursor, Id, Limit
from headway.core.roles import Verb
from headway.engine.janitor import retention_from
from headway.errors import NotFound
from headway.store import airflow_runs as store
from headway.store.views import airflow_runs as views

FORGET_AT_ONCE: Final = 5_000
AirflowRunId = Annotated[str, QueryParameter(min_length=1, max_length=ID_CHARS_MAX)]


@get("/airflow-dags", needs=Verb.RUN_READ)
async def list_airflow_dags(
    api: Handed, limit: Limit = 100, cursor: Cursor = None
) -> wire.Page[wire.AirflowDag]:
    """List the DAGs of which runs were imported from Airflow, and after which date their schedules go on."""
    return await api.door.call(views.every, limit, cursor)


@get("/dags/{dag_id:str}/airflow-runs", needs=Verb.RUN_READ)
async def list_airflow_runs(
    api: Handed, dag_id: Id, limit: Limit = 50, cursor: Cursor = None
) -> wire.Page[wire.AirflowRun]:
    """List the runs that Airflow did of a DAG, newest first. The DAG may be one that no file here defines."""
    return await api.door.call(views.page, dag_id, limit, cursor)


@get("/dags/{dag_id:str}/airflow-run", needs=Verb.RUN_READ)
async def show_airflow_run(
    api: Handed, dag_id: Id, airflow_run: AirflowRunId
) -> wire.AirflowRunDetail:
    """Get a run that Airflow did, with its task instances. ``airflow_run`` is its id in Airflow."""
    return await api.door.call(views.one, dag_id, airflow_run)


@post("/dags/{dag_id:str}/airflow-runs", status_code=200, needs=Verb.TEAM_WRITE)
async def import_airflow_runs(
    api: Handed, dag_id: Id, data: JSONBody[wire.AirflowRunsRequest]
) -> wire.AirflowRunsAnswer:
    """Store runs that ended in Airflow, and say until when it did the dates of the DAG: its schedule goes on after it.
    Sent again, they change nothing. At most 500 at once; those that ended before the retention of runs are not kept.
    """

    def work(conn: Connection[Any]) -> wire.AirflowRunsAnswer:
        keep = retention_from(dict(os.environ))
        done = actions.take(conn, api.door.team_id, dag_id, data, api.actor, keep)
        api.door.tell(after=done)
        return done

    return await api.door.call(work)


@delete("/dags/{dag_id:str}/airflow-runs", needs=Verb.TEAM_WRITE)
async def forget_airflow_runs(api: Handed, dag_id: Id) -> None:
    """Remove what was imported of a DAG. Its schedule goes on as if Airflow had never run it."""

    def work(conn: Connection[Any]) -> bool:
        before = views.of_dag(conn, dag_id)
        if before is None:
            raise NotFound(f"no runs of DAG {dag_id!r} were imported from Airflow")
        api.door.tell(before=before)
        return store.forget(conn, api.door.team_id, dag_id, FORGET_AT_ONCE)

    while await api.door.call(work):
        pass


ROUTES = [
    list_airflow_dags,
    list_airflow_runs,
    show_airflow_run,
    import_airflow_runs,
    forget_airflow_runs,
]
