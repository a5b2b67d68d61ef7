"""``bash(task_id=…, command=…)`` and ``@task.bash``: a command line, made from a template.

The last line it prints is the result; exit code 99 skips the task, another one fails it, with the
last lines of its standard error. It runs in the attempt's process group.
"""

import codecs
import errno
import os
import selectors
import subprocess
import sys
from typing import IO, Final, TextIO

from headway.authoring.operators.base import Call, Operator
from headway.authoring.operators.python import run_function as call_function
from headway.authoring.operators.templates import render
from headway.authoring.rendered import show
from headway.authoring.run import Fail, Run, Skip

EXIT_SKIP: Final = 99
CHUNK_BYTES: Final = 64 * 1024
TAIL_BYTES_MAX: Final = 64 * 1024
STDERR_LINES: Final = 3
LAST_READS: Final = 16  # more than the pipes hold
POLL_S: Final = 0.2


class CommandFailed(Exception):
    """The command ended with another exit code than 0 or 99; it is negative for a signal."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def run(call: Call) -> str:
    return run_command(
        call.kwargs["command"], call.kwargs.get("env"), call.kwargs.get("cwd"), call.run
    )


def run_function(call: Call) -> str:
    """The function returns the command, which may be a template too."""
    command = call_function(call)
    if isinstance(command, str):
        command = render(command, call.run)
    return run_command(command, None, None, call.run)


def run_command(command: object, env: object, cwd: object, run: Run) -> str:
    if not isinstance(command, str):
        raise Fail(f"the command must be a string, not {type(command).__name__}")
    if not (env is None or isinstance(env, dict)):
        raise Fail(f"env must be a dict, not {type(env).__name__}")
    own = {str(name): text_of(name, value) for name, value in (env or {}).items()}
    # Names only: the values are where secrets are.
    show(command=command, **({"env": ", ".join(own)} if own else {}))
    folder = None if cwd is None else str(cwd)
    with start(command, {**os.environ, **variables(run), **own}, folder) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        said = Tail(process.stdout, sys.stdout)
        complained = Tail(process.stderr, sys.stderr)
        stream(process, said, complained)
        judge(process.wait(), complained.lines()[-STDERR_LINES:])
    return (said.lines() or [""])[-1]


def text_of(name: object, value: object) -> str:
    if value is None:
        raise Fail(
            f"the variable {name} of env is None, which is also the result of a skipped task; "
            f"give it a value or remove it"
        )
    return str(value)


def start(line: str, environment: dict[str, str], folder: str | None) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            ["bash", "-c", line],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=folder,
        )
    except FileNotFoundError as error:
        raise Fail(
            f"the folder {folder} does not exist"
            if error.filename == folder
            else "bash is not installed where the task runs"
        ) from None
    except OSError as error:
        if error.errno == errno.E2BIG:
            raise Fail(
                "the command or its environment is longer than the system allows; pass large values in a file"
            ) from None
        raise Fail(f"bash cannot be started in {folder or os.getcwd()}: {error.strerror}") from None
    except ValueError as error:  # of a NUL
        raise Fail(f"the command or its environment cannot be passed on: {error}") from None


class Tail:
    """Output on its way to the log, and the last 64 kB of it."""

    def __init__(self, source: IO[bytes], log: TextIO) -> None:
        self.source = source
        self.log = log
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.kept = b""

    def copy(self) -> bool:
        """Read once. Returns whether there may be more."""
        chunk = os.read(self.source.fileno(), CHUNK_BYTES)
        self.log.write(self.decoder.decode(chunk, final=not chunk))
        self.log.flush()
        self.kept = (self.kept + chunk)[-TAIL_BYTES_MAX:]
        return bool(chunk)

    def lines(self) -> list[str]:
        """Return the lines as the shell counts them: other separators of Unicode are text."""
        text = self.kept.decode("utf-8", "replace").rstrip()
        return [line.rstrip("\r") for line in text.split("\n")] if text else []


def stream(process: subprocess.Popen[bytes], *outputs: Tail) -> None:
    """Copy what it prints to the log as it comes."""
    with selectors.DefaultSelector() as selector:
        for output in outputs:
            selector.register(output.source, selectors.EVENT_READ, output)
        reads_left = LAST_READS
        while selector.get_map() and reads_left:
            ready = selector.select(POLL_S)
            for key, _ in ready:
                if not key.data.copy():
                    selector.unregister(key.fileobj)
            # What it left in the background may keep a pipe open, and write, for ever: bash itself
            # is what counts.
            if process.poll() is not None:
                reads_left = reads_left - 1 if ready else 0


def judge(exit_code: int, stderr: list[str]) -> None:
    if exit_code == EXIT_SKIP:
        raise Skip(f"the command ended with exit code {EXIT_SKIP}")
    said = ": " + " | ".join(line.strip() for line in stderr if line.strip()) if stderr else ""
    if exit_code < 0:
        raise CommandFailed(f"the command was ended by signal {-exit_code}{said}", exit_code)
    if exit_code > 0:
        raise CommandFailed(f"the command ended with exit code {exit_code}{said}", exit_code)


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
    guarded=("env",),
    templated=("command", "env", "cwd"),
)
