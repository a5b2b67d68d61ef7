"""The life of a grant, from both sides."""

import itertools

import pytest

from headway.core.grants import MOVES, OPENED, VERBS, GrantKind, GrantState, Side, may_move

A, G, F, R = GrantState


@pytest.mark.parametrize(
    ("side", "before", "after"),
    [
        *((Side.GRANTEE, before, A) for before in (None, F, R)),
        *((Side.OWNER, before, G) for before in (None, A, F, R)),
        (Side.OWNER, A, F),
        (Side.OWNER, G, R),
        *((Side.GRANTEE, before, R) for before in (A, G)),
    ],
)
def test_a_move(side: Side, before: GrantState | None, after: GrantState) -> None:
    assert may_move(side, before, after)


def test_there_is_no_other_move() -> None:
    every = itertools.product(Side, [None, *GrantState], GrantState)
    assert sum(may_move(*each) for each in every) == 11 == sum(map(len, MOVES.values()))


def test_a_grantee_gives_itself_nothing() -> None:
    assert not any(may_move(Side.GRANTEE, before, G) for before in [None, *GrantState])


def test_every_kind_has_verbs_and_words() -> None:
    assert set(VERBS) == set(GrantKind)
    assert all(VERBS.values())
    assert [kind.word for kind in GrantKind] == [
        *("see the runs of", "start", "wait for runs of", "use", "run tasks in")
    ]
    assert [kind.subject for kind in GrantKind] == ["DAG", "DAG", "DAG", "asset", "pool"]


def test_only_what_people_do_opens_routes() -> None:
    assert set(OPENED) == {GrantKind.SEE_RUNS, GrantKind.START}
