"""Everything that is waited for and holds no slot, in one shape.

A wait has a kind and the facts of it: who waits, and until when. What has an end in time is woken by
the clock, and ``clock`` says when the next of them is. What has none is woken by an event in the
database, or by a process that looks out for it: it is left to them.

A wait is stored with what waits, as a column with an index: ``task_instance.wake_at``, ``run.due_at``
(the earliest of what its run waits for), ``run.set_aside_until``, ``dag.next_fire_at``, ``dag.next_start_at``.
"""

from headway.core.waits.clock import first, seconds_left
from headway.core.waits.wait import Kind, Wait

__all__ = ("Kind", "Wait", "first", "seconds_left")
