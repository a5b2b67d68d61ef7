"""Bugs in what teams share: slots, pools that one lends, and what they use of each other by grant."""

from dataclasses import replace
from typing import Any

from headway.core import lending as core_lending
from headway.core import shares as core_shares
from headway.core.admission import Share
from headway.core.shares import Claim
from headway.engine.slots import Held
from headway.store import assets, deferrals, lending
from tests.simulation.bugs.bug import Bug
from tests.simulation.guests import STEPS as STEPS_OF_GUESTS
from tests.simulation.guests import Guests
from tests.simulation.loans import Loans
from tests.simulation.teams import STEPS_OF_TEAMS, Teams


def lent_for_ever(share: Share) -> int | None:
    """What a team has beyond its fair share it keeps."""
    return share.allotted


def beyond_its_share(share: Share) -> bool:
    return False


def never_given_back(self: Held, runs: Any) -> None:
    """The ends of attempts free slots of pools only."""
    kept, self.shares = self.shares, {}
    give_back(self, runs)
    self.shares = kept


def without_weight(claim: Claim, held: int) -> tuple[bool, float]:
    return turn(replace(claim, weight=1.0), held)


def without_weight_in_pools(claim: core_lending.Claim, held: int) -> tuple[float, float, int]:
    return part_turn(replace(claim, weight=1.0), held)


def still_open(conn: Any, *rest: Any) -> Any:
    """Who lost the grant has its part of the pool as before."""
    return [replace(part, is_open=True) for part in parts(conn, *rest)]


def of_others_forgotten(slots: int, claims: Any) -> dict[int, int]:
    """What still runs of who lost the grant is no part of the pool."""
    return pool_divide(slots, [claim for claim in claims if claim.is_open])


give_back, turn = Held.give_back, core_shares.turn
part_turn, pool_divide, parts = core_lending.Claim.turn, core_lending.divide, lending.parts

OF_ANY_ASSET = assets.HAND_ON.replace(
    "AND given.kind = 'use_asset' AND given.state = 'given'", "AND given.kind = 'use_asset'"
)
OF_ANY_WAIT = deferrals.LOOK.replace(
    "AND given.kind = 'wait' AND given.state = 'given'", "AND given.kind = 'wait'"
)
NOT_THE_FIRST = assets.HAND_ON.replace(
    "event.position >= fresh.first", "event.position > fresh.first"
)


def of_teams(
    name: str, symptom: str, seeds: tuple[int, ...], *places: tuple[Any, str, object]
) -> Bug:
    return Bug(name, symptom, seeds, places, STEPS_OF_TEAMS, Teams)


def of_loans(name: str, symptom: str, seed: int, *places: tuple[Any, str, object]) -> Bug:
    return of_teams(name, symptom, (seed,), *places)._replace(world=Loans)


def of_guests(name: str, symptom: str, seed: int, *places: tuple[Any, str, object]) -> Bug:
    return Bug(name, symptom, (seed,), places, STEPS_OF_GUESTS, Guests)


BUGS: list[Bug] = [
    of_teams("lent for ever", "S9 team", (1,), (Share, "limit", property(lent_for_ever))),
    of_teams("granted beyond a share", "I36", (0,), (Share, "is_full", property(beyond_its_share))),
    of_teams(
        "slots never given back to a team",
        "I35|I36|S9",
        (0,),
        (Held, "give_back", never_given_back),
    ),
    of_teams("weights ignored", "S9 team", (1,), (core_shares, "turn", without_weight)),
    of_loans("a lost grant is still used", "I49", 1, (lending, "parts", still_open)),
    of_loans(
        "what runs without a grant is not counted",
        "I13|I48",
        0,
        (core_lending, "divide", of_others_forgotten),
    ),
    of_loans(
        "weights ignored in a pool",
        "S9 team .* behind in the pool",
        1,
        (core_lending.Claim, "turn", without_weight_in_pools),
    ),
    of_guests("events are handed on without a grant", "I50", 1, (assets, "HAND_ON", OF_ANY_ASSET)),
    of_guests("waits end without a grant", "I51", 1, (deferrals, "LOOK", OF_ANY_WAIT)),
    of_guests("the first event is not handed on", "I52", 1, (assets, "HAND_ON", NOT_THE_FIRST)),
]
