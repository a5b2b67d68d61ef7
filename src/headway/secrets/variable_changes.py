"""Tasks that set, delete or list variables of their team, as those of Airflow do.

As for state (``state``): who asks is proved, and what is asked is done, in one transaction, in order and once. A task
changes what its DAG may read, and no more: a variable that is kept for other DAGs stays as it is.

A tick waits for the attempt while it is proved. So whatever may take long comes before: the variable is locked first,
because who wraps its key again holds it for long, and a value is encrypted outside, because keys may be elsewhere.
"""

from typing import Any, Final

import msgspec
from psycopg import Connection

from headway.agent.protocol import Ask, ByAttempt
from headway.core.connections import is_sensitive
from headway.errors import NotAllowed
from headway.secrets import state, stored
from headway.spec.variable_changes import (
    BYTES_MAX,
    DECODER,
    KEYS_MAX,
    KIND,
    Asked,
    Keys,
    flaw,
)
from headway.store import variables
from headway.store.clock import clock
from headway.store.envelopes import Envelope

__all__ = ["KIND", "read"]

OVER: Final = "the attempt has ended, so it changes no variables"
TASKS_ONLY: Final = "only a task sets, deletes and lists variables, not what waits for it"
Text = str | None


class IsSecret(Exception):
    """The value is a secret, and there is no envelope of it yet. Nothing is changed."""


class KeptForOthers(NotAllowed):
    """The variable is not for the DAG of the task, and is left as it is."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the variable {key!r} is kept for other DAGs")


def read(
    conn: Connection[Any],
    team_id: int,
    session: str,
    ask: Ask,
    asked: Asked,
    envelope: Envelope | None = None,
) -> tuple[Text, list[str]]:
    """Do what is asked. Returns the keys as JSON, if they were asked for; no secrets. ``envelope``: of the value.

    Raises NotAllowed, IsSecret.
    """
    if not isinstance(ask.by, ByAttempt):
        raise NotAllowed(TASKS_ONLY)
    before = None if asked.ask == "keys" else variables.lock(conn, team_id, asked.key)
    held = state.running(conn, team_id, session, ask, OVER)
    if asked.ask == "keys":
        return msgspec.json.encode(listed(conn, team_id, held.dag_id, asked)).decode(), []
    if not held.begins(conn, ask):
        return None, []
    if before is not None and not is_for(before, held.dag_id):
        raise KeptForOthers(asked.key)
    if asked.ask == "delete":
        variables.delete(conn, team_id, asked.key)
        return None, []
    check_room(conn, team_id, asked, before)
    is_secret = reveals(asked, before, ask.secrets)
    if is_secret and envelope is None:
        raise IsSecret
    wanted = variables.Stored(
        key=asked.key,
        value=None if is_secret else asked.value,
        envelope=envelope if is_secret else None,
        description=described(asked, before),
        dags=before.dags if before else None,
    )
    variables.put(conn, team_id, wanted, held.by, clock(conn))
    return None, []


def check_room(
    conn: Connection[Any], team_id: int, asked: Asked, before: variables.Stored | None
) -> None:
    """Raises NotAllowed: the team has as much as tasks may fill. An empty value may always be set."""
    used = variables.used(conn, team_id, asked.key)
    if before is None and used.keys >= KEYS_MAX:
        raise NotAllowed(f"the team has {KEYS_MAX:,} variables, and tasks add no more; delete some")
    size = used.size + len(asked.value.encode()) + len(described(asked, before).encode())
    if size > BYTES_MAX and asked.value:
        raise NotAllowed(
            f"the variables of the team would have {size:,} bytes, and tasks fill no more than {BYTES_MAX:,}: "
            "keep large ones in files or an object store, and their paths here"
        )


def reveals(asked: Asked, before: variables.Stored | None, secrets: list[str]) -> bool:
    """Return whether the value is a secret: it still is if it was one, and is one if it reveals any."""
    was_secret = before is not None and before.envelope is not None
    return was_secret or bool(secrets) or is_sensitive(asked.key, asked.value)


def described(asked: Asked, before: variables.Stored | None) -> str:
    if asked.description is not None:
        return asked.description
    return before.description if before else ""


def listed(conn: Connection[Any], team_id: int, dag_id: str, asked: Asked) -> Keys:
    found = variables.keys(conn, team_id, dag_id, asked.prefix)
    return Keys(found[asked.offset : asked.offset + asked.limit], len(found))


def is_for(variable: variables.Stored, dag_id: str) -> bool:
    return variable.dags is None or dag_id in variable.dags


def decoded(name: str) -> Asked:
    """Raises NotAllowed, UsageError."""
    try:
        asked = DECODER.decode(name)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise NotAllowed("the question about variables cannot be read") from None
    if (why := flaw(asked)) is not None:
        raise NotAllowed(why)
    if asked.ask == "set":
        stored.check_name(asked.key, "variable")
    return asked
