"""Grants between teams."""

from datetime import datetime
from typing import Annotated

import msgspec

from headway.core.grants import GrantKind, GrantState

TeamName = Annotated[str, msgspec.Meta(max_length=40)]
Name = Annotated[str, msgspec.Meta(max_length=250)]
Note = Annotated[str, msgspec.Meta(max_length=500)]


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A grant: the team ``owner`` lets the team ``grantee`` do something with a DAG, asset or pool, or is asked to.

    Only ``given`` opens anything. ``name``: of the DAG; of the asset if ``kind`` is ``use_asset``,
    of the pool if it is ``use_pool``.

    ``changed_in`` is the team of ``changed_by``.
    """

    id: str
    owner: str
    grantee: str
    name: str
    kind: GrantKind
    state: GrantState
    note: str
    created_at: datetime
    changed_at: datetime
    changed_by: str
    changed_in: str


class GiveGrant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``name``: of a DAG of the team of the request; of an asset if ``kind`` is ``use_asset``, of a pool if
    it is ``use_pool``.
    """

    grantee: TeamName
    name: Name
    kind: GrantKind
    note: Note = ""


class AskForGrant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``name``: of a DAG of the team ``owner``; of an asset if ``kind`` is ``use_asset``, of a pool if ``use_pool``."""

    owner: TeamName
    name: Name
    kind: GrantKind
    note: Note = ""


class GrantChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``state``: given, refused or revoked."""

    state: GrantState
