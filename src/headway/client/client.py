"""A small synchronous client of the HTTP API: one kept-alive connection, typed answers.

Standard library and msgspec only. Raises the error tree: what the server refused, as it refused
it; ``NotReachable`` when nobody answers.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Final

import msgspec

from headway import wire
from headway.client.airflow_runs import AirflowRuns
from headway.client.assets import Assets
from headway.client.connection import segment
from headway.client.logs import Logs
from headway.client.questions import Questions
from headway.client.secrets import Secrets
from headway.client.stream import Changes
from headway.client.webhooks import Webhooks
from headway.config import (
    ASKED_TEAM,
    Layout,
    ServerFile,
    components,
    is_held,
    listed,
    read_server_file,
)
from headway.errors import NotReachable, UsageError
from headway.holders import Holder

URL: Final = "HEADWAY_URL"  # with TOKEN: a server elsewhere
TOKEN: Final = "HEADWAY_TOKEN"
KERBEROS: Final = "HEADWAY_KERBEROS"  # 1, with URL: by the ticket of the machine's user


class Client(Logs, Changes, Secrets, Assets, Questions, Webhooks, AirflowRuns):
    # -- DAGs

    def dags(self, **filters: object) -> list[wire.DagSummary]:
        """Return all DAGs; filters: q, tag, owner, paused, state (of the latest run), ran; and sort."""
        return list(self.all_pages("/dags", wire.DagSummary, filters))

    def dag(self, dag_id: str) -> wire.DagDetail:
        return self.get(f"/dags/{segment(dag_id)}", wire.DagDetail)

    def grid(self, dag_id: str, limit: int = 50, before: str | None = None) -> wire.Grid:
        query = {"limit": limit, "before": before}
        return self.get(f"/dags/{segment(dag_id)}/grid", wire.Grid, query)

    def import_errors(self) -> list[wire.BrokenFile]:
        return list(self.all_pages("/import-errors", wire.BrokenFile))

    def dependencies(self, **filters: str | None) -> list[wire.DagLinks]:
        """List the DAGs that wait for other DAGs, and those that are waited for. Filters: dag_id, q."""
        return list(self.all_pages("/dependencies", wire.DagLinks, filters))

    def trigger(self, dag_id: str, request: wire.TriggerRequest) -> wire.Run:
        return self.post(f"/dags/{segment(dag_id)}/runs", request, wire.Run)

    def would_trigger(self, dag_id: str, request: wire.TriggerRequest) -> wire.TriggerPreview:
        asked = msgspec.structs.replace(request, dry_run=True)
        return self.post(f"/dags/{segment(dag_id)}/runs", asked, wire.TriggerPreview)

    def trigger_many(self, dag_id: str, request: wire.BulkRequest) -> wire.BulkAnswer:
        return self.post(f"/dags/{segment(dag_id)}/runs/bulk", request, wire.BulkAnswer)

    def backfill(self, dag_id: str, request: wire.BackfillRequest) -> wire.BackfillAnswer:
        return self.post(f"/dags/{segment(dag_id)}/backfills", request, wire.BackfillAnswer)

    def versions(self, dag_id: str) -> list[wire.VersionSummary]:
        """Return all versions, newest first."""
        return list(self.all_pages(f"/dags/{segment(dag_id)}/versions", wire.VersionSummary))

    def version(self, dag_id: str, version: int) -> msgspec.Raw:
        """The spec as it was registered: JSON of headway.spec.model.Dag."""
        return self.get(f"/dags/{segment(dag_id)}/versions/{version}", msgspec.Raw)

    def source(self, dag_id: str, version: int, file: str | None = None) -> wire.Source:
        path = f"/dags/{segment(dag_id)}/versions/{version}/source"
        return self.get(path, wire.Source, {"file": file})

    def diff(self, dag_id: str, first: int, last: int) -> wire.VersionDiff:
        query = {"from": first, "to": last}
        return self.get(f"/dags/{segment(dag_id)}/diff", wire.VersionDiff, query)

    def code_changes(self, dag_id: str) -> list[wire.CodeChange]:
        """Return all changes of the code of a DAG, newest first."""
        return list(self.all_pages(f"/dags/{segment(dag_id)}/changes", wire.CodeChange))

    def code_change(self, dag_id: str, number: int, since: int | None = None) -> wire.CodeDiff:
        path = f"/dags/{segment(dag_id)}/changes/{number}"
        return self.get(path, wire.CodeDiff, {"from": since})

    def durations(self, dag_id: str, days: int = 30, timezone: str | None = None) -> wire.Durations:
        path = f"/dags/{segment(dag_id)}/durations"
        return self.get(path, wire.Durations, {"days": days, "timezone": timezone})

    def backfills(self, **filters: object) -> list[wire.Backfill]:
        """Return all backfills, newest first; filter: dag_id."""
        return list(self.all_pages("/backfills", wire.Backfill, filters))

    def backfill_progress(self, backfill_id: str) -> wire.Backfill:
        return self.get(f"/backfills/{segment(backfill_id)}", wire.Backfill)

    def pause_backfill(self, backfill_id: str) -> wire.Backfill:
        return self.post(f"/backfills/{segment(backfill_id)}/pause", None, wire.Backfill)

    def resume_backfill(self, backfill_id: str) -> wire.Backfill:
        return self.post(f"/backfills/{segment(backfill_id)}/resume", None, wire.Backfill)

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
        """Return the days from ``first`` (included) to ``last`` (not); of all DAGs unless one is given."""
        path = "/calendar" if dag_id is None else f"/dags/{segment(dag_id)}/calendar"
        query = {"from": first.isoformat(), "to": last.isoformat(), "timezone": timezone}
        return self.get(path, wire.Calendar, query)

    def timeline(
        self, first: datetime | None = None, last: datetime | None = None
    ) -> wire.Timeline:
        """Get the timeline of all DAGs. Default: 6 hours before and after now."""
        query = {"from": first and first.isoformat(), "to": last and last.isoformat()}
        return self.get("/timeline", wire.Timeline, query)

    def pause(self, dag_id: str) -> wire.DagDetail:
        return self.post(f"/dags/{segment(dag_id)}/pause", None, wire.DagDetail)

    def resume(self, dag_id: str) -> wire.DagDetail:
        return self.post(f"/dags/{segment(dag_id)}/resume", None, wire.DagDetail)

    def look_at_folder(self) -> None:
        self.ask("POST", "/loader/look", None, {})

    # -- runs

    def runs(self, limit: int, **filters: object) -> list[wire.Run]:
        """The newest ``limit`` runs; filters: dag_id, state, trigger, backfill_id, q, set_aside, from,
        to.
        """
        page = self.get("/runs", wire.Page[wire.Run], {"limit": limit, **filters})
        return page.items

    def all_runs(self, **filters: object) -> list[wire.Run]:
        """Return all runs that the filters of ``runs`` select, newest first."""
        return list(self.all_pages("/runs", wire.Run, filters))

    def runs_of_backfill(self, backfill_id: str) -> list[wire.Run]:
        return self.all_runs(backfill_id=backfill_id)

    def run_totals(self, **filters: str | None) -> wire.RunTotals:
        """Count the newest runs by state. Filters: dag_id, trigger, backfill_id, q, from, to."""
        return self.get("/run-totals", wire.RunTotals, filters)

    def run(self, run_id: str, wait_s: float = 0.0) -> wire.Run:
        return self.get(f"/runs/{segment(run_id)}", wire.Run, {"wait_s": wait_s})

    def adjacent_runs(self, run_id: str) -> wire.AdjacentRuns:
        return self.get(f"/runs/{segment(run_id)}/adjacent", wire.AdjacentRuns)

    def tasks(self, run_id: str) -> list[wire.RunTask]:
        return self.get(f"/runs/{segment(run_id)}/tasks", wire.Page[wire.RunTask]).items

    def source_of_run(self, run_id: str, file: str | None = None) -> wire.Source:
        return self.get(f"/runs/{segment(run_id)}/source", wire.Source, {"file": file})

    def gantt(self, run_id: str, limit: int = 2000) -> wire.Gantt:
        return self.get(f"/runs/{segment(run_id)}/gantt", wire.Gantt, {"limit": limit})

    def diagnosis(self, run_id: str) -> wire.Diagnosis:
        return self.get(f"/runs/{segment(run_id)}/diagnosis", wire.Diagnosis)

    def instances(self, run_id: str, **filters: str | None) -> list[wire.TaskInstance]:
        """Return all task instances; filters: task_id, state."""
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

    def xcoms(self, run_id: str, **filters: str | int | None) -> list[wire.XCom]:
        """List the stored results of a run. Filters: task_id, map_index."""
        return list(self.all_pages(f"/runs/{segment(run_id)}/xcoms", wire.XCom, filters))

    def cancel(self, run_id: str) -> wire.Run:
        return self.post(f"/runs/{segment(run_id)}/cancel", None, wire.Run)

    def clear(self, run_id: str, request: wire.ClearRequest) -> wire.ClearAnswer:
        return self.post(f"/runs/{segment(run_id)}/clear", request, wire.ClearAnswer)

    def mark(self, run_id: str, request: wire.MarkRequest) -> wire.Run:
        return self.post(f"/runs/{segment(run_id)}/mark", request, wire.Run)

    def would_mark(self, run_id: str, request: wire.MarkRequest) -> wire.MarkPreview:
        asked = msgspec.structs.replace(request, dry_run=True)
        return self.post(f"/runs/{segment(run_id)}/mark", asked, wire.MarkPreview)

    def replay(self, run_id: str) -> wire.Run:
        return self.post(f"/runs/{segment(run_id)}/replay", wire.ReplayRequest(), wire.Run)

    def would_replay(self, run_id: str) -> wire.ReplayPreview:
        asked = wire.ReplayRequest(dry_run=True)
        return self.post(f"/runs/{segment(run_id)}/replay", asked, wire.ReplayPreview)

    def compare(self, before: str, after: str) -> wire.RunDiff:
        """Return how two runs of a DAG differ."""
        return self.get(f"/runs/{segment(before)}/diff", wire.RunDiff, {"with": after})

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
        """Newest first; filters: subject, actor, dag_id, run_id, task_id, name, since, notable, before,
        limit.
        """
        return self.get("/events", wire.Page[wire.Event], filters)

    # -- pools and health

    def pools(self) -> list[wire.Pool]:
        return self.get("/pools", wire.Page[wire.Pool]).items

    def slots(self) -> wire.Slots:
        return self.get("/slots", wire.Slots)

    def slot_history(self, hours: int) -> wire.SlotHistory:
        """Return the attempts of the last hours: of all teams for a platform admin, else of the own team."""
        return self.get("/slots/attempts", wire.SlotHistory, {"hours": hours})

    def set_pool(self, name: str, slots: int) -> wire.Pool:
        body = msgspec.json.encode(wire.PoolRequest(slots=slots))
        answer, _ = self.ask("PUT", f"/pools/{segment(name)}", body, {})
        return msgspec.json.decode(answer, type=wire.Pool)

    def delete_pool(self, name: str) -> None:
        self.ask("DELETE", f"/pools/{segment(name)}", None, {})

    def document(self) -> dict[str, object]:
        """Get the OpenAPI document."""
        return self.get("/openapi.json", dict[str, object])

    def metrics(self) -> str:
        """Return the metrics in Prometheus's text format."""
        return self.ask("GET", "/metrics", None, {})[0].decode()

    # -- who may do what

    def session(self) -> wire.Session:
        """Get the signed-in user, team and role."""
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

    def add_member(self, request: wire.MemberRequest) -> wire.User:
        """Somebody who is a user already."""
        return self.post("/members", request, wire.User)

    def remove_member(self, name: str) -> wire.User:
        """Answers with what they were."""
        answer, _ = self.ask("DELETE", f"/members/{segment(name)}", None, {})
        return msgspec.json.decode(answer, type=wire.User)

    def set_password(self, name: str, request: wire.PasswordRequest) -> None:
        body = msgspec.json.encode(request)
        self.ask("PUT", f"/users/{segment(name)}/password", body, {})

    def create_run_link(self, run_id: str, request: wire.RunLinkRequest) -> wire.NewRunLink:
        return self.post(f"/runs/{segment(run_id)}/links", request, wire.NewRunLink)

    def run_links(self) -> list[wire.RunLink]:
        return list(self.all_pages("/run-links", wire.RunLink))

    def revoke_run_link(self, link_id: str) -> wire.RunLink:
        answer, _ = self.ask("DELETE", f"/run-links/{segment(link_id)}", None, {})
        return msgspec.json.decode(answer, type=wire.RunLink)

    def grants(self) -> list[wire.Grant]:
        return list(self.all_pages("/grants", wire.Grant))

    def give_grant(self, request: wire.GiveGrant) -> wire.Grant:
        return self.post("/grants", request, wire.Grant)

    def ask_for_grant(self, request: wire.AskForGrant) -> wire.Grant:
        return self.post("/grants/requests", request, wire.Grant)

    def change_grant(self, grant_id: str, request: wire.GrantChange) -> wire.Grant:
        body = msgspec.json.encode(request)
        answer, _ = self.ask("PATCH", f"/grants/{segment(grant_id)}", body, {})
        return msgspec.json.decode(answer, type=wire.Grant)

    def roles(self) -> list[wire.TeamRoleDetail]:
        return list(self.all_pages("/roles", wire.TeamRoleDetail))

    def create_role(self, request: wire.RoleRequest) -> wire.TeamRoleDetail:
        return self.post("/roles", request, wire.TeamRoleDetail)

    def change_role(self, name: str, request: wire.RoleChange) -> wire.TeamRoleDetail:
        answer, _ = self.ask("PATCH", f"/roles/{segment(name)}", msgspec.json.encode(request), {})
        return msgspec.json.decode(answer, type=wire.TeamRoleDetail)

    def delete_role(self, name: str) -> wire.TeamRoleDetail:
        answer, _ = self.ask("DELETE", f"/roles/{segment(name)}", None, {})
        return msgspec.json.decode(answer, type=wire.TeamRoleDetail)

    def create_service_account(self, request: wire.ServiceAccountRequest) -> wire.User:
        return self.post("/service-accounts", request, wire.User)

    def tokens(self) -> list[wire.Token]:
        return list(self.all_pages("/tokens", wire.Token))

    def create_token(self, request: wire.TokenRequest) -> wire.NewToken:
        return self.post("/tokens", request, wire.NewToken)

    def revoke_token(self, token_id: str) -> wire.Token:
        answer, _ = self.ask("DELETE", f"/tokens/{segment(token_id)}", None, {})
        return msgspec.json.decode(answer, type=wire.Token)

    def audit(self, limit: int, **filters: str | None) -> list[wire.WordedEntry]:
        """The latest ``limit`` entries; filters: actor, action, since."""
        page = self.get("/audit", wire.Page[wire.WordedEntry], {"limit": limit, **filters})
        return page.items

    def export_audit(self, form: str) -> Iterator[bytes]:
        """Yield the audit of the team as ``jsonl`` or ``csv``, oldest entry first."""
        return self.parts("/audit/export", {"format": form})

    def check_audit(self) -> wire.AuditCheck:
        return self.get("/audit/check", wire.AuditCheck)

    # -- teams

    def teams(self) -> list[wire.Team]:
        """Return all teams for a platform admin, else the one of the client."""
        return self.get("/teams", wire.Page[wire.Team]).items

    def team(self, name: str) -> wire.Team:
        return self.get(f"/teams/{segment(name)}", wire.Team)

    def create_team(self, request: wire.TeamRequest) -> wire.NewTeam:
        return self.post("/teams", request, wire.NewTeam)

    def change_team(self, name: str, request: wire.TeamChange) -> wire.Team:
        body = msgspec.json.encode(request)
        answer, _ = self.ask("PATCH", f"/teams/{segment(name)}", body, {})
        return msgspec.json.decode(answer, type=wire.Team)

    def delete_team(self, name: str, *, confirm: str, force: bool = False) -> wire.Team:
        """Answers with what it was. ``confirm``: its name once more."""
        query = {"confirm": confirm, "force": force}
        answer, _ = self.ask("DELETE", f"/teams/{segment(name)}", None, query)
        return msgspec.json.decode(answer, type=wire.Team)

    def health(self) -> wire.Health:
        return self.get("/health", wire.Health)


def client_of(layout: Layout, team: str | None = None) -> Client:
    """Return a client of the server in the environment, or of the one that uses the data directory."""
    url, token = os.environ.get(URL), os.environ.get(TOKEN)
    if url and token:
        return Client(url, token, team or team_asked())
    if url and os.environ.get(KERBEROS) == "1":
        return client(url, kerberos=True, team=team)
    server = read_server_file(layout)
    if server is None:
        raise no_server(layout)
    return connect(server, team)


def client(
    url: str | None = None,
    token: str | None = None,
    *,
    kerberos: bool = False,
    team: str | None = None,
) -> Client:
    """Return a client of the server at ``url`` (default: ``HEADWAY_URL``).

    It has a token (default: ``HEADWAY_TOKEN``), or signs in with the Kerberos ticket of the machine's user,
    and again when the session has ended with its ticket.

    Raises:
        UsageError: no address or token is given, or gssapi is not installed. NotAuthenticated: there is no ticket,
            or the server does not accept it. NotReachable.
    """
    url = url or os.environ.get(URL)
    token = token or os.environ.get(TOKEN)
    if not url:
        raise UsageError("the address of the server is missing", hint=f"set {URL}")
    if kerberos:
        from headway.client.kerberos import negotiate

        return Client(url, partial(negotiate, url), team or team_asked())
    if not token:
        raise UsageError("the token is missing", hint=f"set {TOKEN}, or use kerberos=True")
    return Client(url, token, team or team_asked())


def connect(server: ServerFile, team: str | None = None) -> Client:
    return Client(server.url, server.token, team or team_asked())


def is_elsewhere() -> bool:
    """Return whether the environment names a server, instead of that of a data directory."""
    return bool(os.environ.get(URL)) and (
        bool(os.environ.get(TOKEN)) or os.environ.get(KERBEROS) == "1"
    )


def team_asked() -> str | None:
    """Return the team that the environment names. ``headway --team NAME`` sets it for one command."""
    return os.environ.get(ASKED_TEAM) or None


def no_server(layout: Layout) -> NotReachable:
    if sharing := components(layout):
        return apart(layout, sharing)
    if is_held(layout):
        return NotReachable(
            "the server of this data directory is starting or stopping",
            where=str(layout.data),
            hint="try again in a few seconds",
        )
    return NotReachable(
        "no server is running for this data directory",
        where=str(layout.data),
        hint="start one with headway up, or choose another directory with --data",
    )


def apart(layout: Layout, sharing: list[Holder]) -> NotReachable:
    """Tell how to reach a server whose components each run by themselves."""
    url = next((each.url for each in sharing if each.url), "https://headway.example.org")
    return NotReachable(
        f"the components of this server run by themselves, so it is reached by its address: {listed(sharing)}",
        where=str(layout.data),
        hint=f"name the address and a token, for instance the one of the data directory:\n"
        f"    export {URL}={url} {TOKEN}=$(cat {layout.run / 'token'})",
    )
