"""Tasks that set, delete or list variables of their team, as those of Airflow do.

As for state (``state``): who asks is proved, and what is asked is done, in one transaction, in order and once. A task
changes what its DAG may read, and no more: a variable that is kept for other DAGs stays as it is.
"""

from typing import Any, Final

import msgspec
from psycopg import Connection

from headway import wire
from headway.agent.protocol import Ask, ByAttempt
from headway.core.connections import is_sensitive
from headway.errors import NotAllowed
from headway.secrets import state, stored
from headway.secrets.keys import Keys as MasterKeys
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

__all__ = ["KIND", "read"]

OVER: Final = "the attempt has ended, so it changes no variables"
TASKS_ONLY: Final = "only a task sets, deletes and lists variables, not what waits for it"
Text = str | None


class KeptForOthers(NotAllowed):
    """The variable is not for the DAG of the task, and is left as it is."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the variable {key!r} is kept for other DAGs")


def read(
    conn: Connection[Any], keys: MasterKeys, team_id: int, session: str, ask: Ask, asked: Asked
) -> tuple[Text, list[str]]:
    """Do what is asked. Returns the keys as JSON, if they were asked for; no secrets.

    Raises NotAllowed, UsageError.
    """
    if not isinstance(ask.by, ByAttempt):
        raise NotAllowed(TASKS_ONLY)
    held = state.running(conn, team_id, session, ask, OVER)
    if asked.ask == "keys":
        return msgspec.json.encode(listed(conn, team_id, held.dag_id, asked)).decode(), []
    if not held.begins(conn, ask):
        return None, []
    before = variables.find(conn, team_id, asked.key)
    if before is not None and not is_for(before, held.dag_id):
        raise KeptForOthers(asked.key)
    if asked.ask == "delete":
        variables.delete(conn, team_id, asked.key)
        return None, []
    check_room(conn, team_id, asked, before)
    stored.set_variable(conn, keys, team_id, asked.key, wanted(asked, before, ask.secrets), held.by)
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


def wanted(
    asked: Asked, before: variables.Stored | None, secrets: list[str]
) -> wire.VariableRequest:
    """Return the variable as it is to be: still a secret if it was one, and one if its value reveals any."""
    was_secret = before is not None and before.envelope is not None
    return wire.VariableRequest(
        value=asked.value,
        is_secret=was_secret or bool(secrets) or is_sensitive(asked.key, asked.value),
        description=described(asked, before),
        dags=before.dags if before else None,
    )


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
    try:
        asked = DECODER.decode(name)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise NotAllowed("the question about variables cannot be read") from None
    if (why := flaw(asked)) is not None:
        raise NotAllowed(why)
    return asked
