"""/session: sign in and out; the ways to sign in, and sign-in links."""

from importlib.metadata import version
from typing import Any, Final

from litestar import Request, Response, delete, get, post
from litestar.params import JSONBody
from psycopg import Connection

from headway import clock, wire
from headway.api.access import PUBLIC
from headway.api.context import Api, Handed
from headway.api.cookies import cookie
from headway.api.principal import SESSION, Principal
from headway.api.record import address_of
from headway.api.signin import SignedIn
from headway.core.roles import Role
from headway.errors import NotAllowed
from headway.identity import accounts
from headway.identity.base import Given, SignIn
from headway.store import browser_sessions, people

OPEN: Final[list[dict[str, list[str]]]] = [{}]  # as OpenAPI says that nothing is needed

AnyRequest = Request[Any, Any, Any]


@get("/sign-in", needs=PUBLIC, security=OPEN, sync_to_thread=False)
def list_ways(api: Handed) -> list[wire.SignInWay]:
    """The ways to sign in here, for a login page."""
    return [
        wire.SignInWay(name=way.name, label=way.label, begins=way.begins) for way in api.signin.ways
    ]


@post("/session", needs=PUBLIC, status_code=200, security=OPEN)
async def sign_in(
    api: Handed, request: AnyRequest, data: JSONBody[wire.SessionRequest]
) -> Response[wire.Session]:
    """Sign in with name and password. The answer sets the session cookie."""
    way = api.signin.way(data.way, "form")
    return await enter(api, request, way, Given(data.name, data.password))


@post("/session/link", needs=PUBLIC, status_code=200, security=OPEN)
async def sign_in_by_link(
    api: Handed, request: AnyRequest, data: JSONBody[wire.LinkRequest]
) -> Response[wire.Session]:
    """Sign in with the secret of a sign-in link. The link works once."""
    way = api.signin.way("link", "link")
    return await enter(api, request, way, Given(None, data.token))


@get("/session", needs=Role.VIEWER)
async def show_session(api: Handed) -> wire.Session:
    """Get the signed-in user, team and role."""
    return await api.door.call(session_of, api.principal)


@delete("/session", needs=Role.VIEWER, status_code=200)
async def sign_out(api: Handed) -> Response[None]:
    """Sign out: end the session of the cookie."""
    who = api.principal
    if who.via == SESSION:
        home = api.door.of(who.home_team_id, api.door.entry)
        await home.call(browser_sessions.close, who.home_team_id, who.credential)
    return Response(None, cookies=[cookie("", 0, secure=api.is_secure)])


@post("/login-links", needs=Role.VIEWER)
async def offer_link(api: Handed, data: JSONBody[wire.LoginLinkRequest]) -> wire.LoginLink:
    """Create a sign-in link that works once: for yourself or, as an admin, for a user whom the team manages."""
    who = api.principal
    name = data.user or who.name
    is_own = name == who.name
    who.require_whole("create a sign-in link")
    if not (is_own or who.role is Role.ADMIN):
        raise NotAllowed(
            "only admins can create sign-in links for other users", hint="ask an admin"
        )
    home_id = who.home_team_id if is_own else who.team_id
    lifetime_s = accounts.LINK_S if is_own else accounts.INVITATION_S

    def work(conn: Connection[Any]) -> str:
        accounts.require_ours(conn, name)
        person_id = people.require(conn, name)
        accounts.require_beneath(conn, person_id, is_platform_admin=who.is_platform_admin or is_own)
        return accounts.offer_link(conn, home_id, person_id, who.actor, lifetime_s)

    secret = await api.door.of(home_id, api.door.entry).call(work)
    return wire.LoginLink(url=f"{api.url}/login#{secret}", user=name, expires_in_s=lifetime_s)


async def enter(api: Api, request: AnyRequest, way: SignIn, given: Given) -> Response[wire.Session]:
    return await welcome(api, await api.signin.enter(way, api.door, given, address_of(request)))


async def welcome(api: Api, signed_in: SignedIn) -> Response[wire.Session]:
    who = signed_in.principal
    session = await api.door.of(who.team_id).call(session_of, who)
    assert session.expires_at is not None
    left_s = int((session.expires_at - clock.now()).total_seconds())
    return Response(session, cookies=[cookie(signed_in.secret, left_s, secure=api.is_secure)])


def session_of(conn: Connection[Any], who: Principal) -> wire.Session:
    standing = people.standing(conn, who.person_id)
    here = next(each for each in standing if each.team_id == who.team_id)
    return wire.Session(
        user=wire.Person(name=here.name, display_name=here.display_name),
        team=here.team,
        role=who.role,
        teams=[wire.TeamRole(name=each.team, role=Role(each.role)) for each in standing],
        expires_at=who.expires_at,
        version=version("headway"),
    )


ROUTES = [list_ways, sign_in, sign_in_by_link, show_session, sign_out, offer_link]
