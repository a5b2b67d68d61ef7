"""Every operation of the API, what it is about, and requests of it, from the OpenAPI document.

A new route is in the suite at once. ``KINDS`` says what it may tell; without a line there the suite fails.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final
from urllib.parse import quote, urlencode

from tests.api.described import document
from tests.leaks.world import OURS


class Kind(StrEnum):
    THING = "thing"  # names one thing of the team in its path: the other team's is as a missing one
    LIST = "list"  # shows things of the team: never one of the other team
    OWN = "own"  # about the caller, or makes something new in the team
    HERE = "here"  # about the installation, which is everybody's
    OPEN = "open"  # answers people who have not signed in


KINDS: Final[dict[Kind, str]] = {
    Kind.THING: """
        answer
        backfill cancel cancel_backfill change_grant change_role change_team change_user clear compare_runs
        create_answer_link
        create_run_link delete_connection delete_pool delete_role delete_team delete_variable diagnose download_log
        list_instances list_run_events list_tasks list_code_changes list_versions list_xcoms mark pause pause_backfill
        read_log read_log_lines remove_member replay resume resume_backfill revoke_run_link revoke_token search_log
        search_run set_connection set_password set_pool set_variable show_connection show_variable
        show_backfill show_calendar show_dag show_diff show_durations show_gantt show_grid show_instance
        show_next show_rendered show_run show_source show_source_of_run show_team show_user show_version trigger
        change_outbound_webhook delete_outbound_webhook list_outbound_deliveries ping redeliver show_outbound_webhook
        change_webhook delete_webhook list_deliveries replay_delivery rotate_webhook show_webhook
        forget_airflow_runs import_airflow_runs list_airflow_runs show_airflow_run
        show_code_change show_dag_assets list_dag_partitions test_connection trigger_many write_note show_adjacent
    """,
    Kind.LIST: """
        list_airflow_dags list_asset_events list_asset_partitions list_assets list_dependencies show_asset
        check_audit export_audit list_audit list_backfills list_connections list_dags list_events
        list_grants list_import_errors
        count_runs count_questions list_questions
        list_pools list_roles list_run_links list_runs list_teams list_tokens list_users list_variables
        list_outbound_webhooks list_webhooks metrics
        overview search search_logs show_calendar_of_all show_slots show_slot_history show_timeline watch
    """,
    Kind.OWN: """
        create_outbound_webhook create_webhook emit_asset_event
        add_member ask_for_grant create_role create_service_account create_team create_token create_user
        give_grant offer_link
        set_log_retention show_log_retention set_run_retention show_run_retention show_session
        sign_out
    """,
    Kind.HERE: "health look_at_folder rotate_key",
    Kind.OPEN: """
        end_sessions answer_by_link show_linked_question
        list_ways receive show_linked_run sign_in sign_in_by_code sign_in_by_header sign_in_by_link
        sign_in_by_ticket start_sign_in
    """,
}
OUR_TEAM: Final = "default"
# A name in the path that the request makes, so that nothing of that name need be there.
MAKES: Final = {"import_airflow_runs", "set_connection", "set_pool", "set_variable"}
# Names that a caller gives. Those of users are one list for the whole installation: people sign in with them
# before a team is known.
FREE: Final = {
    ("add_member", "name"),
    ("create_user", "name"),
    ("create_token", "name"),
    ("create_role", "name"),
    ("create_outbound_webhook", "name"),
    ("create_webhook", "name"),
    ("create_service_account", "name"),
    ("emit_asset_event", "partition"),
    # What is said to another team is stored alike whether there is such a team or DAG:
    # test_what_is_said_to_a_team_is_said_to_nobody_alike.
    ("give_grant", "grantee"),
    ("ask_for_grant", "owner"),
    ("ask_for_grant", "name"),
}


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str
    path_names: tuple[str, ...]
    query_names: tuple[str, ...]
    body: dict[str, Any] | None

    @property
    def kind(self) -> Kind:
        return next(kind for kind, names in KINDS.items() if self.name in names.split())

    @property
    def streams(self) -> bool:
        return self.path.endswith("/stream")


@dataclass(frozen=True)
class Asked:
    """One request: whose each id is."""

    operation: Operation
    ids: tuple[tuple[str, str], ...]
    body: dict[str, Any] | None

    @property
    def path(self) -> str:
        given = dict(self.ids)
        filled = self.operation.path.format(
            **{name: quote(given[name], safe="") for name in self.operation.path_names}
        )
        query = {name: given[name] for name in self.operation.query_names if name in given}
        return f"{filled}?{urlencode(query)}" if query else filled


@cache
def operations() -> tuple[Operation, ...]:
    found = []
    for path, methods in document()["paths"].items():
        for method, told in methods.items():
            places: dict[str, list[str]] = {"path": [], "query": []}
            for parameter in told["parameters"]:
                places.setdefault(parameter.get("in", "header"), []).append(parameter.get("name"))
            body = told.get("requestBody", {}).get("content", {}).get("application/json", {})
            found.append(
                Operation(
                    *(told["operationId"], method.upper(), path),
                    *(tuple(places["path"]), tuple(places["query"]), body.get("example")),
                )
            )
    return tuple(found)


# The ids of the world, by the name of a parameter or of a field; "{}" is ours, theirs or missing.
IDS: Final = {
    "dag_id": "{}",
    "asset": "{}-asset",
    "partition": "{}-partition",
    "run_id": "{}-run",
    "airflow_run": "{}-airflow-run",
    "with": "{}-run-b",
    "task_id": "{}-task",
    "backfill_id": "{}-backfill",
    "conn_id": "{}-conn",
    "key": "{}-key",
    "token_id": "{}-token-id",
    "link_id": "{}-link",
    "grant_id": "{}-grant",
    "grantee": "theirteam-{}",
    "version": "1",
    "number": "1",
    "slug": "hook",  # of 43 random characters: nobody tries those of others
    "name": "{}-pool",
    "q": "{}",
    "actor": "user:{}",
    "owner": "{}",
    "tag": "{}",
    "user": "{}-admin",
    "tasks": "{}-task",
    "file": "{}.py",
}
DAY: Final = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
WORD: Final = {"q": OURS}
# What a request must have besides, by operation.
REQUIRED: Final[dict[str, dict[str, str]]] = {
    "list_asset_events": {"asset": f"{OURS}-asset"},
    "list_asset_partitions": {"asset": f"{OURS}-asset"},
    "show_asset": {"asset": f"{OURS}-asset"},
    "show_airflow_run": {"airflow_run": f"{OURS}-airflow-run"},
    "compare_runs": {"with": f"{OURS}-run-b"},
    "show_diff": {"from": "1", "to": "1"},
    **dict.fromkeys(("show_calendar", "show_calendar_of_all", "show_timeline"), DAY),
    **dict.fromkeys(("search", "search_log", "search_logs", "search_run"), WORD),
}


NAMES: Final = {
    "assets": "{}-asset",
    "outbound-webhooks": "{}-outbound",
    "webhooks": "{}-webhook",
    "pools": "{}-pool",
    "roles": "{}-role",
    "service-accounts": "{}",
    **dict.fromkeys(("users", "members", "tokens", "session"), "{}-admin"),
}


def names_of(operation: Operation) -> Iterator[str]:
    """Yield the places for an id: in the path, in the query, in the body."""
    for name in (*operation.path_names, *operation.query_names, *(operation.body or {})):
        if "{}" in IDS.get(name, "") and (operation.name, name) not in FREE:
            yield name


def asked(operation: Operation, place: str | None, word: str) -> Asked:
    """Return a request in which the id at ``place`` is that of ``word``, and every other id is ours."""

    def filled(name: str) -> str:
        shape = IDS[name]
        if name == "name" and "/teams/" in operation.path:
            return OUR_TEAM if word == OURS or name != place else f"theirteam-{word}"
        if name == "name":
            shape = NAMES.get(operation.path.split("/")[3], "{}")
        return shape.format(word if name == place else OURS)

    ids = {name: filled(name) for name in operation.path_names}
    ids |= REQUIRED.get(operation.name, {})
    if place in operation.query_names:
        ids[place] = filled(place)
    if operation.name == "watch" and place == "task_id":
        ids |= {"run_id": filled("run_id"), "topics": "log"}
    body = None if operation.body is None else dict(operation.body)
    for name in body or {}:
        if "{}" in IDS.get(name, "") and body is not None:
            body[name] = [filled(name)] if isinstance(body[name], list) else filled(name)
    return Asked(operation, tuple(ids.items()), body)
