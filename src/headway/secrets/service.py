"""Answers the questions of attempts, waits and watchers. It is slow work, by threads of its own: nothing here runs in a
tick.

An attempt is proved by its token, which the database forgets with its end, a wait or watcher by the session that holds
it (``askers``); the team is that of the agent's credential.
There is no cache: each question asks the backends, in the order of ``secrets.toml``, until one has the name. A refusal
ends the search.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from msgspec.structs import replace
from psycopg import errors
from psycopg_pool import ConnectionPool

from headway import clock
from headway.agent.protocol import Answer, Ask
from headway.core.connections import is_name
from headway.errors import HeadwayError, NotAllowed, UsageError
from headway.secrets import asset_events, results, runs, state, variable_changes
from headway.secrets.askers import OF_A_RUN_ONLY, OF_RUNS, UNPROVED, Asker, Who, proved
from headway.secrets.backends import BACKENDS
from headway.secrets.backends.base import FOLDERS, VARIABLE, Backend, Question
from headway.secrets.envelope import close, place_of
from headway.secrets.keys import Keys
from headway.secrets.settings import FILE, settings_of
from headway.secrets.trial import Trial
from headway.spec.variable_changes import Asked
from headway.store import audit
from headway.store.transact import ENGINE, Limits, Session, pool, transact

log = logging.getLogger(__name__)

CONNECTIONS: Final = 2  # of all teams
# Who waits for a lock gives the connection to others in between: a team may hold what its own tasks ask for.
LIMITS: Final = Limits(lock_timeout_s=0.1)
LOCK_S_MAX: Final = 8.0
PAUSE_S: Final = 0.1
MISSES_MAX: Final = 20  # of one attempt, wait or watcher: who asks for more names guesses
ASKERS_KNOWN_MAX: Final = 10_000
REFUSAL_CHARS_MAX: Final = 2_000

HELD: Final = "others have been changing what is asked for, and have not ended: try again"

T = TypeVar("T")


class Service:
    def __init__(self, dsn: str, data: Path, keys: Keys) -> None:
        self.dsn = dsn
        self.data = data
        self.keys = keys
        self.misses: OrderedDict[Who, set[int]] = OrderedDict()
        self.refused: OrderedDict[Who, object] = OrderedDict()
        self.pool: ConnectionPool[Session] | None = None
        self.backends: list[Backend] | None = None
        self._lock = threading.Lock()

    def answer(self, team_id: int, session: str, ask: Ask) -> Answer:
        """Answer one question. Never raises: what goes wrong is a refusal with its reason."""
        try:
            return self.answered(team_id, session, ask)
        except HeadwayError as error:
            said = error.message[:REFUSAL_CHARS_MAX]  # it may repeat what was said
            log.warning("did not answer a question of team %s: %s", team_id, said)
            return Answer(ask.request, refused=said)
        except Exception as error:  # of a backend's library: its text may hold anything
            log.error("cannot answer a question of team %s: %s", team_id, type(error).__name__)
            return Answer(ask.request, refused="the server cannot answer; see its log")

    def answered(self, team_id: int, session: str, ask: Ask) -> Answer:
        if isinstance(ask, Trial):  # ours: no message of an agent becomes one
            return self.found(Question(team_id, ask.team, None, ask.kind, ask.name), ask)
        if ask.kind == state.KIND:  # proved where it is done: an attempt may end meanwhile
            return Answer(ask.request, *self.read(state.read, team_id, session, ask))
        if ask.kind == variable_changes.KIND:
            return Answer(ask.request, *self.changed(team_id, session, ask))
        asker = self.read(proved, team_id, session, ask.by)
        if asker is None:
            raise NotAllowed(UNPROVED[type(ask.by)])
        if self.guesses(asker):
            raise NotAllowed(guessing(asker.noun))
        if ask.kind in OF_RUNS:
            return Answer(ask.request, *self.of_runs(team_id, asker, ask))
        if ask.kind in FOLDERS and is_name(ask.name):
            question = Question(team_id, asker.team, asker.dags, ask.kind, ask.name)
            answer = self.found(question, ask)
            if answer.value is not None:
                return answer
        self.count_miss(asker, ask)
        return Answer(ask.request)

    def changed(self, team_id: int, session: str, ask: Ask) -> tuple[str | None, list[str]]:
        """Do what a task asks of variables. One that is kept for other DAGs is to it as one that does not exist."""
        asked = variable_changes.decoded(ask.name)
        asker = self.read(proved, team_id, session, ask.by)
        if asker is not None and self.guesses(asker):
            raise NotAllowed(guessing(asker.noun))
        named = replace(ask, kind=VARIABLE, name=asked.key)
        try:
            found = self.change(team_id, session, ask, asked)
        except variable_changes.KeptForOthers:
            if asker is not None:
                self.count_miss(asker, named)
            raise
        if asker is not None and asked.ask == "set":
            self.forget_miss(asker, named)
        return found

    def change(
        self, team_id: int, session: str, ask: Ask, asked: Asked
    ) -> tuple[str | None, list[str]]:
        """Do what is asked. A secret is encrypted between two transactions: the keys may be those of another server."""
        work = variable_changes.read
        try:
            return self.read(work, team_id, session, ask, asked)
        except variable_changes.IsSecret:
            place = place_of(team_id, VARIABLE, asked.key)
            envelope = close(self.keys, place, {"value": asked.value})
            return self.read(work, team_id, session, ask, asked, envelope)

    def of_runs(self, team_id: int, asker: Asker, ask: Ask) -> tuple[str, list[str]]:
        """Return the answer to a question about results, events or runs, and the secrets in it."""
        if asker.run is None:
            raise NotAllowed(OF_A_RUN_ONLY)
        if ask.kind == results.KIND:
            return self.read(results.read, team_id, self.data.absolute(), ask.name)
        if ask.kind == asset_events.KIND:
            return self.read(asset_events.read, team_id, asker.run.run_id, ask.name), []
        try:
            return self.read(runs.read, asker.run, ask.name), []
        except runs.NotGranted as error:
            self.tell_refused(asker.who, asker.run, error)
            raise

    def found(self, question: Question, ask: Ask) -> Answer:
        for backend in self.opened():
            if (found := backend.get(question)) is not None:
                return Answer(ask.request, found.text, found.secrets)
        return Answer(ask.request)

    def tell_refused(self, who: Who, asker: runs.Asker, error: runs.NotGranted) -> None:
        """Write the first start of another team's DAG that an attempt was refused."""
        mark = object()
        with self._lock:
            is_first = remembered(self.refused, who, mark) is mark
        if is_first:
            entry = audit.Entry(
                actor=asker.name,
                via="agent",
                action="dags.refuse",
                subject=asker.run_id,
                address="",
                detail={"reason": error.message},
            )
            self.read(audit.write, asker.team_id, entry)

    def guesses(self, asker: Asker) -> bool:
        return len(self.misses.get(asker.who, ())) >= MISSES_MAX

    def count_miss(self, asker: Asker, ask: Ask) -> None:
        """Count a name that does not exist. Who looks again and again for the same one does not guess."""
        with self._lock:
            names = remembered(self.misses, asker.who, set())
            names.add(hash((ask.kind, ask.name)))
        if len(names) == MISSES_MAX:
            of_team = f"{asker.name} ({asker.subject}), team {asker.who[0]},"
            log.warning("%s guesses names of secrets", of_team)
            entry = audit.Entry(
                actor=asker.name,
                via="agent",
                action="secrets.guess",
                subject=asker.subject,
                address="",
                detail={"names": MISSES_MAX, **({} if asker.run else {"watcher": True})},
            )
            self.read(audit.write, asker.who[0], entry)

    def forget_miss(self, asker: Asker, ask: Ask) -> None:
        """Forget a name that did not exist and that who asked for it has set since: it was no guess."""
        with self._lock:
            self.misses.get(asker.who, set()).discard(hash((ask.kind, ask.name)))

    def opened(self) -> list[Backend]:
        with self._lock:
            if self.backends is None:
                self.backends = backends_of(settings_of(self.data), self.keys, self.read)
            return self.backends

    def read(self, work: Callable[..., T], *args: object) -> T:
        """Do ``work`` in a transaction of the engine, on one of our own connections."""
        with self._lock:
            if self.pool is None:
                self.pool = pool(
                    self.dsn,
                    role=ENGINE,
                    size=CONNECTIONS,
                    application="headway secrets",
                    limits=LIMITS,
                )
                self.pool.open()
        until = clock.monotonic() + LOCK_S_MAX
        while True:
            try:
                with self.pool.connection(timeout=5.0) as conn:
                    return transact(conn, work, *args)
            except errors.LockNotAvailable:
                if clock.monotonic() > until:
                    raise NotAllowed(HELD) from None
                clock.sleep(PAUSE_S)

    def close(self) -> None:
        if self.pool is not None:
            self.pool.close()


def guessing(noun: str) -> str:
    return f"the {noun} asked for {MISSES_MAX} names that do not exist, and gets no more answers"


def remembered(known: OrderedDict[Who, T], who: Who, new: T) -> T:
    """Return what is known of who asks, at first ``new``. The oldest of too many are forgotten."""
    found = known.setdefault(who, new)
    while len(known) > ASKERS_KNOWN_MAX:
        known.popitem(last=False)
    return found


def backends_of(settings: Mapping[str, Any], keys: Keys, read: Callable[..., Any]) -> list[Backend]:
    order = settings.get("order", ["builtin"])
    odd = [name for name in order if name not in BACKENDS]
    if odd or not order:
        raise UsageError(f"{FILE} must name secret backends in `order`: {', '.join(BACKENDS)}")
    try:
        return [BACKENDS[name](settings.get(name, {}), keys, read) for name in order]
    except ImportError as error:
        raise UsageError(
            f"a secret backend of {FILE} needs the package {error.name}, which is not installed"
        ) from error
