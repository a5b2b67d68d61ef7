"""Changes of users, passwords, tokens and sessions, by admins and by users themselves.

Each function is one step of the caller's transaction, which has entered the team. Whatever way proves
who somebody is (``registry``) ends in ``open_session``.
"""

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from psycopg import Connection

from headway import ids
from headway.core.roles import Role, Verb, Verbs, missing
from headway.errors import Conflict, NotAllowed, NotFound, UsageError
from headway.store import api_tokens, browser_sessions, people, roles
from headway.store.api_tokens import fingerprint as fingerprint
from headway.store.browser_sessions import BrowserSession, Provided
from headway.store.clock import clock

SESSION_S: Final = 7 * 86_400.0  # whatever happens; idle ones end after 12 hours (identify_session)
LINK_S: Final = 600
INVITATION_S: Final = 86_400  # a link that an admin makes for somebody else
TOKEN_DAYS_MAX: Final = 366
AGENT_PREFIX: Final = "hwa_"
SESSION_PREFIX: Final = "hws_"  # of a program, which has no cookie
TOKEN_PREFIX: Final = "hwt_"  # so that scanners of sources find one that was left there
ADMIN: Final = "admin"
UP: Final = "headway up"  # who makes the local admin
NAME: Final = re.compile(r"[a-z0-9]([a-z0-9._@-]{0,62}[a-z0-9])?")
DISPLAY_NAME_CHARS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Opened:
    secret: str
    session: BrowserSession


def open_session(
    conn: Connection[Any],
    team_id: int,
    person_id: int,
    address: str,
    lifetime_s: float = SESSION_S,
    provided: Provided | None = None,
    prefix: str = "",
) -> Opened:
    """Open a session for a user with proven identity. ``team_id`` is the team that manages them."""
    secret = prefix + ids.token()
    session = browser_sessions.open_session(
        *(
            conn,
            team_id,
            ids.run_id(),
            person_id,
            fingerprint(secret),
            lifetime_s,
            address,
            provided,
        )
    )
    return Opened(secret, session)


def offer_link(
    conn: Connection[Any], team_id: int, person_id: int, actor: str, lifetime_s: int
) -> str:
    """Create the secret of a sign-in link, which works once."""
    secret = ids.token()
    hashed = fingerprint(secret)
    browser_sessions.offer_link(conn, team_id, person_id, hashed, lifetime_s, actor)
    return secret


def sign_in_url(base: str, secret: str, team: str | None = None) -> str:
    """Return the address that signs in, and shows a team; None: the first one of the person."""
    shown = f"?next=/t/{team}/overview" if team is not None else ""
    return f"{base}/login{shown}#{secret}"


def ensure_admin(conn: Connection[Any], team_id: int) -> int:
    """Return the local admin, who is created on first use and is an admin of each team that the server serves."""
    known = people.by_name(conn, ADMIN)
    if known is not None:
        return known
    person_id = people.anywhere(conn, ADMIN)
    if person_id is not None:
        people.join(conn, team_id, person_id, ADMIN, Role.ADMIN, UP)
        return person_id
    person_id = people.create(conn, team_id, ADMIN, "Local admin", None, Role.ADMIN, UP)
    people.make_platform_admin(conn, person_id)
    return person_id


def create_user(
    conn: Connection[Any],
    team_id: int,
    name: str,
    display_name: str | None,
    password_hash: str | None,
    role: str,
    actor: str,
) -> None:
    """Create a user that the team manages."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a valid user name",
            hint="use lower-case letters and digits, with . _ @ - between them, at most 64 characters",
        )
    shown = check_display_name(display_name or name)
    people.create(conn, team_id, name, shown, password_hash, role, actor)


def create_service(
    conn: Connection[Any], team_id: int, name: str, display_name: str | None, role: str, actor: str
) -> None:
    """Create a service account of the team: it has tokens, and no other way to sign in."""
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is too long for a user name", hint="choose a shorter name")
    shown = check_display_name(display_name or name)
    people.create(conn, team_id, name, shown, None, role, actor, is_service=True)


def require_beneath(
    conn: Connection[Any], team_id: int, name: str, verbs: Verbs, *, is_platform_admin: bool
) -> None:
    """Check that somebody with ``verbs`` may change this user or act for them: nobody rises by it.

    A disabled user counts as what they are when they are enabled again.

    Raises:
        NotAllowed: the user may do more. NotFound.
    """
    person_id = people.require(conn, name)
    if not is_platform_admin and people.is_platform_admin(conn, person_id):
        raise NotAllowed("this user is a platform admin", hint="ask a platform admin")
    role = people.role_in(conn, team_id, person_id)
    held = frozenset[Verb]() if role is None else roles.verbs_of(conn, team_id, role)
    if lacking := missing(verbs, held):
        raise NotAllowed(
            f"{name!r} may do more than you in this team: {lacking[0]}", hint="ask an admin"
        )


def add_member(conn: Connection[Any], team_id: int, name: str, role: str, actor: str) -> None:
    """Add an existing user to the team, whichever team manages them."""
    person_id = people.anywhere(conn, name)
    if person_id is None:
        raise NotFound(
            f"there is no user {name!r}", hint=f"to create the user: headway user create {name}"
        )
    people.join(conn, team_id, person_id, name, role, actor)


def remove_member(conn: Connection[Any], team_id: int, name: str) -> None:
    """Remove a membership and revoke the user's tokens for this team. The user stays.

    Sessions belong to the user: they continue in other teams and lose access to this one.
    """
    person_id = people.require(conn, name)
    keep_admins(conn, team_id, person_id)
    people.leave(conn, team_id, person_id)
    api_tokens.revoke_all(conn, team_id, person_id)
    if people.is_ours(conn, name):
        browser_sessions.close_others(conn, person_id, None)


def check_display_name(text: str) -> str:
    if not 1 <= len(text) <= DISPLAY_NAME_CHARS_MAX or not text.isprintable():
        raise UsageError(
            f"a display name must have 1 to {DISPLAY_NAME_CHARS_MAX} visible characters"
        )
    return text


def change_user(
    conn: Connection[Any],
    team_id: int,
    name: str,
    role: str | None,
    display_name: str | None,
    disabled: bool | None,
) -> None:
    person_id = people.require(conn, name)
    if role is not None:
        if role != Role.ADMIN:
            keep_admins(conn, team_id, person_id)
        people.set_role(conn, team_id, person_id, role)
    if display_name is None and disabled is None:
        return
    require_ours(conn, name)
    if display_name is not None:
        people.rename(conn, person_id, check_display_name(display_name))
    if disabled is not None:
        if disabled:
            keep_admins(conn, team_id, person_id)
            browser_sessions.close_others(conn, person_id, None)
        people.disable(conn, person_id, disabled)


def set_password(
    conn: Connection[Any], name: str, password_hash: str, session_id: str | None
) -> None:
    """Set the password and end all other sessions of the user than ``session_id``."""
    require_ours(conn, name)
    require_local(conn, name, "have a password")
    person_id = people.require(conn, name)
    people.set_password(conn, person_id, password_hash)
    browser_sessions.close_others(conn, person_id, session_id)


def renew_local_agent(conn: Connection[Any], team_id: int) -> str:
    """The token of the agent that the server itself starts: a new one, and the last is worthless."""
    secret = AGENT_PREFIX + ids.token()
    person_id = ensure_admin(conn, team_id)
    api_tokens.renew_local_agent(conn, team_id, person_id, fingerprint(secret), clock(conn))
    return secret


def create_token(
    conn: Connection[Any],
    team_id: int,
    person_id: int,
    name: str,
    role: str,
    days: int,
    scope: Literal["api", "agent"] = "api",
    verbs: list[str] | None = None,
    dag_ids: list[str] | None = None,
) -> tuple[str, str]:
    """Create a token. Returns its id and the token, which cannot be shown again."""
    if not 1 <= days <= TOKEN_DAYS_MAX:
        raise UsageError(f"a token must expire after 1 to {TOKEN_DAYS_MAX} days, not {days}")
    if not 1 <= len(name) <= 100:
        raise UsageError("the name of a token must have 1 to 100 characters")
    prefix = AGENT_PREFIX if scope == "agent" else TOKEN_PREFIX
    token_id, secret = ids.run_id(), prefix + ids.token()
    hashed, lifetime_s = fingerprint(secret), days * 86_400.0
    api_tokens.create(
        *(conn, team_id, token_id, person_id, name, role, hashed, lifetime_s, scope),
        verbs=verbs,
        dag_ids=dag_ids,
    )
    return token_id, secret


def keep_admins(conn: Connection[Any], team_id: int, person_id: int) -> None:
    """Check that somebody may be disabled, removed from the team or given a lower role. Raises Conflict."""
    if people.admins(conn, team_id) == [person_id]:
        raise Conflict(
            "this is the last admin of the team", hint="make another user an admin first"
        )
    if people.by_name(conn, ADMIN) == person_id:
        raise Conflict(
            f"{ADMIN!r} must stay an admin, because headway up acts as this user",
            hint="change the password and revoke the tokens of this user instead",
        )


def require_ours(conn: Connection[Any], name: str) -> None:
    if not people.is_ours(conn, name):
        raise NotAllowed(f"another team manages {name!r}", hint="ask an admin of that team")


def require_local(conn: Connection[Any], name: str, what: str) -> None:
    """Check that the person signs in here: by a password or link, roles of groups would outlive the groups."""
    source = people.source(conn, name)
    if source is not None:
        raise NotAllowed(
            f"{name!r} signs in by {source!r} and cannot {what} here",
            hint="a user with a password is created with: headway user create NAME",
        )
