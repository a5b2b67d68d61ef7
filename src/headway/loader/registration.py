"""One transaction of the loader: updates the database to the state of the catalogue."""

from collections.abc import Mapping
from typing import Any, LiteralString

import psycopg
from psycopg import Connection

from headway.core.schedules import Continuous
from headway.errors import explained
from headway.frontends.base import Trouble
from headway.loader import code_changes
from headway.loader.bundles import Bundle
from headway.loader.code_changes import Entries
from headway.loader.sources import NO_BUNDLE, Plan, Source, Spec, plan, sentence, timing
from headway.spec.carried import shown
from headway.spec.model import Dag
from headway.store import assets, bundles, dags, import_errors, notices
from headway.store import code_changes as store
from headway.store.import_errors import Broken

# Delivered by the commit, to nobody if there is none.
NOTIFY: LiteralString = "SELECT pg_notify('headway_scheduler', ''), pg_notify('headway_dags', '')"


def register(
    conn: Connection[Any],
    team_id: int,
    bundle: Bundle,
    sources: Mapping[str, Source],
    entries_of: Entries,
) -> Plan:
    """Compare under the team's lock, write the differences and return them."""
    now = dags.lock(conn, team_id)
    known = dags.known(conn, team_id)
    todo = plan(sources, bundle.version, known, import_errors.known(conn, team_id))
    if not todo:
        return todo
    bundles.add(conn, team_id, bundle.version, bundle.sizes, now)
    numbers = {row.dag_id: row.version for row in known}
    if todo.versions:
        asked = [
            (s.dag.dag_id, numbers[s.dag.dag_id]) for s in todo.versions if s.dag.dag_id in numbers
        ]
        before = {dag.dag_id: dag for dag in dags.specs(conn, team_id, asked)}
        versions = [to_version(spec, before.get(spec.dag.dag_id)) for spec in todo.versions]
        dags.put(conn, team_id, versions, bundle.version, now)
        if assets.register(conn, team_id, [spec.dag for spec in todo.versions], now):
            notices.tell_of_assets(conn)
    if todo.repinned:
        dags.repin(conn, team_id, todo.repinned, bundle.version, now)
    changed = code_changes.found(todo, bundle, known, sources, entries_of)
    store.record(conn, team_id, changed, now)
    if todo.missed:
        dags.miss(conn, team_id, todo.missed, now)
    if todo.warned:
        dags.warn(conn, team_id, todo.warned, now)
    if todo.broken:
        import_errors.put(conn, team_id, todo.broken, bundle.version, now)
    if todo.mended:
        import_errors.clear(conn, team_id, todo.mended)
    conn.execute(NOTIFY)
    return todo


def only_refused(conn: Connection[Any], team_id: int, found: Mapping[str, Trouble]) -> None:
    """Write why the folder is not read, before any of it was."""
    now = dags.lock(conn, team_id)
    broken = [Broken(path, None, shown(sentence(why))) for path, why in found.items()]
    import_errors.put(conn, team_id, broken, NO_BUNDLE.version, now)
    conn.execute(NOTIFY)


def refused(
    conn: Connection[Any], team_id: int, bundle: Bundle, sources: Mapping[str, Source]
) -> dict[str, str]:
    """Return the files whose DAGs the database refuses, and why. Each is tried alone and rolled back."""
    found: dict[str, str] = {}
    with conn.transaction(force_rollback=True):
        now = dags.lock(conn, team_id)
        known = dags.known(conn, team_id)
        todo = plan(sources, bundle.version, known, import_errors.known(conn, team_id))
        bundles.add(conn, team_id, bundle.version, bundle.sizes, now)
        for spec in todo.versions:
            try:
                with conn.transaction():
                    dags.put(conn, team_id, [to_version(spec, None)], bundle.version, now)
                    assets.register(conn, team_id, [spec.dag], now)
            except psycopg.OperationalError:
                raise
            except Exception as error:
                found.setdefault(spec.dag.file, explained(error))
    return found


def to_version(spec: Spec, before: Dag | None) -> dags.Version:
    dag = spec.dag
    return dags.Version(
        dag_id=dag.dag_id,
        file=dag.file,
        spec_hash=spec.hash,
        spec=spec.text,
        max_active_runs=dag.max_active_runs,
        run_strategy=dag.run_strategy,
        scheduled=dag.schedule is not None,
        goes_on=Continuous.word in (dag.schedule or {}),
        retimed=before is None or timing(before) != timing(dag),
    )
