"""Airflow's task runner in a process of its own, and what Headway wants to know of an error beside its log."""

import os
import sys
import traceback
from pathlib import Path
from typing import Any, Final

import msgspec

from headway.authoring.loading import one_line
from headway.core.callbacks import SUFFIX
from headway.frontends.airflow.logs import Log

TOLD_BYTES_MAX: Final = 16 * 1024
TEXT_MAX: Final = 1000


class Told(msgspec.Struct, frozen=True):
    """The error of a task in one line, and the line of the DAG file that it came from."""

    text: str = ""
    line: int | None = None


def run(told: int, root: Path, path: str, dag_id: str) -> int:
    """Run the task that the supervisor at descriptor 0 names. Returns the exit code."""
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.listener import get_listener_manager
    from airflow.sdk.log import configure_logging

    if dag_id.endswith(SUFFIX):
        know_companions()
    configure_logging(json_output=True, output=Log(str(root)), sending_to_supervisor=True)
    get_listener_manager().add_listener(listener(told, path))
    code = 0
    try:
        task_runner.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def know_companions() -> None:
    """Let the runner find the companion of a DAG in its file (``callbacks``)."""
    from airflow.dag_processing import dagbag

    from headway.frontends.airflow.callbacks import companion

    class Dags(dict[str, Any]):
        def __missing__(self, dag_id: str) -> Any:
            if dag_id.endswith(SUFFIX):
                return companion(self[dag_id.removesuffix(SUFFIX)])
            raise KeyError(dag_id)

    class Bag(dagbag.BundleDagBag):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.dags: Any = Dags(self.dags)

    Bag.__module__ = dagbag.__name__  # the name of its logger
    dagbag.BundleDagBag = Bag


def listener(told: int, path: str) -> Any:
    """Listens as plugins of Airflow do: it is called with the error of a task that fails."""
    from airflow.listeners import hookimpl

    class Listener:
        def on_task_instance_failed(self, error: Any) -> None:
            if isinstance(error, BaseException):
                line = deepest(error, path)
                body = Told(one_line(error)[:TEXT_MAX], line)
            else:
                body = Told(str(error or "")[:TEXT_MAX])
            os.write(told, msgspec.json.encode(body))

    hookimpl(Listener.on_task_instance_failed)
    return Listener()


def deepest(error: BaseException, path: str) -> int | None:
    """Return the line of the DAG file from which the error came."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == path
    ]
    return lines[-1] if lines else None
