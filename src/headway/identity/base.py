"""A way to sign in: what the login page is told of it, and how what a browser brings ends in a person.

Rates, the record in the audit, the session and its cookie are the same for every way and not its business
(``headway.api.signin``). A new way is a file here and a line in ``registry``; its conformance suite is
``tests/api/test_ways.py``.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Literal,
    ParamSpec,
    Protocol,
    TypeVar,
    runtime_checkable,
)

from psycopg import Connection

from headway.core.role_map import Rule
from headway.store.browser_sessions import Provided

if TYPE_CHECKING:
    from headway.identity.external import Told
    from headway.identity.logout_token import Logout

P = ParamSpec("P")
T = TypeVar("T")


# What the login page does for it: ask for a name and a secret, or nothing, for somebody opens a link.
# Or to send a request, to which a proxy adds headers.
# Or to go to a provider, which sends the browser back with a code.
# Or, for programs, to send a ticket of Kerberos.
Begins = Literal["form", "link", "header", "redirect", "negotiate"]


@dataclass(frozen=True, slots=True)
class Returned:
    """The things that a browser brings back from a provider, besides the code, and the ticket that it left with."""

    state: str
    issuer: str | None
    ticket: str
    back: str  # the address to which it came back


@dataclass(frozen=True, slots=True)
class Given:
    """Unverified input of a browser."""

    name: str | None  # as somebody typed it; None for a way that asks for none
    secret: str
    headers: Sequence[tuple[str, str]] = ()  # in lower case, as often as they came
    peer: str = ""  # the address at the other end of the connection, whatever headers say
    returned: Returned | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """The part of signing in that runs in the transaction that opens the session.

    ``find`` answers with the id of the person whose identity is proven, or None, the same for every
    reason. It takes as long for a person who does not exist. ``home`` is the team that manages the named user,
    which keeps the record when it is refused; None: nobody of that name, or nobody was named. ``reason`` is for that
    record only. ``lifetime_s`` is that of the session; None: as long as any may last. ``provided`` is what the
    session is at a provider. ``reply`` proves us to a program, whose session is then for a bearer.
    """

    find: Callable[[Connection[Any]], int | None]
    home: int | None = None
    reason: str = ""
    lifetime_s: float | None = None
    provided: Provided | None = None
    reply: str | None = None


@dataclass(frozen=True, slots=True)
class Renewed:
    """A session that goes on: who it is now, and when with which (encrypted) token the provider is asked again."""

    told: "Told"
    rules: Sequence[Rule]
    sealed: bytes
    after_s: float


class Ask(Protocol):
    """Does ``work`` in a transaction of its own, which has entered no team."""

    def __call__(
        self,
        work: Callable[Concatenate[Connection[Any], P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Awaitable[T]: ...


class SignIn(Protocol):
    """One way to sign in. It runs in the event loop, which it must not hold up."""

    @property
    def name(self) -> str:
        """Return the name that requests and the audit use, permanently."""

    @property
    def label(self) -> str:
        """The text on the sign-in page."""

    @property
    def begins(self) -> Begins: ...

    @property
    def refusal(self) -> tuple[str, str]:
        """The message for a refused sign-in, equal for every cause, and the next step."""

    async def prove(self, given: Given, ask: Ask) -> Proof:
        """Do what takes long or talks to others, before the transaction. Raises HeadwayError if it cannot."""


@runtime_checkable
class Redirecting(SignIn, Protocol):
    """A way that begins elsewhere. ``ticket`` is a secret of the browser; ``back`` is where it comes back to."""

    async def start(self, ticket: str, back: str) -> str:
        """Return the address where the browser goes. Raises NotReachable."""

    async def leave(self, back: str) -> str | None:
        """Return the address where a browser signs out there, too; None: nowhere. Raises NotReachable."""

    async def renew(self, sealed: bytes, subject: str) -> Renewed:
        """Ask whether a session goes on. Raises Refused: it does not. NotReachable."""

    async def logout(self, token: str) -> "Logout":
        """Return what a provider's logout token ends. Raises Refused: it is not of this one. NotReachable."""


def nobody(conn: Connection[Any]) -> None:
    """The ``find`` of what proves nothing."""
