"""The table of what is answered of Airflow's API."""

from typing import Final

from headway.api.airflow import kept, runs
from headway.api.airflow.facade import Route, route, sign_in

V2: Final = "/api/v2"
DAG: Final = f"{V2}/dags/{{dag_id}}"
RUN: Final = f"{DAG}/dagRuns/{{run_id}}"
TASK: Final = f"{RUN}/taskInstances/{{task_id}}"
PAGE: Final = ("limit", "offset")
RUNS: Final = (*PAGE, "state", "order_by", "logical_date_gte", "logical_date_lt")

ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "/auth/token", sign_in),
    route("GET", f"{V2}/version", kept.version),
    route("GET", f"{V2}/monitor/health", kept.health),
    route("GET", f"{V2}/dags", runs.list_dags, *PAGE, "paused", "tags", "dag_id_pattern"),
    route("GET", DAG, runs.show_dag),
    route("PATCH", DAG, runs.change_dag, "update_mask"),
    route("GET", f"{DAG}/dagRuns", runs.list_runs, *RUNS),
    route("POST", f"{DAG}/dagRuns", runs.trigger),
    route("GET", RUN, runs.show_run),
    route("PATCH", RUN, runs.change_run, "update_mask"),
    route("GET", f"{RUN}/taskInstances", runs.list_instances, *PAGE, "task_id"),
    route("GET", TASK, runs.show_instance),
    route("GET", f"{TASK}/listMapped", runs.list_instances, *PAGE),
    route("GET", f"{TASK}/{{map_index}}", runs.show_instance),
    route(
        "GET", f"{TASK}/logs/{{try_number}}", runs.read_log, "map_index", "token", "full_content"
    ),
    route("GET", f"{V2}/variables", kept.list_variables, *PAGE),
    route("POST", f"{V2}/variables", kept.create_variable),
    route("GET", f"{V2}/variables/{{name}}", kept.show_variable),
    route("PATCH", f"{V2}/variables/{{name}}", kept.change_variable, "update_mask"),
    route("GET", f"{V2}/connections", kept.list_connections, *PAGE),
    route("POST", f"{V2}/connections", kept.create_connection),
    route("GET", f"{V2}/connections/{{name}}", kept.show_connection),
    route("PATCH", f"{V2}/connections/{{name}}", kept.change_connection, "update_mask"),
    route("GET", f"{V2}/pools", kept.list_pools, *PAGE),
    route("POST", f"{V2}/pools", kept.create_pool),
    route("GET", f"{V2}/pools/{{name}}", kept.show_pool),
    route("PATCH", f"{V2}/pools/{{name}}", kept.change_pool, "update_mask"),
    *(route("DELETE", f"{V2}/(?P<kind>{kind})/{{name}}", kept.delete) for kind in kept.KINDS),
)
