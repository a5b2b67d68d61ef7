"""Sign in by a link that is good for once: ``headway up`` prints one, and admins make them for others."""

from functools import partial
from typing import Final

from headway.identity.accounts import fingerprint
from headway.identity.base import Ask, Given, Proof
from headway.store import browser_sessions


class Link:
    name: Final = "link"
    label: Final = "Sign-in link"
    begins: Final = "link"
    refusal: Final = (
        "this sign-in link was already used or has expired",
        "create a new one: headway open",
    )

    async def prove(self, given: Given, ask: Ask) -> Proof:
        return Proof(partial(browser_sessions.use_link, hashed=fingerprint(given.secret)))
