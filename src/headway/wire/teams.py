"""Teams and their settings."""

from datetime import datetime
from typing import Annotated

import msgspec

from headway.wire.bounds import INT32_MAX, said


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """A team, its settings, and what it uses now.

    ``slots``: the nominal slots; null if it has no nominal share of its own.
    ``weight``: how idle slots are shared with other teams.
    """

    name: str
    title: str | None
    slots: int | None
    weight: float
    created_at: datetime
    members: int
    dags: int
    used: int  # slots that running tasks hold
    waiting: int  # task instances that could run


class NewTeam(Team, frozen=True, kw_only=True):
    """``created``: false if the team existed with these settings. ``agent_token`` is shown this once."""

    created: bool
    agent_token: str | None


# -- what is asked for

TeamName = Annotated[str, said(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
Title = Annotated[str, said(minLength=1, maxLength=100)]
NominalSlots = Annotated[int, said(minimum=0, maximum=INT32_MAX)]
Weight = Annotated[float, said(exclusiveMinimum=0, maximum=1000)]


class TeamChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Omitted fields stay unchanged; null resets to the default."""

    title: Title | msgspec.UnsetType | None = msgspec.UNSET
    slots: NominalSlots | msgspec.UnsetType | None = msgspec.UNSET
    weight: Weight | msgspec.UnsetType | None = msgspec.UNSET


class TeamRequest(TeamChange, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: TeamName
