"""``bash(task_id=…, command=…)`` and ``@task.bash``: a command line, made from a template.

The last line it prints is the result; exit code 99 skips the task. It runs in the attempt's process
group.
"""

import codecs
import os
import selectors
import subprocess
import sys
from typing import IO, Final

from headway.authoring.operators.base import Call, Operator
from headway.authoring.operators.python import run_function as call_function
from headway.authoring.operators.templates import render
from headway.authoring.rendered import show
from headway.authoring.run import Fail, Run, Skip

EXIT_SKIP: Final = 99
CHUNK_BYTES: Final = 64 * 1024
LAST_LINE_BYTES_MAX: Final = 64 * 1024
POLL_S: Final = 0.2


class CommandFailed(Exception):
    """The command ended with another exit code than 0 or 99."""


def run(call: Call) -> str:
    return run_command(
        call.kwargs["command"], call.kwargs.get("env"), call.kwargs.get("cwd"), call.run
    )


def run_function(call: Call) -> str:
    """The function returns the command."""
    return run_command(call_function(call), None, None, call.run)


def run_command(command: object, env: object, cwd: object, run: Run) -> str:
    if not isinstance(command, str):
        raise Fail(f"the command must be a string, not {type(command).__name__}")
    if not (env is None or isinstance(env, dict)):
        raise Fail(f"env must be a dict, not {type(env).__name__}")
    own = {str(name): render(str(value), run) for name, value in (env or {}).items()}
    line = render(command, run)
    # Names only: the values are where secrets are.
    show(command=line, **({"env": ", ".join(own)} if own else {}))
    try:
        process = subprocess.Popen(
            ["bash", "-c", line],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**os.environ, **variables(run), **own},
            cwd=None if cwd is None else render(str(cwd), run),
        )
    except FileNotFoundError as error:
        raise Fail(
            f"the folder {cwd} does not exist"
            if error.filename == cwd
            else "bash is not installed where the task runs"
        ) from None
    with process:
        assert process.stdout is not None
        last = stream(process, process.stdout)
        judge(process.wait())
    return last


def stream(process: subprocess.Popen[bytes], output: IO[bytes]) -> str:
    """Copy the output to the log as it comes; its last line, at most the last 64 kB of it."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    tail = b""
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            # What it left in the background may keep the pipe open for ever: bash itself is what
            # counts.
            if not selector.select(POLL_S):
                if process.poll() is None:
                    continue
                break
            chunk = os.read(output.fileno(), CHUNK_BYTES)
            sys.stdout.write(decoder.decode(chunk, final=not chunk))
            sys.stdout.flush()
            if not chunk:
                break
            tail = (tail + chunk)[-LAST_LINE_BYTES_MAX:]
    lines = tail.decode("utf-8", "replace").rstrip().splitlines()
    return lines[-1] if lines else ""


def judge(exit_code: int) -> None:
    if exit_code == EXIT_SKIP:
        raise Skip(f"the command ended with exit code {EXIT_SKIP}")
    if exit_code < 0:
        raise CommandFailed(f"the command was ended by signal {-exit_code}")
    if exit_code > 0:
        raise CommandFailed(f"the command ended with exit code {exit_code}")


def variables(run: Run) -> dict[str, str]:
    return {
        "HEADWAY_DAG_ID": run.dag_id,
        "HEADWAY_RUN_ID": run.run_id,
        "HEADWAY_TASK_ID": run.task_id,
        "HEADWAY_MAP_INDEX": str(run.map_index),
        "HEADWAY_TRY_NUMBER": str(run.try_number),
        "HEADWAY_LOGICAL_DATE": run.ts,
        "HEADWAY_DATA_INTERVAL_START": run.data_interval.start.isoformat(),
        "HEADWAY_DATA_INTERVAL_END": run.data_interval.end.isoformat(),
    }


OPERATOR = Operator(
    word="bash",
    parameters=("command", "env", "cwd"),
    required=("command",),
    run=run,
    run_function=run_function,
)
