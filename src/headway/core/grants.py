"""Grants: what one team lets another one do with one of its DAGs.

The owner gives, the grantee asks. A grant allows its verbs on the named DAG, and those only to members of the grantee
who have them in their own team. ``MOVES`` is the whole life of a grant; nothing else changes its state.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from headway.core.roles import Verb, Verbs


class GrantKind(StrEnum):
    SEE_RUNS = "see_runs"
    START = "start"

    @property
    def word(self) -> str:
        return "see the runs of" if self is GrantKind.SEE_RUNS else "start"


class GrantState(StrEnum):
    ASKED = "asked"
    GIVEN = "given"  # the only one that opens anything
    REFUSED = "refused"
    REVOKED = "revoked"


class Side(StrEnum):
    OWNER = "owner"
    GRANTEE = "grantee"


VERBS: Final[Mapping[GrantKind, Verbs]] = {
    GrantKind.SEE_RUNS: frozenset({Verb.RUN_READ}),
    GrantKind.START: frozenset({Verb.RUN_TRIGGER}),
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
