"""Logs of attempts."""

from collections.abc import Iterator

import msgspec

from headway import wire
from headway.client.connection import Connection, segment


class Logs(Connection):
    def log(
        self,
        run_id: str,
        task_id: str,
        map_index: int | None = None,
        attempt: int | None = None,
        offset: int = 0,
    ) -> tuple[bytes, int, bool]:
        """Get part of a log, the offset after it, and whether the log is complete."""
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

    def search_logs(
        self,
        text: str,
        *,
        regex: bool = False,
        ignore_case: bool = True,
        **filters: object,
    ) -> Iterator[wire.FoundLogMatch]:
        """The lines with ``text`` in the logs of the newest runs first, as long as you go on; filters:
        dag_id, task_id, state, from, to.
        """
        query = {"q": text, "regex": regex, "ignore_case": ignore_case, **filters}
        while True:
            found = self.get("/logs/search", wire.FoundLogMatches, query)
            yield from found.matches
            if found.next_cursor is None:
                return
            query["cursor"] = found.next_cursor

    def rendered(
        self,
        run_id: str,
        task_id: str,
        map_index: int | None = None,
        attempt: int | None = None,
    ) -> wire.RenderedFields:
        """Get the rendered fields of an attempt."""
        path = f"/runs/{segment(run_id)}/task-instances/{segment(task_id)}/rendered"
        query = {"map_index": map_index, "attempt": attempt}
        return self.get(path, wire.RenderedFields, query)

    def log_retention(self) -> wire.LogRetention:
        """Return for how long the team keeps logs."""
        return self.get("/log-retention", wire.LogRetention)

    def set_log_retention(self, request: wire.LogRetentionRequest) -> wire.LogRetention:
        body = msgspec.json.encode(request)
        answer, _ = self.ask("PUT", "/log-retention", body, {})
        return msgspec.json.decode(answer, type=wire.LogRetention)

    def run_retention(self) -> wire.RunRetention:
        """Return for how long the team keeps its runs."""
        return self.get("/run-retention", wire.RunRetention)

    def set_run_retention(self, request: wire.RunRetentionRequest) -> wire.RunRetention:
        body = msgspec.json.encode(request)
        answer, _ = self.ask("PUT", "/run-retention", body, {})
        return msgspec.json.decode(answer, type=wire.RunRetention)

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


def log_of(run_id: str, task_id: str) -> str:
    return f"/runs/{segment(run_id)}/task-instances/{segment(task_id)}/logs"
