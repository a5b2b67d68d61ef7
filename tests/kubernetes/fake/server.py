"""The fake API server: HTTP before a ``Store``, by uvicorn in a thread, on loopback only.

It has two doors: one for the tests and schedulers, with neither sign-in nor TLS, and one for pods, with both.
"""

import asyncio
import itertools
import json
import socket
import tempfile
import threading
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import uvicorn
import yaml  # type: ignore[import-untyped]

from tests.certificates import authority
from tests.kubernetes.fake import access, admission, logs, patches
from tests.kubernetes.fake.containers import Log
from tests.kubernetes.fake.faults import Faults
from tests.kubernetes.fake.kinds import ACCOUNT, BY_PATH, CONFIG, NAMESPACE, POD, QUOTA, Kind
from tests.kubernetes.fake.selectors import matches
from tests.kubernetes.fake.status import Refused, gone
from tests.kubernetes.fake.store import Object, Store
from tests.kubernetes.fake.tokens import Tokens

BOOKMARK_S: Final = 1.0
REVIEW: Final = "/apis/authentication.k8s.io/v1/tokenreviews"

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Target:
    """What a path leads to."""

    def __init__(self, path: str) -> None:
        parts = path.strip("/").split("/")
        group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
        version = parts[1] if parts[0] == "api" else parts[2]
        self.namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
            self.namespace, rest = rest[1], rest[2:]
        found = BY_PATH.get((group, version, rest[0]))
        if found is None:
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        self.kind = found
        self.name = rest[1] if len(rest) > 1 else ""
        self.sub = rest[2] if len(rest) > 2 else ""


class ApiServer:
    def __init__(self) -> None:
        self.store = Store()
        self.faults = Faults()
        self.tokens = Tokens(self.store)
        self.logs: dict[str, dict[str, Log]] = {}  # of containers, by the UID of their pod
        self.addresses = itertools.count(1)
        self.log_breaks = 0  # logs that are being read end without their rest when it changes
        self.log_reads: list[dict[str, str]] = []  # what was asked for
        self.pages: dict[str, tuple[int, list[Object]]] = {}  # what a list goes on with
        self.requests: list[str] = []
        self.graces: list[int | None] = []  # of deletions, as they were asked for
        self.wakers: set[asyncio.Event] = set()
        self.webhooks: list[Callable[[Object], None]] = []  # which change pods that are created
        self.is_away = False  # nobody is answered
        self.store.listeners.append(self.wake)
        self.loop: asyncio.AbstractEventLoop | None = None

    # -- life

    def start(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.door = socket.create_server(("127.0.0.1", 0))
        self.inside = "127.0.0.1", int(self.door.getsockname()[1])  # what pods are told
        self.folder = tempfile.TemporaryDirectory()
        trusted = authority(Path(self.folder.name))
        certificate, key = trusted.sign("server", "127.0.0.1")
        self.ca = trusted.ca.read_text()
        usual: dict[str, Any] = {
            "log_config": None,
            "lifespan": "off",
            "interface": "asgi3",
            "timeout_graceful_shutdown": 1,
            "ws": "none",
        }
        self.uvicorn = uvicorn.Server(uvicorn.Config(self.app, **usual))
        signed: dict[str, Any] = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}
        self.secured = uvicorn.Server(uvicorn.Config(self.app, **usual, **signed))
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run, name="fake kubernetes", daemon=True)
        self.thread.start()
        assert self.ready.wait(60)

    def run(self) -> None:
        async def serve() -> None:
            self.loop = asyncio.get_running_loop()
            self.ready.set()
            await asyncio.gather(
                self.uvicorn.serve(sockets=[self.socket]), self.secured.serve(sockets=[self.door])
            )

        asyncio.run(serve())

    def stop(self) -> None:
        self.uvicorn.should_exit = self.secured.should_exit = True
        self.wake()
        self.thread.join()
        self.socket.close()
        self.door.close()
        self.folder.cleanup()

    def wake(self) -> None:
        if self.loop is not None and not self.loop.is_closed():
            with suppress(RuntimeError):  # it closes at this moment
                self.loop.call_soon_threadsafe(self.wake_all)

    def wake_all(self) -> None:
        for each in self.wakers:
            each.set()

    def kubeconfig(self, file: Path) -> Path:
        """Write a file that leads here."""
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "fake"}}],
            "clusters": [{"name": "fake", "cluster": {"server": self.url}}],
            "users": [{"name": "fake", "user": {"token": "fake"}}],
        }
        file.write_text(yaml.safe_dump(content))
        return file

    def address(self) -> str:
        """Return an address for a pod, which no other one has."""
        number = next(self.addresses)
        return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"

    # -- a request

    async def app(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        query = {k: v[-1] for k, v in parse_qs(scope["query_string"].decode()).items()}
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        body = await whole(receive)
        self.requests.append(f"{method} {path}")
        fault = self.faults.meet(method, path)
        if self.is_away or (fault is not None and fault.how == "hang"):
            return await hang(receive)
        try:
            if fault is not None and fault.refusal is not None:
                raise fault.refusal
            if scope["scheme"] == "https":
                access.check(self.tokens, self.store, headers, method, Target(path))
            if query.get("watch") in ("true", "1"):
                return await self.watch(Target(path), query, receive, send)
            if method == "GET" and path.endswith("/log") and Target(path).sub == "log":
                return await self.tell_log(Target(path), query, receive, send)
            code, answer = self.answer(method, path, query, headers.get("content-type", ""), body)
        except Refused as refused:
            return await reply(send, refused.code, refused.body(), refused.retry_after_s)
        if fault is not None:
            return await hang(receive)
        return await reply(send, code, answer)

    def answer(
        self, method: str, path: str, query: dict[str, str], content: str, body: bytes
    ) -> tuple[int, Any]:
        if path == "/version":
            return 200, {"major": "1", "minor": "34", "gitVersion": "v1.34.0+fake"}
        given = (yaml.safe_load(body) if "yaml" in content else json.loads(body)) if body else {}
        if path == REVIEW and method == "POST":
            return 201, self.tokens.review(given)
        target = Target(path)
        if method == "GET":
            return 200, self.read(target, query)
        if method == "POST":
            return 201, self.post(target, given)
        if method == "PUT":
            return 200, self.put(target, given)
        if method == "PATCH":
            return self.patch(target, given, query, content)
        if method == "DELETE":
            return 200, self.delete(target, given, query)
        raise Refused(405, "MethodNotAllowed", "the server does not allow this method")

    def read(self, target: Target, query: dict[str, str]) -> Any:
        if not target.name:
            return self.listing(target, query)
        found = self.store.get(target.kind, target.namespace, target.name)
        if target.kind is QUOTA:
            found["status"] = admission.counted(self.store, found)
        return found

    async def tell_log(
        self, target: Target, query: dict[str, str], receive: Receive, send: Send
    ) -> None:
        self.log_reads.append(query)
        pod = self.store.get(POD, target.namespace, target.name)
        log = logs.chosen(pod, query, self.logs.get(pod["metadata"]["uid"], {}))
        await send({"type": "http.response.start", "status": 200, "headers": TEXT})
        breaks = self.log_breaks
        parting = asyncio.ensure_future(receive())

        def goes_on() -> bool:
            return not parting.done() and breaks == self.log_breaks and not self.uvicorn.should_exit

        try:
            with suppress(OSError):
                if log is not None:
                    async for part in logs.told(log, query, goes_on):
                        body = {"type": "http.response.body", "body": part, "more_body": True}
                        await send(body)
                if goes_on():
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            parting.cancel()

    def listing(self, target: Target, query: dict[str, str]) -> Object:
        labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
        if (token := query.get("continue")) is not None:
            version, found = self.pages.pop(token, (0, []))
            if version < self.store.oldest:
                raise gone(version, self.store.oldest)
        else:
            found, version = self.store.peek(target.kind, target.namespace)
            found = [each for each in found if matches(each, labels, fields)]
        limit = int(query.get("limit", 0)) or len(found)
        meta: dict[str, Any] = {"resourceVersion": str(version)}
        if len(found) > limit:
            meta |= {"continue": uuid.uuid4().hex, "remainingItemCount": len(found) - limit}
            self.pages[meta["continue"]] = (version, found[limit:])
        kind = target.kind
        return {
            "apiVersion": kind.api_version,
            "kind": f"{kind.kind}List",
            "metadata": meta,
            "items": found[:limit],
        }

    def post(self, target: Target, given: Object) -> Object:
        if target.kind is ACCOUNT and target.sub == "token":
            return self.tokens.request(target.namespace, target.name, given)
        self.place(target, given)
        with self.store.lock:
            return self.create(target.kind, given)

    def create(self, kind: Kind, given: Object) -> Object:
        admission.check(kind, given)
        if kind is POD:
            for change in self.webhooks:
                change(given)
            admission.admit(self.store, given)
            given["status"] = {"phase": "Pending", "conditions": []}
        if kind is QUOTA:
            given["status"] = admission.counted(self.store, given)
        if kind is NAMESPACE:
            labels = given["metadata"].setdefault("labels", {})
            labels["kubernetes.io/metadata.name"] = given["metadata"]["name"]
        made = self.store.create(kind, given)
        if kind is NAMESPACE:  # a controller does that
            meta = {"name": "default", "namespace": made["metadata"]["name"]}
            self.store.create(ACCOUNT, {"metadata": meta})
            meta = {"name": "kube-root-ca.crt", "namespace": made["metadata"]["name"]}
            self.store.create(CONFIG, {"metadata": meta, "data": {"ca.crt": self.ca}})
        return made

    def place(self, target: Target, given: Object) -> None:
        meta = given.setdefault("metadata", {})
        if target.kind.namespaced:
            if meta.get("namespace", target.namespace) != target.namespace:
                why = "the namespace of the provided object does not match the namespace sent on the request"
                raise Refused(400, "BadRequest", why)
            meta["namespace"] = target.namespace
        if target.name and meta.get("name", target.name) != target.name:
            raise Refused(
                400, "BadRequest", "the name of the object does not match the name on the URL"
            )
        if target.name:
            meta["name"] = target.name

    def put(self, target: Target, given: Object) -> Object:
        self.place(target, given)
        admission.check(target.kind, given)
        return self.store.replace(target.kind, self.half(target, given))

    def half(self, target: Target, given: Object) -> Object:
        """Only the status changes by ``…/status``, and only the rest by the object's own path."""
        known = self.store.get(target.kind, target.namespace, target.name)
        if target.sub == "status":
            meta = {
                **known["metadata"],
                "resourceVersion": given["metadata"].get("resourceVersion"),
            }
            meta = {k: v for k, v in meta.items() if v is not None}
            return {**known, "metadata": meta, "status": given.get("status", {})}
        return {**given, "status": known["status"]} if "status" in known else given

    def patch(
        self, target: Target, given: Any, query: dict[str, str], content: str
    ) -> tuple[int, Object]:
        with self.store.lock:
            if "apply-patch" in content:
                return self.apply(target, given, query)
            if "merge-patch" not in content:
                raise Refused(415, "UnsupportedMediaType", f"the fake does not know {content}")
            known = self.store.get(target.kind, target.namespace, target.name)
            made = patches.merged(known, given)
            version = given.get("metadata", {}).get("resourceVersion")
            made["metadata"]["resourceVersion"] = version or known["metadata"]["resourceVersion"]
            admission.check(target.kind, made)
            return 200, self.store.replace(target.kind, self.half(target, made))

    def apply(self, target: Target, given: Object, query: dict[str, str]) -> tuple[int, Object]:
        manager = query.get("fieldManager")
        if not manager:
            raise Refused(400, "BadRequest", "fieldManager is required for apply patch")
        self.place(target, given)
        try:
            known = self.store.get(target.kind, target.namespace, target.name)
        except Refused:
            known = None
        made = patches.applied(known, given, manager, force=query.get("force") == "true")
        made["metadata"] |= {"name": target.name}
        if target.kind.namespaced:
            made["metadata"]["namespace"] = target.namespace
        if known is None:
            return 201, self.create(target.kind, made)
        admission.check(target.kind, made, known)
        return 200, self.store.replace(target.kind, made)

    def delete(self, target: Target, given: Object, query: dict[str, str]) -> Object:
        if not target.name:
            found = self.listing(target, {**query, "limit": "0"})["items"]
            for each in found:
                meta = each["metadata"]
                self.store.delete(target.kind, meta["namespace"], meta["name"])
            return {"kind": "Status", "apiVersion": "v1", "status": "Success"}
        known = self.store.get(target.kind, target.namespace, target.name)
        uid = given.get("preconditions", {}).get("uid", known["metadata"]["uid"])
        if uid != known["metadata"]["uid"]:
            raise Refused(
                409, "Conflict", "the UID in the precondition does not match the UID in record"
            )
        grace = query.get("gracePeriodSeconds", given.get("gracePeriodSeconds"))
        grace_s = None if grace is None else int(grace)
        self.graces.append(grace_s)
        return self.store.delete(target.kind, target.namespace, target.name, grace_s)

    # -- watches

    async def watch(
        self, target: Target, query: dict[str, str], receive: Receive, send: Send
    ) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": JSON})
        waker = asyncio.Event()
        self.wakers.add(waker)
        parting = asyncio.ensure_future(receive())
        try:
            until = asyncio.get_running_loop().time() + float(query.get("timeoutSeconds", 3600))
            with suppress(OSError):
                await self.pass_on(target, query, send, waker, parting, until)
                if not parting.done():
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self.wakers.discard(waker)
            parting.cancel()

    async def pass_on(
        self,
        target: Target,
        query: dict[str, str],
        send: Send,
        waker: asyncio.Event,
        parting: "asyncio.Future[Any]",
        until: float,
    ) -> None:
        async def tell(event: str, found: Object) -> None:
            line = json.dumps({"type": event, "object": found}).encode() + b"\n"
            await send({"type": "http.response.body", "body": line, "more_body": True})

        wanted = self.selected(target, query)
        version = int(query.get("resourceVersion") or 0)
        if version == 0:
            found, version = self.store.every(target.kind, target.namespace)
            for each in found:
                if wanted(each):
                    await tell("ADDED", each)
        now = asyncio.get_running_loop().time
        while not parting.done() and now() < until and not self.uvicorn.should_exit:
            waker.clear()
            if self.is_away:
                await asyncio.sleep(BOOKMARK_S)  # silent, and not closed
                continue
            try:
                events = self.store.since(version)
            except Refused as refused:
                await tell("ERROR", refused.body())
                return
            for at, event, kind, made, before in events:
                version = at
                if kind is target.kind and (told := turned(event, made, before, wanted)):
                    await tell(told, made)
            if not events and query.get("allowWatchBookmarks") == "true":
                meta = {"resourceVersion": str(version)}
                mark = {
                    "apiVersion": target.kind.api_version,
                    "kind": target.kind.kind,
                    "metadata": meta,
                }
                await tell("BOOKMARK", mark)
            with suppress(TimeoutError):
                async with asyncio.timeout(min(BOOKMARK_S, max(0.0, until - now()))):
                    await waker.wait()

    def selected(self, target: Target, query: dict[str, str]) -> Callable[[Object], bool]:
        labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")

        def wanted(found: Object) -> bool:
            here = target.namespace in ("", found["metadata"].get("namespace", ""))
            return here and matches(found, labels, fields)

        return wanted


JSON: Final = [(b"content-type", b"application/json")]
TEXT: Final = [(b"content-type", b"text/plain")]


def turned(
    event: str, made: Object, before: Object | None, wanted: Callable[[Object], bool]
) -> str | None:
    """What an event is to one who sees only what is wanted."""
    is_seen, was_seen = wanted(made), before is not None and wanted(before)
    if event == "DELETED":
        return "DELETED" if was_seen else None
    if is_seen:
        return "MODIFIED" if was_seen else "ADDED"
    return "DELETED" if was_seen else None


async def whole(receive: Receive) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def hang(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def reply(send: Send, code: int, answer: Any, retry_after_s: int | None = None) -> None:
    headers = list(JSON) if not isinstance(answer, str) else [(b"content-type", b"text/plain")]
    if retry_after_s is not None:
        headers.append((b"retry-after", str(retry_after_s).encode()))
    body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": body})
