"""Two teams with the same things, which differ only in a word: THEIRS where ours have OURS.

The rows of the other team are copies, made by the names of columns in the catalogue, so that a new table or
column is in the world without a line here.
"""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from psycopg import Connection, sql

from headway import wire
from headway.actions import outbound
from headway.actions import webhooks as actions
from headway.config import Layout
from headway.paths import log_path
from headway.secrets import stored
from headway.secrets.keys import local_keys
from tests.api import people, seed
from tests.api.browser import API, Browser

OURS: Final = "bluebird"
THEIRS: Final = "kxqzwvk1"
MISSING: Final = "kxqzwvk2"  # as like ours as theirs is, so that "did you mean" says the same
TEAM: Final = "theirteam-" + THEIRS
NO_TEAM: Final = "theirteam-" + MISSING
ONCE_GOOD: Final = ("expired", "revoked", "disabled", "deleted")
OUTSIDERS: Final = ("nobody", "a missing token", *ONCE_GOOD)
LOG: Final = b"a line of bluebird\nanother one\n"
# Who may sign in is made by the API; the audit chains its rows itself.
MADE_BY_API: Final = {"person", "membership", "api_token", "browser_session", "login_link", "audit"}

TABLES: Final = """
    SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)
    FROM information_schema.columns JOIN pg_class ON relname = table_name AND relkind = 'r'
    WHERE table_schema = 'public' AND is_generated = 'NEVER' AND is_identity = 'NO'
    GROUP BY table_name HAVING bool_or(column_name = 'team_id') AND table_name <> 'team'
    ORDER BY table_name
"""


@dataclass(frozen=True)
class World:
    url: str
    ours: dict[str, Browser]  # by role
    theirs: Browser  # an admin of the other team
    outsiders: dict[str, Browser]  # nobody, and everybody whose credential is good no more


def made(url: str, conn: Connection[Any], layout: Layout) -> World:
    """``conn``: as the owner of the schema."""
    ours(conn)
    related(conn)
    secrets(conn, layout)
    webhooks(conn, layout)
    outbound_webhooks(conn, layout)
    log = layout.data / log_path(f"{OURS}-run", f"{OURS}-task", -1, 1)
    log.parent.mkdir(parents=True)
    log.write_bytes(LOG)
    other = layout.data / log_path(f"{THEIRS}-run", f"{THEIRS}-task", -1, 1)
    other.parent.mkdir(parents=True)
    other.write_bytes(LOG.replace(OURS.encode(), THEIRS.encode()))
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, %s)", [TEAM])
    copied(conn)
    for team_id, word in ((1, OURS), (2, THEIRS)):
        conn.execute(
            "INSERT INTO run_link (team_id, link_id, run_id, hash, with_logs, created_by, expires_at)"
            " VALUES (%s, %s, %s, %s, true, 'me', now() + interval '1 day')",
            [team_id, f"{word}-link", f"{word}-run", word.encode()],
        )
        conn.execute(
            "INSERT INTO team_grant (grant_id, owner, grantee, name, kind, state, changed_by, changed_in)"
            " SELECT %(word)s || '-grant', name, 'theirteam-' || %(word)s || '-other', %(word)s, 'see_runs', 'given',"
            " 'me', name FROM team WHERE team_id = %(team)s",
            {"team": team_id, "word": word},
        )
    shared_pools(conn)
    bearers = {}
    for role in people.ROLES:
        people.create(url, f"{OURS}-{role}", role)
        bearers[role] = people.bearer(url, people.token(url, f"{OURS}-{role}", role, role))
    theirs = of_their_admin(url, conn)
    for word, name in ((OURS, "viewer"), (THEIRS, f"{THEIRS}-token")):
        conn.execute(
            "UPDATE api_token SET token_id = %s WHERE name = %s", [f"{word}-token-id", name]
        )
    return World(url, bearers, theirs, outsiders(url, conn))


def ours(conn: Connection[Any]) -> None:
    """Two runs of one DAG, in the order in which foreign keys want them."""
    seed.dag(conn, OURS)
    conn.execute(
        "UPDATE dag_version SET spec = replace(spec::text, '\"t0\"', %s)::json", [f'"{OURS}-task"']
    )
    conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (1, %s, 3)", [f"{OURS}-pool"])
    conn.execute(
        "INSERT INTO backfill (team_id, backfill_id, dag_id, first_date, last_date,"
        " max_active_runs, created_at, created_by) VALUES (1, %s, %s, now(), now(), 1, now(), 'me')",
        [f"{OURS}-backfill", OURS],
    )
    conn.execute(
        "INSERT INTO team_role (team_id, name, verbs, created_by) VALUES (1, %s, '{run.read}', 'me')",
        [f"{OURS}-role"],
    )
    conn.execute(
        "INSERT INTO asset (team_id, name, uri, asset_group, extra, created_at) VALUES (1, %s, '', '', '{}', now())",
        [f"{OURS}-asset"],
    )
    conn.execute(
        "INSERT INTO asset_event (team_id, asset, at, extra, by, partition) VALUES (1, %s, now(), '{}', %s, %s)",
        [f"{OURS}-asset", f"user:{OURS}", f"{OURS}-partition"],
    )
    conn.execute(
        "INSERT INTO asset (team_id, name, uri, asset_group, extra, created_at, refused_asset, refused_why)"
        " VALUES (1, %s, '', '', '{}', now(), %s, 'it is full')",
        [f"@alias:{OURS}-alias", OURS],
    )
    conn.execute(
        "INSERT INTO asset_alias VALUES (1, %s, %s, 0, now())", [f"{OURS}-alias", f"{OURS}-asset"]
    )
    for run in (f"{OURS}-run", f"{OURS}-run-b"):
        seed.run(conn, OURS, run, state="failed")
        for task in (f"{OURS}-task", "t1", "t2"):
            seed.instance(conn, run, task, "failed")
            seed.attempt(conn, run, task, detail=f"ValueError: {OURS}")
    conn.execute(
        "INSERT INTO task_state (team_id, run_id, task_id, map_index, key, value, size, updated_at)"
        " VALUES (1, %(run)s, %(task)s, -1, %(word)s, to_json(%(word)s::text), 1, now())",
        {"run": f"{OURS}-run", "task": f"{OURS}-task", "word": OURS},
    )
    conn.execute(
        "INSERT INTO airflow_dag (team_id, dag_id, runs, imported_at, imported_by) VALUES (1, %s, 1, now(), 'me')",
        [OURS],
    )
    conn.execute(
        "INSERT INTO airflow_run (team_id, dag_id, run_id, run_type, state, due_at, ended_at, tasks, instances, size,"
        " digest) VALUES (1, %(word)s, %(run)s, 'manual', 'success', now(), now(), 1, %(instances)s, 1, '')",
        {
            "word": OURS,
            "run": f"{OURS}-airflow-run",
            "instances": f'[["{OURS}-task", -1, "success", 1, null, null, "{OURS}"]]',
        },
    )
    conn.execute(
        "INSERT INTO asset_state (team_id, asset, key, value, size, updated_at, by)"
        " VALUES (1, %(asset)s, %(word)s, to_json(%(word)s::text), 1, now(), %(word)s)",
        {"asset": f"{OURS}-asset", "word": OURS},
    )
    conn.execute(
        "INSERT INTO event (team_id, at, subject, dag_id, run_id, name, actor)"
        " SELECT 1, now(), 'run', dag_id, run_id, 'fail', %s FROM run",
        [f"user:{OURS}"],
    )


def related(conn: Connection[Any]) -> None:
    """What belongs to DAGs: a broken file, a DAG that listens to an asset, a question of a task."""
    conn.execute(
        "INSERT INTO import_error (team_id, file, line, message, bundle_version, at, since)"
        " VALUES (1, %(word)s || '.py', 1, 'ValueError: ' || %(word)s, 'b', now(), now())",
        {"word": OURS},
    )
    conn.execute(
        "INSERT INTO asset_consumer (team_id, dag_id, asset, consumed, latest) VALUES (1, %s, %s, 0, 0)",
        [OURS, f"{OURS}-asset"],
    )
    conn.execute(
        "INSERT INTO asset_watcher (team_id, dag_id, asset, name, digest, facts, queue)"
        " VALUES (1, %s, %s, %s, 'x', json_build_object('what', %s::text), %s)",
        [OURS, f"{OURS}-asset", f"{OURS}-watcher", OURS, f"{OURS}-queue"],
    )
    conn.execute(
        "INSERT INTO watch (team_id, digest, facts, queue, shared, dag_id, file, bundle_version, wanted, starts_at,"
        " error, note) VALUES (1, 'x', '{}', 'q', true, %(word)s, %(word)s, 'b', true, now(), %(word)s, %(word)s)",
        {"word": OURS},
    )
    seed.instance(conn, f"{OURS}-run-b", "t3", "deferred")
    facts = {"ask": "ask", "subject": f"May {OURS} go out?", "options": ["OK"]}
    conn.execute(
        "INSERT INTO wait (team_id, run_id, task_id, map_index, attempt, deferrals, kind, facts, since, overdue,"
        " reschedules, finishes) VALUES (1, %s, 't3', -1, 1, 1, 'answer', %s, now(), 'fail', false, true)",
        [f"{OURS}-run-b", msgspec.json.encode(facts).decode()],
    )


def shared_pools(conn: Connection[Any]) -> None:
    """A third team has a part of a pool of each of the two, and lends each a pool of its own."""
    conn.execute("INSERT INTO team (team_id, name) VALUES (3, 'partner')")
    for team_id, word in ((1, OURS), (2, THEIRS)):
        conn.execute("INSERT INTO pool (team_id, name, slots) VALUES (3, %s, 4)", [f"{word}-lent"])
        conn.execute(
            "INSERT INTO team_grant (grant_id, owner, grantee, name, kind, state, changed_by, changed_in)"
            " SELECT %(word)s || '-out', name, 'partner', %(word)s || '-pool', 'use_pool', 'given', 'me', name"
            " FROM team WHERE team_id = %(team)s UNION ALL"
            " SELECT %(word)s || '-in', 'partner', name, %(word)s || '-lent', 'use_pool', 'given', 'me', 'partner'"
            " FROM team WHERE team_id = %(team)s",
            {"team": team_id, "word": word},
        )


def secrets(conn: Connection[Any], layout: Layout) -> None:
    keys = local_keys(layout.data, None)
    uri = f"postgres://{OURS}:{OURS}@{OURS}/db"
    stored.set_connection(
        conn, keys, 1, f"{OURS}-conn", wire.ConnectionRequest(uri=uri), f"user:{OURS}"
    )
    stored.set_variable(conn, keys, 1, f"{OURS}-key", wire.VariableRequest(value=OURS), "me")


def webhooks(conn: Connection[Any], layout: Layout) -> None:
    keys = local_keys(layout.data, None)
    wanted = wire.WebhookRequest(name=f"{OURS}-webhook", asset=f"{OURS}-asset")
    actions.create(conn, keys, 1, wanted, f"user:{OURS}", "https://headway")
    conn.execute("UPDATE webhook SET hook_id = %s", [f"{OURS}-hook"])
    conn.execute(
        "INSERT INTO webhook_delivery (team_id, name, at, outcome, detail, digest, body, made, address)"
        " VALUES (1, %s, now(), 'accepted', '', sha256(%s), '{}', '1', %s)",
        [f"{OURS}-webhook", OURS.encode(), OURS],
    )


def outbound_webhooks(conn: Connection[Any], layout: Layout) -> None:
    keys = local_keys(layout.data, None)
    url = f"https://example.com/{OURS}"
    wanted = wire.OutboundWebhookRequest(name=f"{OURS}-outbound", url=url, dags=[OURS])
    outbound.create(conn, keys, 1, wanted, f"user:{OURS}", "https://headway")
    conn.execute(
        "INSERT INTO outbound_delivery (team_id, name, event_id, at, dag_id, run_id, state, body, since, next_at)"
        " VALUES (1, %(name)s, %(run)s, now(), %(dag)s, %(run)s, 'success', %(run)s, now(), now())",
        {"name": wanted.name, "run": f"{OURS}-run", "dag": OURS},
    )


def copied(conn: Connection[Any]) -> None:
    """Copy every row of ours for the other team. Foreign keys are not looked at meanwhile."""
    with conn.transaction():
        conn.execute("SET LOCAL session_replication_role = replica")
        for table, columns in conn.execute(TABLES).fetchall():
            if table not in MADE_BY_API:
                conn.execute(copy_of(table, columns), {"ours": OURS, "theirs": THEIRS})


def copy_of(table: str, columns: list[str]) -> sql.Composed:
    return sql.SQL(
        "INSERT INTO {table} ({names}) SELECT {values} FROM {table} AS own, jsonb_populate_record("
        "NULL::{table}, replace(row_to_json(own)::text, %(ours)s, %(theirs)s)::jsonb || "
        "'{{\"team_id\": 2}}') AS copy WHERE own.team_id = 1 ON CONFLICT DO NOTHING"
    ).format(
        table=sql.Identifier(table),
        names=sql.SQL(", ").join(sql.Identifier(name) for name in columns),
        values=sql.SQL(", ").join(sql.Identifier("copy", name) for name in columns),
    )


def of_their_admin(url: str, conn: Connection[Any]) -> Browser:
    """An admin of the other team, whom that team looks after, with a token of it."""
    in_their_team = people.local(url)
    in_their_team.headers["Headway-Team"] = TEAM
    conn.execute(
        "INSERT INTO membership (team_id, person_id, role, created_by)"
        " SELECT 2, person_id, 'admin', 'a test' FROM person WHERE name = 'admin'"
    )
    user = {"name": f"{THEIRS}-admin", "role": "admin", "password": people.PASSWORD}
    assert in_their_team.ask("POST", f"{API}/users", user).status == 201
    asked = {"name": f"{THEIRS}-token", "user": user["name"], "role": "admin"}
    answer = in_their_team.ask("POST", f"{API}/tokens", asked)
    assert answer.status == 201, answer.body
    return people.bearer(url, answer.json["token"])


def outsiders(url: str, conn: Connection[Any]) -> dict[str, Browser]:
    """Nobody, and holders of what was good once."""
    found = {"nobody": Browser(url), "a missing token": people.bearer(url, f"hwt_{MISSING}")}
    for state in ONCE_GOOD:
        people.create(url, f"{OURS}-{state}", "admin")
        token = people.token(url, f"{OURS}-{state}", "admin", state)
        found[state] = people.bearer(url, token)
    conn.execute("UPDATE api_token SET expires_at = now() WHERE name = 'expired'")
    conn.execute("UPDATE api_token SET revoked_at = now() WHERE name = 'revoked'")
    conn.execute("UPDATE person SET disabled_at = now() WHERE name = %s", [f"{OURS}-disabled"])
    conn.execute(
        "DELETE FROM membership USING person WHERE person.person_id = membership.person_id"
        " AND person.name = %s",
        [f"{OURS}-deleted"],
    )
    return found


def rows_of(conn: Connection[Any], team_id: int) -> dict[str, str]:
    """Return a digest of the team's rows by table."""
    found = {}
    for table, _ in conn.execute(TABLES).fetchall():
        (found[table],) = conn.execute(
            sql.SQL(
                "SELECT md5(string_agg(row::text, ' ' ORDER BY row::text)) FROM {} AS row WHERE team_id = %s"
            ).format(sql.Identifier(table)),
            [team_id],
        ).fetchone() or ("",)
    (found["team_grant"],) = conn.execute(
        "SELECT md5(string_agg(row::text, ' ' ORDER BY row::text)) FROM team_grant AS row"
        " WHERE (SELECT name FROM team WHERE team_id = %s) IN (owner, grantee)",
        [team_id],
    ).fetchone() or ("",)
    return found
