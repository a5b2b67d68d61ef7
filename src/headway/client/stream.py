"""The live stream: server-sent events as typed values."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from typing import Final, NamedTuple
from urllib.parse import urlencode

import msgspec

from headway import clock, wire
from headway.client.connection import Connection, opened, refusal
from headway.errors import NotReachable

Delta = wire.RunDelta | wire.InstancesDelta | wire.DagDelta | wire.PoolsDelta | wire.LogDelta

SHAPES: Final[dict[str, type[Delta]]] = {
    "run": wire.RunDelta,
    "task_instance": wire.InstancesDelta,
    "dag": wire.DagDelta,
    "pool": wire.PoolsDelta,
    "log": wire.LogDelta,
}
PAUSE_S: Final = 0.5
TRIES_MAX: Final = 20  # in a row without an answer


class Change(NamedTuple):
    """``delta`` None: ``ready`` (fetch what you show, then follow) or ``reset`` (fetch it again)."""

    event: str
    delta: Delta | None


class Changes(Connection):
    def watch(self, **wanted: str | int | None) -> Iterator[Change]:
        """Yield changes endlessly, across lost connections. Filters: run_id, dag_id, topics, task_id,
        map_index, attempt.

        Raises:
            NotReachable: nobody answers, again and again.
        """
        position, failed = "", 0
        while True:
            query = {name: value for name, value in wanted.items() if value is not None}
            if position:
                query["last_event_id"] = position
            try:
                with closing(opened(self.url)) as connection:
                    connection.request(
                        "GET", f"/api/v1/stream?{urlencode(query)}", None, self._headers
                    )
                    response = connection.getresponse()
                    if response.status >= 400:
                        raise refusal(response, response.read())
                    for change, at in changes(response):
                        position, failed = at or position, 0
                        if change is not None:
                            yield change
            except (http.client.HTTPException, OSError) as error:
                failed += 1
                if failed == TRIES_MAX:
                    raise NotReachable(f"the server at {self.url} does not answer") from error
            clock.sleep(PAUSE_S)


def changes(response: http.client.HTTPResponse) -> Iterator[tuple[Change | None, str]]:
    """Yield each event with its position; None: only the position moved."""
    block: dict[str, str] = {}
    while line := response.readline():
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            block[name] = value
            continue
        event, position = block.get("event"), block.get("id", "")
        shape = SHAPES.get(event or "")
        delta = msgspec.json.decode(block["data"], type=shape) if shape is not None else None
        yield (Change(event, delta) if event else None), position
        block = {}
