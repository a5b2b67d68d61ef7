"""People, their roles, tokens and sessions."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from headway.core.roles import Verb
from headway.wire.bounds import said


class Person(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    display_name: str


class TeamRole(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    role: str


class TeamRoleDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A role of the team: a built-in one, or one that the team defined."""

    name: str
    verbs: list[Verb]
    description: str = ""
    built_in: bool = False
    created_at: datetime | None = None
    created_by: str | None = None


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """The signed-in user and team. ``expires_at`` is the end of the browser session or token.

    ``is_platform_admin``: may create, change and delete teams. ``position``: a stream that goes on from it (as
    ``last_event_id``) tells all that changes after this answer.
    """

    user: Person
    team: str
    role: str  # in ``team``
    teams: list[TeamRole]
    is_platform_admin: bool
    expires_at: datetime | None
    version: str
    verbs: list[Verb] = []  # what the caller may do in ``team``
    dag_ids: list[str] | None = None  # of a token that is only for these DAGs
    via: str = ""  # local, session, or token:<id>
    position: str = ""


class Negotiated(msgspec.Struct, frozen=True, kw_only=True):
    """A session of a program: ``Authorization: Bearer`` with ``token``, until the session expires."""

    token: str
    session: Session


class SignInWay(msgspec.Struct, frozen=True, kw_only=True):
    """A way to sign in.

    It begins with a form for name and password, a link that somebody opens, headers that a proxy adds, a
    redirect to an identity provider or, for programs, a Kerberos ticket.
    """

    name: str
    label: str
    begins: Literal["form", "link", "header", "redirect", "negotiate"]


class LoginLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link for one sign-in. The secret is behind the #, so that servers do not log it."""

    url: str
    user: str
    expires_in_s: int


class User(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    display_name: str
    role: str
    has_password: bool
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    is_service: bool = False  # a service account: it has tokens, and no other way to sign in
    by_map: bool = False  # the role is that of the role map, which decides anew at each sign-in


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token allows what its owner may do, but not more than ``role``.

    ``scope``: a token for agents lets agents of the team connect, and opens no request.
    """

    id: str
    name: str
    user: str
    role: str
    scope: Literal["api", "agent"]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    verbs: list[Verb] | None = None  # no more of the role than these
    dag_ids: list[str] | None = None  # only for these DAGs


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


# What another site sends back: codes of some providers are long.
Brought = Annotated[str, msgspec.Meta(max_length=8_000)]


class LinkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: Typed


class HeaderRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    way: Typed


class RedirectRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    way: Typed


class Redirect(msgspec.Struct, frozen=True, kw_only=True):
    """The address where a browser goes to sign in."""

    url: str


class LogoutRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A logout token of OpenID Connect Back-Channel Logout."""

    logout_token: Brought


class SignedOut(msgspec.Struct, frozen=True, kw_only=True):
    """``url``: the address at the identity provider where the browser signs out as well."""

    url: str | None


class CodeRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters that the identity provider added to the address of our page."""

    way: Typed
    code: Brought
    state: Brought
    iss: Brought | None = None


class LoginLinkRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user: Typed | None = None  # default: whoever asks


Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9._@-]{0,62}[a-z0-9])?$(?!\n)")]
DisplayName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


SomeVerbs = Annotated[list[Verb], msgspec.Meta(min_length=1, max_length=100)]
Description = Annotated[str, msgspec.Meta(max_length=500)]
RoleName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$(?!\n)")]


class RoleRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``verbs``: only such as you have yourself."""

    name: RoleName
    verbs: SomeVerbs
    description: Description = ""


class RoleChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Omitted fields stay unchanged."""

    verbs: SomeVerbs | None = None
    description: Description | None = None


class ServiceAccountRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account is called ``name@team``."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9_-]{0,30}[a-z0-9])?$(?!\n)")]
    role: RoleName
    display_name: DisplayName | None = None


class UserRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    role: RoleName
    display_name: DisplayName | None = None
    password: Password | None = None  # without one: by a link only


class MemberRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    role: RoleName


class UserChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Omitted fields stay unchanged."""

    role: RoleName | None = None
    display_name: DisplayName | None = None
    disabled: bool | None = None


class PasswordRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``current`` is required from users who change their own existing password."""

    password: Password
    current: Typed | None = None


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, said(minLength=1, maxLength=100)]
    role: RoleName | None = None  # default: that of whoever asks
    verbs: SomeVerbs | None = None  # of the role
    dag_ids: Annotated[list[Typed], msgspec.Meta(min_length=1, max_length=100)] | None = None
    expires_in_days: Annotated[int, said(minimum=1, maximum=366)] = 90
    user: Typed | None = None  # for another: by an admin
    scope: Literal["api", "agent"] = "api"  # of an agent: by an admin
