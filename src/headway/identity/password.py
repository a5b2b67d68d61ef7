"""Sign in by name and password, of which the database holds a hash.

The database tells what the hash was made with, never the hash. A name that nobody has is hashed as well, so
that the answer takes as long.
"""

from functools import partial
from typing import Final

from headway.identity.base import Ask, Given, Proof
from headway.identity.passwords import Hashing
from headway.store import people


class Password:
    name: Final = "password"
    label: Final = "Name and password"
    begins: Final = "form"
    refusal: Final = (
        "wrong user name or password",
        "an admin can set a new password: headway user password",
    )

    def __init__(self, hashing: Hashing) -> None:
        self.hashing = hashing

    async def prove(self, given: Given, ask: Ask) -> Proof:
        name = given.name or ""
        home, parameters = await ask(people.password_parameters, name) or (None, None)
        computed = await self.hashing.hash_with(given.secret, parameters)
        return Proof(partial(people.with_password, name=name, computed=computed), home)
