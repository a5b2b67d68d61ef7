"""/session: sign in and out; the ways to sign in, and sign-in links."""

from importlib.metadata import version
from typing import Any, Final

from litestar import Request, Response, delete, get, post
from litestar.params import JSONBody, URLEncodedBody
from psycopg import Connection

from headway import clock, ids, wire
from headway.api.access import MEMBER, PUBLIC
from headway.api.context import Api, Handed
from headway.api.cookies import cookie, ticket, ticket_of
from headway.api.peers import headers_of, is_loopback, peer_of
from headway.api.principal import SESSION, Principal, require_beneath
from headway.api.problems import Challenged
from headway.api.record import address_of
from headway.api.signin import SignedIn
from headway.core.roles import Verb
from headway.errors import NotAllowed, NotAuthenticated, UsageError
from headway.identity import accounts
from headway.identity.base import Given, Redirecting, Returned, SignIn
from headway.identity.id_token import Refused
from headway.store import browser_sessions, moments, people

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


@post("/session/header", needs=PUBLIC, status_code=200, security=OPEN)
async def sign_in_by_header(
    api: Handed, request: AnyRequest, data: JSONBody[wire.HeaderRequest]
) -> Response[wire.Session]:
    """Sign in by the headers that a trusted proxy adds to this request."""
    way = api.signin.way(data.way, "header")
    return await enter(api, request, way, Given(None, "", headers_of(request), peer_of(request)))


@post("/session/redirect", needs=PUBLIC, status_code=200, security=OPEN)
async def start_sign_in(
    api: Handed, request: AnyRequest, data: JSONBody[wire.RedirectRequest]
) -> Response[wire.Redirect]:
    """Begin to sign in at an identity provider: where the browser goes, and a cookie for its return."""
    way = api.signin.way(data.way, "redirect")
    assert isinstance(way, Redirecting)
    await api.signin.take(api.door, None, address_of(request))
    secret = ids.token()
    url = await way.start(secret, back_to(api, way))
    return Response(wire.Redirect(url=url), cookies=[ticket(secret, secure=api.is_secure)])


@post("/session/code", needs=PUBLIC, status_code=200, security=OPEN)
async def sign_in_by_code(
    api: Handed, request: AnyRequest, data: JSONBody[wire.CodeRequest]
) -> Response[wire.Session]:
    """Sign in with the code that the browser brought back from an identity provider."""
    way = api.signin.way(data.way, "redirect")
    kept = ticket_of(request, secure=api.is_secure)
    returned = Returned(data.state, data.iss, kept, back_to(api, way))
    answer = await enter(api, request, way, Given(None, data.code, returned=returned))
    answer.cookies.append(ticket("", secure=api.is_secure))
    return answer


@post("/session/negotiate", needs=PUBLIC, status_code=200, security=OPEN)
async def sign_in_by_ticket(api: Handed, request: AnyRequest) -> Response[wire.Negotiated]:
    """Sign in with a Kerberos ticket (SPNEGO). The answer has a bearer token, which ends with the ticket."""
    way = api.signin.negotiating
    given = request.headers.getall("authorization", [])
    scheme, _, ticket = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if not (api.is_secure or is_loopback(peer_of(request))):
        raise NotAllowed("tickets are taken over https only", hint="use the https address")
    if scheme.lower() != "negotiate":
        raise Challenged("there is no Kerberos ticket", hint="for instance: curl --negotiate -u :")
    address = address_of(request)
    try:
        signed_in = await api.signin.enter(way, api.door, Given(None, ticket.strip()), address)
    except NotAuthenticated as error:
        raise Challenged(error.message, hint=error.hint) from None
    await api.signin.give_back(api.door, address)
    session = await api.door.of(signed_in.principal.team_id).call(session_of, signed_in.principal)
    headers = {"WWW-Authenticate": f"Negotiate {signed_in.reply}"}
    return Response(wire.Negotiated(token=signed_in.secret, session=session), headers=headers)


def back_to(api: Api, way: SignIn) -> str:
    """Return the page to which a provider sends browsers. Each way has its own, so that none is taken for another."""
    return f"{api.url}/login/{way.name}"


@get("/session", needs=MEMBER, any_token=True)
async def show_session(api: Handed) -> wire.Session:
    """Get the signed-in user, team and role."""
    return await api.door.call(session_of, api.principal)


@delete("/session", needs=MEMBER, status_code=200)
async def sign_out(api: Handed) -> Response[wire.SignedOut]:
    """Sign out: end the session of the cookie. The answer says where the browser signs out as well."""
    who = api.principal
    source = None
    if who.via == SESSION:
        home = api.door.of(who.home_team_id, api.door.entry)
        await home.call(browser_sessions.close, who.home_team_id, who.credential)
        source = await home.call(people.source, who.name)
    url = await api.signin.leave(source, f"{api.url}/login")
    return Response(wire.SignedOut(url=url), cookies=[cookie("", 0, secure=api.is_secure)])


@post("/backchannel-logout", needs=PUBLIC, status_code=200, security=OPEN, no_browser=True)
async def end_sessions(
    api: Handed, request: AnyRequest, data: URLEncodedBody[wire.LogoutRequest]
) -> None:
    """End sessions, as the logout token of an identity provider says."""
    address = address_of(request)
    await api.signin.take(api.door, None, address)
    try:
        await api.signin.renewal.log_out(api.door, data.logout_token)
    except Refused as error:
        raise UsageError(
            str(error), hint="the provider sends logout tokens for the client of the settings"
        ) from error
    await api.signin.give_back(api.door, address)


@post("/login-links", needs=MEMBER)
async def offer_link(api: Handed, data: JSONBody[wire.LoginLinkRequest]) -> wire.LoginLink:
    """Create a sign-in link that works once: for yourself or, as an admin, for a user whom the team manages."""
    who = api.principal
    name = data.user or who.name
    is_own = name == who.name
    who.require_whole("create a sign-in link")
    if not is_own:
        who.require(Verb.MEMBER_MANAGE, "create sign-in links for other users")
    home_id = who.home_team_id if is_own else who.team_id
    lifetime_s = accounts.LINK_S if is_own else accounts.INVITATION_S

    def work(conn: Connection[Any]) -> str:
        accounts.require_ours(conn, name)
        accounts.require_local(conn, name, "sign in by a link")
        if not is_own:
            require_beneath(conn, who, name)
        person_id = people.require(conn, name)
        return accounts.offer_link(conn, home_id, person_id, who.actor, lifetime_s)

    secret = await api.door.of(home_id, api.door.entry).call(work)
    team = who.team if is_own and who.team_id != home_id else None
    url = accounts.sign_in_url(api.url, secret, team)
    return wire.LoginLink(url=url, user=name, expires_in_s=lifetime_s)


async def enter(api: Api, request: AnyRequest, way: SignIn, given: Given) -> Response[wire.Session]:
    return await welcome(api, await api.signin.enter(way, api.door, given, address_of(request)))


async def welcome(api: Api, signed_in: SignedIn) -> Response[wire.Session]:
    who = signed_in.principal
    session = await api.door.of(who.team_id).call(session_of, who)
    assert session.expires_at is not None
    left_s = int((session.expires_at - clock.now()).total_seconds())
    return Response(session, cookies=[cookie(signed_in.secret, left_s, secure=api.is_secure)])


def session_of(conn: Connection[Any], who: Principal) -> wire.Session:
    position = str(moments.now(conn))
    standing = people.standing(conn, who.person_id)
    here = next(each for each in standing if each.team_id == who.team_id)
    return wire.Session(
        user=wire.Person(name=here.name, display_name=here.display_name),
        team=here.team,
        role=who.role,
        teams=[wire.TeamRole(name=each.team, role=each.role) for each in standing],
        expires_at=who.expires_at,
        version=version("headway"),
        verbs=sorted(who.verbs),
        dag_ids=None if who.dag_ids is None else sorted(who.dag_ids),
        via=who.via,
        position=position,
        is_platform_admin=who.is_platform_admin,
    )


ROUTES = [
    list_ways,
    sign_in,
    sign_in_by_link,
    sign_in_by_header,
    start_sign_in,
    sign_in_by_code,
    sign_in_by_ticket,
    show_session,
    sign_out,
    end_sessions,
    offer_link,
]
