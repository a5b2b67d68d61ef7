"""Pools."""

from typing import Annotated

import msgspec

from headway.wire.bounds import INT32_MAX, said


class PoolLoan(msgspec.Struct, frozen=True, kw_only=True):
    """The part of another team. ``revoked``: the grant was taken back, and tasks still run there."""

    team: str
    used: int
    allotted: int
    revoked: bool = False


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """A pool of the team, or, named ``@team/pool``, one of another team that lends it.

    ``used`` is by this team. ``allotted``: how many of the slots it may use now, null where it has the pool alone;
    ``lent_to``: the other teams that have this pool of the team.
    """

    name: str
    slots: int
    used: int
    waiting: int
    allotted: int | None = None
    lent_to: list[PoolLoan] = []


class PoolRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slots: Annotated[int, said(minimum=0, maximum=INT32_MAX)]
