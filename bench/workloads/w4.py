"""W4: ten layers of twenty tasks, each after three of the layer above, 32 at once."""

from itertools import pairwise

import work
from headway import dag, task


@dag(max_active_tasks=work.SLOTS)
def w4() -> None:
    @task
    def nap() -> None:
        work.nap()

    layers = [
        [nap.override(task_id=f"nap_{layer}_{place}")() for place in range(work.WIDTH)]
        for layer in range(work.LAYERS)
    ]
    for above, below in pairwise(layers):
        for place, node in enumerate(below):
            [above[parent] for parent in work.parents(place)] >> node
