"""Checks of what an agent reports: can the database and every later step carry it?

An agent runs the code of a team and may say anything. A message whose fields have other types than the protocol's
ends its connection; what is said in good form and cannot be stored fails the attempt, never the tick that takes it in.
"""

import math
from typing import Final

import msgspec

from headway.agent.orders import OUTCOME_BYTES_MAX
from headway.agent.protocol import (
    PROTOCOL_VERSION,
    XCOM_INLINE_BYTES,
    AttemptKey,
    By,
    ByAttempt,
    ByWatcher,
    Ended,
    Hello,
    Put,
    Reported,
    XComValue,
)
from headway.executors.agents.older import SPOKEN
from headway.paths import plain_name
from headway.spec.carried import flaw_of_text, shown
from headway.spec.validate import is_id

REPORT_BYTES_MAX: Final = OUTCOME_BYTES_MAX + 1024 * 1024  # more than a task can bring
XCOM_KEY_MAX: Final = (
    512  # characters, as in Airflow; it is part of an index, whose rows are limited
)
SECRETS_MAX: Final = 1_000  # in one value
SECRETS_CHARS_MAX: Final = 1024 * 1024
SIZE_MAX: Final = 2**63 - 1  # PostgreSQL's bigint
PATH_MAX: Final = 4_096  # as of Linux
FOLLOW_MAX: Final = 10_000
FOLLOW_CHARS_MAX: Final = 250  # of a task id

CLASSES_MAX: Final = 20  # of an exception
CLASS_MAX: Final = 200  # characters of its name
REASON_MAX: Final = 500  # characters of the words of a policy, as in Airflow

QUEUES_MAX: Final = 64  # of one agent: each costs every tick a little
SLOTS_MAX: Final = 100_000  # of one agent: ticks add up those of all

# Checks the form without making objects, and does not look at the encoding.
CHECK: Final = msgspec.json.Decoder(msgspec.Raw).decode


def flaw_of_hello(hello: Hello) -> str | None:
    """Return why an agent cannot be let in, whatever its token says."""
    if hello.protocol_version not in SPOKEN:
        return (
            f"the agent uses protocol version {hello.protocol_version}, "
            f"this scheduler {PROTOCOL_VERSION}"
        )
    if not 1 <= hello.slots <= SLOTS_MAX:
        return f"the agent has {hello.slots:,} slots; it must have 1 to {SLOTS_MAX:,}"
    if not 1 <= len(hello.queues) <= QUEUES_MAX:
        return f"the agent serves {len(hello.queues):,} queues; it must serve 1 to {QUEUES_MAX}"
    if odd := [queue for queue in hello.queues if not is_id(queue)]:
        return f"the agent serves the queue {odd[0][:40]!a}, which is not a valid name"
    return None


def check_text(*names: str) -> None:
    for name in names:
        if (why := flaw_of_text(name)) is not None:
            raise ValueError(f"a name in its message {why}")


def check_names(told: Reported | Put | By) -> None:
    """Raise ValueError for names that no attempt, wait or watcher has."""
    match told:
        case ByWatcher(key):
            check_text(key.digest)
        case ByAttempt(key, token):
            check_text(key.run_id, key.task_id, token)
        case _:
            check_text(told.key.run_id, told.key.task_id)


def flaw_of_end(message: Ended) -> str | None:
    """Return what of an end cannot be stored, as a clause; None if all of it can."""
    for xcom in message.xcoms:
        if (flaw := flaw_of_result(message.key, xcom)) is not None:
            return flaw
    if message.follow is not None and not may_follow(message.follow):
        return "its branch follows more or longer names than tasks have"
    return None


def flaw_of_result(key: AttemptKey, xcom: XComValue) -> str | None:
    if len(xcom.key) > XCOM_KEY_MAX:
        return f"an XCom has a key of {len(xcom.key):,} characters; the limit is {XCOM_KEY_MAX}"
    if (flaw := flaw_of_text(xcom.key)) is not None:
        return f"the key of an XCom {flaw}"
    if xcom.value is not None and xcom.file is not None:
        flaw = "is both a value and a file"
    elif xcom.value is not None:
        flaw = flaw_of_json(xcom.value)
    elif xcom.file is not None:
        flaw = flaw_of_file(key, xcom.file)
    else:
        flaw = "is neither a value nor a file"
    if flaw is None and xcom.shown is not None:
        flaw = flaw_of_json(xcom.shown)
    if flaw is None:
        flaw = flaw_of_secrets(xcom.secrets)
    if flaw is None and not 0 <= xcom.size <= SIZE_MAX:
        flaw = f"has a size of {xcom.size} bytes"
    if flaw is None and xcom.length is not None and xcom.length < 0:
        flaw = f"has a length of {xcom.length}"
    return None if flaw is None else f"its result {xcom.key!r} {flaw}"


def flaw_of_secrets(secrets: list[str]) -> str | None:
    """Return why what an agent says are secrets cannot be stored. What receives a value masks all of them."""
    if len(secrets) > SECRETS_MAX or sum(map(len, secrets)) > SECRETS_CHARS_MAX:
        return (
            f"holds more than {SECRETS_MAX} secrets, or than {SECRETS_CHARS_MAX:,} characters of them; "
            "return the ids of connections instead"
        )
    return None


def flaw_of_json(value: bytes) -> str | None:
    """Return why this cannot be stored as JSON text. The check of a short one takes less than a microsecond."""
    if len(value) > XCOM_INLINE_BYTES:
        return f"has {len(value):,} bytes outside of a file; the limit is {XCOM_INLINE_BYTES:,}"
    try:
        value.decode()
        CHECK(value)
    except UnicodeDecodeError:
        return "is not UTF-8"
    except msgspec.DecodeError:
        return "is not JSON"
    except RecursionError:
        return "is nested too deep"
    return None


def flaw_of_file(key: AttemptKey, file: str) -> str | None:
    """Return what is wrong with the file of a result. Outside of its run it could be what another team has."""
    folder = f"xcom/{plain_name(key.run_id)}/"
    if len(file) > PATH_MAX or not file.startswith(folder) or ".." in file.split("/"):
        return "is not in the folder of its run"
    if (flaw := flaw_of_text(file)) is not None:
        return f"is in a file whose name {flaw}"
    return None


def may_follow(names: list[str]) -> bool:
    return len(names) <= FOLLOW_MAX and all(len(name) <= FOLLOW_CHARS_MAX for name in names)


def classes(names: list[str]) -> tuple[str, ...]:
    """Return the names of an exception's classes, as far as they can be stored and shown."""
    return tuple(shown(name)[:CLASS_MAX] for name in names[:CLASSES_MAX])


def delay(asked_s: float | None) -> float | None:
    """Return the delay that a policy asks for, unless it is not a number of seconds."""
    usable = asked_s is not None and math.isfinite(asked_s) and asked_s >= 0
    return asked_s if usable else None
