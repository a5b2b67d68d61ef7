"""The ground on which Airflow's own code stands in a process of ours: as a library, without its database.

The variables are those that Airflow reads when it is imported. What a person has set stays, but for the database.
"""

import json
import os
from collections.abc import Collection
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import gettempdir
from typing import Final

LOCAL: Final = "airflow.dag_processing.bundles.local.LocalDagBundle"
BUNDLE: Final = "headway"  # the name of the one bundle that Airflow sees
NO_DATABASE: Final = "airflow-db-not-allowed:///"  # what Airflow's own supervisor sets for tasks

AS_LIBRARY: Final = "_AIRFLOW__AS_LIBRARY"
SETTINGS: Final = {
    AS_LIBRARY: "1",
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": NO_DATABASE,
    # A DAG that is missing in the task, though its file was imported, will be missing in a minute: the task fails.
    "AIRFLOW__WORKERS__MISSING_DAG_RETRIES": "0",
}
OWN_EXECUTOR: Final = "LocalExecutor"  # Airflow wants one, and never starts it here

# What Airflow's task runner imports when a task begins is imported once, before any task is forked.
RUNNERS: Final = (
    "airflow.config_templates.airflow_local_settings",
    "airflow.dag_processing.bundles.local",
    "airflow.sdk._shared.logging.factory",
    "airflow.sdk._shared.logging.structlog",
    "airflow.sdk.definitions.asset.metadata",
    "airflow.sdk.serde",
    "airflow.version",
    "anyio",
    "encodings.idna",
    "httpcore",
    "httpx",
    "jinja2.ext",
    "logging.config",
    "setproctitle",
)

prepared = False


def set_environment() -> None:
    home = os.path.expanduser(os.environ.get("AIRFLOW_HOME", "~/airflow"))
    # A home that may not be read has none for us.
    if "AIRFLOW_CONFIG" not in os.environ and not os.path.isfile(f"{home}/airflow.cfg"):
        os.environ["AIRFLOW_CONFIG"] = os.devnull  # or Airflow would write one
        os.environ.setdefault("AIRFLOW__LOGGING__BASE_LOG_FOLDER", gettempdir())  # and make one
    os.environ.update(SETTINGS)


def prepare() -> None:
    """Import what every DAG file and every task of Airflow needs; again it does nothing."""
    global prepared
    if prepared:
        return
    set_environment()
    from airflow import settings
    from airflow.dag_processing import dagbag as dagbag
    from airflow.sdk.execution_time import task_runner as task_runner

    for module in RUNNERS:
        with suppress(ImportError):  # another release of Airflow does without it
            import_module(module)
    settings.configure_vars()
    settings.prepare_syspath_for_config_and_plugins()
    settings.import_local_settings()  # policies for DAGs and tasks
    # What a task starts imports Airflow as a whole, with its plugins: all but the database.
    os.environ.pop(AS_LIBRARY, None)
    os.environ["PYTHON_OPERATORS_VIRTUAL_ENV_MODE"] = "1"
    prepared = True


def enter(root: Path) -> None:
    """Show Airflow the bundle at ``root``."""
    bundle = {"name": BUNDLE, "classpath": LOCAL, "kwargs": {"path": str(root)}}
    os.environ["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"] = json.dumps([bundle])
    os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(root)


def allow_executors(names: Collection[str]) -> None:
    """Let tasks name these executors: Airflow looks for them in its configuration, where people had listed them."""
    from airflow.executors.executor_loader import ExecutorLoader

    known = {name: path for name, path in ExecutorLoader.executors.items() if name in names}
    listed = dict.fromkeys((OWN_EXECUTOR, *known))
    for number, name in enumerate(sorted({*names} - listed.keys() - {*known.values()})):
        listed[name if "." in name else f"{name}:headway.executor_{number}"] = None
    os.environ["AIRFLOW__CORE__EXECUTOR"] = ",".join(listed)
