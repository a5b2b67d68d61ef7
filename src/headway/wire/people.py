"""People, their roles, tokens and sessions."""

from datetime import datetime
from typing import Annotated

import msgspec

from headway.core.roles import Role


class Person(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    display_name: str


class TeamRole(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    role: Role


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in, and where. ``expires_at`` is that of the browser's session or the token."""

    user: Person
    team: str
    role: Role  # in ``team``
    teams: list[TeamRole]
    expires_at: datetime | None
    version: str


class LoginLink(msgspec.Struct, frozen=True, kw_only=True):
    """Good for one sign-in. The secret is behind the #, so that it reaches no log."""

    url: str
    user: str
    expires_in_s: int


class User(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    display_name: str
    role: Role
    has_password: bool
    created_at: datetime
    created_by: str
    disabled_at: datetime | None


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """Its bearer may do what its owner may, and no more than ``role``."""

    id: str
    name: str
    user: str
    role: Role
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewToken(Token, frozen=True, kw_only=True):
    token: str  # shown this once


# -- what is asked for


class SessionRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    password: str


class LinkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: str


class LoginLinkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user: str | None = None  # default: whoever asks


Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9._@-]{0,62}[a-z0-9])?$(?!\n)")]
DisplayName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class UserRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    role: Role
    display_name: DisplayName | None = None
    password: str | None = None  # without one: by a link only


class UserChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays."""

    role: Role | None = None
    display_name: DisplayName | None = None
    disabled: bool | None = None


class PasswordRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``current`` is needed by whoever changes their own and has one."""

    password: str
    current: str | None = None


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    role: Role | None = None  # default: that of whoever asks
    expires_in_days: int = 90
    user: str | None = None  # for another: by an admin
