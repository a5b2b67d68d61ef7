"""Questions of running attempts and of watchers for the state that they keep (ADR 74).

Who asks is proved, and what is asked is done, in one transaction: an attempt that has ended changes nothing, however
late its question comes. The questions of one attempt are done in the order in which it asked them, and each once.
"""

from typing import Any, Final, NamedTuple

import msgspec
from psycopg import Connection

from headway.agent.protocol import Ask, ByAttempt, ByWait, ByWatcher
from headway.errors import NotAllowed, NotFound
from headway.secrets import runs
from headway.spec.state_stores import BYTES_MAX, DECODER, KEYS_MAX, TEAM_BYTES_MAX, Asked, flaw
from headway.spec.state_stores import KIND as KIND
from headway.store import askers, state_stores
from headway.store.clock import clock
from headway.store.state_stores import ROW_BYTES, NewValue, OfAsset, OfTask, Scope

OVER: Final = {
    ByAttempt: "the attempt has ended, so it neither reads nor changes the state of its task and of assets",
    ByWatcher: "the watcher has ended, or another agent looks after it, so it changes no state here",
}
REQUEST: Final = 2**32 - 1
OVERTAKEN: Final = (
    "the task has asked something else since, so this question changes no state any more"
)
OF_A_WAIT: Final = (
    "a trigger that a task waits for keeps no state; keep it in the task, before or after its wait"
)
TASK_OF_WATCHER: Final = "a watcher keeps the state of its assets only"
Answered = tuple[str | None, list[str]]


def read(conn: Connection[Any], team_id: int, session: str, ask: Ask) -> Answered:
    """Do what is asked. Returns a value as JSON, None if there is none, and the secrets that it reveals.

    Raises NotAllowed: nothing proves who asks, or it cannot be stored. NotFound: the team has no such asset.
    """
    asked = decoded(ask.name)
    if isinstance(ask.by, ByWait):
        raise NotAllowed(OF_A_WAIT)
    asset = asset_of(conn, team_id, asked)
    if isinstance(ask.by, ByWatcher):
        by = of_watcher(conn, team_id, session, ask.by)
        if asked.ask == "assets":
            found = state_stores.assets_of(conn, team_id, ask.by.key.digest)
            return msgspec.json.encode(found).decode(), []
        if not asked.is_of_asset:
            raise NotAllowed(TASK_OF_WATCHER)
        return done(conn, asset, asked, by, ask.secrets)
    if asked.ask == "assets":
        raise NotAllowed("only a watcher asks for its assets")
    held = running(conn, team_id, session, ask)
    if asked.ask != "get" and not held.begins(conn, ask):
        return None, []
    scope = asset if asked.is_of_asset else held.scope
    return done(conn, scope, asked, held.by, ask.secrets)


class Held(NamedTuple):
    """A running attempt that asks. It does not end before the transaction does. ``question``: its last change."""

    scope: OfTask
    number: int
    dag_id: str
    question: int

    @property
    def by(self) -> str:
        return runs.Asker(self.scope.team_id, "", self.dag_id, *self.scope[1:]).name

    def begins(self, conn: Connection[Any], ask: Ask) -> bool:
        """Note that the attempt changes something. Returns False: it has, and asks again after a lost connection.

        Raises NotAllowed: it has asked for a later change since.
        """
        assert isinstance(ask.by, ByAttempt)
        question = (ask.by.key.deferrals << 32) | (ask.request & REQUEST)
        if question == self.question:
            return False
        if question < self.question:
            raise NotAllowed(OVERTAKEN)
        state_stores.changes(conn, self.scope, self.number, question)
        return True


def running(
    conn: Connection[Any], team_id: int, session: str, ask: Ask, over: str = OVER[ByAttempt]
) -> Held:
    """Prove the attempt that asks. Raises NotAllowed, with ``over``."""
    assert isinstance(ask.by, ByAttempt)
    key = ask.by.key
    scope = OfTask(team_id, key.run_id, key.task_id, key.map_index)
    held = state_stores.attempt(conn, scope, key.number, ask.by.token, session)
    if held is None:
        raise NotAllowed(over)
    return Held(scope, key.number, held.dag_id, held.question)


def decoded(name: str) -> Asked:
    try:
        asked = DECODER.decode(name)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise NotAllowed("the question for a state cannot be read") from None
    if (why := flaw(asked)) is not None:
        raise NotAllowed(why)
    return asked


def of_watcher(conn: Connection[Any], team_id: int, session: str, by: ByWatcher) -> str:
    """Return the name of a watcher that the session holds."""
    key = by.key
    held = state_stores.watcher(conn, team_id, session, key.digest, key.life)
    known = askers.watcher(conn, team_id, session, key.digest, key.life) if held else None
    if known is None:
        raise NotAllowed(OVER[ByWatcher])
    return f"watcher:{known.name}"


def asset_of(conn: Connection[Any], team_id: int, asked: Asked) -> OfAsset | None:
    """Lock the asset that is asked for, before who asks: ticks wait for them, and the loader may hold it for long."""
    if not asked.is_of_asset:
        return None
    return state_stores.asset(conn, team_id, asked.asset, asked.uri)


def done(
    conn: Connection[Any], scope: Scope | None, asked: Asked, by: str, secrets: list[str]
) -> Answered:
    if scope is None:
        if asked.ask == "get":
            return None, []
        raise NotFound(
            f"no DAG of the team has the asset {asked.uri if asked.asset is None else asked.asset!r}"
        )
    match asked.ask:
        case "get":
            found = state_stores.get(conn, scope, asked.key)
            return (None, []) if found is None else (found.value, found.secrets)
        case "set":
            text = bytes(asked.value).decode()
            new = NewValue(asked.key, text, secrets, asked.expires_at)
            check_room(conn, scope, new)
            state_stores.put(conn, scope, new, by, clock(conn))
        case "delete":
            state_stores.delete(conn, scope, asked.key)
        case _:
            state_stores.clear(conn, scope)
    return None, []


def check_room(conn: Connection[Any], scope: Scope, new: NewValue) -> None:
    """Raises NotAllowed: the scope is full, or the team has its share."""
    used = state_stores.used(conn, scope, new.key)
    of = "task instance" if isinstance(scope, OfTask) else f"asset {scope.asset!r}"
    if used.keys >= KEYS_MAX:
        raise NotAllowed(
            f"the {of} keeps {used.keys:,} states, and that is the limit; delete those that are not needed, "
            "or keep them under one key"
        )
    if used.size + new.size > BYTES_MAX:
        raise NotAllowed(
            f"the states of the {of} would have {used.size + new.size:,} bytes; "
            f"the limit is {BYTES_MAX:,}: keep large ones in files or an object store, and their paths here"
        )
    more = new.size - (used.before or 0) + (ROW_BYTES if used.before is None else 0)
    if more <= 0:
        return  # a team that has too much may have less
    total = state_stores.used_by_team(conn, scope.team_id) + more
    if total > TEAM_BYTES_MAX:
        raise NotAllowed(
            f"the states of all tasks and assets of the team would have {total:,} bytes; the limit is "
            f"{TEAM_BYTES_MAX:,}: delete those that are not needed, clear those of tasks that have succeeded, and keep "
            "large ones in files or an object store; those of a task instance also go with its run"
        )
