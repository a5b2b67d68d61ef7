"""The table of what is answered of Airflow's API, and of what is not, with the reason."""

from typing import Final

from headway.api.airflow import assets, backfills, dags, instances, kept, questions, runs
from headway.api.airflow.facade import Refused, Route, pattern_of, route, sign_in

V2: Final = "/api/v2"
DAG: Final = f"{V2}/dags/{{dag_id}}"
RUNS: Final = f"{DAG}/dagRuns"
RUN: Final = f"{RUNS}/{{run_id}}"
TASKS: Final = f"{RUN}/taskInstances"
TASK: Final = f"{TASKS}/{{task_id}}"
MAPPED: Final = f"{TASK}/{{map_index}}"
XCOMS: Final = f"{TASK}/xcomEntries"
ASSET: Final = f"{V2}/assets/{{asset_id}}"
BACKFILL: Final = f"{V2}/backfills/{{backfill_id}}"
PAGE: Final = ("limit", "offset")
OF_DAGS: Final = (
    *("paused", "tags", "tags_match_mode", "owners", "exclude_stale"),
    *("has_import_errors", "last_dag_run_state"),
)

ROUTES: Final[tuple[Route, ...]] = (
    route("POST", "/auth/token", sign_in),
    route("GET", f"{V2}/version", kept.version),
    route("GET", f"{V2}/monitor/health", kept.health),
    # -- DAGs
    route("GET", f"{V2}/dags", dags.list_dags, *PAGE, *OF_DAGS, *dags.DAGS.names()),
    route("GET", DAG, dags.show_dag),
    route("PATCH", DAG, dags.change_dag, "update_mask"),
    route("GET", f"{DAG}/details", dags.show_details),
    route("GET", f"{DAG}/tasks", dags.list_tasks, "order_by"),
    route("GET", f"{DAG}/tasks/{{task_id}}", dags.show_task),
    route("GET", f"{DAG}/dagVersions", dags.list_versions, *PAGE, "version_number", "order_by"),
    route("GET", f"{DAG}/dagVersions/{{version_number}}", dags.show_version),
    route("GET", f"{V2}/dagSources/{{dag_id}}", dags.show_source, "version_number"),
    route("GET", f"{V2}/dagStats", dags.show_stats, "dag_ids"),
    route("GET", f"{V2}/dagTags", dags.list_tags, *PAGE, *dags.TAGS.names()),
    route(
        *("GET", f"{V2}/dagWarnings", dags.list_warnings),
        *(*PAGE, "warning_type", *dags.WARNINGS.names()),
    ),
    route("GET", f"{V2}/importErrors", dags.list_errors, *PAGE, *dags.ERRORS.names()),
    route("GET", f"{V2}/importErrors/{{import_error_id}}", dags.show_error),
    # -- runs
    route("GET", RUNS, runs.list_runs, *PAGE, "conf_contains", *runs.RUNS.names()),
    route("POST", RUNS, runs.trigger),
    route("POST", f"{RUNS}/list", runs.list_batch),
    route("GET", RUN, runs.show_run),
    route("PATCH", RUN, runs.change_run, "update_mask"),
    route("POST", f"{RUN}/clear", runs.clear_run),
    route("GET", f"{RUN}/wait", runs.wait, "interval", "result"),
    # -- task instances
    route("GET", TASKS, instances.list_instances, *PAGE, *instances.INSTANCES.names()),
    route("POST", f"{TASKS}/list", instances.list_batch),
    route("POST", f"{DAG}/clearTaskInstances", instances.clear),
    route("GET", TASK, instances.show_instance),
    route("PATCH", TASK, instances.change_instance, "map_index", "update_mask"),
    route("PATCH", f"{TASK}/dry_run", instances.would_change_instance, "map_index", "update_mask"),
    route(
        "GET", f"{TASK}/listMapped", instances.list_instances, *PAGE, *instances.INSTANCES.names()
    ),
    route("GET", f"{TASK}/tries", instances.list_tries, "map_index"),
    route("GET", f"{TASK}/tries/{{try_number}}", instances.show_try, "map_index"),
    route("GET", f"{TASK}/dependencies", instances.list_dependencies, "map_index"),
    route(
        *("GET", f"{TASK}/logs/{{try_number}}", instances.read_log),
        *("map_index", "token", "full_content"),
    ),
    route("GET", XCOMS, instances.list_xcoms, *PAGE, "map_index", *instances.XCOMS.names()),
    route(
        *("GET", f"{XCOMS}/{{xcom_key}}", instances.show_xcom),
        *("map_index", "stringify", "deserialize"),
    ),
    route("GET", MAPPED, instances.show_instance),
    route("PATCH", MAPPED, instances.change_instance, "update_mask"),
    route("PATCH", f"{MAPPED}/dry_run", instances.would_change_instance, "update_mask"),
    route("GET", f"{MAPPED}/tries", instances.list_tries),
    route("GET", f"{MAPPED}/tries/{{try_number}}", instances.show_try),
    route("GET", f"{MAPPED}/dependencies", instances.list_dependencies),
    # -- questions
    route(
        *("GET", f"{RUN}/hitlDetails", questions.list_questions),
        *(*PAGE, *questions.QUESTIONS.names(), *questions.SEARCHES),
    ),
    route("GET", f"{MAPPED}/hitlDetails", questions.show_question),
    route("GET", f"{MAPPED}/hitlDetails/tries/{{try_number}}", questions.show_question_of_try),
    route("PATCH", f"{MAPPED}/hitlDetails", questions.answer),
    # -- assets
    route("GET", f"{V2}/assets", assets.list_assets, *PAGE, "dag_ids", *assets.ASSETS.names()),
    route(
        "GET", f"{V2}/assets/events", assets.list_events, *PAGE, "asset_id", *assets.EVENTS.names()
    ),
    route("POST", f"{V2}/assets/events", assets.create_event),
    route("GET", f"{V2}/assets/aliases", assets.list_aliases, *PAGE, *assets.ALIASES.names()),
    route("GET", f"{V2}/assets/aliases/{{asset_alias_id}}", assets.show_alias),
    route("GET", ASSET, assets.show_asset),
    route("POST", f"{ASSET}/materialize", assets.materialize),
    route("GET", f"{ASSET}/queuedEvents", assets.queued_of_asset),
    route("GET", f"{DAG}/assets/queuedEvents", assets.queued_of_dag),
    route("GET", f"{DAG}/assets/{{asset_id}}/queuedEvents", assets.queued_of_both),
    # -- backfills
    route("GET", f"{V2}/backfills", backfills.list_backfills, *PAGE, "dag_id", "order_by"),
    route("POST", f"{V2}/backfills", backfills.create),
    route("POST", f"{V2}/backfills/dry_run", backfills.would_create),
    route("GET", BACKFILL, backfills.show_backfill),
    route("PUT", f"{BACKFILL}/cancel", backfills.cancel),
    route("PUT", f"{BACKFILL}/pause", backfills.pause),
    route("PUT", f"{BACKFILL}/unpause", backfills.unpause),
    # -- variables, connections, pools
    route("GET", f"{V2}/variables", kept.list_variables, *PAGE, *kept.VARIABLES.names()),
    route("POST", f"{V2}/variables", kept.create_variable),
    route("GET", f"{V2}/variables/{{name}}", kept.show_variable),
    route("PATCH", f"{V2}/variables/{{name}}", kept.change_variable, "update_mask"),
    route("GET", f"{V2}/connections", kept.list_connections, *PAGE, *kept.CONNECTIONS.names()),
    route("POST", f"{V2}/connections", kept.create_connection),
    route("POST", f"{V2}/connections/test", kept.test_connection),
    route("GET", f"{V2}/connections/{{name}}", kept.show_connection),
    route("PATCH", f"{V2}/connections/{{name}}", kept.change_connection, "update_mask"),
    route("GET", f"{V2}/pools", kept.list_pools, *PAGE, *kept.BY_NAME.names()),
    route("POST", f"{V2}/pools", kept.create_pool),
    route("GET", f"{V2}/pools/{{name}}", kept.show_pool),
    route("PATCH", f"{V2}/pools/{{name}}", kept.change_pool, "update_mask"),
    *(route("DELETE", f"{V2}/(?P<kind>{kind})/{{name}}", kept.delete) for kind in kept.KINDS),
)

BULK: Final = "several changes in one request are not supported: send one request for each"
HISTORY: Final = "what has run is kept as it was and cannot be removed one by one"
STORES: Final = "state stores are not supported"
ASIDE: Final = "Headway keeps no list of this kind"

NOT_ANSWERED: Final[tuple[tuple[str, str, str], ...]] = (
    ("PATCH", f"{V2}/dags", BULK),
    ("DELETE", DAG, "a DAG goes with its file: remove the file from the DAG folder"),
    ("POST", f"{DAG}/favorite", "there are no favorite DAGs"),
    ("POST", f"{DAG}/unfavorite", "there are no favorite DAGs"),
    ("PUT", f"{V2}/parseDagFile/{{file_token}}", "files are read again as soon as they change"),
    ("PATCH", RUNS, BULK),
    ("DELETE", RUN, HISTORY),
    ("GET", f"{RUN}/upstreamAssetEvents", "the events that brought a run are not listed"),
    ("POST", f"{DAG}/clearDagRuns", "runs are cleared one by one, or by clearTaskInstances"),
    ("POST", f"{DAG}/clearPartitions", "runs have no partitions"),
    ("PATCH", TASKS, BULK),
    ("DELETE", TASK, HISTORY),
    ("PATCH", f"{RUN}/taskGroupInstances/{{group_id}}", "mark the tasks of the group themselves"),
    ("PATCH", f"{RUN}/taskGroupInstances/{{group_id}}/dry_run", "mark the tasks themselves"),
    ("GET", f"{TASK}/links", "links of operators are not collected"),
    ("GET", f"{TASK}/externalLogUrl/{{try_number}}", "logs have no address of another system"),
    ("POST", XCOMS, "only a task writes its results"),
    ("PATCH", f"{XCOMS}/{{xcom_key}}", "only a task writes its results"),
    ("DELETE", f"{XCOMS}/{{xcom_key}}", HISTORY),
    *((method, f"{TASK}/state-store(/[^/]+)?", STORES) for method in ("GET", "DELETE", "PUT")),
    ("PATCH", f"{TASK}/state-store/{{key}}", STORES),
    *((method, f"{ASSET}/state-store(/[^/]+)?", STORES) for method in ("GET", "DELETE", "PUT")),
    ("DELETE", f"{ASSET}/queuedEvents", "queued events stay until a run takes them"),
    ("DELETE", f"{DAG}/assets(/[^/]+)?/queuedEvents", "queued events stay until a run takes them"),
    *((method, f"{V2}/connections/enqueue-test", "use POST /connections/test") for method in ("GET", "POST")),
    ("POST", f"{V2}/connections/defaults", "there are no default connections"),
    *(("PATCH", f"{V2}/{kind}", BULK) for kind in kept.KINDS),
    ("GET", f"{V2}/config(/section/[^/]+/option/[^/]+)?", "the configuration is not shown"),
    ("GET", f"{V2}/eventLogs(/[^/]+)?", "the audit is read with `headway audit`"),
    *(("GET", f"{V2}/{kind}", ASIDE) for kind in ("jobs", "plugins", "plugins/importErrors")),
    ("GET", f"{V2}/providers", ASIDE),
)  # fmt: skip

UNSUPPORTED: Final = tuple(
    Refused(method, pattern_of(path), why) for method, path, why in NOT_ANSWERED
)
