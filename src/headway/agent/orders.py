"""Messages between the agent, its fork servers and the children.

- Agent and fork server: fixed records (``RECORD``); a start carries the child's control socket and output.
- Agent and child, on the control socket: one ``Order`` down; ``Secrets``, ``Rendered``, ``Named``, ``Ask`` and one
  ``Outcome`` up, a ``Told`` down for each ``Ask``; frames of msgpack.
The agent trusts nothing that comes up: an outcome binds only the attempt whose private socket it came from.
"""

import struct
from datetime import datetime
from enum import IntEnum
from typing import Final, Literal

import msgspec

from headway.agent.numbers import Int32
from headway.agent.protocol import AssetEvent, Deferral, Resumed, RetryFacts

# kind, mark or server, number (a signal, pid, status or length of the text that follows), monotonic time
RECORD: Final = struct.Struct("<BIid")
OUTCOME_BYTES_MAX: Final = 32 * 1024 * 1024
RESULT_BYTES_MAX: Final = (
    100 * 1024 * 1024
)  # of one XCom; more belongs into a file of the task's own


class Kind(IntEnum):
    OPEN = 1  # to the base server: fork a server; an ``Opening`` of ``number`` bytes follows, with its socket
    SHUT = 2  # to the base server: kill a server and what it started
    START = 3  # to a server: fork a child with the mark, with its two descriptors; a ``Purpose``
    SIGNAL = 4  # to a server: ``number`` to the process group of the child
    FENCE = 5  # to a server: kill everything at this time
    READY = 6  # from a server: the DAG file is imported
    BROKEN = 7  # from a server: it cannot be; a text of ``number`` bytes follows
    STARTED = 8  # from a server: pid
    EXITED = 9  # from a server: wait status; from the base server: of a server


class Purpose(IntEnum):
    """The purpose of a child."""

    ATTEMPT = 0
    SPARE = 1  # forked ahead of its order
    TRIGGERER = 2


class Opening(msgspec.Struct, frozen=True, array_like=True):
    root: str  # of the bundle
    file: str  # the DAG file, below the root
    scratch: str  # where the private directories of attempts are made
    fence_at: float


class Given(msgspec.Struct, frozen=True, array_like=True):
    """One stored value: JSON text, or the path of a file that holds it."""

    value: bytes | None
    file: str | None = None


class Whole(msgspec.Struct, frozen=True, array_like=True):
    """A result that the task receives whole: of one instance, or of ``many``."""

    task_id: str
    key: str
    many: bool
    values: list[Given]


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A place on one axis of a mapping: an item, or the literal of the DAG file at ``position``."""

    position: int
    item: Given | None


class Order(msgspec.Struct, frozen=True, array_like=True):
    run_id: str
    dag_id: str
    task_id: str
    map_index: int
    try_number: int
    max_tries: int
    logical_date: datetime
    interval_start: datetime
    interval_end: datetime
    trigger: str
    params: bytes  # JSON
    whole: list[Whole]
    places: list[Place]
    xcom: str  # path of a large result, without its ending
    memory_limit_mb: int | None
    last: bool = True  # the child ends after it
    resumed: Resumed | None = None  # its attempt was deferred, and goes on
    secrets: list[str] = []  # that its inputs hold
    previous: Given | None = None  # in a loop: the result of the iteration before
    partition: str | None = None


class Secrets(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Secrets to mask in the attempt's output from now on."""

    values: list[str]


class Ask(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The task asks for a connection or a variable, and waits for a ``Told``."""

    kind: str
    name: str


class Told(msgspec.Struct, frozen=True, array_like=True):
    """The answer. ``value``: a connection as JSON, the text of a variable, or None if there is none."""

    value: str | None
    refused: str = ""
    secrets: list[str] = []  # that the value holds


class Rendered(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The rendered fields of the task, sent before it starts."""

    fields: list[tuple[str, str]]


class Named(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The name of the mapped instance, in place of its index."""

    name: str


class Output(msgspec.Struct, frozen=True, array_like=True):
    """A result. ``value`` is None when it is in its file, and ``secrets`` are those that the file reveals."""

    key: str
    value: bytes | None
    size: int
    length: Int32 | None
    secrets: list[str] = []


class Outcome(msgspec.Struct, frozen=True, array_like=True, tag=True):
    outcome: Literal["success", "failed", "skipped", "deferred"]
    cause: str = ""
    detail: str = ""
    line: Int32 | None = None
    retry: bool = True
    follow: list[str] | None = None
    outputs: list[Output] = []
    exit_code: Int32 | None = None
    again: bool = False  # the child waits for another order
    deferral: Deferral | None = None  # of one that is deferred
    assets: list[AssetEvent] = []  # what it says of its outlets
    facts: RetryFacts = RetryFacts()  # of a failure


ORDER: Final = msgspec.msgpack.Decoder(Order)
UPWARD: Final = msgspec.msgpack.Decoder(Secrets | Rendered | Named | Ask | Outcome)
TOLD: Final = msgspec.msgpack.Decoder(Told)
OPENING: Final = msgspec.msgpack.Decoder(Opening)
ENCODER: Final = msgspec.msgpack.Encoder()
