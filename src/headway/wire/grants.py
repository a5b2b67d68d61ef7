"""Grants between teams."""

from datetime import datetime
from typing import Annotated

import msgspec

from headway.core.grants import GrantKind, GrantState
from headway.wire.bounds import Id

TeamName = Annotated[str, msgspec.Meta(max_length=40)]
Note = Annotated[str, msgspec.Meta(max_length=500)]


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A grant: the team ``owner`` lets the team ``grantee`` do something with a DAG, or is asked to.

    Only ``given`` opens anything.

    ``changed_in`` is the team of ``changed_by``.
    """

    id: str
    owner: str
    grantee: str
    dag_id: str
    kind: GrantKind
    state: GrantState
    note: str
    created_at: datetime
    changed_at: datetime
    changed_by: str
    changed_in: str


class GiveGrant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``dag_id``: of the team of the request."""

    grantee: TeamName
    dag_id: Id
    kind: GrantKind
    note: Note = ""


class AskForGrant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``dag_id``: of the team ``owner``."""

    owner: TeamName
    dag_id: Id
    kind: GrantKind
    note: Note = ""


class GrantChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``state``: given, refused or revoked."""

    state: GrantState
