"""How a child stores what its task returned: small results inline, larger ones in files, giants not at all."""

import os
from collections.abc import Iterable
from itertools import islice
from typing import Final

from headway.agent.orders import RESULT_BYTES_MAX, Order, Output
from headway.agent.paths import xcom_ending
from headway.agent.protocol import XCOM_INLINE_BYTES
from headway.authoring.values import length_of, to_json

WALK_NODES_MAX: Final = 100_000


class TooLarge(Exception):
    """A result is larger than a result may be."""


def store(order: Order, key: str, value: object) -> Output:
    body = b"" if at_least_bytes(value) > RESULT_BYTES_MAX else to_json(value)
    if not 0 < len(body) <= RESULT_BYTES_MAX:
        what = "result" if key == "return_value" else f"XCom {key!r}"
        raise TooLarge(
            f"the {what} of task {order.task_id!r} is larger than {RESULT_BYTES_MAX >> 20} MB: "
            "write it to a file or an object store and return the path"
        )
    if len(body) <= XCOM_INLINE_BYTES:
        return Output(key, body, len(body), length_of(value))
    write_durably(order.xcom + xcom_ending(key), body)
    return Output(key, None, len(body), length_of(value))


def at_least_bytes(value: object) -> int:
    """A cheap lower bound of the JSON's size, so that a giant is refused before it is copied."""
    total, queue = 0, [value]
    for _ in range(WALK_NODES_MAX):
        if not queue or total > RESULT_BYTES_MAX:
            break
        node = queue.pop()
        if isinstance(node, str | bytes | bytearray):
            total += len(node)
        elif isinstance(node, dict):
            total += 4 * len(node)
            queue += first(node.values())
        elif isinstance(node, list | tuple | set | frozenset):
            total += 2 * len(node)
            queue += first(node)
    return total


def first(nodes: Iterable[object]) -> list[object]:
    return list(islice(nodes, WALK_NODES_MAX))


def write_durably(path: str, body: bytes) -> None:
    """Whole or not at all, and still there after a power cut: the report of it is committed later."""
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    partial = f"{path}.{os.getpid()}"
    with open(partial, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
