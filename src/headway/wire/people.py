"""People, their roles, tokens and sessions."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from headway.core.roles import Role
from headway.wire.bounds import said


class Person(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    display_name: str


class TeamRole(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    role: Role


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """The signed-in user and team. ``expires_at`` is the end of the browser session or token."""

    user: Person
    team: str
    role: Role  # in ``team``
    teams: list[TeamRole]
    expires_at: datetime | None
    version: str


class SignInWay(msgspec.Struct, frozen=True, kw_only=True):
    """A way to sign in: a form with name and password, or a link that somebody opens."""

    name: str
    label: str
    begins: Literal["form", "link"]


class LoginLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link for one sign-in. The secret is behind the #, so that servers do not log it."""

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
    """A token allows what its owner may do, but not more than ``role``.

    ``scope``: a token for agents lets agents of the team connect, and opens no request.
    """

    id: str
    name: str
    user: str
    role: Role
    scope: Literal["api", "agent"]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewToken(Token, frozen=True, kw_only=True):
    token: str  # shown this once


# -- what is asked for

Typed = Annotated[str, msgspec.Meta(max_length=2_000)]  # whatever somebody typed
Password = Annotated[str, said(minLength=10, maxLength=1_000)]


class SessionRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``way``: one of those at /sign-in that begin with a form."""

    name: Typed
    password: Typed
    way: Typed = "password"


class LinkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: Typed


class LoginLinkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user: Typed | None = None  # default: whoever asks


Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9._@-]{0,62}[a-z0-9])?$(?!\n)")]
DisplayName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class UserRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    role: Role
    display_name: DisplayName | None = None
    password: Password | None = None  # without one: by a link only


class MemberRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    role: Role


class UserChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Omitted fields stay unchanged."""

    role: Role | None = None
    display_name: DisplayName | None = None
    disabled: bool | None = None


class PasswordRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``current`` is required from users who change their own existing password."""

    password: Password
    current: Typed | None = None


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, said(minLength=1, maxLength=100)]
    role: Role | None = None  # default: that of whoever asks
    expires_in_days: Annotated[int, said(minimum=1, maximum=366)] = 90
    user: Typed | None = None  # for another: by an admin
    scope: Literal["api", "agent"] = "api"  # of an agent: by an admin
