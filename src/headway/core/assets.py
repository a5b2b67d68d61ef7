"""The events of assets that a task instance leaves behind when it succeeds. Pure, like ``plan``.

There is an event for each outlet of the task, once for each attempt that succeeds: not for what a person marks.
"""

from collections.abc import Sequence

from headway.core.reports import Told
from headway.core.run import Emitted, Instance, Run


def emit(run: Run, instance: Instance, told: Sequence[Told]) -> None:
    """Note the events of a success: of each outlet one, or one for each partition that the task names.

    Ignore what is told of other assets. What has no partition of its own is of that of the run.
    """
    for asset in instance.node.outlets:
        ours = {one.partition or run.partition: one for one in told if one.asset == asset} or {
            None: Told(asset)
        }
        for one in ours.values():
            event = Emitted(
                instance, instance.attempts, asset, one.extra, one.partition or run.partition
            )
            run.changes.emitted.append(event)
