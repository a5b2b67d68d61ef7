"""A small synchronous client of the HTTP API: one kept-alive connection, typed answers.

Standard library and msgspec only. Raises the error tree: what the server refused, as it refused
it; ``NotReachable`` when nobody answers. A read that met a closed connection is asked once more; a
change is not, for it may have been made.
"""

import http.client
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.message import Message
from typing import Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from headway import wire
from headway.config import Layout, ServerFile, is_held, read_server_file
from headway.errors import HeadwayError, NotReachable

T = TypeVar("T")

TIMEOUT_S: Final = 30.0
WAIT_S: Final = 30.0  # of one long poll
PAGE: Final = 1000
URL: Final = "HEADWAY_URL"  # with TOKEN: a server elsewhere
TOKEN: Final = "HEADWAY_TOKEN"


class Client:
    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None, url
        self.url = url
        # localhost may mean ::1 first, where nobody listens.
        host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
        timeout_s = TIMEOUT_S + WAIT_S
        self._connection: http.client.HTTPConnection
        if parts.scheme == "https":
            name = parts.hostname  # that of the certificate
            self._connection = http.client.HTTPSConnection(name, parts.port, timeout=timeout_s)
        else:
            self._connection = http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def close(self) -> None:
        self._connection.close()

    # -- DAGs

    def dags(self, **filters: object) -> list[wire.DagSummary]:
        """All of them; filters: q, tag, owner, paused, state (of the latest run)."""
        return list(self.all_pages("/dags", wire.DagSummary, filters))

    def dag(self, dag_id: str) -> wire.DagDetail:
        return self.get(f"/dags/{segment(dag_id)}", wire.DagDetail)

    def grid(self, dag_id: str, limit: int = 50, before: str | None = None) -> wire.Grid:
        query = {"limit": limit, "before": before}
        return self.get(f"/dags/{segment(dag_id)}/grid", wire.Grid, query)

    def import_errors(self) -> list[wire.ImportError]:
        return list(self.all_pages("/import-errors", wire.ImportError))

    def trigger(self, dag_id: str, request: wire.TriggerRequest) -> wire.Run:
        return self.post(f"/dags/{segment(dag_id)}/runs", request, wire.Run)

    def would_trigger(self, dag_id: str, request: wire.TriggerRequest) -> wire.TriggerPreview:
        asked = msgspec.structs.replace(request, dry_run=True)
        return self.post(f"/dags/{segment(dag_id)}/runs", asked, wire.TriggerPreview)

    def trigger_many(self, dag_id: str, request: wire.BulkRequest) -> wire.BulkAnswer:
        return self.post(f"/dags/{segment(dag_id)}/runs/bulk", request, wire.BulkAnswer)

    def backfill(self, dag_id: str, request: wire.BackfillRequest) -> wire.BackfillAnswer:
        return self.post(f"/dags/{segment(dag_id)}/backfills", request, wire.BackfillAnswer)

    def backfills(self, **filters: object) -> list[wire.Backfill]:
        """All of them, newest first; filter: dag_id."""
        return list(self.all_pages("/backfills", wire.Backfill, filters))

    def backfill_progress(self, backfill_id: str) -> wire.Backfill:
        return self.get(f"/backfills/{segment(backfill_id)}", wire.Backfill)

    def cancel_backfill(self, backfill_id: str) -> wire.Backfill:
        return self.post(f"/backfills/{segment(backfill_id)}/cancel", None, wire.Backfill)

    def next_fires(self, dag_id: str, **options: object) -> wire.Fires:
        """Options: count, timezone."""
        return self.get(f"/dags/{segment(dag_id)}/next", wire.Fires, options)

    def calendar(
        self,
        first: datetime,
        last: datetime,
        dag_id: str | None = None,
        timezone: str | None = None,
    ) -> wire.Calendar:
        """From ``first`` (included) to ``last`` (not); of all DAGs unless one is given."""
        path = "/calendar" if dag_id is None else f"/dags/{segment(dag_id)}/calendar"
        query = {"from": first.isoformat(), "to": last.isoformat(), "timezone": timezone}
        return self.get(path, wire.Calendar, query)

    def pause(self, dag_id: str) -> wire.DagDetail:
        return self.post(f"/dags/{segment(dag_id)}/pause", None, wire.DagDetail)

    def resume(self, dag_id: str) -> wire.DagDetail:
        return self.post(f"/dags/{segment(dag_id)}/resume", None, wire.DagDetail)

    def look_at_folder(self) -> None:
        self.ask("POST", "/loader/look", None, {})

    # -- runs

    def runs(self, limit: int, **filters: object) -> list[wire.Run]:
        """The newest ``limit`` runs; filters: dag_id, state, trigger, backfill_id, q, from, to."""
        page = self.get("/runs", wire.Page[wire.Run], {"limit": limit, **filters})
        return page.items

    def runs_of_backfill(self, backfill_id: str) -> list[wire.Run]:
        return list(self.all_pages("/runs", wire.Run, {"backfill_id": backfill_id}))

    def run(self, run_id: str, wait_s: float = 0.0) -> wire.Run:
        return self.get(f"/runs/{segment(run_id)}", wire.Run, {"wait_s": wait_s})

    def tasks(self, run_id: str) -> list[wire.RunTask]:
        return self.get(f"/runs/{segment(run_id)}/tasks", wire.Page[wire.RunTask]).items

    def gantt(self, run_id: str, limit: int = 2000) -> wire.Gantt:
        return self.get(f"/runs/{segment(run_id)}/gantt", wire.Gantt, {"limit": limit})

    def diagnosis(self, run_id: str) -> wire.Diagnosis:
        return self.get(f"/runs/{segment(run_id)}/diagnosis", wire.Diagnosis)

    def instances(self, run_id: str, **filters: str | None) -> list[wire.TaskInstance]:
        """All of them; filters: task_id, state."""
        path = f"/runs/{segment(run_id)}/task-instances"
        return list(self.all_pages(path, wire.TaskInstance, filters))

    def instance(
        self, run_id: str, task_id: str, map_index: int | None = None
    ) -> wire.TaskInstanceDetail:
        path = f"/runs/{segment(run_id)}/task-instances/{segment(task_id)}"
        return self.get(path, wire.TaskInstanceDetail, {"map_index": map_index})

    def events(self, run_id: str, after: int = 0, wait_s: float = 0.0) -> list[wire.Event]:
        path = f"/runs/{segment(run_id)}/events"
        return self.get(path, wire.Page[wire.Event], {"after": after, "wait_s": wait_s}).items

    def log(
        self,
        run_id: str,
        task_id: str,
        map_index: int | None = None,
        attempt: int | None = None,
        offset: int = 0,
    ) -> tuple[bytes, int, bool]:
        """Some of a log, the offset that follows it, and whether that is its end for ever."""
        query = {"map_index": map_index, "attempt": attempt, "offset": offset}
        text, headers = self.ask("GET", log_of(run_id, task_id), None, query)
        complete = headers["X-Headway-Complete"] == "true"
        return text, int(headers["X-Headway-Next-Offset"]), complete

    def log_tail(
        self,
        run_id: str,
        task_id: str,
        length: int,
        map_index: int | None = None,
        attempt: int | None = None,
    ) -> tuple[bytes, int, bool]:
        """Like ``log``: the last ``length`` bytes, from the beginning of a line on."""
        query = {"map_index": map_index, "attempt": attempt, "tail": length}
        text, headers = self.ask("GET", log_of(run_id, task_id), None, query)
        complete = headers["X-Headway-Complete"] == "true"
        return text, int(headers["X-Headway-Next-Offset"]), complete

    def log_lines(
        self,
        run_id: str,
        task_id: str,
        first: int,
        count: int,
        map_index: int | None = None,
        attempt: int | None = None,
    ) -> wire.LogLines:
        """Lines from number ``first`` (from 1; -1 is the last) on."""
        query = {"from": first, "count": count, "map_index": map_index, "attempt": attempt}
        return self.get(f"{log_of(run_id, task_id)}/lines", wire.LogLines, query)

    def search_log(
        self,
        run_id: str,
        task_id: str,
        text: str,
        *,
        regex: bool = False,
        ignore_case: bool = True,
        first: int = 1,
        limit: int = 200,
        map_index: int | None = None,
        attempt: int | None = None,
    ) -> wire.LogMatches:
        """The lines with ``text`` from line ``first`` on; ``next_from`` leads on."""
        query = {
            "q": text,
            "regex": regex,
            "ignore_case": ignore_case,
            "from": first,
            "limit": limit,
            "map_index": map_index,
            "attempt": attempt,
        }
        return self.get(f"{log_of(run_id, task_id)}/search", wire.LogMatches, query)

    def search_run(
        self,
        run_id: str,
        text: str,
        *,
        regex: bool = False,
        ignore_case: bool = True,
        limit: int = 200,
    ) -> Iterator[wire.RunLogMatch]:
        """The lines with ``text`` in all logs of a run; asks again as long as you go on."""
        query = {"q": text, "regex": regex, "ignore_case": ignore_case, "limit": limit}
        path, cursor = f"/runs/{segment(run_id)}/logs/search", None
        while True:
            found = self.get(path, wire.RunLogMatches, {**query, "cursor": cursor})
            yield from found.matches
            cursor = found.next_cursor
            if cursor is None:
                return

    def rendered(
        self,
        run_id: str,
        task_id: str,
        map_index: int | None = None,
        attempt: int | None = None,
    ) -> wire.RenderedFields:
        """What an attempt got."""
        path = f"/runs/{segment(run_id)}/task-instances/{segment(task_id)}/rendered"
        query = {"map_index": map_index, "attempt": attempt}
        return self.get(path, wire.RenderedFields, query)

    def log_file(
        self,
        run_id: str,
        task_id: str,
        map_index: int | None = None,
        attempt: int | None = None,
    ) -> bytes:
        """The whole log."""
        query = {"map_index": map_index, "attempt": attempt}
        return self.ask("GET", f"{log_of(run_id, task_id)}/download", None, query)[0]

    def cancel(self, run_id: str) -> wire.Run:
        return self.post(f"/runs/{segment(run_id)}/cancel", None, wire.Run)

    def clear(self, run_id: str, request: wire.ClearRequest) -> wire.ClearAnswer:
        return self.post(f"/runs/{segment(run_id)}/clear", request, wire.ClearAnswer)

    def mark(self, run_id: str, request: wire.MarkRequest) -> wire.Run:
        return self.post(f"/runs/{segment(run_id)}/mark", request, wire.Run)

    def would_mark(self, run_id: str, request: wire.MarkRequest) -> wire.MarkPreview:
        asked = msgspec.structs.replace(request, dry_run=True)
        return self.post(f"/runs/{segment(run_id)}/mark", asked, wire.MarkPreview)

    def write_note(self, run_id: str, note: str | None) -> wire.Run:
        body = msgspec.json.encode(wire.NoteRequest(note=note))
        answer, _ = self.ask("PATCH", f"/runs/{segment(run_id)}", body, {})
        return msgspec.json.decode(answer, type=wire.Run)

    # -- the way in

    def overview(self) -> wire.Home:
        return self.get("/overview", wire.Home)

    def search(self, text: str) -> wire.Found:
        return self.get("/search", wire.Found, {"q": text})

    def history(self, **filters: object) -> wire.Page[wire.Event]:
        """Newest first; filters: subject, actor, dag_id, run_id, task_id, name, before, limit."""
        return self.get("/events", wire.Page[wire.Event], filters)

    # -- pools and health

    def pools(self) -> list[wire.Pool]:
        return self.get("/pools", wire.Page[wire.Pool]).items

    def set_pool(self, name: str, slots: int) -> wire.Pool:
        body = msgspec.json.encode(wire.PoolRequest(slots=slots))
        answer, _ = self.ask("PUT", f"/pools/{segment(name)}", body, {})
        return msgspec.json.decode(answer, type=wire.Pool)

    def delete_pool(self, name: str) -> None:
        self.ask("DELETE", f"/pools/{segment(name)}", None, {})

    def document(self) -> dict[str, object]:
        """What the API says of itself (OpenAPI)."""
        return self.get("/openapi.json", dict[str, object])

    def metrics(self) -> str:
        """In Prometheus's text format."""
        return self.ask("GET", "/metrics", None, {})[0].decode()

    # -- who may do what

    def session(self) -> wire.Session:
        """Who asks, where and as what."""
        return self.get("/session", wire.Session)

    def login_link(self, user: str | None = None) -> wire.LoginLink:
        return self.post("/login-links", wire.LoginLinkRequest(user=user), wire.LoginLink)

    def users(self) -> list[wire.User]:
        return list(self.all_pages("/users", wire.User))

    def create_user(self, request: wire.UserRequest) -> wire.User:
        return self.post("/users", request, wire.User)

    def change_user(self, name: str, request: wire.UserChange) -> wire.User:
        body = msgspec.json.encode(request)
        answer, _ = self.ask("PATCH", f"/users/{segment(name)}", body, {})
        return msgspec.json.decode(answer, type=wire.User)

    def set_password(self, name: str, request: wire.PasswordRequest) -> None:
        body = msgspec.json.encode(request)
        self.ask("PUT", f"/users/{segment(name)}/password", body, {})

    def tokens(self) -> list[wire.Token]:
        return list(self.all_pages("/tokens", wire.Token))

    def create_token(self, request: wire.TokenRequest) -> wire.NewToken:
        return self.post("/tokens", request, wire.NewToken)

    def revoke_token(self, token_id: str) -> wire.Token:
        answer, _ = self.ask("DELETE", f"/tokens/{segment(token_id)}", None, {})
        return msgspec.json.decode(answer, type=wire.Token)

    def audit(self, limit: int, **filters: str | None) -> list[wire.AuditEntry]:
        """The latest ``limit`` entries; filters: actor, action, since."""
        page = self.get("/audit", wire.Page[wire.AuditEntry], {"limit": limit, **filters})
        return page.items

    def check_audit(self) -> wire.AuditCheck:
        return self.get("/audit/check", wire.AuditCheck)

    def health(self) -> wire.Health:
        return self.get("/health", wire.Health)

    # -- how

    def get(self, path: str, shape: type[T], query: Mapping[str, object] | None = None) -> T:
        answer, _ = self.ask("GET", path, None, query or {})
        return msgspec.json.decode(answer, type=shape)

    def post(self, path: str, request: msgspec.Struct | None, shape: type[T]) -> T:
        body = None if request is None else msgspec.json.encode(request)
        answer, _ = self.ask("POST", path, body, {})
        return msgspec.json.decode(answer, type=shape)

    def all_pages(
        self, path: str, item: type[T], query: Mapping[str, object] | None = None
    ) -> Iterator[T]:
        cursor: str | None = None
        while True:
            asked = {"limit": PAGE, **(query or {}), "cursor": cursor}
            page: wire.Page[T] = self.get(path, wire.Page[item], asked)  # type: ignore[valid-type]
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def ask(
        self, method: str, path: str, body: bytes | None, query: Mapping[str, object]
    ) -> tuple[bytes, Message]:
        """One request; the answer's body and headers."""
        given = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in query.items()
            if value is not None
        }
        target = f"/api/v1{path}" + (f"?{urlencode(given)}" if given else "")
        response, content = self._exchange(method, target, body)
        if response.status >= 400:
            raise refusal(response, content)
        return content, response.headers

    def _exchange(
        self, method: str, target: str, body: bytes | None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        reused = self._connection.sock is not None
        try:
            return self._once(method, target, body)
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()
            if reused and method == "GET" and not isinstance(error, TimeoutError):
                return self._exchange(method, target, body)  # it was closed while idle
            raise NotReachable(
                f"the server at {self.url} does not answer: {error or type(error).__name__}",
                hint="headway up starts one; headway doctor looks for the cause",
            ) from error

    def _once(
        self, method: str, target: str, body: bytes | None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        self._connection.request(method, target, body, self._headers)
        response = self._connection.getresponse()
        return response, response.read()


def segment(text: str) -> str:
    """One segment of a path, whatever a person typed."""
    return quote(text, safe="@")


def log_of(run_id: str, task_id: str) -> str:
    return f"/runs/{segment(run_id)}/task-instances/{segment(task_id)}/logs"


def refusal(response: http.client.HTTPResponse, content: bytes) -> HeadwayError:
    try:
        problem = msgspec.json.decode(content, type=wire.Problem)
    except msgspec.MsgspecError:
        return NotReachable(f"the server answered {response.status} {response.reason}")
    return wire.error_of(problem)


def client_of(layout: Layout) -> Client:
    """Of the server that the environment names, or the one that works on the data directory."""
    url, token = os.environ.get(URL), os.environ.get(TOKEN)
    if url and token:
        return Client(url, token)
    server = read_server_file(layout)
    if server is None:
        raise no_server(layout)
    return connect(server)


def connect(server: ServerFile) -> Client:
    return Client(server.url, server.token)


def no_server(layout: Layout) -> NotReachable:
    if is_held(layout):
        return NotReachable(
            "the server of this data directory is starting or stopping",
            where=str(layout.data),
            hint="try again in a moment",
        )
    return NotReachable(
        "no server works on this data directory",
        where=str(layout.data),
        hint="start one with: headway up (or name the right directory with --data)",
    )
