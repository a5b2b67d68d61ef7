"""Who asks: a person in one team, and the role there."""

from dataclasses import dataclass
from typing import Final

from headway.core.roles import Role
from headway.store import teams


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    name: str
    team_id: int
    role: Role

    @property
    def actor(self) -> str:
        """As history names them."""
        return f"user:{self.name}"


# The bearer of the token in run/server.json, which only who may read the data directory has.
LOCAL_ADMIN: Final = Principal(name="admin", team_id=teams.DEFAULT, role=Role.ADMIN)
