"""Answers the questions of running attempts. It is slow work, by threads of its own: nothing here runs in a tick.

The attempt is proved by its token, which the database forgets with its end; the team is that of the agent's credential.
There is no cache: each question asks the backends, in the order of ``secrets.toml``, until one has the name. A refusal
ends the search.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from psycopg_pool import ConnectionPool

from headway.agent.protocol import Answer, Ask
from headway.core.connections import is_name
from headway.errors import HeadwayError, NotAllowed, UsageError
from headway.secrets import asset_events, results, runs
from headway.secrets.backends import BACKENDS
from headway.secrets.backends.base import FOLDERS, Backend, Question
from headway.secrets.keys import Keys
from headway.secrets.settings import FILE, settings_of
from headway.secrets.trial import Trial
from headway.store import attempts, audit
from headway.store.transact import ENGINE, Session, pool, transact

log = logging.getLogger(__name__)

CONNECTIONS: Final = 2
MISSES_MAX: Final = 20  # of one attempt: who asks for more guesses names
ATTEMPTS_KNOWN_MAX: Final = 1_000
ENDED: Final = "the attempt has ended, so it gets no secrets"
GUESSING: Final = (
    f"the attempt asked for {MISSES_MAX} names that do not exist, and gets no more answers"
)

T = TypeVar("T")
Who = tuple[int, str]  # the team and the token of an attempt
Counts = OrderedDict[Who, int]


class Service:
    def __init__(self, dsn: str, data: Path, keys: Keys) -> None:
        self.dsn = dsn
        self.data = data
        self.keys = keys
        self.misses: Counts = OrderedDict()
        self.refused: Counts = OrderedDict()
        self.pool: ConnectionPool[Session] | None = None
        self.backends: list[Backend] | None = None
        self._lock = threading.Lock()

    def answer(self, team_id: int, session: str, ask: Ask) -> Answer:
        """Answer one question. Never raises: what goes wrong is a refusal with its reason."""
        try:
            return self.answered(team_id, session, ask)
        except HeadwayError as error:
            log.warning("did not answer for a secret of team %s: %s", team_id, error.message)
            return Answer(ask.request, refused=error.message)
        except Exception as error:  # of a backend's library: its text may hold anything
            log.error("cannot answer for a secret of team %s: %s", team_id, type(error).__name__)
            return Answer(ask.request, refused="the server cannot answer; see its log")

    def answered(self, team_id: int, session: str, ask: Ask) -> Answer:
        if isinstance(ask, Trial):  # ours: no message of an agent becomes one
            return self.found(Question(team_id, ask.team, None, ask.kind, ask.name), ask)
        known = self.read(attempts.prove, team_id, session, *ask_key(ask), ask.token)
        if known is None:
            raise NotAllowed(ENDED)
        team, dag_id = known
        who = (team_id, ask.token)
        if self.misses.get(who, 0) >= MISSES_MAX:
            raise NotAllowed(GUESSING)
        if ask.kind == results.KIND:
            found = self.read(results.read, team_id, self.data.absolute(), ask.name)
            return Answer(ask.request, *found)
        if ask.kind == asset_events.KIND:
            return Answer(
                ask.request, self.read(asset_events.read, team_id, ask.key.run_id, ask.name)
            )
        if ask.kind == runs.KIND:
            of = (ask.key.run_id, ask.key.task_id, ask.key.map_index)
            asker = runs.Asker(team_id, team, dag_id, *of)
            try:
                return Answer(ask.request, self.read(runs.read, asker, ask.name))
            except runs.NotGranted as error:
                self.tell_refused(who, asker, error)
                raise
        if ask.kind in FOLDERS and is_name(ask.name):
            answer = self.found(Question(team_id, team, dag_id, ask.kind, ask.name), ask)
            if answer.value is not None:
                return answer
        self.count_miss(who, dag_id, ask)
        return Answer(ask.request)

    def found(self, question: Question, ask: Ask) -> Answer:
        for backend in self.opened():
            if (found := backend.get(question)) is not None:
                return Answer(ask.request, found.text, found.secrets)
        return Answer(ask.request)

    def tell_refused(self, who: Who, asker: runs.Asker, error: runs.NotGranted) -> None:
        """Write the first start of another team's DAG that an attempt was refused."""
        with self._lock:
            is_first = remembered(self.refused, who) == 1
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

    def count_miss(self, who: Who, dag_id: str, ask: Ask) -> None:
        with self._lock:
            misses = remembered(self.misses, who)
        if misses == MISSES_MAX:
            log.warning(
                "task %s of DAG %s, team %s, guesses names of secrets",
                ask.key.task_id,
                dag_id,
                who[0],
            )
            entry = audit.Entry(
                actor=f"task:{dag_id}/{ask.key.task_id}",
                via="agent",
                action="secrets.guess",
                subject=ask.key.run_id,
                address="",
                detail={"names": MISSES_MAX},
            )
            self.read(audit.write, who[0], entry)

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
                    self.dsn, role=ENGINE, size=CONNECTIONS, application="headway secrets"
                )
                self.pool.open()
        with self.pool.connection(timeout=5.0) as conn:
            return transact(conn, work, *args)

    def close(self) -> None:
        if self.pool is not None:
            self.pool.close()


def remembered(counts: Counts, who: Who) -> int:
    """Count one more of somebody, and forget the oldest of too many. Returns their number."""
    counts[who] = counts.get(who, 0) + 1
    while len(counts) > ATTEMPTS_KNOWN_MAX:
        counts.popitem(last=False)
    return counts[who]


def ask_key(ask: Ask) -> tuple[str, str, int, int]:
    return ask.key.run_id, ask.key.task_id, ask.key.map_index, ask.key.number


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
