"""The loader process: keeps the database at what the DAG folder says. ``python -m headway.loader.loader``.

One loop, one selector: the watcher's pipe, the database's NOTIFY, the importer's pipes. A change is: snapshot, import
what is stale, register in one transaction. Rule 1: nothing waits for a slow import but its own DAGs.
Rule 2: the database may go away; the loader keeps what it knows and registers it when it is back.
Rule 3: ``--dsn -`` reads the DSN from standard input, for a command line can be read by everybody.
"""

import argparse
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import Final, LiteralString

from watchfiles import watch

from headway import clock, pulse
from headway.agent import processes
from headway.core.limits import NONE as NO_LIMITS
from headway.core.pod_policy import PodPolicy
from headway.errors import Conflict, HeadwayError, NotReachable, UsageError, explained
from headway.frontends.base import Trouble
from headway.loader import own_names, pods
from headway.loader.bundles import Bundle, Bundles
from headway.loader.environment import clean_environment
from headway.loader.folder import matters
from headway.loader.importer import Imported, Importer, Job
from headway.loader.registration import only_refused, refused, register
from headway.loader.sources import (
    Catalogue,
    Condition,
    Source,
    differing,
    differs,
    refusal,
    to_spec,
    unstable,
)
from headway.spec.arguments import same_but_arguments
from headway.spec.model import Dag
from headway.store import bundles, dags, installations, limits, pod_policies, teams
from headway.store.transact import ENGINE, Session, connect, transact

DEBOUNCE_MS: Final = 150
STEP_MS: Final = 150  # the watcher wakes this often, whether something changed or not
POLL_S: Final = 10.0  # the watcher may miss something: another host's change on a shared folder
BATCH_S: Final = 0.25  # while imports go on, what is done is registered this often
RECONNECT_S: Final = 1.0

LISTEN: LiteralString = "LISTEN headway_loader"

Connect = Callable[[], Session]


class Loader:
    """Call ``open`` first, then ``turn`` in a loop, or ``settle`` to do all current work."""

    def __init__(
        self,
        connect: Connect,
        data: Path,
        folder: Path,
        team: str,
        uid: int | None = None,
        *,
        install: str | None = None,
        listening: Connect | None = None,
    ) -> None:
        """``listening``: opens a connection for LISTEN alone, where ``connect`` leads to a pooler."""
        self.connect = connect
        self.listening = listening
        self.ears: Session | None = None
        self.folder = folder
        self.team = team
        self.ours = installations.here(data, folder, install)
        self.uid = uid  # as which the files are imported, if not as ours
        self.bundles = Bundles(data, group=uid)
        self.catalogue = Catalogue()
        self.bundle: Bundle | None = None
        self.selector = selectors.DefaultSelector()
        self.conn: Session | None = None
        self.team_id = 0
        self.known: dict[str, dags.Known] = {}
        self.limits = NO_LIMITS
        self.policies: Mapping[str, PodPolicy] = {}
        self.suspected: dict[str, Imported] = {}  # same content, other specification: tried again
        self.look_at = 0.0
        self.retry_broken = False
        self.register_at: float | None = None
        self.reconnect_at = 0.0

    def open(self, environment: dict[str, str]) -> None:
        """The importer first: it is exec'ed before there is a connection."""
        self.importer = Importer(
            self.selector, self.on_imported, environment=environment, uid=self.uid
        )
        self.reach_database()
        if self.uid is not None:
            self.restore_bundles()

    def restore_bundles(self) -> None:
        assert self.conn is not None
        of_team = transact(self.conn, bundles.of_team, self.team_id)
        for version in of_team & transact(self.conn, bundles.in_use):
            try:
                self.bundles.restore(version)
            except (HeadwayError, OSError) as error:
                self.complain(HeadwayError(f"cannot restore bundle {version}: {error}"))

    def close(self) -> None:
        self.importer.close()
        for conn in (self.conn, self.ears):
            if conn is not None:
                conn.close()
        self.selector.close()

    # -- the loop

    def turn(self) -> None:
        self.wait(self.work())

    def work(self) -> float | None:
        """Do what is due; how long until an import is due for something."""
        now = clock.monotonic()
        if self.conn is None and now >= self.reconnect_at:
            self.reach_database_again()
        if now >= self.look_at:
            self.look()
        imports_due_s = self.importer.tend()
        if self.register_at is not None and (now >= self.register_at or self.importer.idle):
            self.register()
        return imports_due_s

    def wait(self, imports_due_s: float | None) -> None:
        """Wait for the next event or time, and answer the event."""
        for key, _ in self.selector.select(self.wait_s(imports_due_s)):
            key.data()

    def wait_s(self, imports_due_s: float | None) -> float:
        now = clock.monotonic()
        due = [self.look_at - now]
        if imports_due_s is not None:
            due.append(imports_due_s)
        if self.conn is None:
            due.append(self.reconnect_at - now)
        elif self.register_at is not None:
            due.append(0.0 if self.importer.idle else self.register_at - now)
        return max(0.0, min(due))

    def settle(self) -> None:
        """Look, import and register until nothing is left to do."""
        self.look_at = 0.0
        while True:
            imports_due_s = self.work()
            if self.importer.idle and self.register_at is None:
                return
            self.wait(imports_due_s)

    # -- looking and importing

    def look_soon(self) -> None:
        self.look_at = 0.0

    def look(self) -> None:
        self.look_at = clock.monotonic() + POLL_S
        self.hold()
        try:
            bundle = self.bundles.snapshot(self.folder, self.file_bytes_max())
        except HeadwayError as error:
            self.refuse(error)
            return
        if self.catalogue.admit():
            self.register_soon()
        previous, self.bundle = self.bundle, bundle
        due = self.catalogue.due(clock.now())
        same = previous is not None and previous.version == bundle.version
        if same and previous is not None and previous.problems == bundle.problems:
            self.bundle = previous
            if not self.retry_broken:
                self.submit(due)
                return
        before = self.catalogue.sources
        stale = self.catalogue.update(self.bundle, retry_broken=self.retry_broken)
        self.retry_broken = False
        for path in before.keys() - self.catalogue.sources.keys():
            self.importer.withdraw(path)
        again = {source.path for source in (*stale, *due)} | self.importer.queue.keys()
        sources = [self.catalogue.sources[path] for path in again & self.catalogue.sources.keys()]
        self.submit(sorted(sources, key=lambda source: (source.seconds, source.path)))
        self.register_soon()

    def refuse(self, error: HeadwayError) -> None:
        """Say on the team's pages, too, that the folder is not read. What is registered stays."""
        self.complain(error)
        if isinstance(error, UsageError) and self.catalogue.refuse(*refusal(error, self.folder)):
            self.register_soon()

    def file_bytes_max(self) -> int | None:
        """Return the limit of the team, as it was when the database was last here."""
        if self.conn is not None:
            try:
                self.limits = transact(self.conn, limits.of_team, self.team_id)
                self.read_policies(self.conn)
            except NotReachable as error:
                self.complain(error)
                self.lose_database()
        return self.limits.dag_file_bytes

    def read_policies(self, conn: Session) -> None:
        """Read what pods of the team may be. Where that changed, files that it refused may be allowed now."""
        found = transact(conn, pod_policies.of_team, self.team_id)
        if found != self.policies:
            self.retry_broken = self.retry_broken or bool(self.policies)
            self.policies = found

    def submit(self, sources: list[Source]) -> None:
        assert self.bundle is not None
        root = self.bundles.path(self.bundle.version).resolve()
        for source in sources:
            source.bundle = self.bundle
        self.importer.submit(Job(source.path, root, source.path) for source in sources)

    def on_imported(self, imported: Imported) -> None:
        source = self.catalogue.sources[imported.job.file]
        origin = source.bundle
        imported = self.pinned(imported)
        if self.is_suspect(imported):
            first = self.suspected.pop(source.path, None)
            if first is None:
                self.suspected[source.path] = imported
                self.submit([source])
                return
            if differing(first.dags, imported.dags):
                self.catalogue.reject(source.path, unstable(first, imported))
                self.register_soon()
                return
        refused = imported.trouble or own_names.refusal(imported.dags, self.team)
        refused = refused or pods.refusal(imported.dags, self.policies)
        self.catalogue.accept(replace(imported, trouble=refused), origin)
        assert self.bundle is not None
        if differs(source, self.bundle):  # the folder went on while it was imported
            source.condition = Condition.PENDING
            self.submit([source])
        self.register_soon()

    def is_suspect(self, imported: Imported) -> bool:
        """Return whether a spec differs from the registered one although the content is the same."""
        return any(self.odd(dag, imported) is not None for dag in imported.dags)

    def odd(self, dag: Dag, imported: Imported) -> dags.Known | None:
        """Return what is registered for ``dag``, if it differs although the content is the same."""
        row = self.known.get(dag.dag_id)
        if row is None or row.file != imported.job.file or row.spec_hash == to_spec(dag).hash:
            return None
        return row if self.same_content(row.bundle_version, imported) else None

    def pinned(self, imported: Imported) -> Imported:
        """Return the spec with the registered arguments where nothing else differs and the content is the same.

        A command with the time of import in it makes no version at each start, nor does an upgrade from a Headway
        whose specifications had no arguments.
        """
        rows = [row for dag in imported.dags if (row := self.odd(dag, imported)) is not None]
        if not rows or self.conn is None:
            return imported
        try:
            asked = [(row.dag_id, row.version) for row in rows]
            found = transact(self.conn, dags.specs, self.team_id, asked)
        except NotReachable as error:
            self.complain(error)
            self.lose_database()
            return imported
        there = {dag.dag_id: dag for dag in found}
        return replace(
            imported,
            dags=tuple(
                before
                if (before := there.get(dag.dag_id)) and same_but_arguments(before, dag)
                else dag
                for dag in imported.dags
            ),
        )

    def same_content(self, version: str, imported: Imported) -> bool:
        if version == imported.job.root.name:
            return True  # without reading two lists for each file
        before = self.bundles.entries(version)
        after = self.bundles.entries(imported.job.root.name)
        return all(
            before.get(path) == after.get(path) for path in imported.files | {imported.job.file}
        )

    # -- the database

    def register_soon(self) -> None:
        if self.register_at is None:
            self.register_at = clock.monotonic() + BATCH_S

    def register(self) -> None:
        if self.conn is None:
            return
        try:
            if self.bundle is None:  # nothing but a refusal
                transact(self.conn, only_refused, self.team_id, self.catalogue.refused)
                self.register_at = None
                return
            transact(self.conn, self.register_held, self.bundle)
            self.known = self.registered(self.conn)
        except NotReachable as error:
            self.complain(error)
            self.lose_database()
        except Conflict:
            raise
        except Exception as error:  # what one file defines must not keep the others from going live
            self.set_apart(error)
        else:
            self.register_at = None

    def register_held(self, conn: Session, bundle: Bundle) -> None:
        installations.hold(conn, self.team_id, self.ours)
        register(conn, self.team_id, bundle, self.catalogue.all(), self.bundles.entries)

    def set_apart(self, error: Exception) -> None:
        """Find the files whose DAGs the database refuses, and register everything else."""
        assert self.conn is not None
        assert self.bundle is not None
        print(f"loader: cannot register DAGs: {explained(error)}", file=sys.stderr, flush=True)
        self.register_at = clock.monotonic() + POLL_S
        if self.conn.closed:
            self.lose_database()
            return
        for file, why in transact(
            self.conn, refused, self.team_id, self.bundle, self.catalogue.all()
        ).items():
            self.catalogue.reject(file, Trouble(f"the database rejects its DAGs: {why}"))
            self.register_at = 0.0

    def reach_database(self) -> None:
        conn = self.connect()
        try:
            self.team_id = transact(conn, teams.named, self.team)
            transact(conn, installations.hold, self.team_id, self.ours)
            self.known = self.registered(conn)
            ears = self.listen(conn)
        except BaseException:
            conn.close()
            raise
        self.conn, self.ears = conn, ears
        self.selector.register(ears.fileno(), selectors.EVENT_READ, self.on_notify)

    def listen(self, conn: Session) -> Session:
        """Return the connection on which notices come. Where there is none, polling remains."""
        ears = conn
        if self.listening is not None:
            try:
                ears = self.listening()
            except NotReachable as error:
                self.complain(error)
        if not ears.pooled:
            ears.execute(LISTEN)
        return ears

    def hold(self) -> None:
        """Raise Conflict if another server provides the DAGs of the team now, so that ours do not overwrite them."""
        if self.conn is None:
            return
        try:
            transact(self.conn, installations.hold, self.team_id, self.ours)
        except NotReachable as error:
            self.complain(error)
            self.lose_database()

    def registered(self, conn: Session) -> dict[str, dags.Known]:
        return {row.dag_id: row for row in transact(conn, dags.known, self.team_id)}

    def reach_database_again(self) -> None:
        try:
            self.reach_database()
        except NotReachable:
            self.reconnect_at = clock.monotonic() + RECONNECT_S
        self.register_soon()

    def lose_database(self) -> None:
        assert self.conn is not None
        # Its descriptor may be closed already: find it by what it was registered for.
        for key in list(self.selector.get_map().values()):
            if key.data == self.on_notify:
                self.selector.unregister(key.fileobj)
        self.conn.close()
        if self.ears is not None:
            self.ears.close()
        self.conn = self.ears = None
        self.reconnect_at = clock.monotonic() + RECONNECT_S

    def on_notify(self) -> None:
        """Read the folder now on request, and retry broken files, because a missing package may be installed."""
        assert self.ears is not None
        try:
            asked = list(self.ears.notifies(timeout=0))
        except Exception:  # whatever it is, the connection is no longer to be trusted
            self.lose_database()
            return
        if asked:
            self.retry_broken = True
            self.look_soon()

    def complain(self, error: HeadwayError) -> None:
        print(f"loader: {error}", file=sys.stderr, flush=True)


# -- the process


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="headway.loader.loader")
    parser.add_argument("--dsn", required=True, help="URL of the database; - reads it from stdin")
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--dags", required=True, type=Path)
    parser.add_argument("--team", required=True, help="whose DAGs the folder holds")
    parser.add_argument("--import-as", type=int, metavar="UID", help="whom files are imported as")
    options = parser.parse_args(arguments)
    dsn = sys.stdin.readline().strip() if options.dsn == "-" else options.dsn
    processes.hide_memory()
    environment = clean_environment(os.environ)

    def open_connection() -> Session:
        return connect(dsn, role=ENGINE, application="headway loader")

    loader = Loader(open_connection, options.data, options.dags, options.team, options.import_as)
    try:
        loader.open(environment)
        serve(loader)
    except HeadwayError as error:
        print(f"loader: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def serve(loader: Loader) -> None:
    """Run until SIGTERM or SIGINT."""
    wake, waker = socket.socketpair()
    waker.setblocking(False)
    stopped = Event()

    def on_wake() -> None:
        wake.recv(4096)
        loader.look_soon()

    def on_signal(number: int, frame: object) -> None:
        stopped.set()

    loader.selector.register(wake, selectors.EVENT_READ, on_wake)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    Thread(target=watch_folder, args=(loader.folder, waker, stopped), daemon=True).start()
    while not stopped.is_set():
        pulse.beat()
        loader.turn()
    loader.close()


def watch_folder(folder: Path, waker: socket.socket, stopped: Event) -> None:
    """Wake the loop at each relevant change. If watching fails, polling remains."""

    root = str(folder.resolve())
    while not stopped.is_set():
        try:
            for _ in watch(
                root,
                watch_filter=lambda change, path: matters(root, path),
                debounce=DEBOUNCE_MS,
                step=STEP_MS,
                stop_event=stopped,
                raise_interrupt=False,
            ):
                with suppress(BlockingIOError):
                    waker.send(b"!")
        except (OSError, RuntimeError):
            stopped.wait(POLL_S)


if __name__ == "__main__":
    sys.exit(main())
