"""Verbs, and roles as sets of them.

A route declares the verb that it needs. The four built-in roles each include the one before; a team defines
more of its own (``store/roles``). Nobody hands on a verb that they do not hold.
"""

from collections.abc import Iterable, Mapping, Set
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    VIEWER = "viewer"  # sees everything that runs
    OPERATOR = "operator"  # starts, ends, repeats and marks it
    AUTHOR = "author"  # changes what can run
    ADMIN = "admin"  # pools, people, audit


class Verb(StrEnum):
    DAG_READ = "dag.read"
    SOURCE_READ = "source.read"
    RUN_READ = "run.read"
    LOG_READ = "log.read"
    XCOM_READ = "xcom.read"
    POOL_READ = "pool.read"
    TEAM_READ = "team.read"
    RUN_TRIGGER = "run.trigger"
    RUN_BACKFILL = "run.backfill"
    RUN_CLEAR = "run.clear"
    RUN_MARK = "run.mark"
    RUN_CANCEL = "run.cancel"
    TASK_ANSWER = "task.answer"
    RUN_NOTE = "run.note"
    RUN_LINK = "run.link"
    DAG_PAUSE = "dag.pause"
    DAG_LOAD = "dag.load"
    ASSET_EMIT = "asset.emit"
    WEBHOOK_MANAGE = "webhook.manage"
    CONNECTION_READ = "connection.read"
    CONNECTION_WRITE = "connection.write"
    VARIABLE_READ = "variable.read"
    VARIABLE_WRITE = "variable.write"
    POOL_WRITE = "pool.write"
    TEAM_WRITE = "team.write"
    MEMBER_READ = "member.read"
    MEMBER_MANAGE = "member.manage"
    ROLE_MANAGE = "role.manage"
    GRANT_MANAGE = "grant.manage"
    TOKEN_MANAGE = "token.manage"
    AUDIT_READ = "audit.read"


# What each lets somebody do, as people read it.
WORDS: Final[Mapping[Verb, str]] = {
    Verb.DAG_READ: "See DAGs and their tasks",
    Verb.SOURCE_READ: "Read the code of DAGs",
    Verb.RUN_READ: "See runs and their tasks",
    Verb.LOG_READ: "Read logs",
    Verb.XCOM_READ: "See results of tasks",
    Verb.POOL_READ: "See pools and slots",
    Verb.TEAM_READ: "See settings, limits and grants of the team",
    Verb.RUN_TRIGGER: "Start and replay runs",
    Verb.RUN_BACKFILL: "Create backfills",
    Verb.RUN_CLEAR: "Clear tasks, so that they run again",
    Verb.RUN_MARK: "Mark tasks and runs as success or failed",
    Verb.RUN_CANCEL: "Cancel runs and backfills",
    Verb.TASK_ANSWER: "Answer questions of tasks",
    Verb.RUN_NOTE: "Write notes on runs",
    Verb.RUN_LINK: "Create, list and revoke links to runs",
    Verb.DAG_PAUSE: "Pause and resume DAGs",
    Verb.ASSET_EMIT: "Report events of assets, which start runs",
    Verb.DAG_LOAD: "Make the loader read the DAG folder",
    Verb.WEBHOOK_MANAGE: "Create, change and delete webhooks, see and repeat what came to them or was sent",
    Verb.CONNECTION_READ: "See connections without their secrets, and test them",
    Verb.CONNECTION_WRITE: "Create, change and delete connections",
    Verb.VARIABLE_READ: "See variables that are not secret",
    Verb.VARIABLE_WRITE: "Create, change and delete variables",
    Verb.POOL_WRITE: "Create, resize and delete pools",
    Verb.TEAM_WRITE: "Set how long runs and logs are kept, import runs of Airflow",
    Verb.MEMBER_READ: "See members",
    Verb.MEMBER_MANAGE: "Add, change and remove members",
    Verb.ROLE_MANAGE: "Define roles",
    Verb.GRANT_MANAGE: "Ask for, give and revoke grants between teams",
    Verb.TOKEN_MANAGE: "Create service accounts, see and revoke all tokens",
    Verb.AUDIT_READ: "Read the audit",
}
Verbs = frozenset[Verb]
ORDER: Final = tuple(Role)

# What each role adds to the one before.
ADDS: Final[Mapping[Role, Verbs]] = {
    Role.VIEWER: frozenset(
        {
            Verb.DAG_READ,
            Verb.SOURCE_READ,
            Verb.RUN_READ,
            Verb.LOG_READ,
            Verb.XCOM_READ,
            Verb.POOL_READ,
            Verb.TEAM_READ,
        }
    ),
    Role.OPERATOR: frozenset(
        {
            Verb.RUN_TRIGGER,
            Verb.RUN_BACKFILL,
            Verb.RUN_CLEAR,
            Verb.RUN_MARK,
            Verb.RUN_CANCEL,
            Verb.TASK_ANSWER,
            Verb.RUN_NOTE,
            Verb.RUN_LINK,
            Verb.DAG_PAUSE,
            Verb.ASSET_EMIT,
        }
    ),
    Role.AUTHOR: frozenset({Verb.DAG_LOAD, Verb.CONNECTION_READ, Verb.VARIABLE_READ}),
    Role.ADMIN: frozenset(
        {
            Verb.WEBHOOK_MANAGE,
            Verb.CONNECTION_WRITE,
            Verb.VARIABLE_WRITE,
            Verb.POOL_WRITE,
            Verb.TEAM_WRITE,
            Verb.MEMBER_READ,
            Verb.MEMBER_MANAGE,
            Verb.ROLE_MANAGE,
            Verb.GRANT_MANAGE,
            Verb.TOKEN_MANAGE,
            Verb.AUDIT_READ,
        }
    ),
}
BUILT_IN: Final[Mapping[Role, Verbs]] = {
    role: frozenset().union(*(ADDS[each] for each in ORDER[: place + 1]))
    for place, role in enumerate(ORDER)
}


def least(verb: Verb) -> Role:
    """Return the lowest built-in role that has the verb."""
    return next(role for role in ORDER if verb in ADDS[role])


def missing(held: Set[Verb], wanted: Set[Verb]) -> list[Verb]:
    """Return what is wanted and not held, in the order of the enum."""
    return [verb for verb in Verb if verb in wanted and verb not in held]


def known(words: Iterable[str]) -> Verbs:
    """Return the verbs among the words. A word that only a newer version knows allows nothing here."""
    return frozenset(verb for verb in Verb if verb in set(words))
