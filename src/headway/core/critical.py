"""The path that made a run as long as it is: from the task that ended last, up the one it waited
for longest.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime


def critical_path(
    upstream: Mapping[str, Sequence[str]], ended_at: Mapping[str, datetime]
) -> frozenset[str]:
    """``ended_at``: of the tasks that have begun; of one that runs, now."""
    last = max(ended_at, key=lambda task_id: (ended_at[task_id], task_id), default=None)
    path: set[str] = set()
    while last is not None and last not in path:
        path.add(last)
        above = [task_id for task_id in upstream.get(last, ()) if task_id in ended_at]
        last = max(above, key=lambda task_id: (ended_at[task_id], task_id), default=None)
    return frozenset(path)
