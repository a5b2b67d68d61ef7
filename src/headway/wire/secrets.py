"""Connections and variables. No type of this module carries a secret out: requests do, answers do not."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from headway.spec.variable_changes import DESCRIPTION_CHARS_MAX as TEXT_CHARS_MAX
from headway.spec.variable_changes import VALUE_CHARS_MAX as SECRET_CHARS_MAX

DAGS_MAX = 1_000

Text = Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX)]
Secret = Annotated[str, msgspec.Meta(max_length=SECRET_CHARS_MAX)]
Dags = Annotated[
    list[Annotated[str, msgspec.Meta(max_length=250)]], msgspec.Meta(max_length=DAGS_MAX)
]


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """``extra`` shows ``***`` for each secret; ``dags``: the DAGs that may use it, null for all of the team."""

    conn_id: str
    conn_type: str
    host: str | None
    port: int | None
    schema: str | None
    login: str | None
    has_password: bool
    extra: dict[str, Any]
    description: str
    dags: list[str] | None
    changed_at: datetime | None
    changed_by: str


class ConnectionRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``uri``: instead of the fields from ``conn_type`` to ``extra``. Without ``password`` the stored one stays, and so
    does each extra whose value is ``***``.
    """

    conn_type: Text = ""
    host: Text | None = None
    port: int | None = None
    schema: Text | None = None
    login: Text | None = None
    password: Secret | UnsetType | None = UNSET
    extra: dict[str, Any] = {}
    uri: Secret | None = None
    description: Text = ""
    dags: Dags | None = None


class ConnectionTest(msgspec.Struct, frozen=True, kw_only=True):
    """``ok``: the connection works. ``message``: what was reached, or what went wrong, as one sentence."""

    conn_id: str
    ok: bool
    message: str


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """``value`` is null for a secret."""

    key: str
    value: str | None
    is_secret: bool
    description: str
    dags: list[str] | None
    changed_at: datetime | None
    changed_by: str


class VariableRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to set a variable. Without ``value`` the stored one stays.

    Without ``is_secret``, the key decides: ``smtp_password`` is a secret.
    """

    value: Secret | UnsetType = UNSET
    is_secret: bool | None = None
    description: Text = ""
    dags: Dags | None = None


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """``rewrapped``: the connections and variables whose keys the new master key wraps now."""

    key_id: str
    rewrapped: int
