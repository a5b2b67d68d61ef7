"""Airflow's task runner in a process of its own, and what Headway wants to know of an error beside its log."""

import functools
import os
import sys
import traceback
from pathlib import Path
from typing import Any, Final

import msgspec

from headway.authoring.loading import one_line
from headway.frontends.airflow import starting
from headway.frontends.airflow.logs import Log

TOLD_BYTES_MAX: Final = 16 * 1024
TEXT_MAX: Final = 1000
LOG: Final = Log()


class Told(msgspec.Struct, frozen=True):
    """The error of a task in one line, and the line of the DAG file that it came from."""

    text: str = ""
    line: int | None = None


def prepare(root: Path) -> None:
    """Do once, before runners are forked, what each of them would do again: half of what a short task costs."""
    from airflow.sdk.log import configure_logging

    LOG.root = str(root)
    configure_logging(json_output=True, output=LOG, sending_to_supervisor=True)  # it remembers
    keep_decoders()


def keep_decoders() -> None:
    """Let Airflow have the decoders of its messages that are there, instead of deriving them anew in each task."""
    from airflow.sdk.execution_time import comms, task_runner
    from pydantic import JsonValue, TypeAdapter

    if comms.TypeAdapter is not TypeAdapter:
        return
    comms.TypeAdapter = task_runner.TypeAdapter = kept = functools.cache(TypeAdapter)
    for messages in (comms.ToTask, JsonValue):
        kept(messages)


def run(told: int, root: Path, path: str) -> int:
    """Run the task that the supervisor at descriptor 0 names. Returns the exit code."""
    from airflow.sdk.execution_time import task_runner
    from airflow.sdk.listener import get_listener_manager

    prepare(root)
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


def listener(told: int, path: str) -> Any:
    """Listens as plugins of Airflow do: it is called with a task that begins, and with the error of one that fails."""
    from airflow.listeners import hookimpl

    class Listener:
        def on_task_instance_running(self, task_instance: Any) -> None:
            starting.defer_at_once(task_instance)

        def on_task_instance_failed(self, error: Any) -> None:
            if isinstance(error, BaseException):
                line = deepest(error, path)
                body = Told(one_line(error)[:TEXT_MAX], line)
            else:
                body = Told(str(error or "")[:TEXT_MAX])
            os.write(told, msgspec.json.encode(body))

    hookimpl(Listener.on_task_instance_running)
    hookimpl(Listener.on_task_instance_failed)
    return Listener()


def deepest(error: BaseException, path: str) -> int | None:
    """Return the line of the DAG file from which the error came; in an archive, of the file inside."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == path or frame.filename.startswith(f"{path}/")
    ]
    return lines[-1] if lines else None
