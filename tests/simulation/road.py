"""The way from a scheduler to the API server of a simulated cluster: the real client, over a transport of ours.

A request takes its time. It is refused, or lost on its way there or back; one that nobody waits for any more may act
all the same. A watch lags, falls silent, breaks, ends, and repeats itself.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx2
from lightkube import AsyncClient, KubeConfig
from lightkube.config.models import Cluster, User

from headway.executors.kubernetes.settings import Settings
from tests.kubernetes.fake.server import ApiServer, Target, turned
from tests.kubernetes.fake.status import Refused

if TYPE_CHECKING:
    from tests.simulation.pods import Pods

NEVER: Final = float("inf")
IN_A_SECOND_MAX: Final = 400  # requests of one scheduler
PLACE: Final = Cluster(server="http://cluster", insecure=True)
JSON: Final = {"content-type": "application/json"}
REFUSALS: Final = (
    Refused(429, "TooManyRequests", "the server is busy", 1),
    Refused(500, "InternalError", "etcdserver: request timed out"),
    Refused(503, "ServiceUnavailable", "apiserver is shutting down"),
    Refused(504, "Timeout", "the server was unable to return a response in time"),
    Refused(403, "Forbidden", "is forbidden by a role that is being changed"),
)
OF_CREATES: Final = (
    Refused(409, "Conflict", "Operation cannot be fulfilled on resourcequotas: modified"),
    Refused(
        403,
        "Forbidden",
        "exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3",
    ),
)


class Fate(NamedTuple):
    """What becomes of a request. ``survives``: the death of who sent it."""

    acts_in_s: float = 0.0
    answers: bool = True
    refusal: Refused | None = None
    survives: bool = True


class Request:
    def __init__(self, road: "Road", given: httpx2.Request, fate: Fate) -> None:
        self.road = road
        self.fate = fate
        self.method, self.path = given.method, given.url.path
        self.query = dict(given.url.params)
        self.content = given.headers.get("content-type", "")
        self.body = given.content
        self.at = road.world.elapsed + fate.acts_in_s
        self.answer: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()

    def tell(self, code: int, answer: Any) -> None:
        if self.fate.answers and not self.road.is_closed and not self.answer.done():
            self.answer.set_result((code, json.dumps(answer).encode()))


class Watch(httpx2.AsyncByteStream):
    def __init__(self, road: "Road", given: httpx2.Request) -> None:
        self.road = road
        self.target = Target(given.url.path)
        query = dict(given.url.params)
        self.wanted = road.api.server.selected(self.target, query)
        self.version = int(query["resourceVersion"])
        self.lines: deque[bytes] = deque()
        self.silent_until = 0.0
        self.end: str = ""
        self.waker: asyncio.Future[None] | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            while self.lines:
                yield self.lines.popleft()
            if self.end == "break":
                raise httpx2.ReadError("the connection was reset")
            if self.end:
                return
            self.waker = asyncio.get_running_loop().create_future()
            await self.waker

    async def aclose(self) -> None:
        self.road.api.watches.pop(self, None)

    def wake(self) -> None:
        if self.waker is not None and not self.waker.done():
            self.waker.set_result(None)

    def cut(self, how: str) -> None:
        self.end = how
        self.wake()

    def feed(self) -> bool:
        """Pass on what has happened. False: nothing."""
        world = self.road.world
        if self.end or world.elapsed < self.silent_until:
            return False
        try:
            events = self.road.api.server.store.since(self.version)
        except Refused as gone:
            self.put("ERROR", gone.body())
            self.cut("end")
            return True
        if events and world.happens(0.1):
            self.silent_until = world.elapsed + world.chance.choice([0.5, 3.0, 20.0])
            return False
        for version, event, kind, made, before in events:
            self.version = version
            if kind is self.target.kind and (told := turned(event, made, before, self.wanted)):
                for _ in range(1 + world.happens(0.05)):
                    self.put(told, made)
        return bool(events)

    def put(self, event: str, found: Any) -> None:
        self.lines.append(json.dumps({"type": event, "object": found}).encode() + b"\n")
        self.wake()


class Api:
    """The API server, and what is on its way there."""

    def __init__(self, world: "Pods") -> None:
        self.world = world
        self.server = ApiServer()
        self.server.ca = ""
        self.server.store.new_uid = lambda: world.new_id("uid")
        self.requests: list[Request] = []
        self.watches: dict[Watch, None] = {}
        self.away_until = 0.0

    def fate(self, method: str, path: str) -> Fate:
        world, chance = self.world, self.world.chance
        if world.elapsed < self.away_until:
            return Fate(NEVER, answers=False)
        if not world.happens(0.2):
            return Fate()
        survives = chance.random() < 0.5
        kind = chance.choice(["refused", "refused", "slow", "slow", "lost", "unanswered", "late"])
        world.note(f"{method} {path.rpartition('/')[2]}: {kind}")
        match kind:
            case "refused":
                is_create = method == "POST" and path.endswith("/pods")
                refusal = chance.choice(REFUSALS + OF_CREATES * (2 * is_create))
                return Fate(refusal=refusal)
            case "slow":
                return Fate(chance.choice([0.2, 1.0, 4.0]), survives=survives)
            case "lost":
                return Fate(NEVER, answers=False)
            case "unanswered":
                return Fate(chance.choice([0.0, 1.0]), answers=False, survives=survives)
        return Fate(chance.choice([6.0, 20.0, 60.0]), answers=False, survives=survives)

    def turn(self) -> bool:
        """Carry out what has arrived, and tell who watches. False: there was nothing."""
        now = self.world.elapsed
        due = [each for each in self.requests if each.at <= now]
        self.requests = [each for each in self.requests if each.at > now]
        for request in due:
            self.carry_out(request)
        fed = [watch.feed() for watch in list(self.watches)]
        return bool(due) or any(fed)

    def carry_out(self, request: Request) -> None:
        if request.road.is_closed and not request.fate.survives:
            return
        try:
            if request.fate.refusal is not None:
                raise request.fate.refusal
            self.world.before(request)
            found = self.server.answer(
                request.method, request.path, request.query, request.content, request.body
            )
        except Refused as refused:
            found = refused.code, refused.body()
        self.world.after(request, found[0])
        request.tell(*found)

    def drop(self, road: "Road") -> None:
        """Who stood at its other end has died."""
        road.is_closed = True
        for watch in [each for each in self.watches if each.road is road]:
            del self.watches[watch]


class Road(httpx2.AsyncBaseTransport):
    """Of one life of a scheduler."""

    def __init__(self, world: "Pods") -> None:
        self.world = world
        self.api = world.api
        self.is_closed = False
        self.times: deque[float] = deque(maxlen=IN_A_SECOND_MAX)

    def client(self, settings: Settings) -> AsyncClient:
        return AsyncClient(
            KubeConfig.from_one(cluster=PLACE, user=User()).get(),
            timeout=httpx2.Timeout(settings.request_timeout_s),
            field_manager=settings.install,
            trust_env=False,
            transport=self,
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.count()
        fate = self.api.fate(request.method, request.url.path)
        is_watch = request.url.params.get("watch") == "true"
        if is_watch and fate == Fate():
            return self.watch(request)
        if is_watch and fate.answers and fate.refusal is None:
            fate = Fate(refusal=REFUSALS[2])
        asked = Request(self, request, fate)
        if fate.acts_in_s < NEVER:
            self.api.requests.append(asked)
        timeout_s = request.extensions["timeout"]["read"] or request.extensions["timeout"]["pool"]
        try:
            async with asyncio.timeout(timeout_s):
                code, body = await asked.answer
        except TimeoutError:
            raise httpx2.ReadTimeout("no answer", request=request) from None
        return httpx2.Response(code, headers=JSON, content=body, request=request)

    def watch(self, request: httpx2.Request) -> httpx2.Response:
        watch = Watch(self, request)
        self.api.watches[watch] = None
        return httpx2.Response(200, headers=JSON, stream=watch, request=request)

    def count(self) -> None:
        now = self.world.elapsed
        if len(self.times) == IN_A_SECOND_MAX and now - self.times[0] < 1.0:
            self.world.violations.append(f"S7 {IN_A_SECOND_MAX} requests in a second")
        self.times.append(now)
