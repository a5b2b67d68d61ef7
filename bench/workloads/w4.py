"""W4: ten layers of twenty tasks, each after three of the layer above, 32 at once."""

from itertools import pairwise

import loads

from headway import dag, task


@dag(max_active_tasks=loads.SLOTS)
def w4() -> None:
    @task
    def nap() -> None:
        loads.nap()

    layers = [
        [nap.override(task_id=f"nap_{layer}_{place}")() for place in range(loads.WIDTH)]
        for layer in range(loads.LAYERS)
    ]
    for above, below in pairwise(layers):
        for place, node in enumerate(below):
            [above[parent] for parent in loads.parents(place)] >> node
