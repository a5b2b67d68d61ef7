"""Following events: a ``Follower`` reads each event once and stores its position."""

from headway.events.follower import Follower, held
from headway.store.events import Event

__all__ = ["Event", "Follower", "held"]
