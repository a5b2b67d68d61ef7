"""The executor's side of the Kubernetes API: a thread with a loop of its own, so that no API server holds up a tick.

It follows the pods of each namespace and carries out requests. All it finds out goes into one queue, which the
scheduler's thread takes in (``take``): what is known of the cluster changes in that thread only.
Rule 1: state comes from a LIST, at the start, when a watch ends and after a 410; a watch only brings it sooner.
Rule 2: a request is made once. Who wants it again sees from the state that it is still wanted.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar, cast

import httpx2
from lightkube import ApiError, AsyncClient
from lightkube.resources.authentication_v1 import TokenReview
from lightkube.resources.core_v1 import Pod as PodObject

from headway import clock, ids
from headway.executors.kubernetes.background import Background
from headway.executors.kubernetes.final import Denied
from headway.executors.kubernetes.names import INSTALL, value
from headway.executors.kubernetes.pods import Pod, Ref
from headway.executors.kubernetes.settings import AUDIENCE
from headway.executors.kubernetes.tally import Tally
from headway.executors.kubernetes.views import view

log = logging.getLogger(__name__)

WATCH_S: Final = 300.0  # after which we list again: a watch may be silent for ever
STEADY_S: Final = 60.0  # who could be followed for so long is no longer in trouble
LIST_MAX: Final = 500  # pods in one answer
GONE: Final = 410  # what was to be watched from is no longer known
BACKOFF_S_MIN: Final = 0.2
BACKOFF_S_MAX: Final = 15.0
REQUESTS_MAX: Final = 32  # at once
TAKE_S: Final = 0.1  # of a turn of the loop

DENIED: Final = "Denied"  # by Headway itself

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request had no success. ``code`` is 0 if there was no answer: it may have acted or not."""

    code: int
    reason: str
    message: str

    @property
    def is_quota(self) -> bool:
        return self.code == 403 and "exceeded quota" in self.message

    @property
    def is_final(self) -> bool:
        """The object itself is wrong: it would be refused again."""
        return self.code in (400, 422) or self.reason == DENIED


@dataclass(frozen=True, slots=True)
class Proof:
    """The identity of a pod, as the API server reads its token."""

    namespace: str
    name: str
    uid: str


class Cluster:
    def __init__(self, client: AsyncClient, install: str, ring: Callable[[], None]) -> None:
        self.client = client
        self.labels = {INSTALL: value(install)}
        self.ring = ring
        self.pods: dict[str, dict[str, Pod]] = {}  # by namespace and name, once it was listed
        self.tallies: dict[str, Tally] = {}  # of these
        self.news: set[Ref] = set()  # pods that changed
        self.troubles: dict[str, str] = {}  # of namespaces that cannot be followed
        self.inbox: deque[Callable[[], None]] = deque()
        self.followed: set[str] = set()
        self.asked = 0  # requests without an answer so far
        self.slots = asyncio.Semaphore(REQUESTS_MAX)
        self.background = Background("kubernetes")

    # -- in the scheduler's thread

    def take(self) -> bool:
        """Take in what came, for a while: leases are renewed in between, however many pods there are.

        False: nothing came.
        """
        found = bool(self.inbox)
        until = clock.monotonic() + TAKE_S
        while self.inbox:
            self.inbox.popleft()()
            if clock.monotonic() >= until:
                self.ring()
                break
        return found

    def follow(self, namespace: str) -> None:
        if namespace not in self.followed:
            self.followed.add(namespace)
            self.background.spawn(self.following(namespace))

    def create(
        self,
        make: Callable[[], Awaitable[dict[str, Any]]],
        done: Callable[[Pod | Refusal], None],
    ) -> None:
        """Create the pod that ``make`` returns, unless it is denied."""

        async def carry_out() -> None:
            try:
                manifest = await make()
            except Exception as error:
                if not isinstance(error, Denied):
                    log.exception("a pod could not be made")
                told = str(error) if isinstance(error, Denied) else f"internal error: {error}"
                refusal = Refusal(0, DENIED, told)
                self.tell(partial(self.answered, partial(done, refusal)))
                return

            async def work() -> Pod:
                return view(
                    await self.client.create(cast(PodObject, PodObject.from_dict(manifest)))
                )

            await self.carry_out(work, done)

        self.asked += 1
        self.background.spawn(carry_out())

    def delete(self, pod: Pod, done: Callable[[Refusal | None], None], grace_s: int | None) -> None:
        async def work() -> None:
            await self.client.delete(
                PodObject, pod.name, namespace=pod.namespace, grace_period=grace_s
            )

        self.ask(work, done)

    def review(
        self,
        token: str,
        done: Callable[[Proof | Refusal | None], None],
        is_there: Callable[[], bool],
    ) -> None:
        """Ask whose token it is. None: it is nobody's, or not meant for us, or who has it has left meanwhile."""
        question = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": [AUDIENCE]},
        }

        async def work() -> Proof | None:
            if not is_there():
                return None
            return proof(
                await self.client.create(cast(TokenReview, TokenReview.from_dict(question)))
            )

        self.ask(work, done)

    def close(self) -> None:
        self.background.close(self.client.close)

    def ask(self, work: Callable[[], Awaitable[T]], done: Callable[[T | Refusal], None]) -> None:
        self.asked += 1
        self.background.spawn(self.carry_out(work, done))

    async def carry_out(
        self, work: Callable[[], Awaitable[T]], done: Callable[[T | Refusal], None]
    ) -> None:
        answer: T | Refusal
        async with self.slots:
            try:
                answer = await attempted(work)
            except Exception as error:  # our mistake: who asked must get an answer
                log.exception("a request to the API server could not be made or read")
                answer = Refusal(0, "Error", f"{type(error).__name__}: {error}")
        self.tell(partial(self.answered, partial(done, answer)))

    def answered(self, done: Callable[[], None]) -> None:
        self.asked -= 1
        done()

    def tally(self, namespace: str) -> Tally:
        """Return what the pods of a namespace hold."""
        return self.tallies.setdefault(namespace, Tally())

    def put(self, pod: Pod) -> None:
        pods = self.pods.setdefault(pod.namespace, {})
        self.tally(pod.namespace).change(pods.get(pod.name), pod)
        pods[pod.name] = pod
        self.news.add(pod.ref)

    def drop(self, ref: Ref) -> None:
        namespace, name = ref
        before = self.pods.get(namespace, {}).pop(name, None)
        self.tally(namespace).change(before, None)
        self.news.add(ref)

    def replace(self, namespace: str, pods: dict[str, Pod]) -> None:
        self.news.update((namespace, name) for name in {**self.pods.get(namespace, {}), **pods})
        self.pods[namespace] = pods
        self.tallies[namespace] = Tally.of(pods.values())
        if self.troubles.pop(namespace, None) is not None:
            log.info("namespace %s can be followed again", namespace)

    def fail(self, namespace: str, refusal: Refusal) -> None:
        if self.troubles.get(namespace) != refusal.message:
            log.warning("cannot follow the pods of namespace %s: %s", namespace, refusal.message)
        self.troubles[namespace] = refusal.message

    # -- in the loop's thread

    def tell(self, what: Callable[[], None]) -> None:
        self.inbox.append(what)
        self.ring()

    async def following(self, namespace: str) -> None:
        backoff_s, now = BACKOFF_S_MIN, asyncio.get_running_loop().time
        while True:
            began = now()
            refusal = await attempted(lambda: self.follow_once(namespace))
            if refusal is None or now() - began > STEADY_S:
                backoff_s = BACKOFF_S_MIN
            if refusal is not None and refusal.code != GONE:
                self.tell(partial(self.fail, namespace, refusal))
            await asyncio.sleep(backoff_s * (0.5 + ids.fraction()))
            backoff_s = min(2 * backoff_s, BACKOFF_S_MAX)

    async def follow_once(self, namespace: str) -> None:
        """List the pods, then tell what changes until the watch ends."""
        listing = self.client.list(
            PodObject, namespace=namespace, labels=dict(self.labels), chunk_size=LIST_MAX
        )
        found = {pod.name: pod for pod in [view(each) async for each in listing]}
        version = listing.resourceVersion
        self.tell(partial(self.replace, namespace, found))
        changes = self.client.watch(
            PodObject,
            namespace=namespace,
            labels=dict(self.labels),
            resource_version=version,
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(WATCH_S):
                await self.pass_on(changes)

    async def pass_on(self, changes: AsyncIterable[tuple[str, PodObject]]) -> None:
        """A watch that ends is opened again, from where it was, by the library."""
        async for kind, found in changes:
            pod = view(found)
            if kind == "DELETED":
                self.tell(partial(self.drop, pod.ref))
            elif kind in ("ADDED", "MODIFIED"):
                self.tell(partial(self.put, pod))


async def attempted(work: Callable[[], Awaitable[T]]) -> T | Refusal:
    """Return what ``work`` returned, or why the API server did not do it."""
    try:
        return await work()
    except ApiError as error:
        status = error.status
        return Refusal(status.code or 0, status.reason or "", status.message or str(error))
    except httpx2.HTTPStatusError as error:
        code = error.response.status_code
        return Refusal(code, "", f"the API server answered {code}")
    except (httpx2.HTTPError, OSError) as error:
        why = str(error) or type(error).__name__
        return Refusal(0, "Unreachable", f"the API server cannot be reached: {why}")


def proof(review: TokenReview) -> Proof | None:
    status = review.status
    if status is None or not status.authenticated or AUDIENCE not in (status.audiences or ()):
        return None
    user = status.user
    if user is None or not (user.username or "").startswith("system:serviceaccount:"):
        return None
    extra = user.extra or {}
    name = extra.get("authentication.kubernetes.io/pod-name") or []
    uid = extra.get("authentication.kubernetes.io/pod-uid") or []
    if len(name) != 1 or len(uid) != 1:
        return None
    assert user.username is not None
    return Proof(user.username.split(":")[2], name[0], uid[0])
