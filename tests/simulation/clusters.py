"""A world of setups and teardowns: in each DAG some tasks prepare what others clean up."""

from typing import Final

from msgspec.structs import replace

from headway.spec.model import Dag, Task
from tests.simulation.altered import Altered
from tests.simulation.dags import draw

TEARDOWN: Final = {"teardown": True, "trigger_rule": "all_done_setup_success", "branch": False}


class Clusters(Altered):
    def altered(self, dag: Dag) -> Dag:
        return with_setups(dag)


def with_setups(dag: Dag) -> Dag:
    """The same DAG, where some tasks are setups, some of those below them teardowns. Many of the others run whatever is
    above them, which only a setup further up prevents.
    """
    roles: dict[str, Task] = {}
    for task in dag.tasks:
        if task.upstream and draw(task, -1, "teardown") % 3 == 0:
            decides = draw(task, -1, "decides") % 4 == 0
            task = replace(task, **TEARDOWN, decides_outcome=decides, skips_all_below=False)
        roles[task.task_id] = task
    for task in dag.tasks:
        below = [each for each in roles.values() if task.task_id in each.upstream]
        fit = all(each.teardown or each.trigger_rule == "all_success" for each in below)
        if fit and not roles[task.task_id].teardown and draw(task, -1, "setup") % 2 == 0:
            roles[task.task_id] = replace(roles[task.task_id], setup=True)
    setups = {name for name, task in roles.items() if task.setup}
    for name, task in roles.items():
        if (
            not task.teardown
            and setups.isdisjoint(task.upstream)
            and draw(task, -1, "rule") % 3 > 0
        ):
            roles[name] = replace(task, trigger_rule="all_done")
    return replace(dag, tasks=tuple(roles.values()))
