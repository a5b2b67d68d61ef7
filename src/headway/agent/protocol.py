"""The protocol of agent and gateway: msgpack frames of 4 bytes length (big endian) + body.

One connection an agent (unix socket, or TCP), opened by the agent. Rules:
- A *session* is one life of an agent process; its lease is renewed by ``Heartbeat`` and ends by the
  database's clock.
- A grant binds an attempt to the session. The agent runs an attempt at most once, and none when its
  own lease is over.
- Reports (``Started``, ``Ended``) carry the attempt's token and a sequence number; the agent keeps
  ``Ended`` until ``Ack``
  covers its number and sends it again on a new connection. The gateway acknowledges after the
  commit.
- Parameters and XCom values cross the line as JSON text; nobody but the user's child makes objects of them.
- What a trigger looks out for is *held* by a session like a bound attempt. The agent looks after each wait once, and
  keeps ``Found`` like an ``Ended``.
- A context goes with each of its grants: an agent knows of a run what its attempts need, and forgets it with the last.
"""

from datetime import datetime
from typing import Final, Literal

import msgspec

from headway.agent.numbers import Int32
from headway.agent.watchers import (
    Fired,
    Release,
    Sighted,
    Stopped,
    Taken,
    WatcherKey,
    Watchers,
)

PROTOCOL_VERSION: Final = 7
FRAME_BYTES_MAX: Final = 64 * 1024 * 1024
HEARTBEAT_S: Final = 5.0
LEASE_S: Final = 15.0  # of the database's clock: after it the session is dead
FENCE_S: Final = (
    10.0  # of the agent's own clock since the last acknowledged heartbeat: it stops itself
)
XCOM_INLINE_BYTES: Final = 64 * 1024  # larger values go to files
CANCEL_GRACE_S: Final = 5.0  # SIGTERM, then SIGKILL
PIECE_BYTES: Final = 256 * 1024  # of a file that travels over the connection


class Message(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Tagged by its class name, fields by position: only ever append fields with defaults."""


class AttemptKey(msgspec.Struct, frozen=True, array_like=True):
    run_id: str
    task_id: str
    map_index: Int32  # -1: not mapped
    number: Int32
    deferrals: Int32 = (
        0  # how often it was deferred: each time it goes on in a process that is started once
    )


class XComRef(msgspec.Struct, frozen=True, array_like=True):
    """The result ``key`` of a task of the same run:

    of all its instances, ordered by map index, when ``map_index`` is None.
    """

    task_id: str
    key: str = "return_value"
    map_index: Int32 | None = -1


class XComValue(msgspec.Struct, frozen=True, array_like=True):
    """``value`` is JSON text, or ``file`` a path below the data directory.

    ``length``: of a list or dict, else None. ``shown``: what people see in place of ``value``, which reveals a secret.
    ``secrets``: those that the task was handed and its result reveals. They are masked in who receives it, too.
    """

    key: str
    value: bytes | None
    file: str | None = None
    size: int = 0
    length: Int32 | None = None
    shown: bytes | None = None
    secrets: list[str] = []


class Stored(msgspec.Struct, frozen=True, array_like=True):
    """An XCom as the store has it."""

    task_id: str
    map_index: int
    xcom: XComValue


class Deferral(msgspec.Struct, frozen=True, array_like=True):
    """The wait of an attempt, and how the attempt goes on (``core.waits.deferral``).

    JSON is text. A date is aware, or a number of seconds from the end of the process on.
    """

    kind: str
    facts: bytes = b"{}"  # of the kind, JSON
    until: datetime | None = None
    delay_s: float | None = None
    timeout_s: float | None = None
    overdue: str = "fail"  # or skip, resume
    method: str | None = None  # what the next process calls; None: the task from the top
    kwargs: bytes | None = None  # JSON, read by nobody but the task
    reschedules: bool = False
    finishes: bool = False  # no process is needed any more: the task ends with what is found
    secrets: list[str] = []  # that were handed to the task, and that ``facts`` or ``kwargs`` reveal


class Resumed(msgspec.Struct, frozen=True, array_like=True):
    """The message to the process in which a deferred attempt goes on."""

    method: str | None
    kwargs: bytes | None
    found: bytes | None  # JSON
    timed_out: bool
    elapsed_s: float  # since the attempt's first start
    secrets: list[str] = []  # of its deferral


class RetryFacts(msgspec.Struct, frozen=True, array_like=True):
    """The facts of an end for the decision on another attempt, besides its cause and exit code.

    ``exceptions``: the classes of its exception by name, the most special one first. ``delay_s`` and ``reason``: of a
    policy that the task's own process has asked.
    """

    exceptions: list[str] = []
    delay_s: float | None = None
    reason: str = ""


class AssetEvent(msgspec.Struct, frozen=True, array_like=True):
    """The words of a task about an event of one of its outlets. ``extra``: JSON. ``alias``: through which it adds the
    asset, with its ``definition`` as JSON.
    """

    asset: str
    extra: bytes = b"{}"
    partition: str | None = None
    alias: str = ""
    definition: bytes | None = None


# -- agent to gateway


class Hello(Message, frozen=True):
    session: str
    agent: str  # its name
    token: str  # the secret that lets an agent of this team in
    slots: Int32  # attempts it may hold: processes and a little prefetch
    processes: Int32
    host: str
    pid: Int32
    held: list[AttemptKey]  # attempts it knows and has not had acknowledged (a reconnect)
    protocol_version: int = PROTOCOL_VERSION
    queues: tuple[str, ...] = ("default",)  # it runs the tasks of these only
    attempt: AttemptKey | None = None  # a pod's: the only one that it is for
    watched: list[AttemptKey] = []  # deferred attempts that its triggerers look after
    draining: bool = False  # it takes nothing new: it ends what it holds, and leaves
    watchers: list[WatcherKey] | None = None  # that it looks after; None: it knows none of them


class Heartbeat(Message, frozen=True):
    seq: int
    log_bytes: Int32 = 0  # that its logs took in the last minute
    draining: bool = (
        False  # nothing is granted to it from here on; what was granted before still comes
    )


class Started(Message, frozen=True):
    """The user's process exists. Sent immediately; may arrive together with the end."""

    seq: int
    key: AttemptKey
    token: str
    pid: Int32
    age_s: float  # since the start, when this was sent


class Ended(Message, frozen=True):
    seq: int
    key: AttemptKey
    token: str
    outcome: Literal["success", "failed", "skipped", "cancelled", "lost", "deferred"]
    cause: str  # "", exit_code, signal, timeout, memory, exception, import, result, never_started, fenced, …
    detail: str = ""  # one line for people, e.g. "ValueError: no flights on 2013-02-30"
    exit_code: Int32 | None = None
    run_s: float = 0.0  # from start to end
    age_s: float = 0.0  # since the end, when this was sent
    xcoms: list[XComValue] = []
    follow: list[str] | None = None  # a branch: the direct downstream task ids to follow
    retry: bool = True  # False: the task said that another attempt is of no use
    line: Int32 | None = None  # of the DAG file, where the error came from
    deferral: Deferral | None = None  # of one that is deferred
    assets: list[AssetEvent] = []  # of a success, what it says of its outlets
    name: str = ""  # of the mapped instance, if the task told one
    facts: RetryFacts = RetryFacts()  # of a failure


class Named(Message, frozen=True):
    """Tells how the task of a live attempt calls its mapped instance. It may be lost: the end says it again."""

    key: AttemptKey
    token: str
    name: str


class Found(Message, frozen=True):
    """Tells that what a deferred attempt waits for is there, or will not be. ``found``: JSON, for the task."""

    key: AttemptKey
    found: bytes | None = None
    error: str = ""  # why it will not be there: the attempt fails
    seq: int = 0
    age_s: float = 0.0  # since it was found, when this was sent
    shown: bytes | None = None  # as of an XComValue
    secrets: list[str] = []
    exceptions: list[str] = []  # of the error, as of ``RetryFacts``


class Look(msgspec.Struct, frozen=True, array_like=True):
    """The last look of a trigger. ``again_s``: from it to the next; None: that is not known."""

    key: AttemptKey
    looks: Int32
    age_s: float
    again_s: float | None = None
    note: str = ""  # for people


class Looked(Message, frozen=True):
    looks: list[Look]


class Fetch(Message, frozen=True):
    """A request for results that the agent does not have."""

    request: int
    run_id: str
    refs: list[XComRef]


class ByAttempt(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A running attempt asks. Its token proves it."""

    key: AttemptKey
    token: str


class ByWait(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The trigger of a deferred attempt asks. The session that holds the wait proves it."""

    key: AttemptKey


class ByWatcher(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A watcher asks. The session that holds it in this life proves it."""

    key: WatcherKey


By = ByAttempt | ByWait | ByWatcher


class Ask(Message, frozen=True):
    """A question for a connection, a variable, results, state or runs of the team, or to start one; and who asks."""

    request: int
    by: By
    kind: str  # connection, variable, variables, xcom, asset_events, runs, state
    name: str
    secrets: list[str] = []  # that what is to be stored reveals, of those that were handed out


class Probed(Message, frozen=True):
    """The end of a ``Probe``: what a person is told."""

    request: int
    ok: bool
    message: str


class WantBundle(Message, frozen=True):
    """A request for the list of a bundle version, or for ``blobs`` of it, one after the other, from ``offset`` on."""

    request: int
    version: str
    blobs: list[str] = []
    offset: int = 0


class WantResult(Message, frozen=True):
    """A request for a result that is a file, from ``offset`` on. ``ref`` names one, with its map index."""

    request: int
    run_id: str
    ref: XComRef
    offset: int = 0


class Put(Message, frozen=True):
    """A piece of a file of a running attempt. Its log may also be asked for its size, with no data.

    ``kind``: log, rendered (whole lines), result. ``name``: the key of the result. ``last``: nothing follows.
    """

    request: int
    key: AttemptKey
    kind: Literal["log", "rendered", "result"]
    data: bytes
    offset: int = 0
    name: str = ""
    last: bool = False


Errand = WantBundle | WantResult | Put  # each is answered by a ``Piece``
Reported = Started | Named | Ended | Found  # what a tick takes in
OfWatcher = Fired | Stopped | Sighted
Arrival = (
    Hello | Fetch | Ask | Probed | Looked | OfWatcher | Errand
)  # what the scheduler answers itself
AgentMessage = Heartbeat | Reported | Arrival


# -- gateway to agent


class Welcome(Message, frozen=True):
    lease_s: float
    fence_s: float


class HeartbeatAck(Message, frozen=True):
    seq: int
    log_bytes: int | None = None  # that its logs may take in a minute; None: without a limit


class RunContext(msgspec.Struct, frozen=True, array_like=True):
    """Fields that all attempts of a run share; sent with each of its grants."""

    run_id: str
    team: str
    dag_id: str
    dag_version: int
    bundle_version: str
    file: str  # the DAG file, relative to the bundle
    logical_date: datetime
    interval_start: datetime
    interval_end: datetime
    trigger: str  # a ``core.triggers.Trigger``
    params: bytes  # JSON, as it was stored: nobody but the task reads it
    reuse_child: int = 1
    partition: str | None = None


class AxisItem(msgspec.Struct, frozen=True, array_like=True):
    """The item at ``position`` of ``ref``'s list (of a dict:

    the [key, value] pair); a literal of the DAG file if None. No item if ``position`` is -1.
    """

    position: int
    ref: XComRef | None = None


class Grant(msgspec.Struct, frozen=True, array_like=True):
    key: AttemptKey
    token: str
    kind: str  # the operator
    inputs: list[XComRef]  # results it receives whole
    axes: list[
        AxisItem
    ] = []  # a mapped instance: its place in each list of the mapping, in the spec's order
    timeout_s: float | None = None
    memory_limit_mb: int | None = None
    priority: float = 0.0  # rank: smaller goes first among the attempts an agent holds
    retries: int = 0  # the task's own, for ``run.try_number`` of ``run.max_tries``
    resumed: Resumed | None = None  # the attempt goes on
    previous: XComRef | None = None  # in a loop: the result of the iteration before


class Grants(Message, frozen=True):
    runs: list[RunContext]
    grants: list[Grant]
    changed: list[str] = []  # runs of which no result that is at hand may be used any more


class Watch(msgspec.Struct, frozen=True, array_like=True):
    """A deferred attempt, and the code that looks out for what it waits for."""

    key: AttemptKey
    run: RunContext
    facts: bytes  # of its wait, JSON
    secrets: list[str] = []  # of its deferral


class Watches(Message, frozen=True):
    """Look after these waits. One that is known already is left alone."""

    watches: list[Watch]


class Unwatch(Message, frozen=True):
    """Look after these waits no more: they are over."""

    keys: list[AttemptKey]


class Cancel(Message, frozen=True):
    """End these attempts: SIGTERM, grace, SIGKILL;

    answered by ``Ended(outcome="cancelled")`` as soon as the process is gone. One that comes before
    its grant is answered when the grant comes, and nothing is started. One that is over and
    acknowledged is answered without a token.
    """

    keys: list[AttemptKey]


class Ack(Message, frozen=True):
    """Tells that every ``Ended`` and ``Found`` with a sequence number up to and including ``seq`` is durable."""

    seq: int


class Values(Message, frozen=True):
    """The answer to a ``Fetch``, in as many messages as its size asks for."""

    request: int
    values: list[Stored]
    missing: list[XComRef]
    more: bool = False  # another one follows
    refused: str = ""  # why there is no answer: the attempts that need it fail


class Answer(Message, frozen=True):
    """The answer to an ``Ask``. ``value`` is None if there is none for this DAG; it is handed on and not kept."""

    request: int
    value: str | None = None
    secrets: list[str] = []  # texts to mask, before the task gets the value
    refused: str = ""  # why there is no answer


class Piece(Message, frozen=True):
    """The answer to an ``Errand``: what was wanted, or that a piece is stored. ``size``: of the whole file."""

    request: int
    data: bytes = b""
    size: int = 0
    refused: str = ""  # why there is no answer
    again: bool = False  # there may be one later


class Probe(Message, frozen=True):
    """Try this connection, given as JSON, in a process of its own. Answered by ``Probed``."""

    request: int
    value: str
    secrets: list[str] = []  # texts to mask in what is told


class Refused(Message, frozen=True):
    """The session is dead, unknown or refused: kill everything, then return as a new session if ``again``."""

    reason: str
    again: bool = True


ForTriggerers = Watches | Unwatch | Watchers | Release | Taken
GatewayMessage = (
    Welcome
    | HeartbeatAck
    | Grants
    | Cancel
    | ForTriggerers
    | Ack
    | Values
    | Answer
    | Piece
    | Probe
    | Refused
)
