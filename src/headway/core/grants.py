"""Grants: what one team lets another one do with one of its DAGs, assets or pools.

The owner gives, the grantee asks. Some kinds open verbs on the named DAG to members of the grantee who have them in
their own team (``OPENED``); the others let DAGs of the grantee name what is granted, as ``@owner/name``. ``MOVES`` is
the whole life of a grant; nothing else changes its state.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from headway.core.roles import Verb, Verbs


class Subject(StrEnum):
    """The kind of thing that a grant names."""

    DAG = "DAG"
    ASSET = "asset"
    POOL = "pool"


class GrantKind(StrEnum):
    SEE_RUNS = "see_runs"
    START = "start"
    WAIT = "wait"  # tasks of the grantee wait for runs and tasks of the DAG
    USE_ASSET = "use_asset"  # DAGs of the grantee are told of the events of the asset
    USE_POOL = "use_pool"  # tasks of the grantee run in the pool

    @property
    def word(self) -> str:
        return WORDS[self]

    @property
    def subject(self) -> Subject:
        return SUBJECTS.get(self, Subject.DAG)


class GrantState(StrEnum):
    ASKED = "asked"
    GIVEN = "given"  # the only one that opens anything
    REFUSED = "refused"
    REVOKED = "revoked"


class Side(StrEnum):
    OWNER = "owner"
    GRANTEE = "grantee"


WORDS: Final[Mapping[GrantKind, str]] = {
    GrantKind.SEE_RUNS: "see the runs of",
    GrantKind.START: "start",
    GrantKind.WAIT: "wait for runs of",
    GrantKind.USE_ASSET: "use",
    GrantKind.USE_POOL: "run tasks in",
}
SUBJECTS: Final[Mapping[GrantKind, Subject]] = {
    GrantKind.USE_ASSET: Subject.ASSET,
    GrantKind.USE_POOL: Subject.POOL,
}
# Nobody hands on what they may not do themselves.
VERBS: Final[Mapping[GrantKind, Verbs]] = {
    GrantKind.SEE_RUNS: frozenset({Verb.RUN_READ}),
    GrantKind.START: frozenset({Verb.RUN_TRIGGER}),
    GrantKind.WAIT: frozenset({Verb.RUN_READ}),
    GrantKind.USE_ASSET: frozenset({Verb.DAG_READ}),
    GrantKind.USE_POOL: frozenset({Verb.POOL_WRITE}),
}
# Of the routes of the owner's team. Waits, assets and pools are of DAGs, and open no route to anybody.
OPENED: Final[Mapping[GrantKind, Verbs]] = {
    kind: VERBS[kind] for kind in (GrantKind.SEE_RUNS, GrantKind.START)
}

S = GrantState
# Who may move a grant to a state, from which ones; None: there was no grant.
MOVES: Final[Mapping[tuple[Side, GrantState], frozenset[GrantState | None]]] = {
    (Side.GRANTEE, S.ASKED): frozenset({None, S.REFUSED, S.REVOKED}),
    (Side.OWNER, S.GIVEN): frozenset({None, S.ASKED, S.REFUSED, S.REVOKED}),
    (Side.OWNER, S.REFUSED): frozenset({S.ASKED}),
    (Side.OWNER, S.REVOKED): frozenset({S.GIVEN}),
    (Side.GRANTEE, S.REVOKED): frozenset({S.GIVEN, S.ASKED}),  # handed back, or no longer wanted
}


def may_move(side: Side, before: GrantState | None, after: GrantState) -> bool:
    return before in MOVES.get((side, after), frozenset())
