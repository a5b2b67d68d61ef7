"""Connections and variables over HTTP: secrets go in, and come out nowhere."""

import base64
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, unquote

import msgspec
import psycopg
import pytest
from psycopg import sql

from headway import clock, wire
from headway.client import Client
from headway.clock import now
from headway.config import Layout
from headway.errors import Conflict, HeadwayError, NotFound, UsageError
from headway.secrets import stored
from headway.secrets.keys import KeyMissing, LocalKeys, local_keys
from headway.store import connection_tests, connections
from headway.store.transact import Session
from tests.api import people
from tests.api.attacks import Watch
from tests.api.browser import API

CANARY = "c4nary-S3cret/with+odd=chars"
CODED = quote(CANARY, safe="")
URI = f"postgres://me:{CODED}@db:5432/ware?sslmode=require&api_key={CODED}"


def rows_of(conn: Session) -> str:
    """Return everything in the database as text."""
    tables = conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    each = sql.SQL("SELECT t::text FROM {} AS t")
    return "\n".join(
        str(conn.execute(each.format(sql.Identifier(name))).fetchall()) for (name,) in tables
    )


def test_a_connection_is_shown_without_its_secrets(client: Client, owner_conn: Session) -> None:
    made = client.set_connection("warehouse", wire.ConnectionRequest(uri=URI, description="w"))
    assert made == client.connection("warehouse") == client.connections()[0]
    assert (made.conn_type, made.host, made.port, made.login) == ("postgres", "db", 5432, "me")
    assert made.has_password
    assert made.extra == {"sslmode": "require", "api_key": "***"}
    assert CANARY not in rows_of(owner_conn)


def test_what_a_change_leaves_out_stays(
    client: Client, owner_conn: Session, layout: Layout
) -> None:
    client.set_connection("w", wire.ConnectionRequest(uri=URI))
    shown = client.connection("w")
    same = wire.ConnectionRequest(
        conn_type=shown.conn_type,
        host=shown.host,
        port=shown.port,
        schema=shown.schema,
        login="new",
        extra=shown.extra,
    )
    client.set_connection("w", same)
    assert secret_of(owner_conn, layout, "w") == (CANARY, CANARY)
    with pytest.raises(UsageError, match="to another place: host changed"):
        client.set_connection("w", msgspec.structs.replace(same, host="attacker"))
    client.set_connection("w", wire.ConnectionRequest(conn_type="postgres", password=None))
    assert secret_of(owner_conn, layout, "w") == (None, None)
    with pytest.raises(UsageError, match="no secret is stored"):
        client.set_connection("w", wire.ConnectionRequest(conn_type="x", extra={"token": "***"}))


def secret_of(conn: Session, layout: Layout, name: str) -> tuple[object, object]:
    found = connections.find(conn, 1, name)
    assert found is not None
    opened = stored.open_connection(local_keys(layout.data, None), 1, found)
    return opened.password, opened.extra.get("api_key")


def test_bad_input_is_refused_without_repeating_it(client: Client) -> None:
    for request in (
        wire.ConnectionRequest(uri="hunter2"),
        wire.ConnectionRequest(uri="postgres://u:hunter2@[::1"),
        wire.ConnectionRequest(conn_type="Ä", password="hunter2"),
        wire.ConnectionRequest(conn_type="x", port=70_000, password="hunter2"),
        wire.ConnectionRequest(conn_type="x", dags=[]),
    ):
        with pytest.raises(UsageError) as caught:
            client.set_connection("w", request)
        assert "hunter2" not in str(caught.value)
    for name in ("../b/key", "a/b", ".x", "a b"):
        with pytest.raises(UsageError):
            client.set_connection(name, wire.ConnectionRequest(conn_type="x"))
        with pytest.raises(NotFound):
            client.connection(name)


def test_variables(client: Client, owner_conn: Session) -> None:
    assert client.set_variable("bucket", wire.VariableRequest(value="b")).value == "b"
    made = client.set_variable("smtp_password", wire.VariableRequest(value=CANARY))
    assert (made.is_secret, made.value) == (True, None)
    made = client.set_variable("smtp_password", wire.VariableRequest(description="mail"))
    assert (made.is_secret, made.value, made.description) == (True, None, "mail")
    assert CANARY not in rows_of(owner_conn)
    with pytest.raises(Conflict, match="cannot be made visible"):
        client.set_variable("smtp_password", wire.VariableRequest(is_secret=False))
    with pytest.raises(UsageError, match="needs a value"):
        client.set_variable("new", wire.VariableRequest())
    client.delete_variable("smtp_password")
    with pytest.raises(NotFound, match="there is no variable"):
        client.delete_variable("smtp_password")


def test_who_may_see_and_set(url: str) -> None:
    body = {"conn_type": "x", "password": CANARY}
    assert people.local(url).ask("PUT", f"{API}/connections/w", body).status == 200
    for role, sees, sets in (("operator", 403, 403), ("author", 200, 403), ("admin", 200, 200)):
        people.create(url, f"an-{role}", role)
        browser = people.signed_in(url, f"an-{role}")
        for path, change in (("connections/w", body), ("variables/v", {"value": "1"})):
            assert browser.ask("PUT", f"{API}/{path}", change).status == sets
            listed = browser.ask("GET", f"{API}/{path.split('/')[0]}")
            assert listed.status == sees
            assert CANARY.encode() not in listed.body


def test_the_audit_tells_of_changes_without_values(url: str, owner_conn: Session) -> None:
    admin = people.local(url)
    admin.ask("PUT", f"{API}/connections/w", {"uri": URI})
    admin.ask(
        "PUT", f"{API}/connections/w", {"conn_type": "x", "password": None, "extra": {"x": CANARY}}
    )
    admin.ask("PUT", f"{API}/variables/v", {"value": CANARY, "is_secret": True})
    told = admin.ask("GET", f"{API}/audit")
    assert CANARY.encode() not in told.body
    assert [entry["action"] for entry in told.json["items"]][::-1] == [
        "connections.set_connection",
        "connections.set_connection",
        "variables.set_variable",
    ]
    assert told.json["items"][-1]["detail"] == {"body": {"fields": ["uri"]}}


def test_a_row_opens_in_its_own_place_only(
    client: Client, owner_conn: Session, layout: Layout
) -> None:
    """Whoever can write the database cannot hand one team's secret to another one."""
    client.set_connection("w", wire.ConnectionRequest(uri=URI))
    found = connections.find(owner_conn, 1, "w")
    assert found is not None
    keys = local_keys(layout.data, None)
    with pytest.raises(HeadwayError, match="cannot decrypt"):
        stored.open_connection(keys, 2, found)
    owner_conn.execute("UPDATE connection SET conn_id = 'x'")
    moved = connections.find(owner_conn, 1, "x")
    assert moved is not None
    with pytest.raises(HeadwayError, match="cannot decrypt"):
        stored.open_connection(keys, 1, moved)


def test_row_security_shows_one_team(client: Client, owner_conn: Session, conn: Session) -> None:
    client.set_connection("w", wire.ConnectionRequest(uri=URI))
    client.set_variable("v", wire.VariableRequest(value="1"))
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    for table in ("connection", "variable"):
        with owner_conn.transaction():
            owner_conn.execute("SET LOCAL ROLE headway_app")
            owner_conn.execute("SELECT enter_team(2)")
            seen = owner_conn.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert seen == (0,)
        row = owner_conn.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = %s", [table]
        ).fetchone()
        assert row == (True, True)


def test_the_secrets_of_a_team_end_with_it(client: Client, owner_conn: Session) -> None:
    client.set_connection("w", wire.ConnectionRequest(uri=URI))
    owner_conn.execute("UPDATE team SET deleted_at = now()")
    assert owner_conn.execute("SELECT count(*) FROM connection").fetchone() == (0,)


# -- master keys


def test_the_key_file_is_private_and_made_once(layout: Layout) -> None:
    first = local_keys(layout.data, None)
    file = layout.data / "secrets.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert local_keys(layout.data, None).current == first.current


def test_a_rotation_wraps_everything_again_while_all_goes_on(
    client: Client, owner_conn: Session, layout: Layout
) -> None:
    client.set_connection("w", wire.ConnectionRequest(uri=URI))
    client.set_variable("v", wire.VariableRequest(value=CANARY, is_secret=True))
    reader = local_keys(layout.data, None)  # as another process has them
    before, sealed = reader.current, sealed_of(owner_conn)
    done = client.rotate_secrets()
    assert (done.rewrapped, done.key_id != before) == (2, True)
    used = owner_conn.execute("SELECT key_id FROM connection UNION SELECT key_id FROM variable")
    assert used.fetchall() == [(done.key_id,)]
    assert sealed_of(owner_conn) == sealed
    assert secret_of(owner_conn, layout, "w") == (CANARY, CANARY)
    found = connections.find(owner_conn, 1, "w")
    assert found is not None
    assert stored.open_connection(reader, 1, found).password == CANARY
    assert client.rotate_secrets().rewrapped == 2


def sealed_of(conn: Session) -> list[tuple[bytes]]:
    return conn.execute("SELECT sealed FROM connection").fetchall()


@pytest.mark.parametrize("kind", ["connections", "variables"])
@pytest.mark.parametrize(
    "name", ["..%2ftheirs%2fw", "a%2f..%2fb", "%2e%2e", "X__B___KEY", "@theirs%2fw", "w%00", "W"]
)
def test_a_path_to_another_team_is_as_a_name_that_nobody_has(
    url: str, owner_conn: Session, layout: Layout, watch: Watch, kind: str, name: str
) -> None:
    keys = local_keys(layout.data, None)
    owner_conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'theirs')")
    wanted = wire.ConnectionRequest(uri="postgres://u:p@h")
    stored.set_connection(owner_conn, keys, 2, "w", wanted, "me")
    stored.set_variable(owner_conn, keys, 2, "w", wire.VariableRequest(value="3"), "me")
    routed = "%2f" not in name and name != "w%00"
    for method in ("GET", "DELETE"):
        with watch.attack(entries=int(routed)):
            answers = [
                people.local(url).ask(method, f"{API}/{kind}/{each}")
                for each in ((name, "nobodys") if routed else (name,))
            ]
        assert {answer.status for answer in answers} <= {400, 404}
        as_nobodys = {each.body.replace(unquote(name).encode(), b"nobodys") for each in answers}
        assert len(as_nobodys) == 1


def test_keys_of_the_environment(tmp_path: Path) -> None:
    lines = [f"k{n} {base64.b64encode(bytes(range(n, n + 32))).decode()}" for n in (1, 2)]
    keys = LocalKeys(None, ",".join(lines))
    assert keys.current == keys.rotate() == "k1"
    key_id, wrapped = keys.wrap(b"x" * 32, b"place")
    assert (
        LocalKeys(None, "\n".join(reversed(lines))).unwrap(key_id, wrapped, b"place") == b"x" * 32
    )
    with pytest.raises(KeyMissing, match="k1"):
        LocalKeys(None, lines[1]).unwrap(key_id, wrapped, b"place")
    with pytest.raises(HeadwayError, match="cannot decrypt"):
        keys.unwrap(key_id, wrapped, b"other place")


@pytest.mark.parametrize("text", ["", "k", "k !!", "k " + "A" * 43 + "=", "k aGVsbG8="])
def test_a_bad_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        LocalKeys(None, text)
    assert re.search("AAAA|aGVs", str(caught.value)) is None


def test_a_key_file_that_others_can_read_is_refused(layout: Layout) -> None:
    local_keys(layout.data, None)
    (layout.data / "secrets.key").chmod(0o644)
    with pytest.raises(HeadwayError, match="other users can read"):
        local_keys(layout.data, None).wrap(b"x", b"y")


def test_a_name_beyond_the_pattern_is_refused_by_the_database_too(owner_conn: Session) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        owner_conn.execute(
            "INSERT INTO variable (team_id, key, value, changed_by) VALUES (1, '../x', '', '')"
        )


def test_a_test_is_done_by_the_executor_and_its_result_is_taken_away(
    client: Client, owner_conn: Session
) -> None:
    client.set_connection("w", wire.ConnectionRequest(uri=URI))
    with pytest.raises(NotFound):
        client.test_connection("nothing")
    with pytest.raises(Conflict, match="no agent of the team is connected"):
        client.test_connection("w")
    owner_conn.execute(
        "INSERT INTO agent_session (team_id, session_id, agent, host, pid, slots, started_at, heartbeat_at)"
        " VALUES (1, 's1', 'local', 'here', 7, 4, now(), now() + interval '1 hour')"
    )
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(client.test_connection, "w")
        deadline = clock.monotonic() + 60
        while not (claimed := connection_tests.claim(owner_conn, [1, 2], now())):
            assert clock.monotonic() < deadline
        (test,) = claimed
        assert (test.team_id, test.team, test.conn_id) == (1, "default", "w")
        assert connection_tests.claim(owner_conn, [1, 2], now()) == [], "it is somebody's now"
        connection_tests.finish(owner_conn, 1, test.test_id, True, "reached")
        done = asked.result()
    assert done == wire.ConnectionTest(conn_id="w", ok=True, message="reached")
    assert owner_conn.execute("SELECT count(*) FROM connection_test").fetchone() == (0,)


def test_an_old_test_is_nobodys(owner_conn: Session) -> None:
    connection_tests.ask(owner_conn, 1, "t1", "w", now() - 2 * connection_tests.KEPT)
    assert connection_tests.claim(owner_conn, [1], now()) == []
    connection_tests.forget(owner_conn, 1, "t2", now())
    assert owner_conn.execute("SELECT count(*) FROM connection_test").fetchone() == (0,)
