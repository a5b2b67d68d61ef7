"""Claims: what the session of an agent asks for to look after waits or watchers of its team."""

from datetime import datetime, timedelta
from typing import NamedTuple


class Claim(NamedTuple):
    """``queues``: that the agent serves. ``silence``: who gave no sign of life for so long gets nothing."""

    team_id: int
    session_id: str
    queues: list[str]
    limit: int
    now: datetime
    silence: timedelta
