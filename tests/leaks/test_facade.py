"""The leak suite at the paths of Airflow's API, which the OpenAPI document does not have: each is asked alike."""

import re
from typing import Any, Final

import pytest
from psycopg import Connection

from headway.api.airflow.routes import ROUTES
from headway.api.airflow.shapes import number_of
from tests.api.browser import Browser
from tests.leaks.test_walls import recorded, server, teams, told
from tests.leaks.world import MISSING, NO_TEAM, OURS, TEAM, THEIRS, World, rows_of

pytestmark = pytest.mark.long

__all__ = ["server", "teams"]

DAG: Final = "/api/v2/dags/{dag_id}"
RUN: Final = f"{DAG}/dagRuns/{{run_id}}"
TASK: Final = f"{RUN}/taskInstances/{{task_id}}"
MAPPED: Final = f"{TASK}/{{map_index}}"
ASSET: Final = "/api/v2/assets/{asset_id}"
BACKFILL: Final = "/api/v2/backfills/{backfill_id}"
KEPT: Final = ("variables", "connections", "pools")
READ: Final = (
    *("details", "tasks", "tasks/{task_id}", "dagVersions", "dagVersions/{version_number}"),
    *("assets/queuedEvents", "assets/{asset_id}/queuedEvents"),
)
OF_TASK: Final = ("tries", "tries/{try_number}", "dependencies")

# What a request has in its body. ``{}`` is the word: ours, theirs or that of nobody.
THINGS: Final[dict[tuple[str, str], dict[str, Any] | None]] = {
    ("GET", DAG): None,
    ("PATCH", DAG): {"is_paused": True},
    ("GET", f"{DAG}/dagRuns"): None,
    ("POST", f"{DAG}/dagRuns"): {},
    ("GET", RUN): None,
    ("PATCH", RUN): {"note": "seen"},
    ("GET", f"{RUN}/taskInstances"): None,
    ("GET", TASK): None,
    ("GET", f"{TASK}/listMapped"): None,
    ("GET", MAPPED): None,
    ("GET", f"{RUN}/hitlDetails"): None,
    ("GET", f"{MAPPED}/hitlDetails"): None,
    ("GET", f"{MAPPED}/hitlDetails/tries/{{try_number}}"): None,
    ("PATCH", f"{MAPPED}/hitlDetails"): {"chosen_options": ["OK"], "params_input": {}},
    **{("GET", f"{DAG}/{part}"): None for part in READ},
    **{("GET", f"{place}/{part}"): None for place in (TASK, MAPPED) for part in OF_TASK},
    ("GET", "/api/v2/dagSources/{dag_id}"): None,
    ("GET", "/api/v2/importErrors/{import_error_id}"): None,
    ("POST", f"{DAG}/dagRuns/list"): {},
    ("POST", f"{RUN}/taskInstances/list"): {},
    ("POST", f"{RUN}/clear"): {},
    ("GET", f"{RUN}/wait"): None,
    ("POST", f"{DAG}/clearTaskInstances"): {"dag_run_id": "{}-run"},
    **{
        ("PATCH", f"{place}{part}"): {"new_state": "success"}
        for place in (TASK, MAPPED)
        for part in ("", "/dry_run")
    },
    ("GET", f"{TASK}/xcomEntries"): None,
    ("GET", f"{TASK}/xcomEntries/{{xcom_key}}"): None,
    ("GET", ASSET): None,
    ("GET", "/api/v2/assets/aliases/{asset_alias_id}"): None,
    ("POST", f"{ASSET}/materialize"): {},
    ("GET", f"{ASSET}/queuedEvents"): None,
    ("GET", BACKFILL): None,
    **{("PUT", f"{BACKFILL}/{word}"): {} for word in ("cancel", "pause", "unpause")},
    ("GET", f"{TASK}/logs/{{try_number}}"): None,
    **{("GET", f"/api/v2/{kind}/{{name}}"): None for kind in KEPT},
    **{("DELETE", f"/api/v2/{kind}/{{name}}"): None for kind in KEPT},
    ("PATCH", "/api/v2/variables/{name}"): {"value": "1"},
    ("PATCH", "/api/v2/connections/{name}"): {"host": "h"},
    ("PATCH", "/api/v2/pools/{name}"): {"slots": 1},
}
LISTS: Final = {
    ("GET", f"/api/v2/{kind}")
    for kind in (
        *("dags", *KEPT, "assets", "assets/aliases", "assets/events", "backfills"),
        *("dagStats", "dagTags", "dagWarnings", "importErrors"),
    )
}
# Read by POST, or looked for before it is known who may do it: a viewer gets another answer than 403.
READS: Final = {
    ("POST", f"{DAG}/dagRuns/list"),
    ("POST", f"{RUN}/taskInstances/list"),
    ("POST", f"{ASSET}/materialize"),
    ("POST", "/api/v2/assets/events"),
    ("POST", "/api/v2/connections/test"),
    *(("PUT", f"{BACKFILL}/{word}") for word in ("cancel", "pause", "unpause")),
}
# Of which the world has none, or of which an answer has no name.
NOT_THERE: Final = {
    *("/api/v2/dagSources/{dag_id}", "/api/v2/importErrors/{import_error_id}", BACKFILL),
    *(f"{ASSET}/queuedEvents", f"{DAG}/assets/queuedEvents"),
    *(f"{DAG}/assets/{{asset_id}}/queuedEvents", f"{TASK}/xcomEntries/{{xcom_key}}"),
    *(f"{MAPPED}/hitlDetails", f"{MAPPED}/hitlDetails/tries/{{try_number}}"),
}
NAMELESS: Final = {
    *(
        f"{RUN}/hitlDetails",
        f"{RUN}/wait",
        f"{TASK}/xcomEntries",
        f"{TASK}/dependencies",
        f"{MAPPED}/dependencies",
    ),
    *(f"/api/v2/{kind}" for kind in ("dagTags", "dagWarnings", "importErrors")),
}
QUERIES: Final = {
    f"{RUN}/wait": "?interval=1",
    "/api/v2/backfills": "?dag_id={}",
    "/api/v2/dagStats": "?dag_ids={}",
}
MAKES: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("POST", "/api/v2/variables"): {"key": "new-{}", "value": "1"},
    ("POST", "/api/v2/connections"): {"connection_id": "new-{}", "conn_type": "http"},
    ("POST", "/api/v2/pools"): {"name": "new-{}", "slots": 1},
    ("POST", "/api/v2/assets/events"): {"asset_id": "1"},
    ("POST", "/api/v2/connections/test"): {"connection_id": "{}-conn"},
    **{
        ("POST", f"/api/v2/backfills{part}"): {
            "dag_id": "{}",
            "from_date": "2026-01-01",
            "to_date": "2026-01-02",
        }
        for part in ("", "/dry_run")
    },
}
OPEN: Final = {
    ("POST", "/auth/token"),
    ("GET", "/api/v2/version"),
    ("GET", "/api/v2/monitor/health"),
}
IDS: Final = {
    "dag_id": "{}",
    "run_id": "{}-run",
    "task_id": "{}-task",
    "map_index": "-1",
    "try_number": "1",
    "version_number": "1",
    "xcom_key": "return_value",
    "import_error_id": "1",
    "backfill_id": "1",
    "asset_id": "{}-asset",
    "asset_alias_id": "@alias:{}-alias",
    "variables": "{}-key",
    "connections": "{}-conn",
    "pools": "{}-pool",
}
NAMES: Final = re.compile(r"\{(\w+)\}")


def declared() -> set[tuple[str, str]]:
    """Return method and path of all that is answered, a part with a name as ``{name}``."""
    found = set()
    for each in ROUTES:
        path = re.sub(r"\(\?P<kind>(\w+)\)", r"\1", each.pattern.pattern)
        found.add((each.method, re.sub(r"\(\?P<(\w+)>\[\^/\]\+\)", r"{\1}", path)))
    return found


def id_of(path: str, name: str, word: str) -> str:
    found = IDS[path.split("/")[3] if name == "name" else name].format(word)
    return str(number_of(found)) if name in ("asset_id", "asset_alias_id") else found


def filled(path: str, word: str, place: str | None = None, method: str = "GET") -> str:
    """Put ids into a path: that of ``word`` at ``place``, ours elsewhere; without a place, of ``word`` everywhere."""
    query = QUERIES.get(path, "") if method == "GET" else ""
    return named(path, word, place) + query.format(word)


def named(path: str, word: str, place: str | None) -> str:
    return NAMES.sub(
        lambda found: id_of(path, found[1], word if place in (None, found[1]) else OURS), path
    )


def test_every_route_is_classified() -> None:
    assert declared() == THINGS.keys() | LISTS | MAKES.keys() | OPEN


def test_what_is_ours_is_found(teams: World) -> None:
    for method, path in sorted(THINGS.keys() | LISTS):
        if method == "GET":
            answer = teams.ours["admin"].ask(method, filled(path, OURS))
            assert answer.status == (404 if path in NOT_THERE else 200), (path, answer)
            assert path in NAMELESS | NOT_THERE or OURS.encode() in answer.body, path


def test_what_another_team_has_is_as_what_nobody_has(
    teams: World, owner_conn: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = recorded(monkeypatch)
    caller, theirs = teams.ours["admin"], rows_of(owner_conn, 2)
    for (method, path), body in THINGS.items():
        for place in [None, *NAMES.findall(path)]:
            if place is not None and "{}" not in IDS.get(place, "{}"):
                continue
            answers = []
            for word in (MISSING, THEIRS):
                statements.clear()
                answer = caller.ask(method, filled(path, word, place), body)
                answers.append((*told(answer, word), [*statements]))
            assert answers[0] == answers[1], (method, path, place)
            assert answers[0][0] in (200, 404), (method, path, answers)
    for method, path in LISTS:
        assert THEIRS.encode() not in caller.ask(method, filled(path, OURS)).body, path
    assert rows_of(owner_conn, 2) == theirs


def test_who_is_nobody_and_who_is_in_no_such_team_learn_nothing(teams: World) -> None:
    nobody, caller = teams.outsiders["nobody"], teams.ours["admin"]
    requests = [*THINGS.items(), *((each, None) for each in LISTS), *MAKES.items()]
    for (method, path), body in requests:
        for browser, status in ((nobody, 401), (caller, 403)):
            answers = []
            for word, team in ((MISSING, NO_TEAM), (THEIRS, TEAM)):
                inside = {"Headway-Team": team}
                answer = browser.ask(
                    method, filled(path, word, method=method), said(body, word), inside
                )
                answers.append(told(answer, word))
            assert answers[0] == answers[1], (method, path)
            assert answers[0][0] == status, (method, path, answers)


def said(body: dict[str, Any] | None, word: str) -> dict[str, Any] | None:
    if body is None:
        return None
    return {k: v.format(word) if isinstance(v, str) else v for k, v in body.items()}


def test_a_viewer_changes_nothing(teams: World, owner_conn: Connection[Any]) -> None:
    before = rows_of(owner_conn, 1)
    for (method, path), body in [*THINGS.items(), *MAKES.items()]:
        if method != "GET" and (method, path) not in READS:
            caller: Browser = teams.ours["viewer"]
            answer = caller.ask(method, filled(path, OURS, method=method), said(body, OURS))
            assert answer.status == 403, (method, path, answer)
    after = rows_of(owner_conn, 1)
    assert {name for name in after if after[name] != before[name]} <= {"audit", "api_token"}
