"""A way to sign in: what the login page is told of it, and how what a browser brings ends in a person.

Rates, the record in the audit, the session and its cookie are the same for every way and not its business
(``headway.api.signin``). A new way is a file here and a line in ``registry``; its conformance suite is
``tests/api/test_ways.py``.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar

from psycopg import Connection

P = ParamSpec("P")
T = TypeVar("T")


# What the login page does for it: ask for a name and a secret, or nothing, for somebody opens a link.
Begins = Literal["form", "link"]


@dataclass(frozen=True, slots=True)
class Given:
    """Unverified input of a browser."""

    name: str | None  # as somebody typed it; None for a way that asks for none
    secret: str


@dataclass(frozen=True, slots=True)
class Proof:
    """The part of signing in that runs in the transaction that opens the session.

    ``find`` answers with the id of the person whose identity is proven, or None, the same for every
    reason. It takes as long for a person who does not exist. ``home`` is the team that manages the named user,
    which keeps the record when it is refused; None: nobody of that name, or nobody was named.
    """

    find: Callable[[Connection[Any]], int | None]
    home: int | None = None


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
        """How requests and the audit name it, for good."""

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
