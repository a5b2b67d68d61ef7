"""Events, for whoever acts on them: ``Follower`` reads all, once each, and remembers how far it is."""

from headway.events.follower import Follower, held
from headway.store.events import Event

__all__ = ["Event", "Follower", "held"]
