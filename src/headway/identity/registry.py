"""The ways to sign in that there are, in the order in which the login page shows them: one line each."""

from headway.identity.base import SignIn
from headway.identity.link import Link
from headway.identity.password import Password
from headway.identity.passwords import Hashing


def ways(hashing: Hashing) -> tuple[SignIn, ...]:
    return (
        Password(hashing),
        Link(),
    )
