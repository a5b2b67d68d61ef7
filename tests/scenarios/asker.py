"""A running attempt that asks the service of secrets, and the fixtures that it needs. Real ticks start and end it."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, Self

import msgspec
import pytest
from msgspec.structs import replace
from psycopg import Connection

from headway.agent.protocol import Answer, Ask, ByAttempt
from headway.executors.base import Grant
from headway.secrets.keys import Keys, local_keys
from headway.secrets.service import Service
from tests.scenarios.world import Scheduler, key_of


class Asker:
    """A running attempt, and what it asks. ``kind``: of its questions."""

    kind: ClassVar[str]

    def __init__(self, service: Service, scheduler: Scheduler, grant: Grant) -> None:
        self.service = service
        self.team_id, self.session = scheduler.team_id, scheduler.session
        self.by = ByAttempt(key_of(grant), grant.attempt.token or "")
        self.requests = count(1)

    @classmethod
    def running(cls, service: Service, scheduler: Scheduler) -> list[Self]:
        """The attempts that run once ticks have started some."""
        for _ in range(5):
            scheduler.tick()
            if scheduler.held:
                break
            scheduler.later(600)
        return [cls(service, scheduler, grant) for grant in scheduler.held.values()]

    def ask(self, verb: str, key: str = "", **parts: Any) -> Answer:
        secrets, request = parts.pop("secrets", []), parts.pop("request", None)
        name = msgspec.json.encode({"ask": verb, "key": key, **parts}).decode()
        ask = Ask(request or next(self.requests), self.by, self.kind, name, secrets)
        return replace(self.service.answer(self.team_id, self.session, ask), request=1)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return local_keys(tmp_path, None)


@pytest.fixture
def service(dsn: str, tmp_path: Path, keys: Keys) -> Iterator[Service]:
    found = Service(dsn, tmp_path, keys)
    yield found
    found.close()


@pytest.fixture
def scheduler(conn: Connection[Any]) -> Scheduler:
    return Scheduler(conn)
