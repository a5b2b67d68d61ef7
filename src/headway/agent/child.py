"""The user's process: what happens between the fork and the exit of an attempt.

It leads its own session, has no stdin, prints into a pipe that the agent reads, works in a private directory that was
empty and is emptied afterwards, and says how it ended on a private socket. It ends by ``os._exit``, after what
``leaving`` finds to be done. A reused child takes the next order on the same socket. What it costs is page faults
(5 µs each): the fewer objects it touches for the first time, the better.
"""

import contextlib
import errno
import gc
import os
import re
import resource
import signal
import sys
import traceback
from _signal import (  # type: ignore[import-not-found] # no enums: 60 page faults less
    getsignal as get_handler,
)
from _signal import pthread_sigmask
from _signal import signal as set_handler
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final, NoReturn, Protocol

import msgspec

from headway.agent import (
    asking,
    generators,
    leaving,
    processes,
    protocol,
    rehearsal,
    results,
    scratch,
)
from headway.agent.causes import OWN_CODE, below, first_line, headline, message_of, traceback_of
from headway.agent.frames import LENGTH, frame
from headway.agent.orders import (
    ENCODER,
    ORDER,
    Ask,
    Given,
    Named,
    Opening,
    Order,
    Outcome,
    Purpose,
    Rendered,
    Secrets,
    Whole,
)
from headway.authoring import encoding as encoding  # read lazily by values: not in each child
from headway.authoring import operators as operators
from headway.authoring import rendered, secrets
from headway.authoring.exceptions import EndedElsewhere, classes_of, exit_code_of
from headway.authoring.execute import Inputs
from headway.authoring.loading import import_hint
from headway.authoring.run import Deferral, Deferred, Fail, Resumption, Run, Skip
from headway.authoring.values import NotSerialisable, from_json
from headway.frontends.base import TaskFailed

BESIDE: Final = (
    "the files of a run cannot be changed; write to the task's working directory, or to a path "
    "outside the DAG folder"
)
CLOSED: Final = (
    "headway: the task closed a file descriptor that it did not open, so Headway could not see "
    "how it ended; close only your own descriptors\n"
)
OWN_MODULE: Final = re.compile(r"\bheadway_dags_\w+\.")  # the name of a file that no import finds
GUARD_BYTES: Final = 256 * 1024 * 1024
SIGCHLD, SIGTERM, SIG_DFL = int(signal.SIGCHLD), int(signal.SIGTERM), int(signal.SIG_DFL)
ENVIRONMENT: Final = {  # for what the task starts: its name, and the field of the order
    "HEADWAY_RUN_ID": "run_id",
    "HEADWAY_DAG_ID": "dag_id",
    "HEADWAY_TASK_ID": "task_id",
    "HEADWAY_MAP_INDEX": "map_index",
    "HEADWAY_TRY_NUMBER": "try_number",
}


class Terminated(BaseException):
    """Raised on SIGTERM to end the attempt. ``finally`` blocks have the grace period."""


class Server(Protocol):
    opening: Opening
    dags: dict[str, Any]
    unforked: bool

    def import_file(self) -> str: ...


def become(
    control: int,
    output: int,
    inherited: list[int],
    server: Server,
    folder: str,
    purpose: Purpose,
) -> NoReturn:
    """Run the child process after the fork. A spare prepares before its order comes."""
    status = 1
    try:
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
        signal.set_wakeup_fd(-1)
        for fd in (output, *inherited):
            os.close(fd)
        set_handler(SIGCHLD, SIG_DFL)
        processes.die_with_parent()
        keep_sigterm()
        if settle_in(folder, control):
            generators.renew()
            gc.enable()
            if purpose is Purpose.TRIGGERER:
                from headway.agent import triggerer  # not in each child

                triggerer.run(control, server)
            else:
                if purpose is Purpose.SPARE:
                    rehearse()
                work(control, server)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def settle_in(folder: str, control: int) -> bool:
    """Enter the attempt's private directory. Without one, the attempt fails."""
    try:
        scratch.enter(folder)
        return True
    except OSError as error:
        text = f"cannot create its working directory: {error.strerror}; to check the disk, run: headway doctor"
        send(control, Outcome("failed", "disk", text))
        return False


def handle_signals() -> None:
    """Set the signal handlers in the server, for all its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, terminate)


def keep_sigterm() -> None:
    """Set the child's SIGTERM handling. Its own forks do not inherit it, but end immediately, as usual. SIGTERM
    waits while it forks, so that none is lost between the fork and the change.
    """
    os.register_at_fork(
        before=hold_sigterm, after_in_parent=release_sigterm, after_in_child=disown_sigterm
    )


mask_before: set[int] = set()


def hold_sigterm() -> None:
    global mask_before
    mask_before = pthread_sigmask(signal.SIG_BLOCK, (SIGTERM,))


def release_sigterm() -> None:
    pthread_sigmask(signal.SIG_SETMASK, mask_before)


def disown_sigterm() -> None:
    if get_handler(SIGTERM) is terminate:
        set_handler(SIGTERM, SIG_DFL)
    pthread_sigmask(signal.SIG_SETMASK, mask_before)


def rehearse() -> None:
    rendered.announce = prepare_rendered
    outcome = attempt(ORDER.decode(rehearsal.ORDER_BYTES), rehearsal.STAGE)
    assert outcome.outcome == "success", outcome.detail
    ENCODER.encode(outcome)
    flush()


def prepare_rendered(fields: list[tuple[str, str]]) -> None:
    ENCODER.encode(Rendered(fields))


def terminate(number: int, frame: FrameType | None) -> None:
    set_handler(SIGTERM, SIG_DFL)
    raise Terminated


def limit(which: int, soft: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(which, (soft, hard))


def work(control: int, server: Server) -> None:
    secrets.announce = lambda values: announce(control, values)
    rendered.announce = lambda fields: send(control, Rendered(fields))
    rendered.call_instance = lambda name: send(control, Named(name))
    secrets.ask = asking.asker(lambda ask: send(control, ask), lambda: receive(control))
    slate: Any = None
    orders, pid = 0, os.getpid()
    while (body := receive(control)) is not None:
        order = ORDER.decode(body)
        orders += 1
        if slate is None and not order.last:
            from headway.agent.slate import Slate  # only for those who reuse children

            slate = Slate()
        outcome = attempt(order, server)
        flush()
        if (
            os.getpid() != pid
        ):  # a fork of the task's own that came back from it: only its end is left to do
            break
        again = not order.last and outcome.outcome != "failed" and slate.wipe()
        again = again and not asking.unanswered
        send(control, msgspec.structs.replace(outcome, again=True) if again else outcome)
        if not again:
            break
    if orders and leaving.something_left():
        leaving.leave()
        flush()


def announce(control: int, values: list[str]) -> None:
    results.handed.update(values)
    send(control, Secrets(values))


def flush() -> None:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except Exception:  # a task may have closed them
        return


def receive(control: int) -> bytes | None:
    """Return the next order, or None if there is none."""
    head = read_exactly(control, LENGTH.size)
    return None if head is None else read_exactly(control, *LENGTH.unpack(head))


def read_exactly(fd: int, size: int) -> bytes | None:
    data = os.read(fd, size)
    while len(data) < size:
        more = os.read(fd, size - len(data))
        if not more:
            return None
        data += more
    return data


def send(control: int, message: Secrets | Rendered | Named | Ask | Outcome) -> None:
    try:
        body = ENCODER.encode(message)
    except UnicodeEncodeError:
        body = ENCODER.encode(escaped(msgspec.to_builtins(message, builtin_types=(bytes,))))
    data = frame(body)
    try:
        while data:
            data = data[os.write(control, data) :]
    except OSError as error:
        if error.errno != errno.EBADF:
            raise
        sys.stderr.write(CLOSED)
        os._exit(1)


def escaped(value: Any) -> Any:
    """Escape lone surrogates, as from a file name that is not UTF-8, because messages cannot carry them."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return [escaped(one) for one in value] if isinstance(value, (list, tuple)) else value


def attempt(order: Order, server: Server) -> Outcome:
    """Run the user's code and turn whatever it does into an outcome."""
    if order.memory_limit_mb is not None:
        # The agent watches resident memory; this stops what would outrun it between two looks.
        limit(resource.RLIMIT_DATA, 2 * order.memory_limit_mb * 1024 * 1024 + GUARD_BYTES)
    try:
        if server.unforked and not server.dags and (trouble := server.import_file()):
            return Outcome("failed", "import", first_line(trouble))
        dag = server.dags.get(order.dag_id)
        if dag is None:
            return Outcome(
                "failed",
                "import",
                f"{server.opening.file} does not define the DAG {order.dag_id!r}",
            )
        set_environment(order)
        results.handed.update(order.secrets)
        result = dag.execute(order.task_id, run_of(order), inputs_of(order))
        outputs = [results.store(order, key, value) for key, value in result.xcoms.items()]
        told = [protocol.AssetEvent(*one) for one in result.told or ()]
        return Outcome("success", outputs=outputs, follow=result.follow, assets=told)
    except BaseException as error:
        return failure(order, error, server.opening)


def failure(order: Order, error: BaseException, opening: Opening) -> Outcome:
    """Return the outcome for an exception of the user's code. Its methods are the user's code, too."""
    facts = protocol.RetryFacts(classes_of(error))
    try:
        found = judged(order, error, opening)
        failed = found.outcome == "failed" and not isinstance(error, TaskFailed)
        return msgspec.structs.replace(found, facts=facts) if failed else found
    except Terminated:
        return Outcome("failed", "signal", "ended by SIGTERM")
    except BaseException as second:
        kind = type.__repr__(type(error)).removeprefix("<class '").removesuffix("'>")
        text = f"{kind} (the exception cannot be shown: {type(second).__name__})"
        line = deepest(error, os.path.join(opening.root, opening.file))
        return Outcome("failed", "exception", first_line(text), line, facts=facts)


def judged(order: Order, error: BaseException, opening: Opening) -> Outcome:
    line = deepest(error, os.path.join(opening.root, opening.file))
    text = message_of(error)
    match error:
        case Skip():
            return Outcome("skipped", "skip", text)
        case Deferred(deferral=deferral):
            return deferred(deferral)
        case SystemExit(code=None | int()) if not error.code:  # as in a script
            return Outcome("success")
        case Terminated():
            return Outcome("failed", "signal", "ended by SIGTERM", line)
        case results.TooLarge():
            return Outcome("failed", "result", text, retry=False)
        case NotSerialisable(message=message, hint=hint):
            return Outcome("failed", "result", first_line(f"{message}; {hint}"))
        case results.NotStored():
            return Outcome("failed", "result", text)
        case EndedElsewhere():
            return Outcome(
                "failed", error.cause, text, retry=error.retry, exit_code=error.exit_code
            )
        case TaskFailed(cause=cause, line=told, retry=again):
            facts = protocol.RetryFacts([], error.retry_delay_s, error.retry_reason)
            return Outcome("failed", cause, text, told, retry=again, facts=facts)
    if has_users_frame(error):
        report(error, opening.root)
    elif not isinstance(error, Fail):  # that is told by the agent
        sys.stderr.write(f"{headline(error, opening.root)}\n")
    lines = below(error, opening.root)
    match error:
        case Fail():
            return Outcome("failed", "fail", "\n".join([text, *lines]), line, retry=False)
        case SystemExit():
            text = first_line(f"the task called sys.exit({text})")
            return Outcome("failed", "exit_code", text, line, exit_code=exit_code_of(error))
        case ImportError() | AttributeError() if hint := hint_of(error, opening):
            text = first_line(f"{headline(error, opening.root)}; {hint}")
            return Outcome("failed", "exception", text, line)
        case OSError(errno=errno.EROFS | errno.EACCES) if in_bundle(error, opening.root):
            text = first_line(f"{headline(error, opening.root)}; {BESIDE}")
            return Outcome("failed", "exception", text, line)
    over = isinstance(error, MemoryError) and order.memory_limit_mb is not None
    text = "\n".join([headline(error, opening.root), *lines])
    code = exit_code_of(error)
    return Outcome("failed", "memory" if over else "exception", text, line, exit_code=code)


def deferred(given: Deferral) -> Outcome:
    facts = msgspec.json.encode(given.facts)
    return Outcome("deferred", deferral=protocol.Deferral(*given._replace(facts=facts)))  # type: ignore[arg-type]


def hint_of(error: BaseException, opening: Opening) -> str | None:
    return import_hint(error, Path(opening.root, opening.file), opening.file)


def in_bundle(error: OSError, root: str) -> bool:
    return str(error.filename).startswith(root + os.sep)


def report(error: BaseException, root: str) -> None:
    """Print the traceback from the user's first frame on, with paths as in the bundle."""
    with contextlib.suppress(Exception):  # a task may have closed them
        sys.stdout.flush()
    try:
        lines = traceback.format_exception(type(error), error, trimmed(traceback_of(error)))
    except Exception:  # of its methods
        lines = [headline(error, root), "\n"]
    text = "".join(lines).replace(f'File "{root}{os.sep}', 'File "')
    with contextlib.suppress(Exception):
        sys.stderr.write(OWN_MODULE.sub("", text))


def trimmed(tb: TracebackType | None) -> TracebackType | None:
    inner = tb
    while inner is not None and inner.tb_frame.f_code.co_filename.startswith(OWN_CODE):
        inner = inner.tb_next
    return inner or tb


def has_users_frame(error: BaseException) -> bool:
    tb = traceback_of(error)
    while tb is not None and tb.tb_frame.f_code.co_filename.startswith(OWN_CODE):
        tb = tb.tb_next
    return tb is not None


def deepest(error: BaseException, file: str) -> int | None:
    """Return the line of the DAG file from which the error came."""
    line, tb = None, traceback_of(error)
    while tb is not None:
        if tb.tb_frame.f_code.co_filename == file:
            line = tb.tb_lineno
        tb = tb.tb_next
    return line


# -- what the task is given


def set_environment(order: Order) -> None:
    """Set the environment variables of the task. They never contain secrets."""
    for name, field in ENVIRONMENT.items():
        os.environ[name] = str(getattr(order, field))


def run_of(order: Order) -> Run:
    return Run(
        run_id=order.run_id,
        dag_id=order.dag_id,
        task_id=order.task_id,
        map_index=order.map_index,
        try_number=order.try_number,
        max_tries=order.max_tries,
        logical_date=order.logical_date,
        data_interval=(order.interval_start, order.interval_end),
        trigger=order.trigger,
        params=msgspec.json.decode(order.params),
        partition=order.partition,
        resumed=None if order.resumed is None else resumption(order.resumed),
    )


def resumption(given: protocol.Resumed) -> Resumption:
    kwargs = {} if given.kwargs is None else from_json(given.kwargs)
    found = None if given.found is None else from_json(given.found)
    return Resumption(given.method, kwargs, found, given.timed_out, given.elapsed_s)  # type: ignore[arg-type]


def inputs_of(order: Order) -> Inputs:
    return Inputs(
        whole={
            (whole.task_id, whole.key): whole_value(whole)
            for whole in order.whole
            if whole.many or whole.values
        },
        positions=[place.position for place in order.places],
        items=[None if place.item is None else value_of(place.item) for place in order.places],
        previous=None if order.previous is None else previous_of(order.previous),
    )


def previous_of(given: Given) -> Callable[[], object]:
    """Return what reads the result of the iteration before: most tasks of a loop do not want it."""
    return lambda: value_of(given)


def whole_value(whole: Whole) -> object:
    if whole.many:
        return [value_of(given) for given in whole.values]
    return value_of(whole.values[0])


def value_of(given: Given) -> object:
    if given.file is not None:
        return from_json(Path(given.file).read_bytes())
    assert given.value is not None
    return from_json(given.value)
