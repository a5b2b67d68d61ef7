"""Who asked for what: complete, without secrets, and never changed."""

from datetime import timedelta
from typing import Any

import pytest
from psycopg import errors

from headway import clock
from headway.api.app import NOUNS
from headway.core import audited
from headway.core.grants import GrantKind
from headway.engine import janitor
from headway.errors import UsageError
from headway.store import audit
from headway.store.transact import Session, transact
from tests.api import people, seed
from tests.api.browser import API, Browser


@pytest.fixture
def admin(url: str) -> Browser:
    return people.local(url)


def entries(admin: Browser, query: str = "") -> list[tuple[str, str, str]]:
    items = admin.ask("GET", f"{API}/audit{query}").json["items"]
    return [(each["actor"], each["action"], each["subject"]) for each in items]


def test_everything_that_changed_something_is_there(
    admin: Browser, url: str, conn: Session
) -> None:
    seed.dag(conn, "d")
    people.create(url, "ann", "operator")
    ann = people.signed_in(url, "ann")
    run = ann.ask("POST", f"{API}/dags/d/runs", {"params": {"size": 5}}).json["run_id"]
    ann.ask("POST", f"{API}/runs/{run}/cancel")
    ann.ask("POST", f"{API}/dags/d/pause")
    ann.ask("GET", f"{API}/runs")
    admin.ask("PUT", f"{API}/pools/etl", {"slots": 3})
    assert entries(admin) == [
        ("user:admin", "pools.set_pool", "etl"),
        ("user:ann", "dags.pause", "d"),
        ("user:ann", "runs.cancel", run),
        ("user:ann", "dags.trigger", "d"),
        ("user:ann", "session.sign_in", "ann"),
        ("user:admin", "users.create_user", ""),
    ]
    assert entries(admin, "?actor=user:ann&action=dags.pause") == [("user:ann", "dags.pause", "d")]
    detail = admin.ask("GET", f"{API}/audit?action=dags.trigger").json["items"][0]
    assert detail["detail"] == {"body": {"params": {"size": 5}}, "after": {"run_id": run}}
    assert (detail["via"], detail["address"]) == ("session", "127.0.0.1")


def test_every_action_has_a_sentence() -> None:
    """Each operation that changes something, and what is written without a request."""
    modules = {
        handler: noun.__name__.rpartition(".")[2] for noun in NOUNS for handler in noun.ROUTES
    }
    actions = {
        f"{noun}.{handler.fn.__name__}"
        for handler, noun in modules.items()
        if handler.http_methods & {"POST", "PUT", "PATCH", "DELETE"}
    }
    signing_in = {
        each
        for each in actions
        if each.startswith("session.") and not each.endswith(("sign_out", "offer_link"))
    }
    others = {
        *("session.sign_in", "session.refused", "session.ended", "access.refused", "audit.prune"),
        *("members.role_map", "secrets.guess", "cluster.apply", "cluster.repair", "cluster.delete"),
        *("agents.refuse", "dags.refuse"),
    }
    known = {*audited.PLAIN, *audited.TOLD}
    assert (actions - signing_in | others) - known == set()
    assert known - actions - others == set()


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-31T00:00:00+01:00", "from 2026-01-01 to 2026-01-31"),
        ("2026-01-01", "2026-01-01T06:30:00", "from 2026-01-01 to 2026-01-01 06:30:00"),
        (
            "2026-01-01T06:00:00.25+01:00",
            "0001-01-01T05:00:00+14:00",
            "from 2026-01-01 05:00:00 UTC to 0001-01-01T05:00:00+14:00",
        ),
        ("soon", "", "from soon to "),
    ],
)
def test_dates_are_told_as_people_write_them(first: str, last: str, said: str) -> None:
    body = {"from": first, "to": last}
    words = audited.sentence("dags.backfill", "d", {"body": body, "after": {"runs": 31}})
    assert words == f"started a backfill of `d` {said}: 31 runs"


def test_an_agent_that_was_refused_is_told_with_the_reason() -> None:
    once = audited.sentence("agents.refuse", "h1", {"reason": "it has ended", "times": 1})
    assert once == "asked on `h1` to be let in, and was refused: it has ended"
    often = audited.sentence("agents.refuse", "h1", {"times": 7})
    assert often == "asked 7 times on `h1` to be let in, and was refused"


def test_a_start_that_was_refused_is_told_with_the_reason() -> None:
    said = audited.sentence("dags.refuse", "r1", {"reason": "the team a may not start @b/c"})
    start = "was refused a DAG of another team, in run `r1`"
    assert said == f"{start}: the team a may not start @b/c"
    assert audited.sentence("dags.refuse", "r1", {}) == start


def test_a_logical_date_is_told_likewise() -> None:
    detail = {"body": {"logical_date": "2026-01-01T00:00:00+00:00"}}
    words = audited.sentence("dags.trigger", "d", detail)
    assert words == "triggered a run of `d` for 2026-01-01"


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ({"status": 403, "times": 3}, "was refused `GET /runs` 3 times"),
        ({"status": 403}, "was refused `GET /runs`"),
        (
            {"status": 429, "times": 2},
            "sent too many requests, and was refused `GET /runs` 2 times",
        ),
        ({}, "was refused `GET /runs`"),
        (
            {"status": 404, "times": 1},
            "asked for something that does not exist, or is not visible to them: `GET /runs`",
        ),
        (
            {"status": 404, "times": 2},
            "asked 2 times for something that does not exist, or is not visible to them: `GET /runs`",
        ),
        ({"status": 401, "times": 1}, "sent a request without a valid session or token"),
        ({"status": 401, "times": 2}, "sent 2 requests without a valid session or token"),
    ],
)
def test_what_is_not_there_is_not_called_a_refusal(detail: dict[str, Any], said: str) -> None:
    assert audited.sentence("access.refused", "GET /runs", detail) == said


@pytest.mark.parametrize("kind", GrantKind)
def test_a_grant_is_told_with_what_it_is_for(kind: GrantKind) -> None:
    detail = {"body": {"grantee": "shop", "owner": "stats", "name": "orders", "kind": kind.value}}
    given = audited.sentence("grants.give_grant", "", detail)
    assert given == f"let `shop` {kind.word} the {kind.subject} `orders`"
    asked = audited.sentence("grants.ask_for_grant", "", detail)
    assert asked == f"asked `stats` to {kind.word} the {kind.subject} `orders`"


@pytest.mark.parametrize("action", [*audited.PLAIN, *audited.TOLD, "things.make_thing"])
@pytest.mark.parametrize(
    "detail",
    [
        {},
        {"body": None},
        {"body": {"bytes": 9}},
        {"body": [], "before": 1, "after": []},
        {"times": "x"},
    ],
)
def test_a_sentence_needs_no_detail(action: str, detail: dict[str, Any]) -> None:
    """An entry of old has less, and a request that was too long none."""
    words = audited.sentence(action, "x", detail)
    assert words == words.strip()
    assert words
    assert "None" not in words


def test_entries_are_told_in_sentences(admin: Browser, url: str, conn: Session) -> None:
    seed.dag(conn, "d")
    day = {"logical_date": "2026-01-02T05:00:00Z"}
    run = admin.ask("POST", f"{API}/dags/d/runs", day).json["run_id"]
    admin.ask("POST", f"{API}/runs/{run}/clear", {"dry_run": True})
    admin.ask("PUT", f"{API}/pools/etl", {"slots": 3})
    admin.ask("PUT", f"{API}/pools/etl", {"slots": 1})
    admin.ask("PATCH", f"{API}/runs/{run}", {"note": "late source"})
    admin.ask("POST", f"{API}/dags/d/backfills", {"from": "2026-01-01", "to": "2026-01-03"})
    admin.ask("POST", f"{API}/runs/@latest/cancel")
    people.create(url, "ann", "operator")
    items = admin.ask("GET", f"{API}/audit").json["items"]
    cancelled = items[1]["subject"]
    assert len(cancelled) > 8  # the run itself, not what the request called it
    assert [each["words"] for each in reversed(items)] == [
        f"triggered run `{run}` of `d` for 2026-01-02 05:00:00 UTC",
        f"previewed, without a change: cleared tasks of run `{run}`",
        "created the pool `etl` with 3 slots",
        "set the pool `etl` to 1 slot (before: 3)",
        f"wrote a note on run `{run}`: late source",
        "started a backfill of `d` from 2026-01-01 to 2026-01-03: 3 runs",
        f"cancelled run `{cancelled}`",
        "created the user `ann` with the role `operator`",
    ]


def test_failed_sign_ins_are_there(admin: Browser, url: str, conn: Session) -> None:
    people.create(url, "ann", "viewer")
    Browser(url).sign_in("ann", "not the password")
    Browser(url).sign_in("nobody\nuser:admin", "not the password")
    assert entries(admin)[:2] == [
        ("nobody", "session.refused", "nobody\nuser:admin"),
        ("nobody", "session.refused", "ann"),
    ]


def test_it_holds_no_secret(admin: Browser, url: str) -> None:
    people.create(url, "ann", "viewer")
    token = people.token(url, "ann", "viewer")
    ann = people.signed_in(url, "ann")
    own = {"password": "a wholly new password", "current": people.PASSWORD}
    assert ann.ask("PUT", f"{API}/users/ann/password", own).status == 204
    link = admin.ask("POST", f"{API}/login-links", {}).json["url"].partition("#")[2]
    told = admin.ask("GET", f"{API}/audit").body.decode()
    for secret in (people.PASSWORD, own["password"], token, link):
        assert secret not in told
    assert "***" in told


def test_a_change_of_a_user_tells_before_and_after(admin: Browser, url: str) -> None:
    people.create(url, "ann", "viewer")
    admin.ask("PATCH", f"{API}/users/ann", {"role": "author"})
    detail = admin.ask("GET", f"{API}/audit").json["items"][0]["detail"]
    assert (detail["before"]["role"], detail["after"]["role"]) == ("viewer", "author")


@pytest.mark.parametrize(
    ("tampering", "broken_at"),
    [
        ("SELECT", None),
        ("UPDATE audit SET actor = 'user:eve' WHERE seq = 3", 3),
        ("UPDATE audit SET at = at - interval '1 day' WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 3", 4),
        ("DELETE FROM audit WHERE seq = 1", 2),
    ],
)
def test_who_changes_it_as_a_superuser_is_found_out(
    admin: Browser, url: str, owner_conn: Session, tampering: str, broken_at: int | None
) -> None:
    for n in range(5):
        people.create(url, f"user{n}", "viewer")
    owner_conn.execute(tampering.encode())
    check = admin.ask("GET", f"{API}/audit/check").json
    assert (check["intact"], check["broken_at"]) == (broken_at is None, broken_at)


def test_changes_tell_before_and_after(admin: Browser, conn: Session) -> None:
    def change(method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = admin.ask(method, f"{API}{path}", body)
        assert answer.status < 300, answer.body
        told: dict[str, Any] = admin.ask("GET", f"{API}/audit?limit=1").json["items"][0]["detail"]
        return told

    seed.dag(conn, "d")
    seed.run(conn, "d", "r1", state="failed")
    for task, state in (("t0", "success"), ("t1", "failed"), ("t2", "upstream_failed")):
        seed.instance(conn, "r1", task, state)
    told = change("PUT", "/pools/etl", {"slots": 3})
    assert (told["before"], told["after"]) == (None, {"slots": 3})
    told = change("PUT", "/pools/etl", {"slots": 5})
    assert (told["before"], told["after"]) == ({"slots": 3}, {"slots": 5})
    assert change("DELETE", "/pools/etl")["before"] == {"slots": 5}
    told = change("POST", "/dags/d/pause")
    assert (told["before"]["paused_by"], told["after"]["paused_by"]) == (None, "user:admin")
    assert change("POST", "/dags/d/resume")["before"]["paused_by"] == "user:admin"
    assert change("PATCH", "/runs/r1", {"note": "mended"})["after"] == {"note": "mended"}
    assert change("PATCH", "/runs/r1", {"note": None})["before"] == {"note": "mended"}
    told = change("POST", "/runs/r1/mark", {"task_id": "t1", "state": "success"})
    assert (told["before"][0]["state"], told["after"]) == ("failed", "success")
    told = change("POST", "/runs/r1/clear", {"tasks": ["t1"], "downstream": False})
    assert told["before"] == [{"task_id": "t1", "map_index": -1, "state": "success"}]
    told = change("POST", "/runs/r1/cancel")
    assert (told["before"]["state"], told["after"]["state"]) == ("queued", "cancelled")
    token = admin.ask("POST", f"{API}/tokens", {"name": "ci"}).json
    told = change("DELETE", f"/tokens/{token['id']}")
    assert told["before"]["revoked_at"] is None
    assert told["after"]["revoked_at"] is not None


# -- retention: kept for ever unless somebody asks for less


def aged(owner_conn: Session, entries: int) -> None:
    """The first of them, sixty days old; their links made anew, as if they had been written then."""
    owner_conn.execute("UPDATE audit SET at = at - interval '60 days' WHERE seq <= %s", [entries])
    owner_conn.execute(
        """
        DO $$
        DECLARE
            entry audit;
            before bytea := '';
        BEGIN
            FOR entry IN SELECT * FROM audit ORDER BY seq LOOP
                before := audit_link(before, entry);
                UPDATE audit SET chain = before WHERE seq = entry.seq;
            END LOOP;
        END $$
        """
    )


def pruned(conn: Session, days: int, limit: int = 1000) -> int:
    return transact(conn, audit.prune, 1, clock.now() - timedelta(days=days), limit)


def test_what_is_old_goes_and_the_chain_holds(
    admin: Browser, url: str, conn: Session, owner_conn: Session
) -> None:
    for n in range(6):
        people.create(url, f"user{n}", "viewer")
    aged(owner_conn, 4)
    assert pruned(conn, days=90) == 0
    assert pruned(conn, days=45, limit=3) == 3
    assert pruned(conn, days=45) == 1
    check = admin.ask("GET", f"{API}/audit/check").json
    assert check == {"entries": 4, "intact": True, "broken_at": None, "removed": 4}
    assert entries(admin)[:2] == [("janitor", "audit.prune", "4"), ("janitor", "audit.prune", "3")]
    people.create(url, "later", "viewer")
    assert admin.ask("GET", f"{API}/audit/check").json["intact"]


@pytest.mark.parametrize(
    "tampering",
    [
        "DELETE FROM audit WHERE seq = 5",
        "UPDATE audit SET actor = 'user:eve' WHERE seq = 6",
        "DELETE FROM audit WHERE action = 'audit.prune'",
        'UPDATE audit SET detail = \'{"until": 5, "chain": "00"}\' WHERE action = \'audit.prune\'',
    ],
)
def test_tampering_is_found_after_pruning_too(
    admin: Browser, url: str, conn: Session, owner_conn: Session, tampering: str
) -> None:
    for n in range(6):
        people.create(url, f"user{n}", "viewer")
    aged(owner_conn, 4)
    assert pruned(conn, days=45) == 4
    owner_conn.execute(tampering.encode())
    assert not admin.ask("GET", f"{API}/audit/check").json["intact"]


def test_nothing_younger_than_thirty_days_is_removed_whoever_asks(
    url: str, conn: Session, app_conn: Session
) -> None:
    people.create(url, "ann", "viewer")
    assert pruned(conn, days=-1) == 0
    with pytest.raises(errors.InsufficientPrivilege):
        app_conn.execute("SELECT prune_audit(1, now(), 10)")


def test_how_long_it_is_kept_is_said_explicitly() -> None:
    assert janitor.audit_retention_from({}) is None
    assert janitor.audit_retention_from({"HEADWAY_AUDIT_DAYS": "365"}) == timedelta(days=365)
    with pytest.raises(UsageError, match="not a valid number of days"):
        janitor.audit_retention_from({"HEADWAY_AUDIT_DAYS": "7"})
