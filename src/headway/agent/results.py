"""Results as a child stores them: small ones inline, larger ones in files, giants not at all."""

import contextlib
import os
from collections.abc import Iterator
from typing import Final

from headway.agent.orders import RESULT_BYTES_MAX, Order, Output
from headway.agent.protocol import XCOM_INLINE_BYTES
from headway.authoring.values import length_of, to_json
from headway.paths import xcom_ending

handed: set[str] = set()  # secrets that this process was handed
WALK_NODES_MAX: Final = 2_000_000  # under a second; what is larger takes longer to write
END: Final = object()
TEXT: Final = (str, bytes, bytearray)
LISTS: Final = (list, tuple, set, frozenset)


class TooLarge(Exception):
    """A result that exceeds the size limit."""


class NotStored(Exception):
    """The file of a result cannot be written."""


def store(order: Order, key: str, value: object) -> Output:
    body = b"" if at_least_bytes(value) > RESULT_BYTES_MAX else to_json(value)
    if not 0 < len(body) <= RESULT_BYTES_MAX:
        what = "result" if key == "return_value" else f"XCom {key!r}"
        raise TooLarge(
            f"the {what} of task {order.task_id!r} is larger than {RESULT_BYTES_MAX >> 20} MB: "
            f"write it to a file or an object store and return its path"
        )
    if len(body) <= XCOM_INLINE_BYTES:
        return Output(key, body, len(body), length_of(value))
    mask = os.umask(0o077)  # the task may have left another one
    try:
        write_durably(order.xcom + xcom_ending(key), body)
    except OSError as error:
        raise NotStored(
            f"the result of {len(body):,} bytes cannot be stored: {error.strerror}; to check the "
            f"disk, run: headway doctor"
        ) from error
    finally:
        os.umask(mask)
    return Output(key, None, len(body), length_of(value), sorted(revealed(body)) if handed else [])


def revealed(body: bytes) -> set[str]:
    """Return the secrets in a large result. The process of the task looks for them: it would hold up the agent."""
    from headway.agent.masking import Masker  # only where there are secrets

    return Masker(handed).held(body)


def at_least_bytes(value: object) -> int:
    """Return a cheap lower bound of the JSON's size, to refuse huge results before copying them."""
    total, left = 0, WALK_NODES_MAX
    open_nodes: list[Iterator[object]] = [iter((value,))]
    while open_nodes and left > 0 and total <= RESULT_BYTES_MAX:
        node = next(open_nodes[-1], END)
        left -= 1
        if node is END:
            open_nodes.pop()
        elif isinstance(node, TEXT):
            total += len(node)
        elif isinstance(node, dict):
            total += 4 * len(node)
            open_nodes.append(iter(node.values()))
        elif isinstance(node, LISTS):
            total += 2 * len(node)
            open_nodes.append(iter(node))
    return total


def write_durably(path: str, body: bytes) -> None:
    """Write the file atomically and durably, because its report is committed later."""
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    partial = f"{path}.{os.getpid()}"
    try:
        with open(partial, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(partial)
        raise
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
