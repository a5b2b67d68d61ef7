"""A reader of server-sent events, for tests: events as they come, with their positions."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.api.conftest import TOKEN

PATIENCE_S = 20.0


@dataclass
class Said:
    event: str
    data: Any


@dataclass
class Listening:
    response: http.client.HTTPResponse
    position: str = ""
    _block: dict[str, str] = field(default_factory=dict)

    def next(self, event: str | None = None) -> Said:
        """The next event, or the next of that name."""
        while True:
            line = self.response.readline()
            if not line:
                raise EOFError("the stream has ended")
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                self._block[name] = value
                continue
            block, self._block = self._block, {}
            self.position = block.get("id", self.position)
            if "event" in block and event in (None, block["event"]):
                return Said(block["event"], json.loads(block["data"]))

    def rest(self) -> Iterator[Said]:
        while True:
            try:
                yield self.next()
            except EOFError:
                return


@contextmanager
def listening(
    url: str,
    position: str | None = None,
    headers: dict[str, str] | None = None,
    **query: object,
) -> Iterator[Listening]:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=PATIENCE_S)
    """``headers``: who asks; left out, whoever can read the data directory."""
    headers = dict(headers or {"Authorization": f"Bearer {TOKEN}"})
    if position is not None:
        headers["Last-Event-ID"] = position
    try:
        connection.request("GET", f"/api/v1/stream?{urlencode(query)}", None, headers)
        response = connection.getresponse()
        assert response.status == 200, response.read()
        yield Listening(response)
    finally:
        connection.close()
